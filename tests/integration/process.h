#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace mooring::integration {

using Clock = std::chrono::steady_clock;
using Millis = std::chrono::milliseconds;

struct SpawnOptions {
  std::string log;                ///< Where stdout and stderr are appended; empty: as the caller's.
  std::optional<mode_t> umask{};  ///< The child's umask, if not the caller's.
};

/// A child process that is killed with this object, and with this test.
class Process {
 public:
  Process() = default;
  explicit Process(const std::vector<std::string>& arguments, const SpawnOptions& options = {});
  ~Process() { kill(); }
  Process(Process&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  Process& operator=(Process&& other) noexcept;

  pid_t pid() const { return pid_; }
  bool is_there() const { return pid_ > 0; }
  void signal(int number) const;
  /// SIGKILL, and waits for the end.
  void kill();
  /// The exit status once it has ended (128 + N: by signal N); nullopt if it has not within the limit.
  std::optional<int> wait(Millis limit);

 private:
  pid_t pid_ = -1;
};

struct Ran {
  int status = -1;  ///< -1: it did not end in time and was killed.
  std::string out;
  std::string err;
};

/// Runs a program to its end.
Ran run(const std::vector<std::string>& arguments, Millis limit = Millis(30'000));

/// The children of a process, now, in the order of their start.
std::vector<pid_t> children_of(pid_t pid);

/// Kills and reaps all children of this process.
void kill_all_children();

}  // namespace mooring::integration
