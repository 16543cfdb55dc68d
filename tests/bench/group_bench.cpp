// mooring_group_bench DIRECTORY [FILES]: measures the ownership walk (fsGroup) beside the same walk by bare
// system calls, in one run, on a tree that it makes below DIRECTORY; prints a table for docs/performance.md.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bare_group_walk.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/group_walk.h"

namespace mooring::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int files_in_a_directory = 100;
constexpr int directories_in_a_directory = 100;
constexpr int rounds = 7;
constexpr unsigned threads_max = 4;

[[noreturn]] void give_up(const std::string& why) {
  fmt::print(stderr, "group bench: {}\n", why);
  std::exit(1);
}

/// A volume: directories of directories of files, all without access for a group.
class Tree {
 public:
  Tree(std::string top, int files) : top_(std::move(top)) {
    make_directory(top_);
    const int directories = std::max(1, files / files_in_a_directory);
    for (int n = 0; n < directories; ++n) {
      const std::string outer = fmt::format("{}/{}", top_, n / directories_in_a_directory);
      if (n % directories_in_a_directory == 0) make_directory(outer);
      const std::string inner = fmt::format("{}/{}", outer, n);
      make_directory(inner);
      for (int file = 0; file < files_in_a_directory; ++file)
        make_file(fmt::format("{}/data-{:05}.bin", inner, file));
    }
  }
  const std::string& top() const { return top_; }
  std::uint64_t entries() const { return directories_.size() + files_.size(); }

  /// As it was made, but for the group, which the next walk changes to another; all on the disk, so that no
  /// walk pays for what was before it.
  void reset() const {
    for (const std::string& path : directories_)
      set_mode(path, 0700);
    for (const std::string& path : files_)
      set_mode(path, 0600);
    sync();
  }
  void check(std::uint32_t group) const {
    for (const std::string& path : directories_)
      check_one(path, group, 02770);
    for (const std::string& path : files_)
      check_one(path, group, 0660);
  }

 private:
  void make_directory(const std::string& path) {
    if (mkdir(path.c_str(), 0700) != 0) give_up("cannot make " + path);
    directories_.push_back(path);
  }
  void make_file(const std::string& path) {
    const kernel::Descriptor file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file) give_up("cannot make " + path);
    files_.push_back(path);
  }
  static void set_mode(const std::string& path, mode_t mode) {
    if (chmod(path.c_str(), mode) != 0) give_up("cannot change the mode of " + path);
  }
  static void check_one(const std::string& path, std::uint32_t group, mode_t mode) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0 || status.st_gid != group || (status.st_mode & 07777U) != mode)
      give_up("the walk left out " + path);
  }

  std::string top_;
  std::vector<std::string> directories_;
  std::vector<std::string> files_;
};

/// Of each round.
struct Rates {
  std::vector<double> seconds, cpu_seconds;
};

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void time_round(Rates& rates, const std::function<void()>& walk) {
  const auto start = Clock::now();
  const double cpu_start = cpu_seconds();
  walk();
  rates.cpu_seconds.push_back(cpu_seconds() - cpu_start);
  rates.seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Ours against bare, round by round: what slows the machine for a while slows both.
double median_ratio(const std::vector<double>& bare, const std::vector<double>& ours) {
  std::vector<double> ratios;
  for (std::size_t n = 0; n < bare.size(); ++n)
    ratios.push_back(ours[n] / bare[n]);
  return median(ratios);
}

void print(const char* what, std::uint64_t entries, const Rates& bare, const Rates& ours) {
  const auto count = static_cast<double>(entries);
  fmt::print("| {} | {:.0f} | {:.0f} | {:.2f} | {:.2f} us | {:.2f} us | {:.2f} |\n", what,
             count / median(bare.seconds), count / median(ours.seconds),
             median_ratio(bare.seconds, ours.seconds), median(bare.cpu_seconds) / count * 1e6,
             median(ours.cpu_seconds) / count * 1e6, median_ratio(bare.cpu_seconds, ours.cpu_seconds));
}

void walk_ours(const Tree& tree, std::uint32_t group, std::uint64_t changed) {
  const kernel::Descriptor root(open(tree.top().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  kernel::GroupChange change;
  change.group = group;
  const Result<kernel::GroupReport> report = kernel::change_group(root.get(), tree.top(), change, {});
  if (!report) give_up(report.error().text());
  if (report.value().seen != tree.entries() || report.value().changed != changed)
    give_up("the walk changed too much or too little");
}

int measure(const std::string& directory, int files) {
  const Tree tree(directory + "/volume", files);
  const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, threads_max);
  Rates bare_change, bare_skip, our_change, our_skip;
  std::uint32_t group = 5000;
  const auto walk_bare = [&] {
    if (bare_group_walk(tree.top(), group, threads) != tree.entries()) give_up("the bare walk left out some");
  };
  const auto change_bare = [&] {
    tree.reset();
    group = group == 5000 ? 6000 : 5000;
    time_round(bare_change, walk_bare);
  };
  const auto change_ours = [&] {
    tree.reset();
    group = group == 5000 ? 6000 : 5000;
    time_round(our_change, [&] { walk_ours(tree, group, tree.entries()); });
    tree.check(group);
  };
  const auto skip_ours = [&] { time_round(our_skip, [&] { walk_ours(tree, group, 0); }); };
  for (int round = 0; round < rounds; ++round) {
    // Who goes first alternates, because the first may pay for the second or the other way round.
    const bool is_bare_first = round % 2 == 0;
    if (is_bare_first) change_bare();
    change_ours();
    if (!is_bare_first) change_bare();
    if (!is_bare_first) skip_ours();
    time_round(bare_skip, walk_bare);
    if (is_bare_first) skip_ours();
  }
  fmt::print(
      "| {} entries, {} threads | bare, entries/s | Mooring, entries/s | ratio | bare, CPU of an entry | "
      "Mooring, CPU of an entry | ratio |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
      tree.entries(), threads);
  print("all changed", tree.entries(), bare_change, our_change);
  print("all right already", tree.entries(), bare_skip, our_skip);
  return 0;
}

}  // namespace
}  // namespace mooring::bench

int main(int argument_count, char** arguments) {
  if (argument_count < 2) {
    fmt::print(stderr, "usage: mooring_group_bench DIRECTORY [FILES]\n");
    return 2;
  }
  return mooring::bench::measure(arguments[1], argument_count > 2 ? std::atoi(arguments[2]) : 400000);
}
