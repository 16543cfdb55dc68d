#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "kernel/linux/descriptor.h"
#include "kernel/processes.h"
#include "wire/message.h"

namespace mooring {

/// One worker process, as the core sees it.
///
///     Greeting ──Hello──▶ Serving ──deadline──▶ Killed ──still there 2 s later──▶ Abandoned
///         └────────────────────┴──────────────────┴──its end of the socket closes──┴──▶ Ended
class WorkerLink : public std::enable_shared_from_this<WorkerLink> {
 public:
  /// What a link tells its pool. Called on the loop's thread; the link may be dropped in any of them.
  struct Owner {
    virtual ~Owner() = default;
    virtual void on_hello(WorkerLink& link, const wire::Hello& hello, kernel::Descriptor mountinfo) = 0;
    virtual void on_outcome(WorkerLink& link, Outcome outcome) = 0;
    /// It is past its deadline and did not end when it was killed.
    virtual void on_abandoned(WorkerLink& link) = 0;
    /// It is gone; `why` in words. What it still had is lost().
    virtual void on_end(WorkerLink& link, const std::string& why) = 0;
    /// It can take more.
    virtual void on_room(WorkerLink& link) = 0;
  };

  enum class State : std::uint8_t { Greeting, Serving, Killed, Abandoned, Ended };

  WorkerLink(boost::asio::io_context& loop, Owner& owner, kernel::Descriptor socket,
             std::unique_ptr<kernel::Process> process);

  /// Greets the worker and begins to listen.
  void start(const wire::Welcome& welcome, int inotify);
  void send(std::vector<Operation> operations);
  /// Ends the conversation; a worker that is idle exits.
  void close();

  State state() const { return state_; }
  bool has_room() const { return state_ == State::Serving && batches_in_flight_ < batches_in_flight_max; }
  /// It greeted: it could be started and is of the right version.
  bool has_greeted() const { return has_greeted_; }
  bool is_idle() const { return state_ == State::Serving && in_flight_.empty(); }
  std::int32_t pid() const { return pid_; }
  std::size_t in_flight() const { return in_flight_.size(); }
  /// How its process ended; empty if there is nothing to tell; nullopt while it runs.
  std::optional<std::string> take_end() { return process_ ? process_->take_end() : std::string(); }
  /// What it was given and has not answered, in order.
  std::vector<OperationId> lost() const;

 private:
  struct InFlight {
    OperationId id{};
    std::uint32_t deadline_ms = 0;
    bool is_last_of_batch = false;
  };
  static constexpr std::size_t batches_in_flight_max = 2;

  void listen();
  void receive();
  void take(const wire::Message& message, kernel::Descriptor descriptor);
  void flush();
  void set_deadline();
  void kill();
  void end(const std::string& why);

  Owner& owner_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer deadline_;
  std::unique_ptr<kernel::Process> process_;
  State state_ = State::Greeting;
  bool has_greeted_ = false;
  std::int32_t pid_ = 0;
  std::deque<InFlight> in_flight_;
  std::size_t batches_in_flight_ = 0;
  std::deque<std::string> unsent_;
  bool is_waiting_to_send_ = false;
  std::string last_words_;
};

}  // namespace mooring
