// mooringd and its workers are killed at random moments while pods come and go. Whatever the moment was, in
// the end everything wanted is there once, everything else is gone, and nobody's data was lost.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>

#include "node.h"

namespace mooring::integration {
namespace {

using Strings = std::vector<std::string>;

constexpr int rounds = 60;
constexpr int stable_pods = 2;
constexpr int passing_pods = 6;

/// MOORING_SEED repeats the decisions of a run, though not the kernel's timing.
std::uint64_t seed() {
  const char* given = std::getenv("MOORING_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

class Crash : public ::testing::Test {
 protected:
  Crash() : random_(seed_) {
    ::testing::Test::RecordProperty("seed", std::to_string(seed_));
    node_.start();
    for (int i = 0; i < stable_pods; ++i)
      want("stable-" + std::to_string(i));
    for (const auto& [pod, wanted] : pods_)
      mark(pod);
  }

  struct Pod {
    bool is_wanted = false;
    std::string uid;  ///< Known once it was ready.
    bool is_marked = false;
  };

  int pick(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }

  void want(const std::string& pod) {
    node_.write(pod + ".yaml",
                pod_text(pod, {{"default", empty_dir},
                               {"memory", memory_dir},
                               {"host", host_path(node_.dir() + "/host/made", "DirectoryOrCreate")}}));
    pods_[pod].is_wanted = true;
  }
  void drop(const std::string& pod) {
    node_.remove(pod + ".yaml");
    pods_[pod].is_wanted = false;
    pods_[pod].is_marked = false;
  }
  std::string path(const std::string& pod, const std::string& volume) const {
    return node_.volume_path(pods_.at(pod).uid, "empty-dir", volume);
  }
  /// Waits until the pod is ready and writes into its volumes what must be there from now on.
  void mark(const std::string& pod) {
    ASSERT_TRUE(node_.becomes_ready(pod)) << node_.ctl().pod(pod).dump(2);
    Pod& known = pods_.at(pod);
    known.uid = node_.ctl().uid(pod);
    for (const char* volume : {"default", "memory"})
      write_in_place(path(pod, volume) + "/mark", pod);
    known.is_marked = true;
  }
  /// One to three of the passing pods come or go.
  void change_something() {
    for (int i = 0; i <= pick(3); ++i) {
      const std::string pod = "passing-" + std::to_string(pick(passing_pods));
      if (!pods_[pod].is_wanted) {
        want(pod);
      } else if (pick(2) == 0) {
        drop(pod);
      }
    }
  }
  /// Ends at one of the moments at which something is being done, or just so.
  void wait_for_a_moment() {
    const Strings before = mount_lines(node_.root());
    const std::size_t log_size = node_.log().size();
    const Millis limit(pick(120));
    switch (pick(3)) {
      case 0:
        node_.eventually([&] { return mount_lines(node_.root()) != before; }, limit);
        break;
      case 1:
        node_.eventually([&] { return node_.log().size() != log_size; }, limit);
        break;
      default:
        node_.let_pass(limit);
    }
  }
  /// The marks that were lost, in one text.
  std::string lost() const {
    std::string text;
    for (const auto& [pod, known] : pods_) {
      if (!known.is_marked) continue;
      for (const char* volume : {"default", "memory"}) {
        if (read_file(path(pod, volume) + "/mark") != pod) text += pod + "/" + volume + " ";
      }
    }
    return text;
  }
  void mark_one() {
    Strings wanted;
    for (const auto& [pod, known] : pods_) {
      if (known.is_wanted && !known.is_marked) wanted.push_back(pod);
    }
    if (!wanted.empty()) mark(wanted[static_cast<std::size_t>(pick(static_cast<int>(wanted.size())))]);
  }
  /// The uids of the wanted pods that are ready.
  Strings ready_uids() const {
    Strings uids;
    const Json list = node_.ctl().json({"get", "pods"});
    if (!list.is_object()) return uids;
    for (const Json& item : list.at("items")) {
      const auto known = pods_.find(item.at("metadata").at("name"));
      if (known != pods_.end() && known->second.is_wanted && item.at("ready") == true)
        uids.push_back(item.at("metadata").at("uid"));
    }
    return uids;
  }
  /// All that is wanted is there, each mount once, and nothing else is.
  void expect_only_what_is_wanted() {
    const auto wanted =
        std::count_if(pods_.begin(), pods_.end(), [](const auto& pod) { return pod.second.is_wanted; });
    Strings uids;
    EXPECT_TRUE(node_.eventually([&] {
      uids = ready_uids();
      return static_cast<std::ptrdiff_t>(uids.size()) == wanted;
    })) << node_.ctl()({"status"}).out;
    Strings points;
    for (const std::string& uid : uids)
      points.push_back(node_.volume_path(uid, "empty-dir", "memory"));
    std::sort(uids.begin(), uids.end());
    std::sort(points.begin(), points.end());
    const auto is_so = [&] {
      Strings mounted;
      for (const Mount& mount : mounts_below(node_.root()))
        mounted.push_back(mount.point);
      std::sort(mounted.begin(), mounted.end());
      return mounted == points && names_in(node_.root() + "/pods") == uids &&
             names_in(node_.run_dir() + "/pods").size() == uids.size() &&
             names_in(node_.root() + "/trash").empty();
    };
    EXPECT_TRUE(node_.eventually(is_so)) << what_is_there();
    EXPECT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); })) << node_.ctl().problems();
  }
  /// All that is below the root and in the run directory, for people.
  std::string what_is_there() const {
    std::string text;
    for (const std::string& directory :
         {node_.root() + "/pods", node_.root() + "/trash", node_.run_dir() + "/pods"}) {
      text += directory + ":";
      for (const std::string& name : names_in(directory))
        text += " " + name;
      text += "\n";
    }
    for (const std::string& line : mount_lines(node_.root()))
      text += line + "\n";
    return text;
  }
  void expect_empty_without_manifests() {
    for (const auto& [pod, known] : pods_) {
      if (known.is_wanted) node_.remove(pod + ".yaml");
    }
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); })) << what_is_there();
  }

  const std::uint64_t seed_ = seed();
  ::testing::ScopedTrace trace_{__FILE__, __LINE__, "MOORING_SEED=" + std::to_string(seed_)};
  std::mt19937_64 random_;
  Node node_;
  std::map<std::string, Pod> pods_;
};

