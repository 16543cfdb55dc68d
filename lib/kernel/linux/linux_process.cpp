#include "kernel/linux/linux_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

extern char** environ;

namespace mooring::kernel {
namespace {

Descriptor open_pidfd(std::int32_t pid) {
  return Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

}  // namespace

Result<std::unique_ptr<LinuxProcess>> LinuxProcess::spawn(const std::string& program, int socket) {
  constexpr int socket_in_child = 3;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, socket_in_child);
  posix_spawn_file_actions_addclosefrom_np(&actions, socket_in_child + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // The core blocks and handles signals in its own way; a worker starts with none of that.
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  // A session of its own: a terminal's ^C is for the core, which then ends its workers in order.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  std::string name = program;
  std::array<char*, 2> arguments{name.data(), nullptr};
  pid_t pid = -1;
  const int failed = posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return system_error(ErrorKind::Transient, "SpawnFailed", "cannot start the worker", program, failed);
  }
  Descriptor pidfd = open_pidfd(pid);  // It cannot be reaped by anybody else, so the number is still its own.
  if (!pidfd) {
    const int cause = errno;
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    return system_error(ErrorKind::Transient, "SpawnFailed", "cannot watch the worker", program, cause);
  }
  return std::unique_ptr<LinuxProcess>(new LinuxProcess(pid, std::move(pidfd)));
}

Result<std::unique_ptr<LinuxProcess>> LinuxProcess::of(std::int32_t pid) {
  Descriptor pidfd = open_pidfd(pid);
  if (!pidfd) {
    return system_error(ErrorKind::Transient, "NoSuchProcess", "cannot watch process " + std::to_string(pid),
                        {}, errno);
  }
  return std::unique_ptr<LinuxProcess>(new LinuxProcess(pid, std::move(pidfd)));
}

bool LinuxProcess::kill() {
  return syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0) == 0;
}

std::optional<std::string> LinuxProcess::take_end() {
  siginfo_t info{};
  const auto id = static_cast<id_t>(pidfd_.get());
  if (waitid(static_cast<idtype_t>(P_PIDFD), id, &info, WEXITED | WNOHANG) != 0) return std::string();
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return "exited with status " + std::to_string(info.si_status);
  const char* name = sigabbrev_np(info.si_status);
  return "was killed by SIG" + std::string(name != nullptr ? name : std::to_string(info.si_status));
}

void keep_memory_out_of_cores() {
  const Descriptor filter(open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC));
  if (filter) static_cast<void>(!write(filter.get(), "0", 1));
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
}

std::string namespace_problem(const std::string& who, const std::string& unit) {
  struct stat own {};
  struct stat first {};
  if (stat("/proc/self/ns/mnt", &own) != 0 || stat("/proc/1/ns/mnt", &first) != 0)
    return "cannot compare the mount namespace of " + who + " with that of process 1";
  if (own.st_ino == first.st_ino && own.st_dev == first.st_dev) return {};
  return who +
         " has a mount namespace of its own, so the node would not see its mounts: remove the sandboxing "
         "options that " +
         unit + " must not have (see its comments), and systemctl daemon-reload";
}

}  // namespace mooring::kernel
