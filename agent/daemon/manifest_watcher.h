#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "core/core.h"
#include "daemon/manifest_tree.h"

namespace mooring {

/// Keeps the core's view of the manifest directories: reads them at start, whatever changes as it changes,
/// and all of them again, slowly, to confirm. Files are parsed a slice at a time, so that the core acts on
/// the first ones while the last are still being read.
///
/// A file that vanished counts as gone only when it is still absent a moment later: editors and tools that
/// replace a file by removing it first must not cost a pod its volumes. Nor must a directory that is not the
/// one that held it any more.
class ManifestWatcher {
 public:
  using Sink = std::function<void(Event)>;

  ManifestWatcher(boost::asio::io_context& loop, ManifestTree tree, Sink sink);

  /// Lists and reads everything.
  void start() { request_listing(); }
  /// Reads everything again, changed or not.
  void reload();

 private:
  using Clock = std::chrono::steady_clock;

  void wait_for_changes();
  void wait_for_mounts();
  void take_changes();
  void forget_signature(const std::string& file);
  void enqueue(const std::string& file);
  bool is_written(const ManifestTree::Signature& signature) const;
  void schedule_fresh();
  void look_at_fresh();
  void request_listing();
  void list();
  void read_slice();
  void read_file(const std::string& file);
  void schedule_absence();
  void confirm_absent();
  std::optional<Clock::time_point> missing_until();
  void finish_listing();
  void schedule_slice();
  void schedule_check(std::chrono::steady_clock::duration after);

  boost::asio::io_context& loop_;
  ManifestTree tree_;
  Sink sink_;
  boost::asio::posix::stream_descriptor inotify_;
  boost::asio::posix::stream_descriptor mounts_;  ///< The mount table, for its changes.
  boost::asio::steady_timer absence_timer_;
  boost::asio::steady_timer missing_timer_;
  boost::asio::steady_timer mounts_timer_;
  boost::asio::steady_timer fresh_timer_;
  boost::asio::steady_timer check_timer_;
  std::deque<std::string> to_read_;
  std::set<std::string> queued_;
  /// What the core was told of, and what was read; nullopt: it is to be read again.
  std::map<std::string, std::optional<ManifestTree::Signature>> known_;
  std::map<std::string, Clock::time_point> absent_;       ///< Looked gone; when that is to be confirmed.
  std::map<std::string, Clock::time_point> missing_;      ///< Not in the last listing; when that may count.
  std::map<std::string, ManifestTree::Signature> fresh_;  ///< New names that nobody has told to be whole yet.
  ManifestTree::Listing listing_;
  std::string watch_problem_;       ///< As it was logged.
  bool is_listing_open_ = false;    ///< A listing's files are still being read.
  bool is_listing_wanted_ = false;  ///< Another listing is to follow.
  bool is_slice_scheduled_ = false;
  bool is_mounts_timer_set_ = false;
  bool is_fresh_timer_set_ = false;
};

}  // namespace mooring
