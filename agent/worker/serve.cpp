#include "worker/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>

#include "base/secret_bytes.h"
#include "kernel/linux/linux_kernel.h"
#include "operation/executor.h"
#include "packet/packet.h"
#include "wire/message.h"

namespace mooring {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a finished outcome may wait for others before it is told.
constexpr auto outcome_age_max = std::chrono::microseconds(500);
constexpr std::size_t tree_part_bytes_max = 96UL * 1024;
constexpr std::size_t outcomes_per_message_max = 64;

void set_alarm(std::uint32_t deadline_ms) {
  itimerval timer{};
  timer.it_value.tv_sec = deadline_ms / 1000;
  timer.it_value.tv_usec = static_cast<suseconds_t>(deadline_ms % 1000) * 1000;
  setitimer(ITIMER_REAL, &timer, nullptr);
}

std::size_t approximate_size(const FoundPod& pod) {
  std::size_t size = 64 + pod.uid.str().size() + pod.name_space.str().size() + pod.name.str().size();
  for (const FoundVolume& volume : pod.volumes)
    size += 24 + volume.plugin.str().size() + volume.directory.str().size();
  for (const std::string& stranger : pod.strangers)
    size += 8 + stranger.size();
  return size;
}

std::size_t approximate_size(const CsiAttachment& attachment) {
  return 128 + attachment.driver.str().size() + attachment.handle.size() + attachment.node_id.size() +
         attachment.staged_path.size();
}

Error root_replaced(const std::string& root_dir) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "RootReplaced";
  error.message =
      "the root directory is not the one that mooringd serves: another one was put in its place, or "
      "something was "
      "mounted over it";
  error.path = root_dir;
  error.remedy = "put it back, or restart mooringd to serve what is there now";
  return error;
}

class Server {
 public:
  Server(int socket, kernel::LinuxKernel& kernel, wire::Welcome welcome)
      : socket_(socket), kernel_(kernel), welcome_(std::move(welcome)) {}

  bool run(const wire::Batch& batch) {
    const bool is_in_place = kernel_.is_in_place(welcome_.root_device, welcome_.root_inode);
    for (const Operation& operation : batch.operations) {
      // Nobody may think that what is done is not, because the next one hangs.
      if (operation.lane == Lane::Own && !flush()) return false;
      if (operation.deadline_ms != 0) set_alarm(operation.deadline_ms);
      const auto tell = [&](const std::string& progress) { tell_progress(operation, progress); };
      Outcome outcome = is_in_place
                            ? execute(
                                  operation, kernel_.ports(), [this] { return is_core_there(); }, tell)
                            : refused(operation);
      if (operation.deadline_ms != 0) set_alarm(0);
      const bool is_large = outcome.tree.has_value();
      if (is_large && !flush()) return false;
      for (Outcome& part : split_outcome(std::move(outcome))) {
        if (unsent_.outcomes.empty()) oldest_unsent_ = Clock::now();
        unsent_.outcomes.push_back(std::move(part));
        if (is_large && !flush()) return false;
      }
      const bool is_due = Clock::now() - oldest_unsent_ > outcome_age_max ||
                          unsent_.outcomes.size() >= outcomes_per_message_max;
      if (is_due && !flush()) return false;
    }
    return flush();
  }

 private:
  /// What would be made now is not where the pods look for it.
  Outcome refused(const Operation& operation) const {
    Outcome outcome;
    outcome.id = operation.id;
    outcome.error = root_replaced(welcome_.root_dir);
    return outcome;
  }

  /// A long operation that gets on is not late: its deadline counts from its last word. One that does not get
  /// on says nothing, and the alarm ends it.
  void tell_progress(const Operation& operation, const std::string& progress) {
    if (operation.deadline_ms != 0) set_alarm(operation.deadline_ms);
    Outcome& partial = unsent_.outcomes.emplace_back();
    partial.id = operation.id;
    partial.is_partial = true;
    partial.progress = progress;
    flush();
  }

  /// A core that was killed has a successor soon, which looks at the node and acts: what the dead one asked
  /// for must not go on beside it. Asked before each step, and in a long one about twice a second.
  bool is_core_there() const {
    pollfd item{socket_, 0, 0};
    return poll(&item, 1, 0) == 0;
  }

  bool flush() {
    if (unsent_.outcomes.empty()) return true;
    const Result<void> sent = send_packet(socket_, wire::encode(std::exchange(unsent_, {})));
    return sent.has_value();
  }

