// Measures how long a change of an object takes to reach the volumes of running pods: from just before the
// rename(2) of its manifest to the moment in which each volume's `..data` was swapped. Prints the second
// table of docs/performance.md. Runs in a private mount namespace (tools/bench live makes one).
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "bare_work.h"
#include "bus_watch.h"
#include "places.h"
#include "process.h"
#include "volume_watch.h"

namespace mooring::bench {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr int shared_rounds = 20;
constexpr std::chrono::nanoseconds pace = 5ms;
constexpr auto limit = 30s;
/// Beside the value that changes, so that the files are no smaller than files usually are.
const std::string padding(1000, '.');

enum class Kind { Shared, ConfigMap, Secret, Labels };

struct Scenario {
  Kind kind;
  const char* directory;  ///< Of the bench; may be a file system of its own.
  const char* title;
  const char* plugin;  ///< The directory of the volumes' plugin.
};

constexpr Scenario scenarios[] = {
    {Kind::Shared, "shared", "a ConfigMap that all pods use", "kubernetes.io~configmap"},
    {Kind::ConfigMap, "configmap", "a ConfigMap of each pod's own", "kubernetes.io~configmap"},
    {Kind::Secret, "secret", "a Secret of each pod's own", "kubernetes.io~secret"},
    {Kind::Labels, "labels", "a label of the pod itself (downwardAPI)", "kubernetes.io~downward-api"},
};

std::string uid_of(int n) {
  return fmt::format("00000000-0000-5000-8000-{:012}", n);
}

/// What the file `value` of the n-th volume holds after a change; fit for a label.
std::string value_of(int n, int round) {
  return fmt::format("{}-{}", n, round);
}

std::string source_of(Kind kind, int n) {
  switch (kind) {
    case Kind::Shared:
      return "configMap: {name: live-0}";
    case Kind::ConfigMap:
      return fmt::format("configMap: {{name: live-{}}}", n);
    case Kind::Secret:
      return fmt::format("secret: {{secretName: live-{}}}", n);
    case Kind::Labels:
      break;
  }
  return "downwardAPI: {items: [{path: value, fieldRef: {fieldPath: \"metadata.labels['value']\"}}]}";
}

std::string pod_manifest(Kind kind, int n, int round) {
  return fmt::format(R"(apiVersion: v1
kind: Pod
metadata:
  name: pod-{0}
  uid: {1}
  labels: {{app: bench, value: "{2}"}}
spec:
  containers:
  - name: main
    image: busybox
    command: ["sleep", "86400"]
    volumeMounts:
    - {{name: live, mountPath: /live}}
  volumes:
  - name: live
    {3}
)",
                     n, uid_of(n), value_of(n, round), source_of(kind, n));
}

std::string object_manifest(Kind kind, int n, int round) {
  if (kind == Kind::Labels) return pod_manifest(kind, n, round);
  const bool is_secret = kind == Kind::Secret;
  return fmt::format(
      "apiVersion: v1\nkind: {}\nmetadata: {{name: live-{}}}\n{}:\n  value: \"{}\"\n  padding: {}\n",
      is_secret ? "Secret" : "ConfigMap", n, is_secret ? "stringData" : "data", value_of(n, round), padding);
}

/// The manifest that a change of the n-th object replaces.
std::string object_file(Kind kind, int n) {
  return fmt::format("{}-{}.yaml", kind == Kind::Labels ? "pod" : "object", n);
}

struct Row {
  std::string title;
  std::size_t volumes = 0, changes = 0;
  std::vector<double> times_ms;  ///< One for each volume and change; sorted.
  std::vector<double> last_ms;   ///< Until the last volume, of each change that concerns all. Sorted.
  std::vector<double> bare_ms;   ///< The same volumes by bare system calls. Sorted.
};

double quantile(const std::vector<double>& sorted, double part) {
  const auto index = static_cast<std::size_t>(part * static_cast<double>(sorted.size()));
  return sorted.at(std::min(index, sorted.size() - 1));
}

/// A scenario with its daemon running and every pod ready.
class LiveRun {
 public:
  LiveRun(const Scenario& scenario, const std::string& base, const std::string& daemon, int pods);
  ~LiveRun();
  LiveRun(const LiveRun&) = delete;
  LiveRun& operator=(const LiveRun&) = delete;

