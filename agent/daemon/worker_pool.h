#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/core.h"
#include "daemon/own_queue.h"
#include "daemon/worker_link.h"

namespace mooring {

struct WorkerPoolOptions {
  wire::Welcome welcome;       ///< Sent to each worker.
  std::string worker_program;  ///< Started as a child for each worker, if `worker_socket` is empty.
  std::string worker_socket;   ///< Connected to for each worker.
  int inotify = -1;            ///< Given to each worker.
  std::size_t warm_workers = 2;
  std::size_t own_workers_max = 64;  ///< Workers for one operation each, at once; abandoned ones not counted.
};

/// The worker processes, and which of them does what.
///
///     Local     → any warm worker, in batches; two batches at most wait at one worker
///     Teardown  → the first warm worker only: unmounting from two at once is slower than from one
///     Own       → a worker for this operation alone, which ends after it; drivers share them (OwnQueue)
///
/// An operation whose worker ends before it answered ends Uncertain, "WorkerLost". One whose worker cannot be
/// ended is stuck; the worker is abandoned and another takes its place.
class WorkerPool final : private WorkerLink::Owner {
 public:
  struct Callbacks {
    std::function<void(Event)> event;  ///< OperationEnded, OperationStuck.
    std::function<void(kernel::Descriptor)> mountinfo;
    /// A worker says that it cannot serve, or none can be had; empty: all is well again.
    std::function<void(const std::string&)> problem;
    std::function<void(const std::string& resolved_root)> hello;
  };

  WorkerPool(boost::asio::io_context& loop, WorkerPoolOptions options, Callbacks callbacks);

  /// The inotify descriptor that each worker is given; borrowed. Before start().
  void set_inotify(int inotify) { options_.inotify = inotify; }
  /// Starts the warm workers.
  void start();
  void submit(std::vector<Operation> operations);
  /// Waits for children that ended (call it on SIGCHLD).
  void reap();
  void stop();

  std::size_t workers() const { return warm_.size() + own_.size(); }
  std::size_t abandoned() const { return abandoned_.size(); }
  std::size_t queued() const { return local_.size() + teardown_.size() + own_queue_.size(); }
  bool is_idle() const;
  std::uint64_t workers_lost() const { return workers_lost_; }

 private:
  void on_hello(WorkerLink& link, const wire::Hello& hello, kernel::Descriptor mountinfo) override;
  void on_outcome(WorkerLink& link, Outcome outcome) override;
  void on_abandoned(WorkerLink& link) override;
  void on_end(WorkerLink& link, const std::string& why) override;
  void on_room(WorkerLink& link) override;

  struct OwnWorker {
    std::shared_ptr<WorkerLink> link;
    OwnQueue::Taken work;  ///< Its operation has no steps any more once it was sent.
  };
  using OwnWorkers = std::map<WorkerLink*, OwnWorker>;

  Result<std::shared_ptr<WorkerLink>> make_link();
  Result<kernel::Descriptor> connect_to_unit() const;
  void ensure_warm();
  void assign();
  bool send_batch(WorkerLink& link, std::deque<Operation>& queue);
  void start_own();
  void end_own(OwnWorkers::iterator own);
  void lose(const std::vector<OperationId>& ids, std::int32_t pid, const std::string& why);
  void respawn_later();

  boost::asio::io_context& loop_;
  WorkerPoolOptions options_;
  Callbacks callbacks_;
  boost::asio::steady_timer respawn_timer_;
  std::vector<std::shared_ptr<WorkerLink>> warm_;
  OwnWorkers own_;
  std::vector<std::shared_ptr<WorkerLink>> abandoned_;
  std::vector<std::shared_ptr<WorkerLink>> ending_;  ///< Closed; to be reaped.
  std::deque<Operation> local_;
  std::deque<Operation> teardown_;
  OwnQueue own_queue_;
  std::unordered_map<std::uint64_t, TreeFacts> partial_trees_;
  bool is_respawn_set_ = false;
  bool is_stopped_ = false;
  int failed_starts_ = 0;
  std::uint64_t workers_lost_ = 0;
};

}  // namespace mooring
