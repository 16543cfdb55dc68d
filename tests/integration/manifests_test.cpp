// From files to pods and back: every way in which people and tools write manifests, and what must never be
// mistaken for "the pod is not wanted any more".

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

/// For what is told by an event. A full look at the directory, minutes later, would hide that it was missed.
constexpr Millis at_once{3'000};

/// A workload whose pods have one volume in memory and one on disk.
std::string workload(const std::string& kind, const std::string& name, const std::string& spec) {
  const bool is_job = kind == "Job";
  return std::string("{apiVersion: ") + (is_job ? "batch/v1" : "apps/v1") + ", kind: " + kind +
         ", metadata: {name: " + name + "}, spec: {" + spec +
         (is_job ? "" : "selector: {matchLabels: {app: a}}, ") +
         "template: {metadata: {labels: {app: a}}, spec: {" + (is_job ? "restartPolicy: Never, " : "") +
         "containers: [{name: c, image: i, volumeMounts: "
         "[{name: data, mountPath: /d}, {name: memory, mountPath: /m}]}], volumes: "
         "[{name: data, emptyDir: {}}, {name: memory, emptyDir: {medium: Memory}}]}}}}\n";
}

class Manifests : public ::testing::Test {
 protected:
  Manifests() { node_.start(); }

  std::string file(const std::string& name) const { return node_.manifests() + "/" + name; }
  std::string text(const std::string& pod) const {
    return pod_text(pod, {{"data", empty_dir}, {"memory", memory_dir}});
  }
  /// Makes a pod from a file of its name, with a content that is lost if its volumes are made anew.
  void make(const std::string& pod) {
    node_.write(pod + ".yaml", text(pod));
    mark(pod);
  }
  void mark(const std::string& pod) {
    ASSERT_TRUE(node_.becomes_ready(pod)) << node_.ctl()({"status"}).out;
    uids_[pod] = node_.ctl().uid(pod);
    for (const char* volume : {"data", "memory"})
      write_in_place(path(pod, volume) + "/mark", pod);
  }
  /// Makes a link point elsewhere in one step.
  void swap_link(const std::string& link, const std::string& target) const {
    fs::create_symlink(target, link + "_tmp");
    fs::rename(link + "_tmp", link);
  }
  std::string path(const std::string& pod, const std::string& volume) const {
    return node_.volume_path(uids_.at(pod), "empty-dir", volume);
  }
  /// The pods whose volumes still are what they were when they were marked.
  bool are_kept(const Strings& pods) {
    return std::all_of(pods.begin(), pods.end(), [&](const std::string& pod) {
      return read_file(path(pod, "data") + "/mark") == pod && read_file(path(pod, "memory") + "/mark") == pod;
    });
  }
  void save_with_a_gap(const std::string& pod, const std::function<void()>& save);
  /// Whatever mooringd makes of the last change, it has made it when a pod that was written later is ready.
  void expect_kept_after_all(const Strings& pods) {
    const std::string fence = "fence-" + std::to_string(++fences_);
    node_.write(fence + ".yaml", pod_text(fence, {{"data", empty_dir}}));
    EXPECT_TRUE(node_.becomes_ready(fence));
    EXPECT_TRUE(node_.stays([&] { return are_kept(pods); }, Millis(150)));
    for (const std::string& pod : pods)
      EXPECT_TRUE(node_.ctl().is_ready(pod)) << pod;
  }

  Node node_;
  std::map<std::string, std::string> uids_;
  int fences_ = 0;
};

TEST_F(Manifests, EveryGoodDocumentCountsBesideABrokenOne) {
  const std::string bad = "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec: {nonsense\n---\n";
  node_.write("all.yaml",
              text("first") + "---\n# nothing in this one\n---\n" + bad + text("second") +
                  "---\napiVersion: v1\nkind: List\nitems:\n"
                  "- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: settings}\n"
                  "- apiVersion: v1\n  kind: Pod\n  metadata: {name: third}\n  spec:\n"
                  "    containers:\n    - {name: c, image: i, volumeMounts: [{name: d, mountPath: /d}]}\n"
                  "    volumes: [{name: d, emptyDir: {}}]\n");
  node_.write("fourth.json", R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fourth"}, "spec": {
    "containers": [{"name": "c", "image": "i", "volumeMounts": [{"name": "d", "mountPath": "/d"}]}],
    "volumes": [{"name": "d", "emptyDir": {}}]}})");
  node_.write("fifth.yml", text("fifth"));
  for (const char* pod : {"first", "second", "third", "fourth", "fifth"})
    EXPECT_TRUE(node_.becomes_ready(pod));
  EXPECT_EQ(node_.ctl().pod_names(), (Strings{"fifth", "first", "fourth", "second", "third"}));
  EXPECT_TRUE(node_.gets_problem("all.yaml:"));
  mark("first");
  node_.write("all.yaml", text("first"));
  EXPECT_TRUE(node_.becomes_gone("second") && node_.becomes_gone("third"));
  EXPECT_TRUE(are_kept({"first"}));
}

