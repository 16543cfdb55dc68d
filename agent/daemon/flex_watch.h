#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/flex_drivers.h"
#include "daemon/change_burst.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// The directory of FlexVolume drivers on disk (kubelet-behaviours 16), with an inotify watch on it and on
/// each driver's directory; as long as it is missing on what is there of the way to it. Plain system calls,
/// no event loop.
class FlexTree {
 public:
  explicit FlexTree(std::string directory);

  int inotify() const { return inotify_.get(); }
  /// The programs that are there now, sorted by driver; each directory is watched before it is read. None if
  /// the directory is missing. Transient, "FlexDirectoryUnreadable": nobody can tell.
  Result<std::vector<FlexProgramFact>> list();
  /// Takes what inotify has to tell; true if there was something. Never waits.
  bool take_changes();

 private:
  void watch(const std::string& path, std::set<int>& watches);
  void watch_way(std::set<int>& watches);
  void list_driver(const std::string& name, std::set<int>& watches, std::vector<FlexProgramFact>& programs);

  std::string directory_;
  kernel::Descriptor inotify_;
  std::set<int> watches_;
};

/// Tells of all programs whenever they are others than before, once a burst of changes is over, or has lasted
/// for a while.
class FlexWatch {
 public:
  FlexWatch(boost::asio::io_context& loop, std::string directory,
            std::function<void(std::vector<FlexProgramFact>)> told);

  /// Looks for the first time.
  void start();

 private:
  void look();

  FlexTree tree_;
  ChangeBurst burst_;
  std::function<void(std::vector<FlexProgramFact>)> told_;
  std::optional<std::vector<FlexProgramFact>> last_;
  std::string problem_;
};

}  // namespace mooring
