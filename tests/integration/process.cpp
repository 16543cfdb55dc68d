#include "process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>

namespace mooring::integration {
namespace {

/// Only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* arguments, int out, int err, const std::optional<mode_t>& mask) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (mask) umask(*mask);
  if (out >= 0) dup2(out, 1);
  if (err >= 0) dup2(err, 2);
  execvp(arguments[0], arguments);
  _exit(127);
}

pid_t spawn(const std::vector<std::string>& arguments, int out, int err, const std::optional<mode_t>& mask) {
  std::vector<char*> raw;
  for (const std::string& argument : arguments)
    raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  const pid_t pid = fork();
  if (pid == 0) become(raw.data(), out, err, mask);
  return pid;
}

int remaining(Clock::time_point end) {
  const auto left = std::chrono::ceil<Millis>(end - Clock::now()).count();
  return left > 0 ? static_cast<int>(left) : 0;
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const SpawnOptions& options) {
  const int log =
      options.log.empty() ? -1 : open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  pid_ = spawn(arguments, log, log, options.umask);
  if (log >= 0) close(log);
}

Process& Process::operator=(Process&& other) noexcept {
  kill();
  pid_ = other.pid_;
  other.pid_ = -1;
  return *this;
}

void Process::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

void Process::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::optional<int> Process::wait(Millis limit) {
  if (pid_ <= 0) return std::nullopt;
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd item{handle, POLLIN, 0};
  const int ended = poll(&item, 1, static_cast<int>(limit.count()));
  close(handle);
  if (ended <= 0) return std::nullopt;
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Ran run(const std::vector<std::string>& arguments, Millis limit) {
  std::array<int, 2> out{};
  std::array<int, 2> err{};
  Ran ran;
  if (pipe2(out.data(), O_CLOEXEC) != 0 || pipe2(err.data(), O_CLOEXEC) != 0) return ran;
  const pid_t pid = spawn(arguments, out[1], err[1], std::nullopt);
  close(out[1]);
  close(err[1]);
  const auto end = Clock::now() + limit;
  std::array<pollfd, 2> items{pollfd{out[0], POLLIN, 0}, pollfd{err[0], POLLIN, 0}};
  std::array<std::string*, 2> texts{&ran.out, &ran.err};
  bool is_late = false;
  while (!is_late && (items[0].fd >= 0 || items[1].fd >= 0)) {
    is_late = poll(items.data(), items.size(), remaining(end)) <= 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].fd < 0 || items[i].revents == 0) continue;
      std::array<char, 65536> part{};
      const ssize_t got = read(items[i].fd, part.data(), part.size());
      if (got > 0) texts[i]->append(part.data(), static_cast<std::size_t>(got));
      if (got <= 0) items[i].fd = -1;
    }
  }
  close(out[0]);
  close(err[0]);
  if (is_late) ::kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  if (!is_late) ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  const std::string name = std::to_string(pid);
  std::ifstream in("/proc/" + name + "/task/" + name + "/children");
  for (pid_t child = 0; in >> child;)
    children.push_back(child);
  return children;
}

void kill_all_children() {
  for (auto children = children_of(getpid()); !children.empty(); children = children_of(getpid())) {
    for (const pid_t child : children) {
      ::kill(child, SIGKILL);
      waitpid(child, nullptr, 0);
    }
  }
}

}  // namespace mooring::integration
