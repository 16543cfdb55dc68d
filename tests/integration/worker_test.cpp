// Workers are disposable: whatever becomes of one, its work is done by another and nothing else is disturbed.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// Well below the deadline of a step (10 s): what is ready by then did not wait for one.
constexpr Millis quickly{4'000};

/// 'R', 'S', 'T', 'Z' and so on, as proc(5) has it; 0 if there is no such process.
char state_of(pid_t pid) {
  const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
  const std::size_t end = text.rfind(") ");
  return end == std::string::npos ? '\0' : text[end + 2];
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

std::vector<std::string> with_worker_program(const Node& node, const std::string& program) {
  std::vector<std::string> arguments = node.arguments();
  *(std::find(arguments.begin(), arguments.end(), "--worker-program") + 1) = program;
  return arguments;
}

std::string worker_program(const Node& node) {
  const std::vector<std::string> arguments = node.arguments();
  return *(std::find(arguments.begin(), arguments.end(), "--worker-program") + 1);
}

/// Holds a process so that it makes no step, and does not even end when it is killed: like one that waits in
/// the kernel for a device that does not answer.
class Unkillable {
 public:
  explicit Unkillable(pid_t pid) : pid_(pid) {
    EXPECT_EQ(ptrace(PTRACE_SEIZE, pid_, nullptr, PTRACE_O_TRACEEXIT), 0);
    EXPECT_EQ(ptrace(PTRACE_INTERRUPT, pid_, nullptr, nullptr), 0);
    waitpid(pid_, nullptr, __WALL);
  }
  ~Unkillable() { let_go(); }
  Unkillable(const Unkillable&) = delete;
  Unkillable& operator=(const Unkillable&) = delete;
  void let_go() {
    if (pid_ > 0) ptrace(PTRACE_DETACH, pid_, nullptr, nullptr);
    pid_ = -1;
  }

 private:
  pid_t pid_;
};

class Workers : public ::testing::Test {
 protected:
  Workers() {
    node_.start();
    // One pod comes and goes, so that the start is over: a worker that is disturbed then has nothing else in
    // hand.
    write_pod("first");
    EXPECT_TRUE(node_.becomes_ready("first"));
    node_.remove("first.yaml");
    EXPECT_TRUE(
        node_.eventually([&] { return !node_.bus().gone().empty() && node_.is_empty() && are_well(); }));
    node_.bus().forget_signals();
  }

  std::vector<pid_t> workers() { return children_of(node_.daemon().pid()); }
  /// As they are when nothing is to be done: the two warm ones and no dead one.
  bool are_well() {
    const std::vector<pid_t> now = workers();
    return now.size() == 2 &&
           std::all_of(now.begin(), now.end(), [](pid_t pid) { return state_of(pid) == 'S'; });
  }
  bool are_replaced(const std::vector<pid_t>& before) {
    const std::vector<pid_t> now = workers();
    return are_well() && std::none_of(before.begin(), before.end(), [&](pid_t pid) {
             return std::find(now.begin(), now.end(), pid) != now.end();
           });
  }
  void write_pod(const std::string& name) {
    node_.write(name + ".yaml", pod_text(name, {{"disk", empty_dir}, {"memory", memory_dir}}));
  }
  bool is_mounted_once(const std::string& pod) {
    return mounts_at(node_.ctl().path(pod, "memory")).size() == 1;
  }
  bool has_event(const std::string& reason, const std::string& part) {
    return node_.bus().has_event(reason, part);
  }
  void expect_daemon_lives() { EXPECT_EQ(node_.bus().owner(), node_.daemon().pid()); }

  Node node_;
};

TEST_F(Workers, IdleOnesThatAreKilledAreReplaced) {
  const std::vector<pid_t> before = workers();
  for (const pid_t pid : before)
    ::kill(pid, SIGKILL);
  EXPECT_TRUE(node_.eventually([&] { return are_replaced(before); }));
  write_pod("web");
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(is_mounted_once("web"));
  expect_daemon_lives();
}

TEST_F(Workers, WhatKilledOnesHadInHandIsDoneByOthers) {
  const std::vector<pid_t> before = workers();
  for (const pid_t pid : before)
    ::kill(pid, SIGSTOP);
  write_pod("web");
  ASSERT_TRUE(node_.eventually([&] { return node_.ctl().phase("web", "memory") == "Publishing"; }));
  for (const pid_t pid : before)
    ::kill(pid, SIGKILL);
  EXPECT_TRUE(node_.becomes_ready("web", quickly));
  EXPECT_TRUE(node_.eventually([&] { return has_event("FailedMount", "was lost before it answered"); }));
  EXPECT_TRUE(is_mounted_once("web"));
  EXPECT_TRUE(node_.eventually([&] { return are_replaced(before); }));
  expect_daemon_lives();
}

TEST_F(Workers, KilledAgainAndAgainWhileTheyWorkTheyStillDoItAll) {
  constexpr std::size_t pods = 40;
  constexpr std::size_t kills_max = 8;
  std::size_t kills = 0;
  const auto kill_one = [&] {
    const std::vector<pid_t> now = workers();
    if (kills < kills_max && !now.empty()) ::kill(now[kills++ % now.size()], SIGKILL);
  };
  // One is killed now and then while the manifests change, and with each pod that is told ready (gone) after
  // that.
  const auto all_told = [&](const std::vector<std::string>& told) {
    const auto look = [&] {
      if (kills < told.size()) kill_one();
      return told.size() >= pods;
    };
    return node_.eventually(look, Millis(30'000));
  };
  for (std::size_t i = 0; i < pods; ++i) {
    write_pod("p" + std::to_string(i));
    if (i % 10 == 9) kill_one();
  }
  EXPECT_TRUE(all_told(node_.bus().ready())) << node_.bus().ready().size();
  EXPECT_GT(kills, 0U);
  EXPECT_EQ(mounts_below(node_.root()).size(), pods);
  for (std::size_t i = 0; i < pods; ++i)
    EXPECT_TRUE(node_.becomes_ready("p" + std::to_string(i)));
  kills = 0;
  for (std::size_t i = 0; i < pods; ++i) {
    node_.remove("p" + std::to_string(i) + ".yaml");
    if (i % 10 == 9) kill_one();
  }
  EXPECT_TRUE(all_told(node_.bus().gone())) << node_.bus().gone().size();
  EXPECT_GT(kills, 0U);
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  expect_daemon_lives();
}

TEST_F(Workers, OneThatHangsHoldsOnlyWhatItHasAndOnlyUntilItsDeadline) {
  const pid_t hanging = workers().front();
  ::kill(hanging, SIGSTOP);
  std::vector<std::string> held;
  for (const char* pod : {"a", "b", "c", "d"}) {
    write_pod(pod);
    ASSERT_TRUE(node_.eventually([&] { return !node_.ctl().phase(pod, "memory").empty(); }));
    if (!node_.eventually([&] { return node_.ctl().phase(pod, "memory") == "Ready"; }, Millis(3'000)))
      held.emplace_back(pod);
  }
  // One worker is idle all the time: only what was given to the other before anybody knew has to wait.
  EXPECT_EQ(held, std::vector<std::string>{"a"});
  for (const char* pod : {"a", "b", "c", "d"}) {
    EXPECT_TRUE(node_.becomes_ready(pod));
    EXPECT_TRUE(is_mounted_once(pod));
  }
  EXPECT_TRUE(node_.eventually([&] { return has_event("FailedMount", "past its deadline"); }, quickly));
  EXPECT_TRUE(node_.eventually([&] { return are_replaced({hanging}); }));
  expect_daemon_lives();
}

TEST_F(Workers, OnesThatGoOnInTimeAreNotLost) {
  const std::vector<pid_t> before = workers();
  for (const pid_t pid : before)
    ::kill(pid, SIGSTOP);
  write_pod("web");
  ASSERT_TRUE(node_.eventually([&] { return node_.ctl().phase("web", "memory") == "Publishing"; }));
  for (const pid_t pid : before)
    ::kill(pid, SIGCONT);
  EXPECT_TRUE(node_.becomes_ready("web", quickly));
  EXPECT_EQ(workers(), before);
  ASSERT_TRUE(node_.eventually([&] { return node_.bus().ready().size() == 1; }));
  EXPECT_FALSE(has_event("FailedMount", "")) << "signals come in order: it would have been told by now";
}

TEST_F(Workers, OneThatCannotBeEndedIsReportedAndReplaced) {
  const pid_t stuck = workers().front();
  Unkillable holder(stuck);
  write_pod("held");
  ASSERT_TRUE(node_.eventually([&] { return node_.ctl().phase("held", "memory") == "Publishing"; }));
  const auto is_stuck = [&] {
    return node_.ctl().phase("held", "memory") == "Stuck" || node_.ctl().phase("held", "disk") == "Stuck";
  };
  ASSERT_TRUE(node_.eventually(is_stuck));
  const std::string volume = node_.ctl().phase("held", "memory") == "Stuck" ? "memory" : "disk";
  EXPECT_EQ(node_.ctl().reason("held", volume), "WorkerStuck");
  EXPECT_NE(node_.ctl().message("held", volume).find(std::to_string(stuck)), std::string::npos);
  EXPECT_EQ(node_.ctl().json({"status"}).at("workersStuck"), 1);
  EXPECT_EQ(node_.ctl()({"status"}).status, 3);
  EXPECT_TRUE(node_.eventually([&] { return has_event("WorkerStuck", std::to_string(stuck)); }, quickly));
  // Under the pod's name, as all that happens to it, or nobody who asks for the pod finds it.
  EXPECT_NE(node_.ctl()({"events", "-n", "default"}).out.find("WorkerStuck"), std::string::npos);
  for (const char* pod : {"a", "b", "c"}) {
    write_pod(pod);
    EXPECT_TRUE(node_.becomes_ready(pod, quickly));
  }
  holder.let_go();
  EXPECT_TRUE(node_.becomes_ready("held"));
  EXPECT_TRUE(is_mounted_once("held"));
  EXPECT_EQ(node_.ctl().json({"status"}).at("workersStuck"), 0);
  EXPECT_TRUE(node_.eventually([&] { return are_replaced({stuck}); }));
}

TEST_F(Workers, OneThatWaitsForADeadServerIsAloneWithThat) {
  const std::string directory = node_.dir() + "/dead";
  DeadFileSystem dead(directory);
  if (!dead.is_there()) GTEST_SKIP() << "this kernel has no FUSE";
  node_.write("held.yaml",
              pod_text("held", {{"disk", empty_dir}, {"host", host_path(directory + "/a", "Directory")}}));
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().phase("held", "disk") == "Ready"; }));
  EXPECT_TRUE(node_.eventually([&] { return workers().size() == 3; })) << "two warm ones, and one of its own";
  for (const char* pod : {"a", "b", "c"}) {
    write_pod(pod);
    EXPECT_TRUE(node_.becomes_ready(pod, quickly));
  }
  EXPECT_EQ(node_.ctl().phase("held", "host"), "Publishing");
  dead.end_server();
  EXPECT_TRUE(node_.eventually(
      [&] { return node_.ctl().message("held", "host").find("ENOTCONN") != std::string::npos; }));
  unmount(directory);
  fs::create_directory(directory + "/a");
  EXPECT_TRUE(node_.becomes_ready("held"));
  EXPECT_TRUE(node_.eventually([&] { return are_well(); }));
}

TEST_F(Workers, OneThatWaitsForADeadServerDoesNotKeepMooringdFromEnding) {
  const std::string directory = node_.dir() + "/dead";
  DeadFileSystem dead(directory);
  if (!dead.is_there()) GTEST_SKIP() << "this kernel has no FUSE";
  node_.write("held.yaml", pod_text("held", {{"host", host_path(directory + "/a", "DirectoryOrCreate")}}));
  EXPECT_TRUE(node_.eventually([&] { return workers().size() == 3; }));
  const std::vector<pid_t> before = workers();
  EXPECT_EQ(node_.stop(), 0);
  node_.start();
  write_pod("web");
  EXPECT_TRUE(node_.becomes_ready("web", quickly));
  dead.end_server();
  for (const pid_t pid : before)
    EXPECT_TRUE(node_.eventually([&] { return waitpid(pid, nullptr, WNOHANG) == pid; }));
}

TEST_F(Workers, NoneIsLeftAfterMooringdIsStopped) {
  write_pod("web");
  ASSERT_TRUE(node_.becomes_ready("web"));
  const std::vector<pid_t> before = workers();
  EXPECT_EQ(node_.stop(), 0);
  for (const pid_t pid : before) {
    int status = -1;  // It is this process's child now.
    EXPECT_TRUE(node_.eventually([&] { return waitpid(pid, &status, WNOHANG) == pid; }));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  EXPECT_TRUE(children_of(getpid()).size() <= 1) << "only the bus may be left";
}

TEST_F(Workers, NoneIsLeftAfterMooringdIsKilled) {
  write_pod("web");
  ASSERT_TRUE(node_.becomes_ready("web"));
  const std::vector<pid_t> before = workers();
  node_.kill();
  for (const pid_t pid : before)
    EXPECT_TRUE(node_.eventually([&] { return waitpid(pid, nullptr, WNOHANG) == pid; }));
}

TEST_F(Workers, NeitherPodsNorLostWorkersCostDescriptors) {
  const std::string descriptors = "/proc/" + std::to_string(node_.daemon().pid()) + "/fd";
  const auto go_round = [&](int round) {
    constexpr int pods = 50;
    const auto name = [&](int i) { return "p" + std::to_string(round) + "-" + std::to_string(i); };
    node_.bus().forget_signals();
    for (int i = 0; i < pods; ++i) {
      node_.write(
          name(i) + ".yaml",
          pod_text(name(i), {{"disk", empty_dir},
                             {"memory", memory_dir},
                             {"host", host_path(node_.dir() + "/made/" + name(i), "DirectoryOrCreate")}}));
    }
    node_.write("waits.yaml",
                pod_text("waits", {{"host", host_path(node_.dir() + "/not/there", "Directory")}}));
    EXPECT_TRUE(node_.eventually([&] { return node_.bus().ready().size() == pods; }));
    EXPECT_TRUE(node_.gets_reason("waits", "host", "HostPathCheckFailed"));
    for (int i = 0; i < pods; ++i) {
      // With content the trash is used, which has workers of its own.
      if (i % 10 == 0) write_in_place(node_.ctl().path(name(i), "disk") + "/file", "x");
      node_.remove(name(i) + ".yaml");
    }
    node_.remove("waits.yaml");
    EXPECT_TRUE(node_.eventually([&] { return node_.bus().gone().size() == pods + 1 && node_.is_empty(); }));
    const std::vector<pid_t> before = workers();
    ::kill(before.front(), SIGKILL);
    EXPECT_TRUE(node_.eventually([&] { return are_replaced({before.front()}); }));
  };
  go_round(0);
  const std::size_t before = names_in(descriptors).size();  // With all that is kept for good, as for the bus.
  go_round(1);
  EXPECT_TRUE(node_.eventually([&] { return names_in(descriptors).size() <= before; }))
      << before << " descriptors before, " << names_in(descriptors).size() << " after";
}

/// A mooringd whose worker program is of no use.
class WorkerProgram : public ::testing::Test {
 protected:
  void start(const std::string& program) {
    node_.daemon() = Process(with_worker_program(node_, program), {node_.dir() + "/log", {}});
    ASSERT_TRUE(node_.eventually([&] { return node_.bus().owner() == node_.daemon().pid(); }));
    node_.write("web.yaml", pod_text("web", {{"memory", memory_dir}}));
    ASSERT_TRUE(node_.eventually([&] { return node_.ctl().phase("web", "memory") == "Pending"; }));
  }
  /// What people are told who look at the status or at the pod, and not at the log.
  std::string told() { return node_.ctl().problems() + node_.ctl().message("web", "memory"); }
  bool is_told(const std::string& part) { return told().find(part) != std::string::npos; }

  Node node_;
};

TEST_F(WorkerProgram, ThatIsMissingIsNamedAndMayComeLater) {
  const std::string program = node_.dir() + "/worker";
  start(program);
  EXPECT_TRUE(node_.eventually([&] {
    return node_.log().find("cannot start the worker") != std::string::npos &&
           node_.log().find(program) != std::string::npos && node_.log().find("ENOENT") != std::string::npos;
  }));
  EXPECT_TRUE(node_.eventually([&] { return is_told(program); }, quickly)) << told();
  fs::create_symlink(worker_program(node_), program);
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_FALSE(is_told(program));
}

TEST_F(WorkerProgram, ThatIsNotExecutableIsNamedWithTheCause) {
  const std::string program = node_.dir() + "/worker";
  write_in_place(program, "no program");
  start(program);
  EXPECT_TRUE(node_.eventually([&] {
    return node_.log().find("cannot start the worker") != std::string::npos &&
           node_.log().find("EACCES") != std::string::npos;
  }));
  EXPECT_TRUE(node_.eventually([&] { return is_told("EACCES"); }, quickly)) << told();
}

TEST_F(WorkerProgram, ThatEndsAtOnceIsToldAndNotStartedInATightLoop) {
  start(Ctl::program());  // It needs arguments, and so it ends at once.
  EXPECT_TRUE(node_.eventually([&] { return count(node_.log(), "exited with status") >= 4; }));
  node_.let_pass(Millis(1'000));
  EXPECT_LE(count(node_.log(), "exited with status"), 20U);
  EXPECT_TRUE(node_.eventually([&] { return is_told("worker"); }, quickly)) << told();
  EXPECT_EQ(node_.stop(), 0);
}

}  // namespace
}  // namespace mooring::integration
