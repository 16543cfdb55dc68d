#include "process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mooring::bench {

Process::Process(const std::vector<std::string>& arguments, const std::string& log) {
  std::vector<char*> raw;
  for (const std::string& argument : arguments)
    raw.push_back(const_cast<char*>(argument.c_str()));
  raw.push_back(nullptr);
  pid_ = fork();
  if (pid_ != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // A bench that gives up leaves nothing behind.
  if (!log.empty()) {
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    dup2(fd, 1);
    dup2(fd, 2);
  }
  execvp(raw[0], raw.data());
  _exit(127);
}

Process& Process::operator=(Process&& other) noexcept {
  end(9);
  pid_ = other.pid_;
  other.pid_ = -1;
  return *this;
}

void Process::end(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, signal);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

namespace {

std::uint64_t number_after(const std::string& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

}  // namespace

Usage usage_of(pid_t pid) {
  Usage usage;
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  std::string line;
  std::getline(in, line);
  std::istringstream fields(line.substr(line.rfind(')') + 2));
  std::string field;
  for (int index = 3; fields >> field; ++index) {
    if (index == 14 || index == 15) usage.cpu_ticks += std::strtoull(field.c_str(), nullptr, 10);
  }
  usage.wake_ups = number_after(fmt::format("/proc/{}/status", pid), "voluntary_ctxt_switches:");
  usage.resident_kib = number_after(fmt::format("/proc/{}/status", pid), "VmRSS:");
  usage.proportional_kib = number_after(fmt::format("/proc/{}/smaps_rollup", pid), "Pss:");
  return usage;
}

std::vector<pid_t> children_of(pid_t pid) {
  std::vector<pid_t> children;
  std::ifstream in(fmt::format("/proc/{0}/task/{0}/children", pid));
  for (pid_t child = 0; in >> child;)
    children.push_back(child);
  return children;
}

}  // namespace mooring::bench
