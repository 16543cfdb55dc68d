#include "kernel/linux/child.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>

#include "kernel/linux/descriptor.h"

namespace mooring::kernel {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// For a killed process to be gone. Longer takes only one that waits in the kernel.
constexpr milliseconds death_max(1000);
/// What a pipe holds at most, unless root raised fs.pipe-max-size.
constexpr std::size_t pipe_bytes_max = 1024UL * 1024;

Error cannot_run(const std::string& program, const char* what, int errno_value) {
  return system_error(ErrorKind::Transient, "SpawnFailed", std::string(what) + " " + program, program,
                      errno_value);
}

struct Pipe {
  Descriptor reading;
  Descriptor writing;
};

bool make_pipe(Pipe& out) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  out.reading.reset(ends[0]);
  out.writing.reset(ends[1]);
  return true;
}

/// Standard input. A file in memory and not a pipe: nobody has to write while the program reads, and one that
/// does not read breaks nothing.
Descriptor make_input(const SecretBytes* input) {
  if (input == nullptr) return Descriptor(open("/dev/null", O_RDONLY | O_CLOEXEC));
  Descriptor file(memfd_create("input", MFD_CLOEXEC));
  const std::string& bytes = input->expose_secret();
  std::size_t done = 0;
  while (file && done < bytes.size()) {
    const ssize_t got =
        pwrite(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    done += static_cast<std::size_t>(got);
  }
  return file;
}

struct ChildPlan {
  char* const* words = nullptr;
  char* const* environment = nullptr;
  int input = -1;
  int output = -1;
  int errors = -1;
  int failure = -1;  ///< Where errno goes if the program cannot be started.
  pid_t parent = -1;
};

/// The child between fork(2) and execve(2): nothing here allocates or takes a lock, because another thread
/// may have been in the middle of that.
[[noreturn]] void become(const ChildPlan& plan) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != plan.parent) _exit(127);  // It ended before it could be asked about.
  for (int number = 1; number < NSIG; ++number)
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setsid();
  const bool has_streams = dup2(plan.input, STDIN_FILENO) >= 0 && dup2(plan.output, STDOUT_FILENO) >= 0 &&
                           dup2(plan.errors, STDERR_FILENO) >= 0 && chdir("/") == 0;
  if (has_streams) {
    umask(022);
    close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    execve(plan.words[0], plan.words, plan.environment);
  }
  const int error = errno;
  static_cast<void>(!write(plan.failure, &error, sizeof error));
  _exit(127);
}

/// What the program says, as far as it is kept.
class Output {
 public:
  Output(int reading, std::size_t bytes_max, ChildCommand::Keep keep)
      : reading_(reading), bytes_max_(bytes_max), keep_(keep) {}

