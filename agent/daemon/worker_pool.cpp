#include "daemon/worker_pool.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "facts/tree_parts.h"
#include "kernel/linux/linux_process.h"
#include "packet/packet.h"

namespace mooring {
namespace {

/// Enough to make the cost of a message vanish, few enough that the workers share the work.
constexpr std::size_t batch_operations_max = 24;
constexpr std::size_t batch_bytes_max = wire::message_size_max / 2;

}  // namespace

WorkerPool::WorkerPool(boost::asio::io_context& loop, WorkerPoolOptions options, Callbacks callbacks)
    : loop_(loop),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      respawn_timer_(loop),
      own_queue_(options_.own_workers_max) {}

void WorkerPool::start() {
  ensure_warm();
}

Result<kernel::Descriptor> WorkerPool::connect_to_unit() const {
  const std::string& path = options_.worker_socket;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return system_error(ErrorKind::Final, "NoWorkers", "the path of the worker socket is too long:", path,
                        ENAMETOOLONG);
  }
  std::memcpy(&address.sun_path[0], path.c_str(), path.size() + 1);
  kernel::Descriptor end(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!end) return system_error(ErrorKind::Transient, "NoWorkers", "cannot make a socket", {}, errno);
  const void* generic = &address;
  if (connect(end.get(), static_cast<const sockaddr*>(generic), sizeof address) != 0) {
    Error error = system_error(ErrorKind::Transient, "NoWorkers", "cannot reach a worker at", path, errno);
    error.remedy = "systemctl start mooring-worker.socket";
    return error;
  }
  return end;
}

Result<std::shared_ptr<WorkerLink>> WorkerPool::make_link() {
  kernel::Descriptor own_end;
  std::unique_ptr<kernel::Process> process;
  if (!options_.worker_socket.empty()) {
    MOORING_TRY(own_end, connect_to_unit());
  } else {
    std::array<int, 2> ends{-1, -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      return system_error(ErrorKind::Transient, "NoWorkers", "cannot make a socket", {}, errno);
    }
    own_end.reset(ends[0]);
    const kernel::Descriptor other_end(ends[1]);
    MOORING_TRY(process, kernel::LinuxProcess::spawn(options_.worker_program, other_end.get()));
  }
  WorkerLink::Owner& self = *this;
  auto link = std::make_shared<WorkerLink>(loop_, self, std::move(own_end), std::move(process));
  link->start(options_.welcome, options_.inotify);
  return link;
}

void WorkerPool::ensure_warm() {
  while (!is_stopped_ && warm_.size() < options_.warm_workers) {
    Result<std::shared_ptr<WorkerLink>> link = make_link();
    if (!link) {
      callbacks_.problem(link.error().text());
      return respawn_later();
    }
    warm_.push_back(std::move(link).value());
  }
}

/// A worker that ends at once must not be started in a tight loop.
void WorkerPool::respawn_later() {
  if (is_stopped_ || std::exchange(is_respawn_set_, true)) return;
  const auto pause = std::chrono::milliseconds(100) * (1 << std::min(failed_starts_++, 8));
  respawn_timer_.expires_after(pause);
  respawn_timer_.async_wait([this](boost::system::error_code cancelled) {
    is_respawn_set_ = false;
    if (cancelled) return;
    ensure_warm();
    start_own();
  });
}

void WorkerPool::submit(std::vector<Operation> operations) {
  for (Operation& operation : operations) {
    if (operation.lane == Lane::Own) {
      own_queue_.push(std::move(operation));
      continue;
    }
    auto& queue = operation.lane == Lane::Teardown ? teardown_ : local_;
    queue.push_back(std::move(operation));
  }
  assign();
  start_own();
}

/// Idle workers first, and one batch for each: what waits behind another batch waits for all of it.
void WorkerPool::assign() {
  for (const auto& link : warm_) {
    if (!link->is_idle() || (link == warm_.front() && send_batch(*link, teardown_))) continue;
    send_batch(*link, local_);
  }
  for (const auto& link : warm_) {
    while (link == warm_.front() && send_batch(*link, teardown_)) {
    }
    while (send_batch(*link, local_)) {
    }
  }
}

