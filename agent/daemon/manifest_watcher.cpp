#include "daemon/manifest_watcher.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "manifest/parse.h"

namespace mooring {
namespace {

using boost::system::error_code;

constexpr std::size_t slice_files_max = 32;
constexpr auto absence_confirmed_after = std::chrono::milliseconds(20);
/// A new file that did not change for so long is whole: it got its name by link(2), and no close will tell.
constexpr auto fresh_looked_at_after = std::chrono::milliseconds(250);
constexpr std::int64_t written_long_ago_ns = 2'000'000'000;
constexpr auto check_interval = std::chrono::minutes(10);
constexpr auto check_interval_failing = std::chrono::minutes(1);

}  // namespace

ManifestWatcher::ManifestWatcher(boost::asio::io_context& loop, ManifestTree tree, Sink sink)
    : loop_(loop),
      tree_(std::move(tree)),
      sink_(std::move(sink)),
      inotify_(loop, dup(tree_.inotify())),
      absence_timer_(loop),
      fresh_timer_(loop),
      check_timer_(loop) {
  wait_for_changes();
}

void ManifestWatcher::reload() {
  known_.clear();
  request_listing();
}

void ManifestWatcher::wait_for_changes() {
  inotify_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](error_code failed) {
    if (failed) return;
    take_changes();
    wait_for_changes();
  });
}

void ManifestWatcher::take_changes() {
  for (ManifestTree::Change& change : tree_.take_changes()) {
    if (change.kind == ManifestTree::Change::Kind::Tree) {
      request_listing();
    } else if (change.kind == ManifestTree::Change::Kind::File) {
      enqueue(change.path);
    } else if (ManifestTree::Signature now; ManifestTree::read_signature(change.path, now)) {
      if (is_written(now)) {
        enqueue(change.path);
      } else {
        fresh_[change.path] = now;
        schedule_fresh();
      }
    }
  }
  if (!to_read_.empty()) schedule_slice();
}

void ManifestWatcher::enqueue(const std::string& file) {
  fresh_.erase(file);
  if (!queued_.insert(file).second) return;
  known_.erase(file);
  to_read_.push_back(file);
}

/// True if the file behind a new name is not being written: it is one that was read under another name, or
/// its last change was long ago.
bool ManifestWatcher::is_written(const ManifestTree::Signature& signature) const {
  if (signature.size == 0) return false;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t now_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  return now_ns - signature.modified_ns > written_long_ago_ns ||
         std::any_of(known_.begin(), known_.end(),
                     [&](const auto& known) { return known.second == signature; });
}

void ManifestWatcher::schedule_fresh() {
  if (std::exchange(is_fresh_timer_set_, true)) return;
  fresh_timer_.expires_after(fresh_looked_at_after);
  fresh_timer_.async_wait([this](error_code failed) {
    is_fresh_timer_set_ = false;
    if (!failed) look_at_fresh();
  });
}

void ManifestWatcher::look_at_fresh() {
  for (const auto& [file, before] : std::map(fresh_)) {
    ManifestTree::Signature now;
    const bool is_there = ManifestTree::read_signature(file, now);
    if (is_there && now.size > 0 && now == before) {
      enqueue(file);
    } else if (is_there && now.size > 0) {
      fresh_[file] = now;
    } else {
      fresh_.erase(file);  // Nothing is in it yet: whoever writes it closes it.
    }
  }
  if (!fresh_.empty()) schedule_fresh();
  if (!to_read_.empty()) schedule_slice();
}

void ManifestWatcher::request_listing() {
  if (std::exchange(is_listing_wanted_, true)) return;
  boost::asio::post(loop_, [this] {
    if (!is_listing_open_) list();
  });
}

void ManifestWatcher::list() {
  is_listing_wanted_ = false;
  is_listing_open_ = true;
  listing_ = tree_.list();
  for (const auto& [directory, message] : listing_.failures)
    sink_(ListingFailed{directory, message});
  for (const std::string& file : listing_.files) {
    ManifestTree::Signature now;
    const auto known = known_.find(file);
    if (known != known_.end() && ManifestTree::read_signature(file, now) && now == known->second) continue;
    if (queued_.insert(file).second) to_read_.push_back(file);
  }
  schedule_slice();
}

void ManifestWatcher::schedule_slice() {
  if (std::exchange(is_slice_scheduled_, true)) return;
  boost::asio::post(loop_, [this] {
    is_slice_scheduled_ = false;
    read_slice();
  });
}

void ManifestWatcher::read_slice() {
  for (std::size_t i = 0; i < slice_files_max && !to_read_.empty(); ++i) {
    const std::string file = std::move(to_read_.front());
    to_read_.pop_front();
    queued_.erase(file);
    read_file(file);
  }
  if (!to_read_.empty()) return schedule_slice();
  if (is_listing_open_) finish_listing();
}

void ManifestWatcher::read_file(const std::string& file) {
  const manifest::Limits limits;
  ManifestTree::Signature signature;
  const bool has_signature = ManifestTree::read_signature(file, signature);
  const Result<std::string> content = ManifestTree::read(file, limits.file_bytes_max);
  if (content) {
    absent_.erase(file);
    if (has_signature) known_[file] = signature;
    return sink_(FileParsed{manifest::parse_file(content.value(), file, limits)});
  }
  known_.erase(file);
  if (content.error().errno_value == ENOENT &&
      ManifestTree::presence(file) == ManifestTree::Presence::Absent) {
    absent_.insert(file);
    if (std::exchange(is_absence_timer_set_, true)) return;
    absence_timer_.expires_after(absence_confirmed_after);
    absence_timer_.async_wait([this](error_code failed) {
      if (!failed) confirm_absent();
    });
    return;
  }
  sink_(FileUnreadable{file, content.error().text()});
}

void ManifestWatcher::confirm_absent() {
  is_absence_timer_set_ = false;
  for (const std::string& file : std::exchange(absent_, {})) {
    // Something is there again: its own event tells when it is whole.
    if (ManifestTree::presence(file) != ManifestTree::Presence::Absent) continue;
    const std::string directory = file.substr(0, file.rfind('/'));
    if (ManifestTree::presence(directory) == ManifestTree::Presence::There) {
      sink_(FileGone{file});
    } else {
      request_listing();
    }
  }
}

/// Every file of the listing was read. What was known before and is not in it is looked for once more, a
/// moment later, before the listing counts.
void ManifestWatcher::finish_listing() {
  is_listing_open_ = false;
  if (is_listing_wanted_) return list();
  std::vector<std::string> missing;
  for (const auto& [file, signature] : known_) {
    if (!std::binary_search(listing_.files.begin(), listing_.files.end(), file)) missing.push_back(file);
  }
  if (!missing.empty() && listing_.failures.empty()) {
    for (const std::string& file : missing)
      known_.erase(file);
    absence_timer_.expires_after(absence_confirmed_after);
    is_absence_timer_set_ = true;
    absence_timer_.async_wait([this](error_code failed) {
      if (failed) return;
      confirm_absent();
      request_listing();
    });
    return;
  }
  const bool is_whole = listing_.failures.empty();
  if (is_whole) sink_(ListingCompleted{std::move(listing_.files)});
  listing_ = {};
  schedule_check(is_whole ? check_interval : check_interval_failing);
}

void ManifestWatcher::schedule_check(std::chrono::steady_clock::duration after) {
  check_timer_.expires_after(after);
  check_timer_.async_wait([this](error_code failed) {
    if (!failed) request_listing();
  });
}

}  // namespace mooring
