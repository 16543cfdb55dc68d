#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "core/core.h"
#include "daemon/bus_service.h"
#include "daemon/csi_metrics.h"
#include "daemon/device_watch.h"
#include "daemon/driver_watch.h"
#include "daemon/file_system_watch.h"
#include "daemon/flex_watch.h"
#include "daemon/host_watch.h"
#include "daemon/ledger_file.h"
#include "daemon/manifest_watcher.h"
#include "daemon/metrics.h"
#include "daemon/mount_watcher.h"
#include "daemon/options.h"
#include "daemon/record_store.h"
#include "daemon/worker_pool.h"

namespace mooring {

/// The object graph of mooringd: one thread, one loop, the core in its middle.
///
///     manifests, mounts, watches, workers, bus, timer ──event──▶ core ──effects──▶ records, workers, bus,
///     log
class Daemon {
 public:
  /// Takes the lock of the root directory and makes what is missing. Errors are for the command line:
  /// "AlreadyRunning", "RootUnusable", ...
  static Result<std::unique_ptr<Daemon>> make(const Options& options);

  /// Runs until SIGTERM or SIGINT. Every mount stays as it is.
  int run();

 private:
  Daemon(const Options& options, std::string root_dir, kernel::Descriptor lock, RecordStore records,
         ManifestTree tree);

  void start();
  void handle(Event event);
  bool may_remove(const Event& event);
  void take_mounts(std::shared_ptr<const MountTable> table);
  void schedule_dispatch();
  void dispatch();
  void write_records(Effects& effects);
  void refuse_operations(Effects& effects, const Error& why,
                         const std::function<bool(const Operation&)>& waits_for_it);
  template <class Name>
  void remove_records(std::set<Name>& names);
  void ledger_was_read(Result<Ledger> ledger);
  void read_ledger_later();
  void retry_ledger();
  void set_timer();
  void give_memory_back_later();
  void confirm_mounts_later();
  void wait_for_signal();
  void stop();
  void notify();
  void set_up_watchdog();
  void worker_problem(const std::string& problem);
  std::string metrics_text() const;
  static Instant now();

  Options options_;
  std::string root_dir_;
  kernel::Descriptor lock_;
  boost::asio::io_context loop_{1};
  RecordStore records_;
  std::set<PodUid> records_to_remove_;  ///< Of pods that are gone; a removal that failed is tried again.
  std::set<VolumeKey> device_records_to_remove_;  ///< Likewise of devices.
  std::string last_record_problem_;
  PluginRegistry plugins_;
  Core core_;
  WorkerPool workers_;
  HostWatch host_watch_;
  DeviceWatch device_watch_;
  FlexWatch flex_watch_;
  DriverWatch driver_watch_;
  FileSystemWatch file_systems_;
  MountWatcher mounts_;
  ManifestWatcher manifests_;
  LedgerFile ledger_;
  BusService bus_;
  std::unique_ptr<MetricsServer> metrics_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer plan_timer_;
  boost::asio::steady_timer watchdog_timer_;
  boost::asio::steady_timer trim_timer_;
  boost::asio::steady_timer confirm_timer_;
  boost::asio::steady_timer ledger_timer_;
  std::uint32_t ledger_failures_ = 0;  ///< Since it was last read or written well.
  bool is_ledger_read_again_ = false;
  std::optional<MonotonicTime> plan_timer_at_;
  std::string worker_problem_;
  std::string last_status_;
  std::set<std::string> files_seen_;
  bool are_mounts_to_be_fresh_ = false;
  bool is_dispatch_set_ = false;
  bool is_confirm_set_ = false;
  std::shared_ptr<const MountTable> last_mounts_;
  bool is_ready_told_ = false;
  bool is_manifests_read_ = false;
  std::uint64_t operations_started_ = 0;
  std::uint64_t operations_trimmed_at_ = 0;  ///< operations_started_ when memory was given back last.
  CsiMetrics csi_metrics_;
  std::uint64_t operations_failed_ = 0;
};

}  // namespace mooring