  Row measure_shared();
  Row measure_own(int rounds);

 private:
  void prepare_change(int n, int round) const;
  Clock::time_point change(int n) const;
  void check(std::size_t volume, const std::string& expected) const;
  void check_limit(Clock::time_point start) const;

  const Scenario& scenario_;
  const int pods_;
  Places places_;
  std::vector<std::string> volumes_;
  Process bus_daemon_;
  Process daemon_;
};

LiveRun::LiveRun(const Scenario& scenario, const std::string& base, const std::string& daemon, int pods)
    : scenario_(scenario), pods_(pods), places_(make_places(base, daemon)) {
  for (int n = 0; n < pods; ++n) {
    write_file(fmt::format("{}/pod-{}.yaml", places_.manifests, n), pod_manifest(scenario.kind, n, 0));
    const bool has_object = scenario.kind == Kind::Shared ? n == 0 : scenario.kind != Kind::Labels;
    if (has_object) {
      write_file(places_.manifests + "/" + object_file(scenario.kind, n),
                 object_manifest(scenario.kind, n, 0));
    }
    volumes_.push_back(fmt::format("{}/pods/{}/volumes/{}/live", places_.root, uid_of(n), scenario.plugin));
  }
  bus_daemon_ = start_bus(places_);
  daemon_ = start_daemon(places_);
  BusWatch bus("unix:path=" + places_.bus);
  if (!bus.wait_pods_ready(static_cast<unsigned>(pods), 60s))
    give_up("not all pods became ready; see " + base + "/log");
}

LiveRun::~LiveRun() {
  daemon_.end(15);
  umount2(places_.run.c_str(), MNT_DETACH);
  for (const std::string& volume : volumes_) {
    if (scenario_.kind == Kind::Secret || scenario_.kind == Kind::Labels)
      umount2(volume.c_str(), UMOUNT_NOFOLLOW);
  }
}

void LiveRun::prepare_change(int n, int round) const {
  write_file(places_.base + "/prepared/next.yaml", object_manifest(scenario_.kind, n, round));
}

Clock::time_point LiveRun::change(int n) const {
  const std::string next = places_.base + "/prepared/next.yaml";
  const std::string object = places_.manifests + "/" + object_file(scenario_.kind, n);
  const Clock::time_point now = Clock::now();
  if (std::rename(next.c_str(), object.c_str()) != 0) give_up("cannot replace " + object);
  return now;
}

void LiveRun::check(std::size_t volume, const std::string& expected) const {
  std::ifstream in(volumes_[volume] + "/value");
  const std::string content{std::istreambuf_iterator<char>(in), {}};
  if (content != expected)
    give_up(fmt::format("{} holds '{}' and not '{}' after the swap", volumes_[volume], content, expected));
}

void LiveRun::check_limit(Clock::time_point start) const {
  if (Clock::now() - start > limit)
    give_up("a change did not reach its volumes; see " + places_.base + "/log");
}

/// One object after the other is changed in all volumes; the next when the daemon has been at rest for a
/// while.
Row LiveRun::measure_shared() {
  Row row;
  VolumeWatch watch(volumes_);
  for (int round = 1; round <= shared_rounds; ++round) {
    const timespec rest{0, 200'000'000};
    nanosleep(&rest, nullptr);
    prepare_change(0, round);
    std::vector<bool> is_swapped(volumes_.size());
    std::size_t left = volumes_.size();
    const Clock::time_point start = change(0);
    while (left > 0) {
      watch.wait(-1);
      watch.take([&](std::size_t volume, Clock::time_point now) {
        if (is_swapped[volume]) give_up(volumes_[volume] + " was swapped twice");
        is_swapped[volume] = true;
        row.times_ms.push_back(milliseconds(now - start));
        if (--left == 0) row.last_ms.push_back(milliseconds(now - start));
      });
      check_limit(start);
    }
    for (std::size_t volume = 0; volume < volumes_.size(); ++volume)
      check(volume, value_of(0, round));
  }
  row.changes = shared_rounds;
  return row;
}