/// False if the worker has no room, or nothing waits.
bool WorkerPool::send_batch(WorkerLink& link, std::deque<Operation>& queue) {
  if (!link.has_room() || queue.empty()) return false;
  std::vector<Operation> batch;
  std::size_t bytes = 0;
  while (!queue.empty() && batch.size() < batch_operations_max) {
    const std::size_t more = wire::encoded_size(queue.front());
    if (!batch.empty() && bytes + more > batch_bytes_max) break;
    bytes += more;
    batch.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  // The operations of one pod stay together: they make the same directories.
  while (!queue.empty() && queue.front().pod == batch.back().pod && bytes < batch_bytes_max) {
    bytes += wire::encoded_size(queue.front());
    batch.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  link.send(std::move(batch));
  return true;
}

void WorkerPool::start_own() {
  while (!is_stopped_ && own_queue_.has_next()) {
    Result<std::shared_ptr<WorkerLink>> link = make_link();
    if (!link) {
      callbacks_.problem(link.error().text());
      return respawn_later();
    }
    WorkerLink* key = link.value().get();
    own_.emplace(key, OwnWorker{std::move(link).value(), *own_queue_.take()});
  }
}

/// The worker's place is for another one.
void WorkerPool::end_own(OwnWorkers::iterator own) {
  own_queue_.release(own->second.work.driver);
  own_.erase(own);
}

void WorkerPool::on_hello(WorkerLink& link, const wire::Hello& hello, kernel::Descriptor mountinfo) {
  if (!hello.problem.empty()) {
    callbacks_.problem(hello.problem);
    return;  // It ends by itself.
  }
  failed_starts_ = 0;
  callbacks_.problem({});
  callbacks_.hello(hello.root_dir);
  callbacks_.mountinfo(std::move(mountinfo));
  on_room(link);
}

void WorkerPool::on_room(WorkerLink& link) {
  const auto own = own_.find(&link);
  if (own == own_.end()) return assign();
  Operation& operation = own->second.work.operation;
  if (link.is_idle() && !operation.steps.empty()) {
    std::vector<Operation> batch;
    batch.push_back(std::exchange(operation, {}));
    link.send(std::move(batch));
  }
}

void WorkerPool::on_outcome(WorkerLink& link, Outcome outcome) {
  if (outcome.is_partial && !outcome.tree)
    return callbacks_.event(OperationProgress{outcome.id, std::move(outcome.progress)});
  if (outcome.is_partial)
    return add_part(partial_trees_[static_cast<std::uint64_t>(outcome.id)], std::move(*outcome.tree));
  if (auto partial = partial_trees_.extract(static_cast<std::uint64_t>(outcome.id));
      partial && outcome.tree) {
    TreeFacts whole = std::move(partial.mapped());
    add_part(whole, std::move(*outcome.tree));
    outcome.tree = std::move(whole);
  }
  const auto own = own_.find(&link);
  callbacks_.event(OperationEnded{std::move(outcome)});
  if (own == own_.end()) return;
  // Its one operation is done: it ends when its socket closes.
  const std::shared_ptr<WorkerLink> done = own->second.link;
  end_own(own);
  done->close();
  ending_.push_back(done);
  boost::asio::post(loop_, [this] { start_own(); });
}

void WorkerPool::lose(const std::vector<OperationId>& ids, std::int32_t pid, const std::string& why) {
  for (const OperationId id : ids) {
    partial_trees_.erase(static_cast<std::uint64_t>(id));
    Outcome outcome;
    outcome.id = id;
    Error error;
    error.kind = ErrorKind::Uncertain;
    error.reason = "WorkerLost";
    error.message = "worker " + std::to_string(pid) + " was lost before it answered: " + why;
    error.remedy = "Mooring looks at what is there and tries again by itself";
    outcome.error = std::move(error);
    callbacks_.event(OperationEnded{std::move(outcome)});
  }
}

void WorkerPool::on_abandoned(WorkerLink& link) {
  const auto self = link.shared_from_this();
  abandoned_.push_back(self);
  std::vector<OperationId> lost = link.lost();
  if (!lost.empty()) callbacks_.event(OperationStuck{lost.front(), link.pid()});
  // It was killed: as soon as the kernel lets it go it is gone, so what comes after the stuck one is never
  // begun.
  if (lost.size() > 1) {
    lose({lost.begin() + 1, lost.end()}, link.pid(),
         "it waits in the kernel with an operation before this one");
  }
  if (const auto own = own_.find(&link); own != own_.end()) end_own(own);
  std::erase(warm_, self);
  ensure_warm();
  start_own();
}

void WorkerPool::on_end(WorkerLink& link, const std::string& why) {
  const auto self = link.shared_from_this();
  std::vector<OperationId> lost = link.lost();
  const auto own = own_.find(&link);
  if (own != own_.end()) {
    if (lost.empty())
      lost.push_back(own->second.work.operation.id);  // It ended before it was given its operation.
    end_own(own);
  }
  std::erase(warm_, self);
  std::erase(abandoned_, self);
  ending_.push_back(self);
  reap();
  ++workers_lost_;
  if (!link.has_greeted())
    callbacks_.problem("worker " + std::to_string(link.pid()) + " ended before it could serve: " + why);
  lose(lost, link.pid(), why);
  respawn_later();
}

void WorkerPool::reap() {
  std::erase_if(ending_, [](const std::shared_ptr<WorkerLink>& link) {
    const std::optional<std::string> how = link->take_end();
    if (how && !how->empty() && *how != "exited with status 0")
      spdlog::warn("worker {} {}", link->pid(), *how);
    return how.has_value();
  });
}

bool WorkerPool::is_idle() const {
  return local_.empty() && teardown_.empty() &&
         std::all_of(warm_.begin(), warm_.end(), [](const auto& link) { return link->in_flight() == 0; });
}

void WorkerPool::stop() {
  is_stopped_ = true;
  respawn_timer_.cancel();
  for (const auto& link : warm_)
    link->close();
  for (auto& [key, own] : own_)
    own.link->close();
  for (const auto& link : abandoned_)
    link->close();
}

}  // namespace mooring
