// What happens to the manifest directories themselves: mounts come and go, links lead elsewhere, files vanish
// for a moment. Whatever is only hidden is not "the pod is not wanted any more".

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

/// For what is told by an event. A full look at the directory, a minute later, would hide that it was missed.
constexpr Millis at_once{3'000};
constexpr const char* hidden = "it was unmounted, covered by a mount or exchanged";
constexpr const char* unreachable = "cannot tell what it leads to";

void bind_mount(const std::string& from, const std::string& to) {
  ASSERT_EQ(mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), 0) << to;
}

/// As umount -l: also while mooringd is looking into it.
void detach(const std::string& path) {
  ASSERT_EQ(umount2(path.c_str(), MNT_DETACH), 0) << path;
}

class Watching : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return node_.manifests() + "/" + name; }
  std::string text(const std::string& pod) const {
    return pod_text(pod, {{"data", empty_dir}, {"memory", memory_dir}});
  }
  /// Makes a pod from a file below a directory, with a content that is lost if its volumes are made anew.
  void make(const std::string& pod, const std::string& directory) {
    fs::create_directories(directory);
    write_in_place(directory + "/" + pod + ".yaml", text(pod));
    ASSERT_TRUE(node_.becomes_ready(pod, at_once)) << node_.ctl()({"status"}).out;
    uids_[pod] = node_.ctl().uid(pod);
    for (const char* volume : {"data", "memory"})
      write_in_place(path(pod, volume) + "/mark", pod);
  }
  void make(const std::string& pod) { make(pod, node_.manifests()); }
  std::string path(const std::string& pod, const std::string& volume) const {
    return node_.volume_path(uids_.at(pod), "empty-dir", volume);
  }
  bool are_kept(const Strings& pods) {
    return std::all_of(pods.begin(), pods.end(), [&](const std::string& pod) {
      return read_file(path(pod, "data") + "/mark") == pod && read_file(path(pod, "memory") + "/mark") == pod;
    });
  }
  /// What hides the manifests is seen at once, and however often all is read again, nothing is lost.
  void expect_held(const std::string& problem, const Strings& pods) {
    EXPECT_TRUE(node_.gets_problem(problem, at_once));
    for (int i = 0; i < 3; ++i) {
      node_.daemon().signal(SIGHUP);
      EXPECT_TRUE(node_.stays([&] { return are_kept(pods); }, Millis(100)));
    }
    EXPECT_NE(node_.ctl().problems().find(problem), std::string::npos);
    for (const std::string& pod : pods)
      EXPECT_TRUE(node_.ctl().is_ready(pod)) << pod;
  }
  void expect_released(const std::string& problem, const Strings& pods) {
    EXPECT_TRUE(node_.loses_problem(problem, at_once));
    EXPECT_TRUE(node_.stays([&] { return are_kept(pods); }, Millis(150)));
  }

  /// Lets the manifest of "web" vanish for less than the 50 ms that it has, several times, while something
  /// else makes mooringd look at it.
  void expect_kept_while_vanished(const std::function<void()>& before,
                                  const std::function<void()>& meanwhile);

  Node node_;
  std::map<std::string, std::string> uids_;
};

void Watching::expect_kept_while_vanished(const std::function<void()>& before,
                                          const std::function<void()>& meanwhile) {
  constexpr int attempts_max = 200;
  const std::string away = node_.dir() + "/away";
  int good = 0;
  for (int i = 0; i < attempts_max && good < 10; ++i) {
    before();
    const auto start = std::chrono::steady_clock::now();
    fs::rename(file("web.yaml"), away);
    meanwhile();
    node_.let_pass(Millis(10));
    fs::rename(away, file("web.yaml"));
    // If this process had to wait, the pod may have gone, rightly.
    const bool is_good = std::chrono::steady_clock::now() - start < Millis(50);
    good += is_good ? 1 : 0;
    const bool is_kept = node_.stays([&] { return are_kept({"web"}); }, Millis(90));
    if (is_good) {
      ASSERT_TRUE(is_kept) << "at attempt " << i;
    }
    if (!is_kept) make("web");
  }
  EXPECT_GT(good, 0) << "this machine is too slow to tell";
}

