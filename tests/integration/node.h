#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bus_client.h"
#include "ctl.h"
#include "host.h"
#include "process.h"

namespace mooring::integration {

constexpr Millis default_limit{20'000};

/// How a node is laid out and how its mooringd is started.
struct NodeOptions {
  std::string root_name = "root";    ///< Of the root directory, below the node's own directory.
  bool has_bus = true;               ///< Whether the bus is there from the start.
  std::optional<mode_t> umask{};     ///< Of mooringd.
  std::string metrics = "none";      ///< Where it serves its metrics.
  std::string name = "node";         ///< Of the node, as manifests name it.
  std::vector<std::string> flags{};  ///< More of mooringd's.
  bool has_own_state = false;        ///< Its ledger lies outside of the root directory.
};

/// A directory of its own with root, run (a tmpfs), manifests and a bus, and a mooringd that can be started,
/// stopped and killed. Leaves nothing behind, however the test ends.
class Node {
 public:
  explicit Node(NodeOptions options = {});
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& dir() const { return dir_; }
  std::string root() const { return dir_ + "/" + options_.root_name; }
  std::string run_dir() const { return dir_ + "/run"; }
  std::string manifests() const { return dir_ + "/manifests"; }
  std::string bus_address() const { return "unix:path=" + dir_ + "/bus"; }
  /// Where the contract puts a volume.
  std::string volume_path(const std::string& uid, const std::string& plugin, const std::string& name) const;

  // The daemon. start() waits until it is on the bus.
  void start();
  void start_without_waiting();
  /// SIGTERM; the exit status, or nullopt if it does not end within 2 seconds.
  std::optional<int> stop();
  void kill();
  Process& daemon() { return daemon_; }
  std::vector<std::string> arguments() const;
  void start_bus();
  /// Kills the bus with all its connections; start_bus() brings it back, at the same address.
  void stop_bus();
  std::string log() const { return read_file(dir_ + "/log"); }

  // Manifests. Whole at once, by a rename.
  void write(const std::string& file, const std::string& content) const;
  void remove(const std::string& file) const;

  /// Waits for the bus, the mount table, the log and the manifests' events until the condition is met; it is
  /// looked at again after each of them, and every 20 ms for what tells nobody. False when the time is over.
  bool eventually(const std::function<bool()>& condition, Millis limit = default_limit);
  /// True if the condition holds all the time; looked at just as often.
  bool stays(const std::function<bool()>& condition, Millis time);
  /// Takes in what happens, for a time.
  void let_pass(Millis time);

  BusClient& bus() { return *client_; }
  const Ctl& ctl() const { return ctl_; }
  bool becomes_ready(const std::string& pod, Millis limit = default_limit) const;
  bool becomes_gone(const std::string& pod, Millis limit = default_limit) const;
  /// Waits until a volume has a reason; false when the time is over.
  bool gets_reason(const std::string& pod, const std::string& volume, const std::string& reason,
                   Millis limit = default_limit);
  /// Waits until a line of the node's problems has, or none has any more, this in it.
  bool gets_problem(const std::string& part, Millis limit = default_limit);
  bool loses_problem(const std::string& part, Millis limit = default_limit);
  /// True once no volume of any pod, no record and no trash is left.
  bool is_empty() const;

 private:
  NodeOptions options_;
  std::string dir_;
  Ctl ctl_;
  Process bus_process_;
  Process daemon_;
  std::unique_ptr<BusClient> client_;
  int log_events_ = -1;
  int mount_events_ = -1;
};

/// A pod with one container "c" that mounts each volume at /NAME. A source is written as in "emptyDir: {}".
std::string pod_text(const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& volumes);
/// The source of a hostPath volume.
std::string host_path(const std::string& path, const std::string& type = "");

constexpr const char* empty_dir = "emptyDir: {}";
constexpr const char* memory_dir = "emptyDir: {medium: Memory, sizeLimit: 1Mi}";

}  // namespace mooring::integration
