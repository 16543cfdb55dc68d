#include "kernel/linux/helper.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "kernel/linux/descriptor.h"

namespace mooring::kernel {
namespace {

constexpr std::size_t output_bytes_max = 64 * 1024;
constexpr std::size_t told_lines_max = 3;

Error cannot_run(const std::string& program, const char* what, int errno_value) {
  return system_error(ErrorKind::Transient, "SpawnFailed", std::string(what) + " " + program, program,
                      errno_value);
}

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

bool make_pipe(Pipe& out, int flags) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC | flags) != 0) return false;
  out.reading.reset(ends[0]);
  out.writing.reset(ends[1]);
  return true;
}

/// The child between fork(2) and execve(2): nothing here allocates or takes a lock, because another thread
/// may have been in the middle of that.
[[noreturn]] void become(char* const* arguments, char* const* environment, int output, int failure,
                         pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // It ended before it could be asked about.
  for (int number = 1; number < NSIG; ++number)
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();
  const int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool has_streams = input >= 0 && dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
                           dup2(output, STDERR_FILENO) >= 0 && chdir("/") == 0;
  if (has_streams) {
    umask(022);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(arguments[0], arguments, environment);
  }
  const int error = errno;
  static_cast<void>(!write(failure, &error, sizeof error));
  _exit(127);
}

/// Reads what there is; keeps the end of it. False at the end of the stream.
bool take_output(int reading, std::string& output) {
  std::array<char, 8192> buffer{};
  while (true) {
    const ssize_t got = read(reading, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0;
    output.append(buffer.data(), static_cast<std::size_t>(got));
    if (output.size() > 2 * output_bytes_max) output.erase(0, output.size() - output_bytes_max);
  }
}

/// Reads until the program ends. A child that it left behind may keep the stream open for ever (mount.nfs
/// starts rpc.statd), so its end is not waited for.
void gather(int reading, int pidfd, std::string& output) {
  std::array<pollfd, 2> waiting{pollfd{pidfd, POLLIN, 0}, pollfd{reading, POLLIN, 0}};
  while (poll(waiting.data(), waiting.size(), -1) >= 0 || errno == EINTR) {
    if (waiting[1].revents != 0 && !take_output(reading, output)) waiting[1].fd = -1;
    if (waiting[0].revents != 0) break;
  }
  take_output(reading, output);
  if (output.size() > output_bytes_max) output.erase(0, output.size() - output_bytes_max);
}

HelperEnd wait_for(pid_t pid) {
  int raw = 0;
  while (waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
  }
  HelperEnd end;
  end.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
  end.signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
  return end;
}

}  // namespace

std::string last_lines(std::string_view text, std::size_t lines_max, std::string_view separator) {
  std::string out;
  while (lines_max > 0 && !text.empty()) {
    const std::size_t newline = text.find_last_of("\r\n");
    std::string_view line = newline == std::string_view::npos ? text : text.substr(newline + 1);
    text = newline == std::string_view::npos ? std::string_view() : text.substr(0, newline);
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) continue;
    line = line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
    out.insert(0, std::string(line) + (out.empty() ? "" : std::string(separator)));
    --lines_max;
  }
  return out;
}

std::string HelperEnd::text() const {
  std::string said = last_lines(output, told_lines_max, "; ");
  if (is_success()) return said;
  if (!said.empty()) said += "; ";
  if (signal == 0) return said + "exit status " + std::to_string(status);
  const char* name = sigabbrev_np(signal);
  return said + "killed by SIG" + (name != nullptr ? std::string(name) : std::to_string(signal));
}

std::string find_program(std::string_view name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    const std::string path = std::string(directory) + std::string(name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

Result<HelperEnd> run_helper(const std::vector<std::string>& command) {
  const std::string& program = command.front();
  std::vector<std::string> words = command;
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  // libblkid's cache is of the last seconds: mkfs.btrfs would find UUIDs there that are gone.
  std::array<std::string, 3> variables{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                       "BLKID_FILE=/dev/null"};
  std::array<char*, 4> environment{variables[0].data(), variables[1].data(), variables[2].data(), nullptr};
  Pipe output;
  Pipe failure;
  if (!make_pipe(output, 0) || !make_pipe(failure, 0)) return cannot_run(program, "cannot run", errno);
  // Only the reading end: the program's writing must wait as it always does.
  if (fcntl(output.reading.get(), F_SETFL, O_NONBLOCK) != 0) return cannot_run(program, "cannot run", errno);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return cannot_run(program, "cannot run", errno);
  if (pid == 0)
    become(arguments.data(), environment.data(), output.writing.get(), failure.writing.get(), parent);
  output.writing.reset();
  failure.writing.reset();
  int error = 0;
  if (read(failure.reading.get(), &error, sizeof error) == sizeof error) {
    wait_for(pid);
    return cannot_run(program, "cannot run", error);
  }
  const Descriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int cause = errno;
    kill(pid, SIGKILL);
    wait_for(pid);
    return cannot_run(program, "cannot watch", cause);
  }
  std::string said;
  gather(output.reading.get(), pidfd.get(), said);
  HelperEnd end = wait_for(pid);
  end.output = std::move(said);
  return end;
}

}  // namespace mooring::kernel