  int socket_;
  kernel::LinuxKernel& kernel_;
  wire::Welcome welcome_;
  wire::Outcomes unsent_;
  Clock::time_point oldest_unsent_;
};

template <class T>
Result<T> expect(const std::string& bytes) {
  MOORING_TRY(wire::Message message, wire::decode(bytes));
  if (T* wanted = std::get_if<T>(&message)) return std::move(*wanted);
  Error error;
  error.reason = "BadMessage";
  error.message = "the core sent a message that has no place here";
  return error;
}

int complain(const Error& error) {
  std::fprintf(stderr, "mooring-worker: %s\n", error.text().c_str());
  return 1;
}

/// Answers the core's greeting. A problem is answered too: only the core can tell people of it.
Result<std::unique_ptr<kernel::LinuxKernel>> greet(int socket, const ServeOptions& options,
                                                   const wire::Welcome& welcome, int inotify) {
  wire::Hello hello;
  hello.pid = getpid();
  hello.problem = options.problem;
  std::unique_ptr<kernel::LinuxKernel> kernel;
  if (hello.problem.empty() && welcome.version != wire::protocol_version) {
    hello.problem = "the core and mooring-worker are of different versions; install both from one build";
  }
  if (hello.problem.empty()) {
    auto opened = kernel::LinuxKernel::open(welcome.root_dir, inotify, options.flex_socket);
    if (opened) {
      kernel = std::move(opened).value();
      hello.root_dir = kernel->resolved_root();
      if (!kernel->is_in_place(welcome.root_device, welcome.root_inode)) {
        hello.problem = root_replaced(welcome.root_dir).text();
        kernel.reset();  // What is there now is not to be held.
      }
    } else {
      hello.problem = opened.error().text();
    }
  }
  const kernel::Descriptor mounts(open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  if (!mounts && hello.problem.empty())
    hello.problem = "cannot open /proc/self/mountinfo: " + errno_text(errno);
  MOORING_TRY(send_packet(socket, wire::encode(hello), mounts.get()));
  if (hello.problem.empty()) return kernel;
  Error error;
  error.reason = "CannotServe";
  error.message = hello.problem;
  return error;
}

}  // namespace

std::vector<Outcome> split_outcome(Outcome outcome) {
  std::vector<Outcome> parts;
  if (!outcome.tree) {
    parts.push_back(std::move(outcome));
    return parts;
  }
  TreeFacts whole = std::move(*outcome.tree);
  TreeFacts part;
  std::size_t size = 0;
  const auto close_part = [&] {
    Outcome& partial = parts.emplace_back();
    partial.id = outcome.id;
    partial.is_partial = true;
    partial.tree = std::exchange(part, {});
    size = 0;
  };
  for (FoundPod& pod : whole.pods) {
    const std::size_t more = approximate_size(pod);
    if (size + more > tree_part_bytes_max && !part.pods.empty()) close_part();
    size += more;
    part.pods.push_back(std::move(pod));
  }
  for (std::string& name : whole.trash) {
    const std::size_t more = name.size() + 8;
    if (size + more > tree_part_bytes_max && size > 0) close_part();
    size += more;
    part.trash.push_back(std::move(name));
  }
  for (CsiAttachment& attachment : whole.attachments) {
    const std::size_t more = approximate_size(attachment);
    if (size + more > tree_part_bytes_max && size > 0) close_part();
    size += more;
    part.attachments.push_back(std::move(attachment));
  }
  outcome.tree = std::move(part);
  parts.push_back(std::move(outcome));
  return parts;
}

int serve(int socket, const ServeOptions& options) {
  Result<Packet> first = receive_packet(socket);
  if (!first) return complain(first.error());
  if (first.value().bytes.empty()) return 0;
  const auto welcome = expect<wire::Welcome>(first.value().bytes);
  if (!welcome) return complain(welcome.error());
  const auto kernel = greet(socket, options, welcome.value(), first.value().descriptor.get());
  if (!kernel) return complain(kernel.error());
  Server server(socket, *kernel.value(), welcome.value());
  while (true) {
    Result<Packet> packet = receive_packet(socket);
    if (!packet && packet.error().errno_value == ECONNRESET) return 0;  // The core was killed.
    if (!packet) return complain(packet.error());
    if (packet.value().bytes.empty()) return 0;
    const auto batch = expect<wire::Batch>(packet.value().bytes);
    wipe(packet.value().bytes);  // It may have carried a secret.
    if (!batch) return complain(batch.error());
    if (!server.run(batch.value())) return 0;  // The core is gone; whoever comes next reads the kernel.
  }
}

}  // namespace mooring