  /// Reads what there is, but no more than a pipe can hold: a program may write as fast as this reads. False
  /// at the end of the stream.
  bool take() {
    std::array<char, 8192> buffer{};
    for (std::size_t taken = 0; taken < pipe_bytes_max;) {
      const ssize_t got = read(reading_, buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return got < 0 && errno == EAGAIN;
      add({buffer.data(), static_cast<std::size_t>(got)});
      taken += static_cast<std::size_t>(got);
    }
    return true;
  }

  void move_to(ChildEnd& end) {
    if (text_.size() > bytes_max_) text_.erase(0, text_.size() - bytes_max_);
    end.output = std::move(text_);
    end.is_too_long = is_too_long_;
  }

 private:
  void add(std::string_view more) {
    if (keep_ == ChildCommand::Keep::Beginning) {
      const std::size_t room = bytes_max_ - text_.size();
      is_too_long_ = is_too_long_ || more.size() > room;
      text_.append(more.substr(0, room));
      return;
    }
    text_.append(more);
    is_too_long_ = is_too_long_ || text_.size() > bytes_max_;
    if (text_.size() > 2 * bytes_max_) text_.erase(0, text_.size() - bytes_max_);
  }

  int reading_;
  std::size_t bytes_max_;
  ChildCommand::Keep keep_;
  std::string text_;
  bool is_too_long_ = false;
};

/// As poll(2) wants it; rounded up, so that nobody turns in circles in the last millisecond. No point in
/// time: for ever.
int wait_ms(const std::optional<Clock::time_point>& until) {
  if (!until) return -1;
  const auto left = std::chrono::ceil<milliseconds>(*until - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
}

/// Waits until the process has ended; false: it has not by then.
bool wait_for_end(int pidfd, Clock::time_point until) {
  pollfd waiting{pidfd, POLLIN, 0};
  while (true) {
    const int wait = wait_ms(until);
    if (poll(&waiting, 1, wait) > 0) return true;
    if (wait == 0) return false;
  }
}

/// Reads until the program has ended and its output too, or may not be waited for any more. False: it is
/// late, or its caller is gone.
bool gather(const ChildCommand& command, int reading, int pidfd, Output& output) {
  std::optional<Clock::time_point> until;
  if (command.deadline_ms) until = Clock::now() + milliseconds(*command.deadline_ms);
  std::array<pollfd, 3> waiting{pollfd{pidfd, POLLIN, 0}, pollfd{reading, POLLIN, 0},
                                pollfd{command.caller, POLLRDHUP, 0}};
  bool has_ended = false;
  while (true) {
    const int wait = wait_ms(until);
    const int ready = poll(waiting.data(), waiting.size(), wait);
    if (ready > 0 && waiting[1].revents != 0 && !output.take()) waiting[1].fd = -1;
    if (ready > 0 && !has_ended && waiting[0].revents != 0) {
      has_ended = true;
      waiting[0].fd = waiting[2].fd = -1;
      until = Clock::now() + milliseconds(command.linger_ms);
    }
    if (has_ended && waiting[1].fd < 0) return true;
    if (ready > 0 && !has_ended && waiting[2].revents != 0) return false;
    if (wait == 0) return has_ended;  // Only now: what was there when the time was up has been read.
  }
}

void reap(pid_t pid, ChildEnd& end) {
  int raw = 0;
  while (waitpid(pid, &raw, 0) < 0 && errno == EINTR) {
  }
  end.status = WIFEXITED(raw) ? WEXITSTATUS(raw) : -1;
  end.signal = WIFSIGNALED(raw) ? WTERMSIG(raw) : 0;
}

/// Waits for the child that runs as `pid`.
Result<ChildEnd> attend(const ChildCommand& command, pid_t pid, const Descriptor& reading) {
  const std::string& program = command.words.front().expose_secret();
  ChildEnd end;
  const Descriptor pidfd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) {
    const int cause = errno;
    kill(-pid, SIGKILL);
    reap(pid, end);
    return cannot_run(program, "cannot watch", cause);
  }
  Output output(reading.get(), command.output_bytes_max, command.keep);
  end.is_late = !gather(command, reading.get(), pidfd.get(), output);
  if (end.is_late) {
    // It is not reaped yet, so the number is still that of its group.
    kill(-pid, SIGKILL);
    if (!wait_for_end(pidfd.get(), Clock::now() + death_max)) {
      end.status = -1;
      output.move_to(end);
      return end;
    }
    output.take();
  }
  reap(pid, end);
  output.move_to(end);
  return end;
}

/// Strings as execve(2) wants them, wiped when it is over.
class Words {
 public:
  explicit Words(const std::vector<SecretBytes>& words) {
    for (const SecretBytes& word : words)
      texts_.push_back(word.expose_secret());
    finish();
  }
  explicit Words(const std::vector<std::string>& words) : texts_(words) { finish(); }
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;
  ~Words() {
    for (std::string& text : texts_)
      wipe(text);
  }
  char* const* data() const { return pointers_.data(); }

 private:
  void finish() {
    for (std::string& text : texts_)
      pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

}  // namespace

std::vector<std::string> clean_environment() {
  return {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
}

Result<ChildEnd> run_child(const ChildCommand& command) {
  const std::string& program = command.words.front().expose_secret();
  const Words words(command.words);
  const Words environment(command.environment);
  Pipe output;
  Pipe failure;
  if (!make_pipe(output) || !make_pipe(failure)) return cannot_run(program, "cannot run", errno);
  // Only the reading end: the program's writing must wait as it always does.
  if (fcntl(output.reading.get(), F_SETFL, O_NONBLOCK) != 0) return cannot_run(program, "cannot run", errno);
  const Descriptor input = make_input(command.input);
  const Descriptor nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
  if (!input || !nowhere) return cannot_run(program, "cannot run", errno);
  ChildPlan plan;
  plan.words = words.data();
  plan.environment = environment.data();
  plan.input = input.get();
  plan.output = output.writing.get();
  plan.errors = command.takes_errors ? output.writing.get() : nowhere.get();
  plan.failure = failure.writing.get();
  plan.parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return cannot_run(program, "cannot run", errno);
  if (pid == 0) become(plan);
  output.writing.reset();
  failure.writing.reset();
  int error = 0;
  ssize_t got = 0;
  while ((got = read(failure.reading.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (got == sizeof error) {
    ChildEnd ignored;
    reap(pid, ignored);
    return cannot_run(program, "cannot run", error);
  }
  return attend(command, pid, output.reading);
}

}  // namespace mooring::kernel
