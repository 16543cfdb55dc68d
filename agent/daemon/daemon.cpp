#include "daemon/daemon.h"

#include <fcntl.h>
#include <malloc.h>
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "daemon/directory_lock.h"
#include "daemon/log.h"
#include "daemon/swap_warning.h"

namespace mooring {
namespace {

namespace fs = std::filesystem;
using boost::system::error_code;

/// Uids of claims are drawn from it, and no two nodes or runs may draw the same.
std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  if (getrandom(&seed, sizeof seed, 0) == sizeof seed) return seed;
  return static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
}

CoreOptions core_options(const Options& options, const std::string& root_dir) {
  CoreOptions core;
  core.node.name = NodeName(options.node_name);
  core.node.labels = options.node_labels;
  core.node.allocatable = options.allocatable;
  core.node.root_dir = root_dir;
  core.nfs_exports = options.nfs_provisioners;
  core.csi_drivers = options.csi_drivers;
  core.node.others_attach = options.others_attach;
  core.unmount_deadline_ms = options.unmount_deadline_seconds * 1000;
  core.flex_timeout_ms = options.flexvolume_timeout_seconds * 1000;
  core.seed = random_seed();
  return core;
}

Error root_error(const std::string& what, const std::string& path, int errno_value) {
  return system_error(ErrorKind::Final, "RootUnusable", what, path, errno_value);
}

wire::Welcome welcome_to(const std::string& root_dir, const kernel::Descriptor& root) {
  wire::Welcome welcome;
  welcome.root_dir = root_dir;
  struct stat status {};
  if (fstat(root.get(), &status) == 0) {
    welcome.root_device = status.st_dev;
    welcome.root_inode = status.st_ino;
  }
  return welcome;
}

Result<kernel::Descriptor> lock_root(const std::string& root_dir) {
  kernel::Descriptor root(open(root_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return root_error("cannot open the root directory", root_dir, errno);
  if (lock_directory(root.get())) return root;
  if (errno != EWOULDBLOCK) return root_error("cannot lock the root directory", root_dir, errno);
  Error error;
  error.reason = "AlreadyRunning";
  error.message = "another mooringd serves the root directory " + root_dir;
  error.remedy = "end it first, or give this one another --root-dir and --run-dir";
  return error;
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::make(const Options& options) {
  std::error_code failed;
  fs::create_directories(options.root_dir, failed);
  if (failed && !fs::is_directory(options.root_dir)) {
    return root_error("cannot make the root directory", options.root_dir, failed.value());
  }
  const std::string root_dir = fs::canonical(options.root_dir, failed).string();
  if (failed) return root_error("cannot find the root directory", options.root_dir, failed.value());
  MOORING_TRY(kernel::Descriptor lock, lock_root(root_dir));
  MOORING_TRY(RecordStore records, RecordStore::open(options.run_dir));
  MOORING_TRY(ManifestTree tree, ManifestTree::open(options.manifest_dirs));
  return std::unique_ptr<Daemon>(
      new Daemon(options, root_dir, std::move(lock), std::move(records), std::move(tree)));
}

Daemon::Daemon(const Options& options, std::string root_dir, kernel::Descriptor lock, RecordStore records,
               ManifestTree tree)
    : options_(options),
      root_dir_(std::move(root_dir)),
      lock_(std::move(lock)),
      records_(std::move(records)),
      plugins_(built_in_plugins({options.flexvolume_dir, options.flexvolume_timeout_seconds * 1000})),
      core_(core_options(options, root_dir_), plugins_),
      workers_(loop_, {welcome_to(root_dir_, lock_), options.worker_program, options.worker_socket, -1},
               {[this](Event event) { handle(std::move(event)); },
                [this](kernel::Descriptor file) { mounts_.adopt(std::move(file)); },
                [this](const std::string& problem) { worker_problem(problem); },
                [this](const std::string& root) {
                  if (root != root_dir_) spdlog::warn("the workers see the root directory as {}", root);
                }}),
      host_watch_(loop_, [this](int watch) { handle(WatchFired{watch}); }),
      device_watch_(
          loop_, [this](DeviceNumber gone) { handle(DeviceRemoved{gone}); },
          [this] { handle(DevicesChanged{}); }),
      flex_watch_(
          loop_, options.flexvolume_dir,
          [this](std::vector<FlexProgramFact> programs) { handle(FlexProgramsListed{std::move(programs)}); }),
      driver_watch_(
          loop_, root_dir_ + "/plugins_registry",
          [this](std::vector<RegistrySocket> sockets) { handle(RegistrySockets{std::move(sockets)}); },
          [this](const std::string& problem) {
            Error error;
            error.reason = "DriverRegistryUnreadable";
            error.message = problem;
            error.remedy = "see that mooringd may read and write it; it is looked at again every 10 s";
            handle(NodeWarned{error});
          }),
      file_systems_(
          loop_,
          [this](DeviceNumber device, const std::string& message) {
            handle(FileSystemFailing{device, message});
            mounts_.read();  // It may be read-only from now on, of which the table tells, and wakes nobody.
          }),
      mounts_(
          loop_, [this](std::shared_ptr<const MountTable> table) { take_mounts(std::move(table)); },
          [](const Error& error) { spdlog::error("{}", error.text()); }),
      manifests_(loop_, std::move(tree), [this](Event event) { handle(std::move(event)); }),
      ledger_(loop_, options_.state_dir,
              {[this](std::uint64_t sequence) {
                 ledger_failures_ = 0;
                 handle(LedgerWritten{sequence});
               },
               [this](std::uint64_t, const Error& error) {
                 ++ledger_failures_;
                 handle(LedgerRead{error});
               },
               [this](Result<Ledger> ledger) { ledger_was_read(std::move(ledger)); }}),
      bus_(loop_, core_, options.bus, root_dir_,
           {[this](Event event) { handle(std::move(event)); }, [this] { manifests_.reload(); },
            [this] { return !workers_.is_idle(); }, [this] { notify(); },
            [this](const ObjectKey& claim) {
              schedule_dispatch();
              return core_.delete_claim(claim, now());
            },
            [this](const ObjectName& volume, bool forget) {
              schedule_dispatch();
              return core_.release_volume(volume, forget, now());
            },
            [this](const ObjectKey& snapshot) {
              schedule_dispatch();
              return core_.forget_snapshots(snapshot, now());
            }}),
      signals_(loop_),
      plan_timer_(loop_),
      watchdog_timer_(loop_),
      trim_timer_(loop_),
      confirm_timer_(loop_),
      ledger_timer_(loop_) {
  workers_.set_inotify(host_watch_.descriptor());
}

Instant Daemon::now() {
  return {MonotonicTime{std::chrono::steady_clock::now().time_since_epoch()},
          WallTime{std::chrono::system_clock::now().time_since_epoch()}};
}

int Daemon::run() {
  start();
  loop_.run();
  spdlog::info("ended; every mount stays as it is");
  sd_notify(0, "STOPPING=1");
  return 0;
}

void Daemon::start() {
  wait_for_signal();
  set_up_watchdog();
  spdlog::info("mooringd " MOORING_VERSION ": node {}, root {}", options_.node_name, root_dir_);
  auto contents = records_.read_all();
  RecordsRead read;
  if (contents) {
    read.records = std::move(contents.value().records);
    read.devices = std::move(contents.value().devices);
    read.unreadable = std::move(contents.value().unreadable);
  } else {
    read.unreadable.push_back(contents.error().text());
  }
  core_.handle(std::move(read), now());
  if (auto warning = swap_warning(read_swap_facts())) core_.handle(NodeWarned{std::move(*warning)}, now());
  ledger_.read();
  bus_.start();
  if (options_.metrics_listen != "none") {
    auto server = MetricsServer::listen(loop_, options_.metrics_listen, [this] {
      handle(UsageAsked{});  // What is measured now is told the next time.
      return metrics_text();
    });
    if (server) {
      metrics_ = std::move(server).value();
    } else {
      spdlog::error("{}", server.error().text());
    }
  }
  workers_.start();
  flex_watch_.start();
  driver_watch_.start();
  manifests_.start();
}

/// True for what may ask for something to be removed. A file that is read for the first time cannot.
bool Daemon::may_remove(const Event& event) {
  if (const auto* parsed = std::get_if<FileParsed>(&event))
    return !files_seen_.insert(parsed->file.file).second;
  if (const auto* gone = std::get_if<FileGone>(&event)) return files_seen_.erase(gone->file) == 1;
  return std::holds_alternative<ListingCompleted>(event);
}

void Daemon::handle(Event event) {
  are_mounts_to_be_fresh_ = may_remove(event) || are_mounts_to_be_fresh_;
  if (std::holds_alternative<ListingCompleted>(event) || std::holds_alternative<ListingFailed>(event))
    is_manifests_read_ = true;
  if (const auto* ended = std::get_if<OperationEnded>(&event)) {
    confirm_mounts_later();
    csi_metrics_.add(ended->outcome);
    if (ended->outcome.error) ++operations_failed_;
  }
  if (std::holds_alternative<RetryRequested>(event)) retry_ledger();
  core_.handle(std::move(event), now());
  schedule_dispatch();
}

void Daemon::take_mounts(std::shared_ptr<const MountTable> table) {
  last_mounts_ = table;
  core_.handle(MountsRead{std::move(table)}, now());
  schedule_dispatch();
}

/// One dispatch serves all events that are waiting in the loop.
void Daemon::schedule_dispatch() {
  if (std::exchange(is_dispatch_set_, true)) return;
  boost::asio::post(loop_, [this] { dispatch(); });
}

void Daemon::dispatch() {
  is_dispatch_set_ = false;
  // Whatever takes something away is decided on the mount table of this moment. Reading it costs with every
  // mount of the node, so only then.
  if (std::exchange(are_mounts_to_be_fresh_, false)) mounts_.refresh();
  Effects effects = core_.take_effects(now());
  write_records(effects);
  if (effects.ledger) ledger_.write(effects.ledger->sequence, std::move(effects.ledger->changes));
  operations_started_ += effects.operations.size();
  if (!effects.operations.empty()) {
    workers_.submit(std::move(effects.operations));
    give_memory_back_later();
  }
  for (const int watch : effects.watches_to_remove)
    host_watch_.remove(watch);
  if (effects.file_systems_to_watch) file_systems_.watch(*effects.file_systems_to_watch);
  for (const StatusEvent& event : effects.events)
    log_event(event);
  bus_.publish(effects);
  set_timer();
  notify();
}

void Daemon::set_timer() {
  const std::optional<MonotonicTime> next = core_.next_wake();
  if (next == plan_timer_at_) return;
  plan_timer_at_ = next;
  plan_timer_.cancel();
  if (!next) return;
  plan_timer_.expires_at(std::chrono::steady_clock::time_point(
      std::chrono::duration_cast<std::chrono::steady_clock::duration>(next->since_start)));
  plan_timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    plan_timer_at_.reset();
    handle(TimerFired{});
  });
}

/// After a burst of work the allocator keeps what the steps took: it goes back when nothing was started for a
/// while.
void Daemon::give_memory_back_later() {
  constexpr std::uint64_t burst = 256;
  constexpr auto pause = std::chrono::milliseconds(500);
  if (operations_started_ - operations_trimmed_at_ < burst) return;
  trim_timer_.expires_after(pause);
  trim_timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    operations_trimmed_at_ = operations_started_;
    malloc_trim(0);
  });
}