TEST_F(Manifests, WorkloadsBecomePodsOfTheKnownNames) {
  node_.write("web.yaml", workload("StatefulSet", "web", "replicas: 3, "));
  node_.write("app.yaml", workload("Deployment", "app", "replicas: 2, "));
  node_.write("agent.yaml", workload("DaemonSet", "agent", ""));
  node_.write("once.yaml", workload("Job", "once", ""));
  for (const char* pod : {"web-0", "web-1", "web-2"})
    mark(pod);
  const auto count = [&](const std::string& prefix) {
    const Strings names = node_.ctl().pod_names();
    return std::count_if(names.begin(), names.end(), [&](const auto& n) { return n.starts_with(prefix); });
  };
  EXPECT_TRUE(
      node_.eventually([&] { return count("app-") == 2 && count("agent-") == 1 && count("once-") == 1; }));
  const Strings before = node_.ctl().pod_names();
  EXPECT_EQ(before.size(), 7U);
  for (const std::string& pod : before)
    EXPECT_TRUE(node_.becomes_ready(pod));
  node_.write("web.yaml", workload("StatefulSet", "web", "replicas: 1, "));
  EXPECT_TRUE(node_.becomes_gone("web-1") && node_.becomes_gone("web-2"));
  EXPECT_TRUE(are_kept({"web-0"}));
  // The names are a function of what is written: a restart finds the same pods.
  EXPECT_EQ(node_.stop(), 0);
  node_.write("web.yaml", workload("StatefulSet", "web", "replicas: 3, "));
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web-2"));
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().pod_names() == before; }));
  EXPECT_TRUE(are_kept({"web-0"}));
}

TEST_F(Manifests, ADirectoryThatIsNotThereIsNotAnEmptyOne) {
  make("web");
  make("db");
  const std::string away = node_.dir() + "/away";
  for (const std::string& instead : Strings{"nothing", "a file", "a dangling link", "a loop"}) {
    SCOPED_TRACE(instead);
    fs::rename(node_.manifests(), away);
    if (instead == "a file") write_in_place(node_.manifests(), text("web"));
    if (instead == "a dangling link") fs::create_symlink(node_.dir() + "/nowhere", node_.manifests());
    if (instead == "a loop") fs::create_symlink(node_.manifests(), node_.manifests());
    EXPECT_TRUE(node_.gets_problem("cannot read the manifest directory"));
    EXPECT_TRUE(node_.stays([&] { return are_kept({"web", "db"}); }, Millis(200)));
    EXPECT_TRUE(node_.ctl().is_ready("web"));
    fs::remove(node_.manifests());
    fs::rename(away, node_.manifests());
    EXPECT_TRUE(node_.loses_problem("cannot read the manifest directory"));
    expect_kept_after_all({"web", "db"});
  }
  fs::remove_all(node_.manifests());
  EXPECT_TRUE(node_.gets_problem("cannot read the manifest directory"));
  EXPECT_TRUE(node_.stays([&] { return are_kept({"web", "db"}); }, Millis(200)));
  fs::create_directory(node_.manifests());
  node_.write("web.yaml", text("web"));
  EXPECT_TRUE(node_.becomes_gone("db")) << "it is read whole again, and db is not in it";
}