/// Each change concerns one volume; they come at a fixed pace, whether the ones before have arrived or not.
Row LiveRun::measure_own(int rounds) {
  Row row;
  VolumeWatch watch(volumes_);
  struct Change {
    Clock::time_point start;
    std::string value;
  };
  std::map<std::size_t, Change> under_way;
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  const itimerspec beat{{0, pace.count()}, {0, pace.count()}};
  if (timer < 0 || timerfd_settime(timer, 0, &beat, nullptr) != 0) give_up("cannot set a timer");
  const Clock::time_point start = Clock::now();
  int round = 0;
  while (round < rounds || !under_way.empty()) {
    watch.wait(round < rounds ? timer : -1);
    watch.take([&](std::size_t volume, Clock::time_point now) {
      const auto change = under_way.find(volume);
      if (change == under_way.end()) give_up(volumes_[volume] + " was swapped without a change");
      row.times_ms.push_back(milliseconds(now - change->second.start));
      check(volume, change->second.value);
      under_way.erase(change);
    });
    check_limit(start);
    std::uint64_t beats = 0;
    if (round == rounds || read(timer, &beats, sizeof beats) <= 0) continue;
    const int n = round % pods_;
    if (under_way.contains(static_cast<std::size_t>(n))) give_up("a change was overtaken by the next one");
    ++round;
    prepare_change(n, round);
    under_way[static_cast<std::size_t>(n)] = {change(n), value_of(n, round)};
  }
  close(timer);
  row.changes = static_cast<std::size_t>(rounds);
  return row;
}

/// The same number of volumes, with files as large, without a daemon.
std::vector<double> measure_bare(const std::string& directory, int pods) {
  std::vector<std::string> volumes;
  for (int n = 0; n < pods; ++n) {
    volumes.push_back(fmt::format("{}/bare/{}", directory, n));
    fs::create_directories(volumes.back());
  }
  std::vector<double> times_ms;
  for (const auto time : run_bare_publishing(volumes, {"value", "padding"}, padding, shared_rounds))
    times_ms.push_back(milliseconds(time));
  return times_ms;
}

Row measure(const Scenario& scenario, const std::string& directory, const std::string& daemon, int pods,
            int rounds) {
  const bool is_shared = scenario.kind == Kind::Shared;
  std::vector<double> bare_ms;
  if (is_shared) bare_ms = measure_bare(directory, pods);
  LiveRun run(scenario, directory + "/" + scenario.directory, daemon, pods);
  Row row = is_shared ? run.measure_shared() : run.measure_own(rounds);
  row.title = scenario.title;
  row.volumes = static_cast<std::size_t>(pods);
  row.bare_ms = std::move(bare_ms);
  for (std::vector<double>* times : {&row.times_ms, &row.last_ms, &row.bare_ms})
    std::sort(times->begin(), times->end());
  return row;
}

void print(const std::vector<Row>& rows) {
  fmt::print(
      "| what changes | pods | changes | median | p99 | worst | last pod (median) | bare publishing (median) "
      "| "
      "ratio |\n"
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
  for (const Row& row : rows) {
    fmt::print("| {} | {} | {} | {:.1f} ms | {:.1f} ms | {:.1f} ms |", row.title, row.volumes, row.changes,
               quantile(row.times_ms, 0.5), quantile(row.times_ms, 0.99), row.times_ms.back());
    if (row.bare_ms.empty()) {
      fmt::print(" | | |\n");
      continue;
    }
    const double last_ms = quantile(row.last_ms, 0.5);
    const double bare_ms = quantile(row.bare_ms, 0.5);
    fmt::print(" {:.1f} ms | {:.1f} ms | {:.2f} |\n", last_ms, bare_ms, last_ms / bare_ms);
  }
}

}  // namespace
}  // namespace mooring::bench

int main(int argc, char** argv) {
  using namespace mooring::bench;
  if (argc < 3) give_up("usage: mooring_live_bench MOORINGD DIRECTORY [PODS [CHANGES]]");
  const int pods = argc > 3 ? std::atoi(argv[3]) : 500;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 200;
  if (pods < 1 || rounds < 1) give_up("PODS and CHANGES must be numbers above 0");
  std::vector<Row> rows;
  for (const Scenario& scenario : scenarios) {
    rows.push_back(measure(scenario, argv[2], argv[1], pods, rounds));
    fmt::print(stderr, "measured: {}\n", scenario.title);
  }
  print(rows);
  return 0;
}