/// What was mounted and unmounted again before its outcome came was in no table that the core looked at
/// since, and nothing may ever change again: a while after outcomes the core looks at the table once more.
void Daemon::confirm_mounts_later() {
  constexpr auto pause = std::chrono::milliseconds(200);
  if (std::exchange(is_confirm_set_, true)) return;
  confirm_timer_.expires_after(pause);
  confirm_timer_.async_wait([this](error_code cancelled) {
    is_confirm_set_ = false;
    if (cancelled) return;
    mounts_.refresh();
    if (last_mounts_) take_mounts(last_mounts_);
  });
}

void Daemon::wait_for_signal() {
  error_code ignored;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD})
    signals_.add(signal, ignored);
  signals_.async_wait([this](error_code failed, int signal) {
    if (failed) return;
    if (signal == SIGTERM || signal == SIGINT) return stop();
    if (signal == SIGCHLD) workers_.reap();
    if (signal == SIGHUP) {
      spdlog::info("reading all manifests again");
      sd_notify(0, "RELOADING=1");
      manifests_.reload();
      sd_notify(0, "READY=1");
    }
    wait_for_signal();
  });
}

/// Ends at once. What is in flight is finished or not by the workers; whoever comes next reads the kernel.
void Daemon::stop() {
  spdlog::info("asked to end");
  workers_.stop();
  loop_.stop();
}