TEST_F(Manifests, ADirectoryThatIsExchangedForAnEqualOneChangesNothing) {
  make("web");
  const std::string other = node_.dir() + "/other";
  fs::create_directory(other);
  write_in_place(other + "/web.yaml", text("web"));
  write_in_place(other + "/more.yaml", text("more"));
  ASSERT_EQ(renameat2(AT_FDCWD, other.c_str(), AT_FDCWD, node_.manifests().c_str(), RENAME_EXCHANGE), 0);
  EXPECT_TRUE(node_.becomes_ready("more"));
  expect_kept_after_all({"web"});
}

// As tools deploy: the directory is a link to a release, which is swapped for another one.
TEST_F(Manifests, ADirectoryThatIsALinkMayBeSwapped) {
  make("web");
  EXPECT_EQ(node_.stop(), 0);
  fs::rename(node_.manifests(), node_.dir() + "/release-1");
  fs::create_directory(node_.dir() + "/release-2");
  for (const std::string& pod : Strings{"web", "db"})
    write_in_place(node_.dir() + "/release-2/" + pod + ".yaml", text(pod));
  swap_link(node_.manifests(), "release-1");
  node_.start();
  expect_kept_after_all({"web"});
  swap_link(node_.manifests(), "release-2");
  EXPECT_TRUE(node_.becomes_ready("db", at_once));
  EXPECT_TRUE(are_kept({"web"}));
}

/// Ways in which editors save leave a moment without the file. mooringd looks in that moment, or does not;
/// who takes longer than it waits has removed the file, so a save counts only if it was quick.
void Manifests::save_with_a_gap(const std::string& pod, const std::function<void()>& save) {
  constexpr Millis quick{50};
  constexpr int tries = 20;
  for (int i = 0; i < tries; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    save();
    if (std::chrono::steady_clock::now() - begin < quick) return expect_kept_after_all({pod});
    node_.stays([&] { return are_kept({pod}); }, Millis(150));  // It may have gone, rightly.
    make(pod);
  }
  ADD_FAILURE() << "the machine is too busy to save a file quickly";
}

TEST_F(Manifests, EditorsSaveInManyWays) {
  make("web");
  const auto write_again = [&] { write_in_place(file("web.yaml"), text("web")); };
  node_.write("web.yaml", text("web"));  // Renamed over.
  expect_kept_after_all({"web"});
  write_again();
  expect_kept_after_all({"web"});
  save_with_a_gap("web", [&] {
    fs::remove(file("web.yaml"));
    write_again();
  });
  save_with_a_gap("web", [&] {
    fs::rename(file("web.yaml"), file("web.yaml~"));  // A backup.
    write_again();
  });
  fs::remove(file("web.yaml~"));
  fs::rename(file("web.yaml"), file("renamed.yaml"));
  expect_kept_after_all({"web"});
}

// A file that is whole the moment it gets its name: link(2), and O_TMPFILE as many atomic writers use it.
// mooringd looks only when all is over, as it does under load.
TEST_F(Manifests, AFileThatIsLinkedIntoPlaceIsRead) {
  make("web");
  write_in_place(node_.dir() + "/outside", text("db"));
  node_.daemon().signal(SIGSTOP);
  fs::create_hard_link(file("web.yaml"), file("renamed.yaml"));
  fs::remove(file("web.yaml"));
  fs::create_hard_link(node_.dir() + "/outside", file("db.yaml"));
  fs::remove(node_.dir() + "/outside");
  const int unnamed = open(node_.manifests().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0644);
  ASSERT_GE(unnamed, 0);
  const std::string name = "/proc/self/fd/" + std::to_string(unnamed);
  write_in_place(name, text("third"));
  EXPECT_EQ(linkat(AT_FDCWD, name.c_str(), AT_FDCWD, file("third.yaml").c_str(), AT_SYMLINK_FOLLOW), 0);
  close(unnamed);
  node_.daemon().signal(SIGCONT);
  EXPECT_TRUE(node_.becomes_ready("db", at_once) && node_.becomes_ready("third", at_once));
  expect_kept_after_all({"web"});
}

