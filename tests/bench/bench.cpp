// Measures Mooring's speed beside the same kernel work by bare system calls, in one run, and prints the table
// of docs/performance.md. Runs in a private mount namespace (tools/bench makes one); everything lies below
// one directory.
#include <fmt/format.h>
#include <sys/mount.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "bare_work.h"
#include "bus_watch.h"
#include "places.h"
#include "process.h"

namespace mooring::bench {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

std::string manifest_of(const Places& places, int n) {
  return fmt::format(R"(apiVersion: v1
kind: Pod
metadata:
  name: pod-{0}
  namespace: default
  labels:
    app: bench
spec:
  containers:
  - name: main
    image: busybox
    command: ["sleep", "86400"]
    volumeMounts:
    - name: disk
      mountPath: /disk
    - name: memory
      mountPath: /memory
    - name: host
      mountPath: /host
    - name: made
      mountPath: /made
  volumes:
  - name: disk
    emptyDir: {{}}
  - name: memory
    emptyDir:
      medium: Memory
      sizeLimit: 64Mi
  - name: host
    hostPath:
      path: {1}
      type: Directory
  - name: made
    hostPath:
      path: {1}
      type: DirectoryOrCreate
)",
                     n, places.host);
}

/// Makes the tree for a run with `pods` prepared manifests in a directory beside the watched one.
Places prepare(const std::string& base, const std::string& daemon, int pods) {
  const Places places = make_places(base, daemon);
  for (int n = 0; n < pods; ++n)
    write_file(fmt::format("{}/prepared/pod-{}.yaml", base, n), manifest_of(places, n));
  return places;
}

struct Row {
  int pods = 0;
  BareTimes bare;
  double ready_ms = 0, gone_ms = 0, one_more_median_ms = 0, one_more_worst_ms = 0, restart_ms = 0,
         cold_ms = 0;
  std::uint64_t idle_ticks = 0, idle_wake_ups = 0, core_kib = 0, workers_kib = 0;
  bool restart_kept_mounts = false;
};

void measure_one_more(const Places& places, BusWatch& bus, int pods, Row& row) {
  std::vector<double> times;
  for (int i = 0; i < 20; ++i) {
    const std::string prepared = fmt::format("{}/one-more.yaml", places.base);
    write_file(prepared, manifest_of(places, pods + 1000 + i));
    bus.reset();
    const auto start = Clock::now();
    fs::rename(prepared, fmt::format("{}/one-more-{}.yaml", places.manifests, i));
    if (!bus.wait_ready(1, 10s)) give_up("one more pod did not become ready");
    times.push_back(milliseconds(Clock::now() - start));
  }
  bus.reset();
  for (int i = 0; i < 20; ++i)
    fs::remove(fmt::format("{}/one-more-{}.yaml", places.manifests, i));
  if (!bus.wait_gone(20, 30s)) give_up("the extra pods did not go");
  std::sort(times.begin(), times.end());
  row.one_more_median_ms = times[times.size() / 2];
  row.one_more_worst_ms = times.back();
}

void measure_idle(const Process& daemon, int seconds, Row& row) {
  std::vector<pid_t> all = children_of(daemon.pid());
  all.push_back(daemon.pid());
  const auto total = [&] {
    Usage sum;
    for (const pid_t pid : all) {
      const Usage usage = usage_of(pid);
      sum.cpu_ticks += usage.cpu_ticks;
      sum.wake_ups += usage.wake_ups;
    }
    return sum;
  };
  // The table of mounts is read once more a moment after the last change: let that pass before idling is
  // measured.
  timespec settle{1, 0};
  nanosleep(&settle, nullptr);
  const Usage before = total();
  timespec pause{seconds, 0};
  nanosleep(&pause, nullptr);
  const Usage after = total();
  row.idle_ticks = after.cpu_ticks - before.cpu_ticks;
  row.idle_wake_ups = after.wake_ups - before.wake_ups;
  row.core_kib = usage_of(daemon.pid()).resident_kib;
  for (const pid_t pid : all) {
    if (pid != daemon.pid()) row.workers_kib += usage_of(pid).proportional_kib;
  }
}

