#pragma once

#include <memory>
#include <string>

#include "kernel/linux/descriptor.h"
#include "kernel/processes.h"

namespace mooring::kernel {

class LinuxProcess final : public Process {
 public:
  /// Starts `program` with no arguments, with `socket` as its descriptor 3 and nothing else inherited but the
  /// three standard ones. Transient, "SpawnFailed".
  static Result<std::unique_ptr<LinuxProcess>> spawn(const std::string& program, int socket);
  /// Refers to a process that is not our child. Transient, "NoSuchProcess".
  static Result<std::unique_ptr<LinuxProcess>> of(std::int32_t pid);

  std::int32_t pid() const override { return pid_; }
  int descriptor() const override { return pidfd_.get(); }
  bool kill() override;
  std::optional<std::string> take_end() override;

 private:
  LinuxProcess(std::int32_t pid, Descriptor pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  std::int32_t pid_;
  Descriptor pidfd_;
};

/// Keeps what this process and its children hold in memory out of core files, whoever writes them: Secrets
/// are in it. By the filter of what is dumped (proc(5), coredump_filter) and a limit of zero (setrlimit(2)).
void keep_memory_out_of_cores();

/// Under systemd a process that mounts for the node must be in the node's mount namespace, that of process 1.
/// With sandboxing options in its unit it would have one of its own, and what it mounts there nobody else
/// would ever see. Empty: all is well. `who`: "this worker"; `unit`: "mooring-worker@.service".
std::string namespace_problem(const std::string& who, const std::string& unit);

}  // namespace mooring::kernel