TEST_F(Crash, MooringdKilledAtAnyMoment) {
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    change_something();
    wait_for_a_moment();
    node_.kill();
    EXPECT_EQ(lost(), "");
    if (pick(2) == 0) change_something();  // While nobody looks.
    if (pick(3) != 0) {
      node_.start_without_waiting();  // It may be killed again before it has begun.
    } else {
      node_.start();
      if (pick(2) == 0) mark_one();
    }
  }
  node_.kill();
  node_.start();
  expect_only_what_is_wanted();
  EXPECT_EQ(lost(), "");
  expect_empty_without_manifests();
}

TEST_F(Crash, WorkersKilledAtAnyMoment) {
  const pid_t daemon = node_.daemon().pid();
  int killed = 0;
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    change_something();
    wait_for_a_moment();
    const std::vector<pid_t> workers = children_of(daemon);
    for (const pid_t worker : workers) {
      if (pick(2) == 0 && kill(worker, SIGKILL) == 0) ++killed;
    }
    EXPECT_EQ(lost(), "");
    if (pick(4) == 0) mark_one();
  }
  EXPECT_GT(killed, 0);
  expect_only_what_is_wanted();
  EXPECT_EQ(lost(), "");
  EXPECT_EQ(node_.bus().owner(), daemon);
  expect_empty_without_manifests();
}

// A worker holds an order of a core that was killed. When it comes to it, the order is not true any more.
TEST_F(Crash, AnOrphanedWorkerDoesNotDoWhatItsCoreAskedFor) {
  const std::string pod = "stable-0";
  const std::vector<pid_t> workers = children_of(node_.daemon().pid());
  ASSERT_FALSE(workers.empty());
  for (const pid_t worker : workers)
    kill(worker, SIGSTOP);
  node_.remove(pod + ".yaml");
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().message(pod, "memory") == "in progress"; }))
      << "the order to unpublish was not given";
  node_.kill();
  want(pod);
  node_.start();
  ASSERT_TRUE(node_.becomes_ready(pod));
  const Strings before = mount_lines(node_.root());
  for (const pid_t worker : workers) {
    kill(worker, SIGCONT);
    EXPECT_TRUE(node_.eventually([&] { return waitpid(worker, nullptr, WNOHANG) == worker; }))
        << "it does not end without its core";
  }
  EXPECT_EQ(lost(), "");
  EXPECT_EQ(mount_lines(node_.root()), before);
  expect_only_what_is_wanted();
}

// The lock ends with mooringd, however it ends (decision 0015): also while a worker is being started, which
// is a second process that holds what mooringd has open.
TEST_F(Crash, ASuccessorIsNotRefusedBecauseAWorkerWasBeingStarted) {
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    node_.kill();
    node_.start_without_waiting();
    const auto end = Clock::now() + default_limit;
    while (children_of(node_.daemon().pid()).empty() && Clock::now() < end) {
      // Nothing tells of a child in its first microseconds.
      ASSERT_FALSE(node_.daemon().wait(Millis(0))) << "it was refused";
    }
    node_.kill();
    node_.start();
  }
  node_.kill();
  node_.start();
  expect_only_what_is_wanted();
  EXPECT_EQ(lost(), "");
}

// All workers at once, while they are in the middle of many pods: what they had is done again, and only once.
TEST_F(Crash, AllWorkersLostAmidAHundredVolumes) {
  const pid_t daemon = node_.daemon().pid();
  const std::size_t before = mounts_below(node_.root()).size();
  for (int i = 0; i < 50; ++i)
    want("many-" + std::to_string(i));
  EXPECT_TRUE(node_.eventually([&] { return mounts_below(node_.root()).size() > before; }));
  for (const pid_t worker : children_of(daemon))
    kill(worker, SIGKILL);
  expect_only_what_is_wanted();
  EXPECT_EQ(lost(), "");
  const Strings all = mount_lines(node_.root());
  node_.kill();
  node_.start();
  expect_only_what_is_wanted();
  EXPECT_EQ(mount_lines(node_.root()), all);
  expect_empty_without_manifests();
}

}  // namespace
}  // namespace mooring::integration