Row measure(const std::string& base, const std::string& daemon_path, int pods, int idle_seconds) {
  Row row;
  row.pods = pods;
  const Places places = prepare(base, daemon_path, pods);
  const BareDirs dirs{base + "/prepared", base + "/bare-root", places.run, places.host};
  fs::create_directories(dirs.root);
  run_bare_work(dirs, pods);  // Once to warm the caches, then to measure.
  row.bare = run_bare_work(dirs, pods);

  const Process bus_daemon = start_bus(places);
  Process daemon = start_daemon(places);
  BusWatch bus("unix:path=" + places.bus);
  if (!bus.wait_pods_ready(0, 20s)) give_up("the daemon did not start; see " + base + "/log");

  bus.reset();
  auto start = Clock::now();
  fs::rename(base + "/prepared", places.manifests + "/all");
  if (!bus.wait_ready(static_cast<unsigned>(pods), 120s))
    give_up("not all pods became ready; see " + base + "/log");
  row.ready_ms = milliseconds(Clock::now() - start);

  measure_one_more(places, bus, pods, row);
  measure_idle(daemon, idle_seconds, row);

  const std::string before = mounts_below(places.root);
  daemon.end(9);
  start = Clock::now();
  daemon = start_daemon(places);
  if (!bus.wait_pods_ready(static_cast<unsigned>(pods), 60s)) give_up("not all pods were adopted");
  row.restart_ms = milliseconds(Clock::now() - start);
  row.restart_kept_mounts = before == mounts_below(places.root);

  bus.reset();
  start = Clock::now();
  fs::rename(places.manifests + "/all", base + "/prepared");
  if (!bus.wait_gone(static_cast<unsigned>(pods), 120s)) give_up("not all pods went");
  row.gone_ms = milliseconds(Clock::now() - start);
  daemon.end(15);
  if (!mounts_below(places.root).empty()) give_up("mounts are left");

  fs::rename(base + "/prepared", places.manifests + "/all");
  start = Clock::now();
  daemon = start_daemon(places);
  if (!bus.wait_pods_ready(static_cast<unsigned>(pods), 60s))
    give_up("not all pods became ready from a cold start");
  row.cold_ms = milliseconds(Clock::now() - start);
  bus.reset();
  fs::remove_all(places.manifests + "/all");
  bus.wait_gone(static_cast<unsigned>(pods), 120s);
  daemon.end(15);
  umount2(places.run.c_str(), MNT_DETACH);
  return row;
}

void print(const std::vector<Row>& rows, int idle_seconds) {
  fmt::print(
      "| pods | bare set-up | all ready | ratio | bare teardown | all gone | ratio | one more (median, "
      "worst) | cold start |"
      " restart | mounts kept | idle CPU, wake-ups in {} s | core RSS | workers PSS |\n",
      idle_seconds);
  fmt::print(
      "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: "
      "|\n");
  for (const Row& row : rows) {
    const double set_up = milliseconds(row.bare.set_up);
    const double tear_down = milliseconds(row.bare.tear_down);
    fmt::print(
        "| {} | {:.1f} ms | {:.1f} ms | {:.2f} | {:.1f} ms | {:.1f} ms | {:.2f} | {:.2f}, {:.2f} ms | {:.0f} "
        "ms | {:.0f} ms |"
        " {} | {} ms, {} | {:.1f} MiB | {:.1f} MiB |\n",
        row.pods, set_up, row.ready_ms, row.ready_ms / set_up, tear_down, row.gone_ms,
        row.gone_ms / tear_down, row.one_more_median_ms, row.one_more_worst_ms, row.cold_ms, row.restart_ms,
        row.restart_kept_mounts ? "yes" : "NO", row.idle_ticks * 10, row.idle_wake_ups,
        static_cast<double>(row.core_kib) / 1024, static_cast<double>(row.workers_kib) / 1024);
  }
}

}  // namespace
}  // namespace mooring::bench

int main(int argc, char** argv) {
  using namespace mooring::bench;
  if (argc < 3) give_up("usage: mooring_bench MOORINGD DIRECTORY [IDLE-SECONDS [PODS...]]");
  const int idle_seconds = argc > 3 ? std::atoi(argv[3]) : 30;
  std::vector<int> sizes;
  for (int i = 4; i < argc; ++i)
    sizes.push_back(std::atoi(argv[i]));
  if (sizes.empty()) sizes = {100, 500, 1000};
  std::vector<Row> rows;
  for (const int pods : sizes) {
    rows.push_back(measure(fmt::format("{}/{}", argv[2], pods), argv[1], pods, idle_seconds));
    fmt::print(stderr, "measured {} pods\n", pods);
  }
  print(rows, idle_seconds);
  return 0;
}