TEST_F(Watching, AnUnmountedManifestDirectoryIsNotAnEmptyOne) {
  mount_tmpfs(node_.manifests(), "");
  node_.start();
  make("web");
  make("db", file("team"));
  detach(node_.manifests());
  expect_held(hidden, {"web", "db"});
  mount_tmpfs(node_.manifests(), "");
  expect_held(hidden, {"web", "db"});  // It is mounted again, but nothing is in it.
  write_in_place(file("web.yaml"), text("web"));
  EXPECT_TRUE(node_.becomes_gone("db", at_once)) << "somebody has begun to say anew what is wanted";
  expect_released(hidden, {"web"});
}

// The file system lives on elsewhere: inotify says nothing at all.
TEST_F(Watching, AManifestDirectoryThatIsABindMountMayGoAndComeBack) {
  const std::string store = node_.dir() + "/store";
  fs::create_directories(store + "/team");
  node_.start();
  bind_mount(store, node_.manifests());
  make("web");  // It was mounted after the start.
  make("db", file("team"));
  detach(node_.manifests());
  expect_held(hidden, {"web", "db"});
  bind_mount(store, node_.manifests());
  expect_released(hidden, {"web", "db"});
  fs::remove(store + "/web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web", at_once)) << "it was removed from the directory that held it";
  EXPECT_TRUE(are_kept({"db"}));
}

TEST_F(Watching, ACoveredSubdirectoryIsNotAnEmptyOne) {
  node_.start();
  make("web", file("team"));
  make("db", file("team/deep"));
  make("other");
  const std::string empty = node_.dir() + "/empty";
  fs::create_directory(empty);
  fs::create_directory(file("another"));  // Empty as well, and known by a name before "team".
  for (const std::string& by : Strings{empty, "tmpfs", file("another")}) {
    SCOPED_TRACE(by);
    if (by == "tmpfs") {
      mount_tmpfs(file("team"), "");
    } else {
      bind_mount(by, file("team"));
    }
    expect_held(hidden, {"web", "db", "other"});
    detach(file("team"));
    expect_released(hidden, {"web", "db", "other"});
  }
}

TEST_F(Watching, AFileThatVanishedUnderACoverIsNotGone) {
  node_.start();
  make("web", file("team"));
  const std::string empty = node_.dir() + "/empty";
  fs::create_directory(empty);
  for (int i = 0; i < 5; ++i) {
    node_.daemon().signal(SIGSTOP);
    write_in_place(file("team/web.yaml"), text("web"));  // Is to be read,
    bind_mount(empty, file("team"));                     // and is not there.
    node_.daemon().signal(SIGCONT);
    expect_held(hidden, {"web"});
    detach(file("team"));
    expect_released(hidden, {"web"});
  }
}

TEST_F(Watching, ALinkThatLeadsToNothingIsNotAnEmptyDirectory) {
  node_.start();
  const std::string apps = node_.dir() + "/srv/apps";
  fs::create_directories(apps);
  fs::create_directory_symlink(apps, file("apps"));
  make("web", file("apps"));
  make("other");
  fs::rename(apps, apps + "-away");
  expect_held(unreachable, {"web", "other"});
  fs::rename(apps + "-away", apps);
  expect_released(unreachable, {"web", "other"});
  fs::rename(node_.dir() + "/srv", node_.dir() + "/gone");
  node_.daemon().signal(SIGHUP);
  expect_held(unreachable, {"web", "other"});
  node_.kill();
  node_.start();
  EXPECT_TRUE(node_.gets_problem(unreachable, at_once));
  EXPECT_TRUE(node_.stays([&] { return are_kept({"web", "other"}); }, Millis(300)));
  fs::rename(node_.dir() + "/gone", node_.dir() + "/srv");
  expect_released(unreachable, {"web", "other"});
  fs::remove(file("apps"));
  EXPECT_TRUE(node_.becomes_gone("web", at_once)) << "the link itself was removed";
  EXPECT_TRUE(are_kept({"other"}));
}

TEST_F(Watching, ALinkWithTheNameOfAManifestMayLeadToADirectory) {
  node_.start();
  const std::string apps = node_.dir() + "/apps";
  fs::create_directories(apps);
  fs::create_directory_symlink(apps, file("apps.yaml"));
  make("web", file("apps.yaml"));
  fs::rename(apps, apps + "-away");
  expect_held(unreachable, {"web"});
  fs::rename(apps + "-away", apps);
  expect_released(unreachable, {"web"});
}

