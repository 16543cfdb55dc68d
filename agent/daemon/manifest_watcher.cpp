#include "daemon/manifest_watcher.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "manifest/parse.h"

namespace mooring {
namespace {

using boost::system::error_code;

constexpr std::size_t slice_files_max = 32;
constexpr auto absence_confirmed_after = std::chrono::milliseconds(50);
/// A new file that did not change for so long is whole: it got its name by link(2), and no close will tell.
constexpr auto fresh_looked_at_after = std::chrono::milliseconds(250);
constexpr std::int64_t written_long_ago_ns = 2'000'000'000;
constexpr auto check_interval = std::chrono::minutes(10);
/// While something cannot be listed, or not be watched.
constexpr auto check_interval_failing = std::chrono::minutes(1);
constexpr auto mounts_looked_at_after = std::chrono::milliseconds(100);

}  // namespace

ManifestWatcher::ManifestWatcher(boost::asio::io_context& loop, ManifestTree tree, Sink sink)
    : loop_(loop),
      tree_(std::move(tree)),
      sink_(std::move(sink)),
      inotify_(loop, dup(tree_.inotify())),
      mounts_(loop),
      absence_timer_(loop),
      missing_timer_(loop),
      mounts_timer_(loop),
      fresh_timer_(loop),
      check_timer_(loop) {
  wait_for_changes();
  kernel::Descriptor mounts(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!mounts) return;  // The checks see what changed.
  mounts_.assign(mounts.release());
  wait_for_mounts();
}

void ManifestWatcher::reload() {
  for (auto& [file, signature] : known_)
    signature.reset();
  request_listing();
}

/// A mount on a directory of manifests, or its end: inotify tells nothing of that.
void ManifestWatcher::wait_for_mounts() {
  mounts_.async_wait(boost::asio::posix::stream_descriptor::wait_error, [this](error_code failed) {
    if (failed) return;
    wait_for_mounts();
    if (std::exchange(is_mounts_timer_set_, true)) return;
    mounts_timer_.expires_after(mounts_looked_at_after);
    mounts_timer_.async_wait([this](error_code cancelled) {
      is_mounts_timer_set_ = false;
      if (!cancelled && tree_.is_exchanged()) request_listing();
    });
  });
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

/// The core knows of the file still, and it is to be read again.
void ManifestWatcher::forget_signature(const std::string& file) {
  if (const auto known = known_.find(file); known != known_.end()) known->second.reset();
}

void ManifestWatcher::enqueue(const std::string& file) {
  fresh_.erase(file);
  if (!queued_.insert(file).second) return;
  forget_signature(file);
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
    if (is_listing_wanted_ && !is_listing_open_) list();
  });
}

void ManifestWatcher::list() {
  take_changes();  // An unmount is told before what is there now is looked at.
  is_listing_wanted_ = false;
  is_listing_open_ = true;
  listing_ = tree_.list();
  if (listing_.watch_problem != watch_problem_) {
    watch_problem_ = listing_.watch_problem;
    if (!watch_problem_.empty())
      spdlog::warn("{}; until that is mended, changes there are seen once a minute", watch_problem_);
  }
  for (const auto& [directory, message] : listing_.failures)
    sink_(ListingFailed{directory, message});
  for (const std::string& file : listing_.files) {
    ManifestTree::Signature now;
    const auto known = known_.find(file);
    if (known != known_.end() && known->second && ManifestTree::read_signature(file, now) &&
        now == *known->second)
      continue;
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
  if (!content && content.error().errno_value == ENOENT &&
      ManifestTree::presence(file) == ManifestTree::Presence::Absent) {
    forget_signature(file);
    absent_.insert_or_assign(file, Clock::now() + absence_confirmed_after);
    return schedule_absence();
  }
  absent_.erase(file);
  auto& known = known_[file];
  known.reset();
  if (!content) return sink_(FileUnreadable{file, content.error().text()});
  if (has_signature) known = signature;
  sink_(FileParsed{manifest::parse_file(content.value(), file, limits)});
}

void ManifestWatcher::schedule_absence() {
  if (absent_.empty()) return;
  const auto first =
      std::min_element(absent_.begin(), absent_.end(),
                       [](const auto& left, const auto& right) { return left.second < right.second; });
  absence_timer_.expires_at(first->second);
  absence_timer_.async_wait([this](error_code failed) {
    if (!failed) confirm_absent();
  });
}

void ManifestWatcher::confirm_absent() {
  const Clock::time_point now = Clock::now();
  for (const auto& [file, deadline] : std::map(absent_)) {
    if (deadline > now) continue;
    absent_.erase(file);
    const ManifestTree::Presence presence = ManifestTree::presence(file);
    // Something is there again: its own event tells when it is whole.
    if (presence == ManifestTree::Presence::There) continue;
    // Nobody removed it from a directory that is out of reach, or is another one now.
    if (presence == ManifestTree::Presence::Unknown || !tree_.is_as_listed(file.substr(0, file.rfind('/')))) {
      request_listing();
      continue;
    }
    tree_.forget(file);
    known_.erase(file);
    sink_(FileGone{file});
  }
  schedule_absence();
}

/// Of what the core knows and the listing does not hold: when it may count as gone. nullopt: now.
std::optional<ManifestWatcher::Clock::time_point> ManifestWatcher::missing_until() {
  const Clock::time_point now = Clock::now();
  std::map<std::string, Clock::time_point> missing;
  std::optional<Clock::time_point> until;
  for (const auto& [file, signature] : known_) {
    if (std::binary_search(listing_.files.begin(), listing_.files.end(), file)) continue;
    const auto before = missing_.find(file);
    const Clock::time_point deadline =
        before == missing_.end() ? now + absence_confirmed_after : before->second;
    missing.emplace(file, deadline);
    if (deadline > now) until = std::max(until.value_or(deadline), deadline);
  }
  missing_ = std::move(missing);
  return until;
}

/// Every file of the listing was read. What the core knows and is not in it must be missing from another
/// listing, a moment later, before one counts.
void ManifestWatcher::finish_listing() {
  is_listing_open_ = false;
  if (is_listing_wanted_) return list();
  const bool is_whole = listing_.failures.empty();
  if (!is_whole) {
    missing_.clear();
  } else if (const auto until = missing_until()) {
    missing_timer_.expires_at(*until);
    missing_timer_.async_wait([this](error_code failed) {
      if (!failed) request_listing();
    });
    return;
  } else {
    for (const auto& [file, deadline] : std::exchange(missing_, {}))
      known_.erase(file);
    sink_(ListingCompleted{std::move(listing_.files)});
  }
  schedule_check(is_whole && listing_.watch_problem.empty() ? check_interval : check_interval_failing);
  listing_ = {};
}

void ManifestWatcher::schedule_check(std::chrono::steady_clock::duration after) {
  check_timer_.expires_after(after);
  check_timer_.async_wait([this](error_code failed) {
    if (!failed) request_listing();
  });
}

}  // namespace mooring