void Daemon::worker_problem(const std::string& problem) {
  if (problem == worker_problem_) return;
  worker_problem_ = problem;
  handle(WorkersFailing{problem});
  notify();
}

void Daemon::notify() {
  if (std::getenv("NOTIFY_SOCKET") == nullptr) return;
  const NodeStatus node = core_.node_status();
  std::string status = std::to_string(node.pods_ready) + " of " + std::to_string(node.pods) +
                       " pods ready, " + std::to_string(node.volumes_ready) + " of " +
                       std::to_string(node.volumes) + " volumes";
  if (!worker_problem_.empty()) status = "no worker can serve: " + worker_problem_;
  if (!is_ready_told_ && is_manifests_read_ && bus_.is_settled()) {
    is_ready_told_ = true;
    sd_notify(0, "READY=1");
  }
  if (status == last_status_) return;
  last_status_ = status;
  sd_notify(0, ("STATUS=" + status).c_str());
}

void Daemon::set_up_watchdog() {
  std::uint64_t interval_us = 0;
  if (sd_watchdog_enabled(0, &interval_us) <= 0) return;
  sd_notify(0, "WATCHDOG=1");
  watchdog_timer_.expires_after(std::chrono::microseconds(interval_us / 2));
  watchdog_timer_.async_wait([this](error_code cancelled) {
    if (!cancelled) set_up_watchdog();
  });
}

}  // namespace mooring
