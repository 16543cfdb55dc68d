#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "csi_controller.h"
#include "driver/registration.h"
#include "driver_mood.h"

namespace mooring::sim {

/// A CSI driver with a truth of its own: what it staged and published where. It knows CSI's order, and who
/// breaks it is found out; what it answers, and when, is another matter.
class CsiDriverTruth {
 public:
  CsiDriverTruth(std::string name, bool can_stage, kernel::FakeKernel& kernel, Random& random,
                 std::function<void(const std::string&)> trace);

  const std::string& name() const { return name_; }
  bool can_stage() const { return can_stage_; }
  const std::string& socket() const { return socket_; }
  const std::string& registry_socket() const { return registry_socket_; }
  SocketIdentity identity() const { return {1, identity_, static_cast<std::int64_t>(identity_)}; }

  /// A call of its own socket, or of the one that registers it.
  Result<kernel::DriverAnswer> call(const kernel::DriverCall& call);

  /// Its controller, which listens where it does; nullptr: it has none. Outlives it.
  void set_controller(CsiControllerTruth& controller);
  CsiControllerTruth* controller() const { return controller_; }

  bool is_up = true;          ///< Somebody listens...
  bool is_registered = true;  ///< ...and its socket is in the registry.
  DriverMood mood;
  std::set<std::string>
      handles;  ///< Of the volumes that there are; those of pods themselves begin with "csi-".

  /// It does not answer; what it has mounted hangs with it.
  void hang(bool is_hung);
  bool is_hung() const { return is_hung_; }
  /// It crashes, or is stopped; what it was at it did, or never will.
  void stop();
  /// It starts again: under another socket, node id or version, if it likes.
  void start();
  /// The power is back: nothing is staged or published any more.
  void node_rebooted();
  /// What callers have given up is done now.
  void finish();
  /// It can stage now and could not before, or the other way round: a new version, on a node without volumes.
  void change_staging();

  struct Volume {
    std::set<std::string> staged;     ///< Paths.
    std::set<std::string> published;  ///< Paths.
    std::string late_method;          ///< Of the call that it is still at; empty: none.
    std::string late_request;
    std::uint64_t refusals = 0;  ///< How often it refuses to unpublish.
    bool is_nothing() const { return staged.empty() && published.empty() && late_method.empty(); }
  };
  const Volume* find(const std::string& handle) const;
  /// A volume that it still has; empty: none.
  std::string leftover() const;
  /// Of the file system of a volume.
  std::string source(const std::string& handle) const { return name_ + "^" + handle; }
  std::string node(const std::string& handle) const { return "/dev/" + name_ + "-" + handle; }

  /// The first call that a driver must never get; empty: none.
  const std::string& broken() const { return broken_; }
  std::uint64_t calls = 0;

 private:
  struct Request {
    std::string method, handle, staging_path, target_path, volume_path;
    bool is_block = false;
  };
  static Request read(const std::string& method, const std::string& text);
  kernel::DriverAnswer identify(const std::string& method);
  Result<kernel::DriverAnswer> node_call(const std::string& method, const std::string& text);
  kernel::DriverAnswer perform(const Request& request);
  void forget_unmade(const Request& request);
  void check_order(const Request& request, const Volume& volume);
  void check_attached(const Request& request);
  void check_places(const Request& request, const Volume& volume);
  void accuse(const Request& request, const std::string& what);
  void drop_late(bool does_it);
  bool happens(std::uint64_t one_in) { return one_in != 0 && random_.chance(one_in); }

  std::string name_;
  bool can_stage_;
  kernel::FakeKernel& kernel_;
  Random& random_;
  std::function<void(const std::string&)> trace_;
  DriverMounts mounts_;
  bool is_hung_ = false;
  CsiControllerTruth* controller_ = nullptr;
  std::string socket_;
  std::string registry_socket_;
  std::string node_id_ = "node";
  std::string vendor_version_ = "1.0";
  std::uint64_t identity_ = 1;
  std::map<std::string, Volume> volumes_;
  std::string broken_;
};

}  // namespace mooring::sim