TEST_F(Watching, ADirectoryThatWasExchangedForAnEmptyOneIsHeldUntilThatIsMeant) {
  node_.start();
  make("web", file("team"));
  make("other");
  const std::string empty = node_.dir() + "/empty";
  fs::create_directory(empty);
  ASSERT_EQ(renameat2(AT_FDCWD, empty.c_str(), AT_FDCWD, file("team").c_str(), RENAME_EXCHANGE), 0);
  expect_held(hidden, {"web", "other"});
  write_in_place(file("team/note.yaml"), "# nothing is wanted here\n");
  EXPECT_TRUE(node_.becomes_gone("web", at_once));
  expect_released(hidden, {"other"});
}

TEST_F(Watching, WhatIsRemovedIsGone) {
  node_.start();
  for (const std::string& pod : Strings{"one", "two", "three"})
    make(pod, file("team"));
  make("other");
  for (const std::string& pod : Strings{"one", "two"})
    fs::remove(file("team/" + pod + ".yaml"));
  EXPECT_TRUE(node_.becomes_gone("one", at_once) && node_.becomes_gone("two", at_once));
  fs::remove_all(file("team"));
  EXPECT_TRUE(node_.becomes_gone("three", at_once));
  make("three", file("team"));
  fs::remove(file("team/three.yaml"));
  EXPECT_TRUE(node_.becomes_gone("three", at_once)) << "a directory may be empty";
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); }, at_once));
  EXPECT_TRUE(are_kept({"other"}));
}

TEST_F(Watching, EachFileThatVanishedHasItsOwnTime) {
  node_.start();
  make("web");
  const auto another_vanishes = [&] {
    write_in_place(file("decoy.yaml"), text("decoy"));
    ASSERT_TRUE(node_.becomes_ready("decoy"));
    fs::remove(file("decoy.yaml"));
    node_.let_pass(Millis(13));
  };
  expect_kept_while_vanished(another_vanishes, [] {});
}

TEST_F(Watching, AReloadDoesNotShortenTheTimeOfAFileThatVanished) {
  node_.start();
  make("web");
  expect_kept_while_vanished([] {}, [&] { node_.daemon().signal(SIGHUP); });
}

TEST_F(Watching, AFileThatCouldNotBeReadHasTheSameTime) {
  node_.start();
  make("web");
  fs::rename(file("web.yaml"), node_.dir() + "/kept");
  fs::create_symlink("nowhere", file("web.yaml"));
  ASSERT_TRUE(node_.gets_problem("web.yaml", at_once));
  expect_kept_while_vanished([] {},
                             [&, i = 0]() mutable { fs::create_directory(file("d" + std::to_string(++i))); });
}

TEST_F(Watching, AManifestThatIsALinkIsReadWhenWhatItLeadsToIsEdited) {
  node_.start();
  const std::string outside = node_.dir() + "/outside";
  fs::create_directories(outside + "/v1");
  fs::create_directory_symlink("v1", outside + "/current");
  write_in_place(outside + "/v1/all.yaml", "# nothing yet\n");
  fs::create_symlink(outside + "/current/all.yaml", file("all.yaml"));
  fs::create_symlink(outside + "/late.yaml", file("late.yaml"));
  EXPECT_TRUE(node_.gets_problem("late.yaml", at_once)) << "what it leads to is missing";
  write_in_place(outside + "/v1/all.yaml", text("first"));
  EXPECT_TRUE(node_.becomes_ready("first", at_once));
  write_in_place(outside + "/late.yaml", text("late"));
  EXPECT_TRUE(node_.becomes_ready("late", at_once));
  write_in_place(outside + "/v1/.all", text("first") + "---\n" + text("second"));
  fs::rename(outside + "/v1/.all", outside + "/v1/all.yaml");
  EXPECT_TRUE(node_.becomes_ready("second", at_once));
  fs::create_directory(outside + "/v2");
  write_in_place(outside + "/v2/all.yaml", text("third"));
  fs::create_directory_symlink("v2", outside + "/next");
  fs::rename(outside + "/next", outside + "/current");
  EXPECT_TRUE(node_.becomes_ready("third", at_once));
  EXPECT_TRUE(node_.becomes_gone("second", at_once));
  write_in_place(outside + "/v2/all.yaml", text("fourth"));
  EXPECT_TRUE(node_.becomes_ready("fourth", at_once));
}

}  // namespace
}  // namespace mooring::integration