TEST_F(Manifests, AFileThatIsBeingWrittenIsNotReadAsHalfOfIt) {
  make("web");
  const std::string whole = text("web") + "---\n" + text("db");
  const int out = open(file("web.yaml").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  ASSERT_GE(out, 0);
  constexpr std::size_t cut = 60;  // In the middle of the first document.
  for (const std::string& part : {std::string(), whole.substr(0, cut), whole.substr(cut)}) {
    EXPECT_EQ(write(out, part.data(), part.size()), static_cast<ssize_t>(part.size()));
    node_.daemon().signal(SIGHUP);  // Reads all again, without waiting for the writer.
    expect_kept_after_all({"web"});
  }
  close(out);
  EXPECT_TRUE(node_.becomes_ready("db"));
}

TEST_F(Manifests, WhatIsNoManifestIsNotRead) {
  for (const char* name :
       {".web.yaml", ".web.yaml.swp", "web.yaml~", "web.yaml.tmp", "#web.yaml#", "4913", "web.txt"})
    write_in_place(file(name), text("web"));
  fs::create_directory(file(".git"));
  write_in_place(file(".git/web.yaml"), text("web"));
  node_.write("last.yaml", text("last"));
  EXPECT_TRUE(node_.becomes_ready("last"));
  EXPECT_EQ(node_.ctl().pod_names(), Strings{"last"});
}

TEST_F(Manifests, APodThatBecomesUnreadableKeepsItsVolumesAndSaysSo) {
  make("web");
  const Strings ways{"apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [\n",
                     "{{{ not yaml",
                     "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: 7}\n",
                     std::string("\0\1\2", 3), ""};
  for (const std::string& broken : ways) {
    SCOPED_TRACE(broken);
    write_in_place(file("web.yaml"), broken);
    EXPECT_TRUE(node_.gets_problem("web.yaml"));
    expect_kept_after_all({"web"});
    EXPECT_NE(node_.ctl().pod_message("web"), "");
    write_in_place(file("web.yaml"), text("web"));
    EXPECT_TRUE(node_.loses_problem("web.yaml"));
    EXPECT_EQ(node_.ctl().pod_message("web"), "");
    expect_kept_after_all({"web"});
  }
  write_in_place(file("web.yaml"), ways.front());
  EXPECT_TRUE(node_.gets_problem("web.yaml"));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web")) << "removing the file is how to get rid of it";
}

TEST_F(Manifests, AFileThatCannotBeReadKeepsItsPod) {
  make("web");
  fs::remove(file("web.yaml"));
  fs::create_symlink(node_.dir() + "/nowhere", file("web.yaml"));
  EXPECT_TRUE(node_.gets_problem("web.yaml"));
  expect_kept_after_all({"web"});
  EXPECT_NE(node_.ctl().pod_message("web"), "");
  fs::remove(file("web.yaml"));
  ASSERT_EQ(mkfifo(file("web.yaml").c_str(), 0600), 0);
  EXPECT_TRUE(node_.gets_problem("not a regular file"));
  expect_kept_after_all({"web"});
}

// As a kubelet mounts a ConfigMap: a link to a link to a directory, and the one in the middle is swapped.
TEST_F(Manifests, AnAtomicWritersSwapIsOneChange) {
  const auto version = [&](const std::string& name, const Strings& pods) {
    fs::create_directory(file(name));
    for (const std::string& pod : pods)
      write_in_place(file(name) + "/" + pod + ".yaml", text(pod));
    swap_link(file("..data"), name);
  };
  version("..v1", {"web", "db"});
  for (const char* pod : {"web", "db"}) {
    fs::create_symlink(std::string("..data/") + pod + ".yaml", file(std::string(pod) + ".yaml"));
    mark(pod);
  }
  version("..v2", {"web", "db", "new"});
  fs::create_symlink("..data/new.yaml", file("new.yaml"));
  fs::remove_all(file("..v1"));
  EXPECT_TRUE(node_.becomes_ready("new"));
  expect_kept_after_all({"web", "db"});
  version("..v3", {"web", "new"});
  EXPECT_TRUE(node_.gets_problem("db.yaml")) << "its link leads to nothing";
  expect_kept_after_all({"web", "db"});
  fs::remove(file("db.yaml"));
  EXPECT_TRUE(node_.becomes_gone("db"));
  expect_kept_after_all({"web"});
}

TEST_F(Manifests, SubdirectoriesAreReadToo) {
  const auto make_in = [&](const std::string& directory, const std::string& pod) {
    fs::create_directories(directory);
    write_in_place(directory + "/pod.yaml", text(pod));
  };
  make_in(file("team/web"), "web");
  mark("web");
  make_in(node_.dir() + "/prepared", "db");
  fs::rename(node_.dir() + "/prepared", file("team/db"));
  mark("db");
  fs::rename(file("team"), file("group"));
  expect_kept_after_all({"web", "db"});
  make_in(node_.dir() + "/linked", "far");
  fs::create_directory_symlink(node_.dir() + "/linked", file("link"));
  fs::create_directory_symlink(node_.manifests(), file("group/loop"));
  mark("far");
  fs::remove_all(file("group/db"));
  EXPECT_TRUE(node_.becomes_gone("db"));
  expect_kept_after_all({"web", "far"});
  fs::remove(file("group/loop"));
  fs::rename(file("group"), node_.dir() + "/moved-out");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(are_kept({"far"}));
}

TEST_F(Manifests, OfTwoFilesWithOnePodTheFirstNameCounts) {
  make("web");
  node_.write("zz.yaml", text("web") + "---\n" + text("db"));
  EXPECT_TRUE(node_.becomes_ready("db"));
  EXPECT_TRUE(node_.gets_problem("web.yaml, which counts"));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.loses_problem("which counts"));
  expect_kept_after_all({"web"});
  node_.write("zz.yaml", text("db"));
  EXPECT_TRUE(node_.becomes_gone("web"));
}

