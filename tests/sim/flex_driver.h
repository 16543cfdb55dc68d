#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "core/flex_drivers.h"
#include "driver_mood.h"

namespace mooring::sim {

/// A FlexVolume driver, a program that keeps no state but what it did to the node, and a truth beside it that
/// knows in what order it is to be called.
class FlexDriverTruth {
 public:
  enum class Kind { Attaches, Mounts, Writes };
  FlexDriverTruth(std::string name, Kind kind, kernel::FakeKernel& kernel, Random& random,
                  std::function<void(const std::string&)> trace);

  const std::string& name() const { return name_; }
  Kind kind() const { return kind_; }
  const std::string& program() const { return program_; }
  FlexProgramFact fact() const;

  Result<kernel::ProgramAnswer> run(const kernel::ProgramCall& call);

  bool is_there = true;
  DriverMood mood;
  std::set<std::string> volumes_known;  ///< What there is of volumes, by name.

  void hang(bool is_hung);
  bool is_hung() const { return is_hung_; }
  /// Another program in its place, which may support less, or more.
  void replace();
  void node_rebooted();

  struct Volume {
    bool is_attached = false;
    std::set<std::string> staged;     ///< Paths.
    std::set<std::string> published;  ///< Paths, of what its `mount` made.
    bool is_nothing() const { return !is_attached && staged.empty() && published.empty(); }
  };
  const Volume* find(const std::string& name) const;
  /// True if the pod has at the path what the driver put there.
  bool is_published(const std::string& path) const;
  std::string leftover() const;
  std::string source(const std::string& name) const { return name_ + "^" + name; }
  const std::string& broken() const { return broken_; }
  std::uint64_t calls = 0;

  static constexpr const char* file_name = "written";

 private:
  kernel::ProgramAnswer perform(const std::string& command, const kernel::ProgramCall& call);
  bool publish(const std::string& path, Volume& volume, const std::string& name);
  bool unpublish(const std::string& path);
  void check_order(const std::string& command, const kernel::ProgramCall& call);
  /// The volume that a call is about; empty: of a path that it knows nothing of.
  std::string volume_of(const std::string& command, const kernel::ProgramCall& call) const;
  bool has_mounts_for_pods(const std::string& name) const;
  void accuse(const std::string& command, const std::string& name, const std::string& what);
  bool happens(std::uint64_t one_in) { return one_in != 0 && random_.chance(one_in); }

  std::string name_;
  Kind kind_;
  kernel::FakeKernel& kernel_;
  Random& random_;
  std::function<void(const std::string&)> trace_;
  DriverMounts mounts_;
  std::string program_;
  std::uint64_t inode_ = 1;
  bool is_hung_ = false;
  std::set<std::string> unsupported_;
  std::map<std::string, Volume> volumes_;
  std::string broken_;
};

}  // namespace mooring::sim
