#include "kernel/linux/mount_helper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {
namespace {

/// Of all that a helper says, so that its words fit into an error.
constexpr std::size_t words_size_max = 1024;

/// In the child, where only what is safe after fork may be called.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment, int output,
                         pid_t parent) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // It ended before the line above.
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execve(program, arguments, environment);
  _exit(126);
}

/// What was written, on one line.
std::string words_in(const Descriptor& output) {
  std::string words(words_size_max, '\0');
  const ssize_t got = pread(output.get(), words.data(), words.size(), 0);
  words.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  while (!words.empty() && words.back() == '\n')
    words.pop_back();
  for (std::size_t at = words.find('\n'); at != std::string::npos; at = words.find('\n', at))
    words.replace(at, 1, "; ");
  return words;
}

std::string how_it_ended(const std::string& program, int status) {
  if (WIFSIGNALED(status)) return program + " was ended by signal " + std::to_string(WTERMSIG(status));
  return program + " ended with status " + std::to_string(WEXITSTATUS(status)) + " and said nothing";
}

}  // namespace

std::string helper_of(const std::string& type) {
  if (type.empty() || type.find('/') != std::string::npos) return {};
  std::string program = "/sbin/mount." + type;
  return access(program.c_str(), X_OK) == 0 ? program : std::string();
}

HelperAnswer run_helper(const std::string& program, const std::vector<std::string>& arguments) {
  const Descriptor output(memfd_create("mount-helper", MFD_CLOEXEC));
  if (!output) return {false, program + " cannot be run: " + errno_text(errno)};
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  std::string language = "LC_ALL=C";
  const std::array<char*, 3> environment{path.data(), language.data(), nullptr};
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return {false, program + " cannot be run: " + errno_text(errno)};
  if (child == 0) become(program.c_str(), argv.data(), environment.data(), output.get(), parent);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return {false, program + " cannot be waited for: " + errno_text(errno)};
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {true, {}};
  const std::string said = words_in(output);
  return {false, said.empty() ? how_it_ended(program, status) : said};
}

}  // namespace mooring::kernel