// A StatefulSet's pod has the uid of a pod of that name: only one of them can have the directory.
TEST_F(Manifests, OfTwoPodsWithOneUidThatWhichDoesNotCountIsSaid) {
  make("web-0");
  node_.write("web.yaml", workload("StatefulSet", "web", "replicas: 1, "));
  EXPECT_TRUE(node_.gets_problem("web-0", at_once));
  expect_kept_after_all({"web-0"});
}

// kubelet-behaviours 2.5: spec changes of a mounted volume are ignored until the pod goes.
TEST_F(Manifests, AChangedVolumeStaysAsItIsUntilThePodGoes) {
  make("web");
  const Strings before = mount_lines(node_.root());
  node_.write(
      "web.yaml",
      pod_text("web", {{"data", memory_dir}, {"memory", host_path(node_.dir())}, {"new", empty_dir}}));
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().phase("web", "new") == "Ready"; }));
  EXPECT_TRUE(node_.gets_reason("web", "data", "SpecChangeIgnored"));
  EXPECT_TRUE(node_.gets_reason("web", "memory", "SpecChangeIgnored"));
  expect_kept_after_all({"web"});
  EXPECT_EQ(mount_lines(node_.root()), before);
  EXPECT_NE(node_.ctl().path("web", "memory"), node_.dir()) << "the path is of what is there";
  node_.write("web.yaml", text("web"));
  EXPECT_TRUE(node_.gets_reason("web", "data", ""));
  expect_kept_after_all({"web"});
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  node_.write("web.yaml", pod_text("web", {{"data", memory_dir}}));
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mounts_at(path("web", "data")).size(), 1U);
}

TEST_F(Manifests, AnEmptiedDirectoryIsMeantAndWhatComesBackStartsEmpty) {
  for (int i = 0; i < 3; ++i) {
    make("web");
    make("db");
    node_.remove("web.yaml");
    node_.remove("db.yaml");
    EXPECT_TRUE(node_.becomes_gone("web") && node_.becomes_gone("db"));
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  }
  node_.write("web.yaml", text("web"));
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(names_in(path("web", "data")).empty() && names_in(path("web", "memory")).empty());
}

}  // namespace
}  // namespace mooring::integration
