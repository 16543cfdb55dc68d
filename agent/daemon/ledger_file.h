#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "daemon/ledger_database.h"

namespace mooring {

/// The durable ledger, on a thread of its own: a disk that hangs holds up claims and nothing else.
///
/// What a write that failed has left on the disk nobody knows. So the file is closed, opened and read again,
/// and what was read is what counts; writes that were decided before that are not done.
///
///     read()   ──▶ callbacks.read(what is there)
///     write(n) ──▶ callbacks.written(n)
///              └─▶ callbacks.failed(n, why), callbacks.read(what is there)
class LedgerFile {
 public:
  /// Called in the loop, in the order of what was asked for; none after the destructor began.
  struct Callbacks {
    std::function<void(std::uint64_t sequence)> written;  ///< It is on the disk.
    std::function<void(std::uint64_t sequence, const Error& error)> failed;
    /// The answer to read(), and what follows a write that failed. An error: nothing can be written until
    /// read() is asked for again and went well. See LedgerDatabase for the errors.
    std::function<void(Result<Ledger> ledger)> read;
  };

  /// Starts the thread; the file is opened by the first read().
  LedgerFile(boost::asio::io_context& loop, std::string state_dir, Callbacks callbacks);
  /// Waits a second at most for the transaction that is being written; what waits behind it is not done. A
  /// disk that hangs longer keeps nobody from ending: what becomes of that transaction is found out at the
  /// next start, as after a crash.
  ~LedgerFile();
  LedgerFile(const LedgerFile&) = delete;
  LedgerFile& operator=(const LedgerFile&) = delete;

  /// Opens the file (again) and reads it.
  void read();
  /// Writes, after what was asked for before. Fails ("LedgerNotRead", Transient) if no reading that went well
  /// was told since the file was opened last.
  void write(std::uint64_t sequence, LedgerChanges changes);

 private:
  class Writer;

  /// What the loop's side knows; gone when nobody may be called any more.
  struct Listener {
    Callbacks callbacks;
    std::uint64_t opening = 0;  ///< The last that was read well and told; 0: none.
  };

  std::shared_ptr<Listener> listener_;
  std::shared_ptr<Writer> writer_;  ///< The thread's too, which may outlive this.
  std::thread thread_;
};

}  // namespace mooring
