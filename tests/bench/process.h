#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mooring::bench {

/// A child process that is ended with this object.
class Process {
 public:
  Process() = default;
  explicit Process(const std::vector<std::string>& arguments, const std::string& log = {});
  ~Process() { end(9); }
  Process(Process&& other) noexcept : pid_(other.pid_) { other.pid_ = -1; }
  Process& operator=(Process&& other) noexcept;

  pid_t pid() const { return pid_; }
  /// Sends the signal and waits for the end.
  void end(int signal);

 private:
  pid_t pid_ = -1;
};

/// User and system time of a process so far, in clock ticks (proc(5): 1/100 s), and how often it gave up the
/// processor.
struct Usage {
  std::uint64_t cpu_ticks = 0;
  std::uint64_t wake_ups = 0;
  std::uint64_t resident_kib = 0;
  std::uint64_t proportional_kib = 0;
};
Usage usage_of(pid_t pid);

/// The children of a process, now.
std::vector<pid_t> children_of(pid_t pid);

}  // namespace mooring::bench
