#include "daemon/worker_link.h"

#include <cerrno>

#include "base/secret_bytes.h"
#include "kernel/linux/linux_process.h"
#include "packet/packet.h"

namespace mooring {
namespace {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

/// The worker's own alarm comes first; this is for one that does not end by it.
constexpr auto deadline_slack = std::chrono::milliseconds(500);
constexpr auto abandoned_after = std::chrono::seconds(2);
constexpr auto greeting_deadline = std::chrono::seconds(10);

}  // namespace

WorkerLink::WorkerLink(boost::asio::io_context& loop, Owner& owner, kernel::Descriptor socket,
                       std::unique_ptr<kernel::Process> process)
    : owner_(owner), socket_(loop, socket.release()), deadline_(loop), process_(std::move(process)) {
  socket_.non_blocking(true);
  if (process_) pid_ = process_->pid();
}

void WorkerLink::start(const wire::Welcome& welcome, int inotify) {
  const Result<void> sent = send_packet(socket_.native_handle(), wire::encode(welcome), inotify);
  if (!sent) last_words_ = sent.error().text();  // Its end of the socket is closed; listening tells.
  set_deadline();
  listen();
}

void WorkerLink::listen() {
  socket_.async_wait(stream_descriptor::wait_read, [self = shared_from_this()](error_code failed) {
    if (!failed) self->receive();
  });
}

void WorkerLink::receive() {
  const auto self = shared_from_this();  // The owner may let go of us in any call.
  while (state_ != State::Ended) {
    Result<Packet> packet = receive_packet(socket_.native_handle());
    if (!packet && packet.error().errno_value == EAGAIN) break;
    if (!packet) return end(last_words_.empty() ? packet.error().text() : last_words_);
    if (packet.value().bytes.empty()) return end(last_words_.empty() ? "it ended" : last_words_);
    const Result<wire::Message> message = wire::decode(packet.value().bytes);
    if (!message) return end("it sent nonsense: " + message.error().text());
    take(message.value(), std::move(packet.value().descriptor));
  }
  if (state_ != State::Ended) listen();
}

void WorkerLink::take(const wire::Message& message, kernel::Descriptor descriptor) {
  if (const auto* hello = std::get_if<wire::Hello>(&message)) {
    if (state_ == State::Greeting) state_ = State::Serving;
    has_greeted_ = true;
    if (pid_ == 0) pid_ = hello->pid;
    if (!process_) {
      if (auto process = kernel::LinuxProcess::of(hello->pid)) process_ = std::move(process).value();
    }
    set_deadline();
    owner_.on_hello(*this, *hello, std::move(descriptor));
    return;
  }
  const auto* outcomes = std::get_if<wire::Outcomes>(&message);
  if (outcomes == nullptr) return end("it sent a message that has no place here");
  bool has_new_room = false;
  for (const Outcome& outcome : outcomes->outcomes) {
    if (in_flight_.empty() || in_flight_.front().id != outcome.id) {
      return end("it answered what it was not asked");
    }
    if (!outcome.is_partial) {
      if (in_flight_.front().is_last_of_batch) {
        --batches_in_flight_;
        has_new_room = true;
      }
      in_flight_.pop_front();
    }
    owner_.on_outcome(*this, outcome);
  }
  set_deadline();
  if (has_new_room && has_room()) owner_.on_room(*this);
}

void WorkerLink::send(std::vector<Operation> operations) {
  const bool was_idle = in_flight_.empty();
  for (const Operation& operation : operations)
    in_flight_.push_back({operation.id, operation.deadline_ms, false});
  in_flight_.back().is_last_of_batch = true;
  ++batches_in_flight_;
  unsent_.push_back(wire::encode(wire::Batch{std::move(operations)}));
  if (was_idle) set_deadline();
  flush();
}

void WorkerLink::flush() {
  while (!unsent_.empty() && !is_waiting_to_send_) {
    const Result<void> sent = send_packet(socket_.native_handle(), unsent_.front());
    if (!sent && (sent.error().errno_value == EAGAIN || sent.error().errno_value == ENOBUFS)) {
      is_waiting_to_send_ = true;
      socket_.async_wait(stream_descriptor::wait_write, [self = shared_from_this()](error_code failed) {
        self->is_waiting_to_send_ = false;
        if (!failed) self->flush();
      });
      return;
    }
    if (!sent) {  // Listening will find the end, with the outcomes that came before it.
      last_words_ = sent.error().text();
      return unsent_.clear();
    }
    wipe(unsent_.front());  // It may have carried a secret.
    unsent_.pop_front();
  }
}

/// The deadline is that of what the worker is doing now, counted from when it may have begun with it.
void WorkerLink::set_deadline() {
  if (state_ == State::Greeting) {
    deadline_.expires_after(greeting_deadline);
  } else if (state_ == State::Serving && !in_flight_.empty() && in_flight_.front().deadline_ms != 0) {
    deadline_.expires_after(std::chrono::milliseconds(in_flight_.front().deadline_ms) + deadline_slack);
  } else {
    if (state_ == State::Serving) deadline_.cancel();
    return;
  }
  deadline_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled) self->kill();
  });
}

void WorkerLink::kill() {
  if (state_ == State::Greeting) return end("it did not answer the greeting in 10 seconds");
  if (state_ != State::Serving) return;
  state_ = State::Killed;
  last_words_ = "it was past its deadline and was ended";
  if (process_) process_->kill();
  deadline_.expires_after(abandoned_after);
  deadline_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (cancelled || self->state_ != State::Killed) return;
    self->state_ = State::Abandoned;
    self->owner_.on_abandoned(*self);
  });
}

std::vector<OperationId> WorkerLink::lost() const {
  std::vector<OperationId> ids;
  for (const InFlight& operation : in_flight_)
    ids.push_back(operation.id);
  return ids;
}

void WorkerLink::close() {
  if (state_ == State::Ended) return;
  state_ = State::Ended;
  error_code ignored;
  deadline_.cancel();
  socket_.close(ignored);
}

void WorkerLink::end(const std::string& why) {
  if (state_ == State::Ended) return;
  const auto self = shared_from_this();
  if (process_) process_->kill();
  close();
  owner_.on_end(*this, why);
}

}  // namespace mooring
