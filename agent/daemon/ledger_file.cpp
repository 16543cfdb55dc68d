#include "daemon/ledger_file.h"

#include <signal.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace mooring {
namespace {

/// A daemon that is told to end has two seconds for all that it does.
constexpr std::chrono::milliseconds end_patience{1000};

/// Starts a thread that no signal is delivered to: they are the loop's.
template <class Function>
std::thread start_without_signals(Function function) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(function));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

Error not_read() {
  Error error = refusal("LedgerNotRead", "the ledger of claims was opened anew since this was decided",
                        "nothing: it is decided again");
  error.kind = ErrorKind::Transient;
  return error;
}

}  // namespace

/// What the thread works with. It belongs to both sides: a thread that the disk does not let go is left alone
/// with it, and then touches nothing else.
class LedgerFile::Writer {
 public:
  struct Task {
    std::uint64_t sequence = 0;
    std::optional<LedgerChanges> changes;  ///< nullopt: read.
    std::uint64_t opening = 0;             ///< What the changes were decided on.
  };

  Writer(boost::asio::io_context& loop, std::string state_dir, std::weak_ptr<Listener> told)
      : loop_(&loop), state_dir_(std::move(state_dir)), told_(std::move(told)) {}

  void add(Task task) {
    {
      const std::lock_guard lock(mutex_);
      tasks_.push_back(std::move(task));
    }
    changed_.notify_all();
  }
  /// Nothing new is begun, and nobody told, from now on. True if the thread is at its end within `patience`.
  bool end(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    loop_ = nullptr;
    changed_.notify_all();
    return changed_.wait_for(lock, patience, [this] { return has_ended_; });
  }
  void run() {
    while (const std::optional<Task> task = next()) {
      if (task->changes) {
        write(*task);
      } else {
        open_and_read();
      }
    }
    database_.reset();
    {
      const std::lock_guard lock(mutex_);
      has_ended_ = true;
    }
    changed_.notify_all();
  }

 private:
  std::optional<Task> next();
  bool is_ending();
  void write(const Task& task);
  void open_and_read();
  void tell(std::function<void(Listener&)> what);

  std::mutex mutex_;  ///< Of the next four, which both sides use.
  std::condition_variable changed_;
  boost::asio::io_context* loop_;  ///< nullptr: it is the end, and the loop may be gone.
  std::deque<Task> tasks_;
  bool has_ended_ = false;

  // Of the thread alone.
  const std::string state_dir_;
  const std::weak_ptr<Listener> told_;
  std::optional<LedgerDatabase> database_;
  std::uint64_t opening_ = 0;  ///< Counts how often the file was opened.
};

std::optional<LedgerFile::Writer::Task> LedgerFile::Writer::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return loop_ == nullptr || !tasks_.empty(); });
  if (loop_ == nullptr) return std::nullopt;
  Task task = std::move(tasks_.front());
  tasks_.pop_front();
  return task;
}

bool LedgerFile::Writer::is_ending() {
  const std::lock_guard lock(mutex_);
  return loop_ == nullptr;
}

void LedgerFile::Writer::write(const Task& task) {
  const std::uint64_t sequence = task.sequence;
  if (!database_ || task.opening != opening_) {
    tell([sequence](Listener& listener) { listener.callbacks.failed(sequence, not_read()); });
    return;
  }
  const Result<void> written = database_->write(*task.changes);
  if (written) {
    tell([sequence](Listener& listener) { listener.callbacks.written(sequence); });
    return;
  }
  // What is there is read by the next start: a disk that just said no may make this one wait for long.
  if (is_ending()) return;
  tell([sequence, error = written.error()](Listener& listener) {
    listener.callbacks.failed(sequence, error);
  });
  open_and_read();
}

void LedgerFile::Writer::open_and_read() {
  ++opening_;
  database_.reset();  // First: the lock is this one's.
  Result<Ledger> ledger = [this]() -> Result<Ledger> {
    MOORING_TRY(LedgerDatabase database, LedgerDatabase::open(state_dir_));
    MOORING_TRY(Ledger read, database.read());
    database_.emplace(std::move(database));
    return read;
  }();
  tell([opening = opening_, ledger = std::move(ledger)](Listener& listener) mutable {
    listener.opening = ledger ? opening : 0;
    listener.callbacks.read(std::move(ledger));
  });
}

void LedgerFile::Writer::tell(std::function<void(Listener&)> what) {
  const std::lock_guard lock(mutex_);
  if (loop_ == nullptr) return;
  boost::asio::post(*loop_, [listener = told_, what = std::move(what)] {
    if (const std::shared_ptr<Listener> here = listener.lock()) what(*here);
  });
}

LedgerFile::LedgerFile(boost::asio::io_context& loop, std::string state_dir, Callbacks callbacks)
    : listener_(std::make_shared<Listener>(Listener{std::move(callbacks), 0})),
      writer_(std::make_shared<Writer>(loop, std::move(state_dir), listener_)),
      thread_(start_without_signals([writer = writer_] { writer->run(); })) {}

LedgerFile::~LedgerFile() {
  listener_.reset();
  if (writer_->end(end_patience)) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

void LedgerFile::read() {
  writer_->add({});
}

void LedgerFile::write(std::uint64_t sequence, LedgerChanges changes) {
  writer_->add({sequence, std::move(changes), listener_->opening});
}

}  // namespace mooring
