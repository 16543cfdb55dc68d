#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "daemon/change_burst.h"
#include "driver/registration.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// The registry of drivers on disk (`<root>/plugins_registry`): its sockets, and inotify watches on each
/// directory of it. Plain system calls, no event loop. Links are not followed, names that start with '.' are
/// passed over, and there are bounds: whoever may write there must not be able to keep the daemon busy.
class DriverTree {
 public:
  struct Listing {
    std::vector<RegistrySocket> sockets;  ///< Sorted by path.
    std::string problem;                  ///< What could not be read or watched, and why; empty: nothing.
  };

  /// `directory`: absolute. It is made when it is listed, if it is missing.
  explicit DriverTree(std::string directory);

  /// -1 if the kernel gave none: the listing says so.
  int inotify() const { return inotify_.get(); }
  /// Lists all, watching each directory before it is read, so that nothing is missed in between. The sockets
  /// of a directory that cannot be read are those that it had: nobody knows that they are gone.
  Listing list();
  /// Forgets what inotify has to tell; true if there was anything. Never waits.
  bool take_changes();

 private:
  void list_directory(const std::string& directory, int depth, Listing& listing);
  void take_entry(const std::string& path, int at, const char* name, int depth, Listing& listing);
  void keep_sockets_below(const std::string& directory, Listing& listing);
  void note(Listing& listing, const std::string& what, const std::string& path, int errno_value);

  std::string directory_;
  kernel::Descriptor inotify_;
  std::set<int> watches_;  ///< Of the last listing.
  std::set<int> used_;     ///< Of the listing that is being made.
  std::vector<RegistrySocket> last_;
};

/// Tells which sockets are in the registry, whenever that changes.
class DriverWatch {
 public:
  using Listed = std::function<void(std::vector<RegistrySocket>)>;
  using Problem = std::function<void(const std::string&)>;

  /// `listed` hears the whole listing at start() and when it is another one; `problem` what keeps it from
  /// being known, once for each that is new.
  DriverWatch(boost::asio::io_context& loop, const std::string& directory, Listed listed, Problem problem);

  void start();

 private:
  void list();

  DriverTree tree_;
  ChangeBurst burst_;
  Listed listed_;
  Problem problem_;
  std::vector<RegistrySocket> told_;
  std::string last_problem_;
  bool is_told_ = false;
};

}  // namespace mooring
