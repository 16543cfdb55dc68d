#include "bare_group_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace mooring::bench {
namespace {

constexpr long fchmodat2_number = 452;

void require(bool condition, const char* what) {
  if (condition) return;
  std::perror(what);
  std::exit(1);
}

/// Directories that wait to be read, as paths below the top.
class BareWalk {
 public:
  BareWalk(const std::string& top, std::uint32_t group)
      : top_(open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), group_(group) {
    require(top_ >= 0, "open");
    waiting_.emplace_back(".");
    pending_ = 1;
  }
  ~BareWalk() { close(top_); }

  void work() {
    std::vector<char> buffer(64UL * 1024);
    std::uint64_t seen = 0;
    std::string path;
    while (pending_.load() != 0) {
      if (!take(path)) {
        std::this_thread::yield();
        continue;
      }
      seen += walk_directory(path, buffer);
      pending_.fetch_sub(1);
    }
    seen_.fetch_add(seen);
  }
  std::uint64_t seen() const { return seen_.load(); }

 private:
  bool take(std::string& path) {
    while (lock_.test_and_set(std::memory_order_acquire)) {
    }
    const bool has_one = !waiting_.empty();
    if (has_one) {
      path = std::move(waiting_.back());
      waiting_.pop_back();
    }
    lock_.clear(std::memory_order_release);
    return has_one;
  }

  void put(std::string path) {
    pending_.fetch_add(1);
    while (lock_.test_and_set(std::memory_order_acquire)) {
    }
    waiting_.push_back(std::move(path));
    lock_.clear(std::memory_order_release);
  }

  std::uint64_t walk_directory(const std::string& path, std::vector<char>& buffer) {
    const int fd = openat(top_, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    require(fd >= 0, "open");
    struct stat status;
    require(fstat(fd, &status) == 0, "fstat");
    if (status.st_gid != group_) require(fchown(fd, static_cast<uid_t>(-1), group_) == 0, "fchown");
    if ((status.st_mode & 02770U) != 02770U)
      require(fchmod(fd, (status.st_mode & 07777U) | 02770U) == 0, "fchmod");
    std::uint64_t seen = 1;
    while (true) {
      const ssize_t got = getdents64(fd, buffer.data(), buffer.size());
      require(got >= 0, "getdents64");
      if (got == 0) break;
      for (ssize_t at = 0; at < got;) {
        const auto* entry = static_cast<const dirent64*>(static_cast<const void*>(buffer.data() + at));
        at += entry->d_reclen;
        const char* name = &entry->d_name[0];
        if (entry->d_type == DT_REG) {
          set_file(fd, name);
          ++seen;
        } else if (entry->d_type == DT_DIR && std::string_view(name) != "." &&
                   std::string_view(name) != "..") {
          put(path + "/" + name);
        }
      }
    }
    close(fd);
    return seen;
  }

  void set_file(int directory, const char* name) const {
    struct statx status;
    require(statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_MODE | STATX_GID,
                  &status) == 0,
            "statx");
    if (status.stx_gid != group_) {
      require(fchownat(directory, name, static_cast<uid_t>(-1), group_, AT_SYMLINK_NOFOLLOW) == 0,
              "fchownat");
    }
    if ((status.stx_mode & 0660U) == 0660U) return;
    require(syscall(fchmodat2_number, directory, name, (status.stx_mode & 07777U) | 0660U,
                    AT_SYMLINK_NOFOLLOW) == 0,
            "fchmodat2");
  }

  const int top_;
  const std::uint32_t group_;
  std::atomic_flag lock_ = ATOMIC_FLAG_INIT;
  std::vector<std::string> waiting_;
  std::atomic<std::uint64_t> pending_{0};
  std::atomic<std::uint64_t> seen_{0};
};

}  // namespace

std::uint64_t bare_group_walk(const std::string& top, std::uint32_t group, unsigned threads) {
  BareWalk walk(top, group);
  std::vector<std::thread> all;
  for (unsigned n = 0; n < threads; ++n)
    all.emplace_back([&walk] { walk.work(); });
  for (std::thread& thread : all)
    thread.join();
  return walk.seen();
}

}  // namespace mooring::bench
