// Volumes that are given to a group (fsGroup), as they are on the node and as a process of another user sees
// them in a container.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "crun.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

const ContainerOptions a_user{1000, false, {}};
constexpr int many_files = 20'000;
constexpr int files_of_a_directory = 500;

/// The group and the mode, as `stat -c "%g %a"` gives them.
std::string group_and_mode(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return "(none)";
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%u %o", status.st_gid, status.st_mode & 07777U);
  return text.data();
}

std::string pod_of(const std::string& security, const std::string& annotations, const std::string& mounts,
                   const std::string& volumes) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {" + annotations +
         "}}\nspec:\n  securityContext: {" + security +
         "}\n  containers:\n  - name: main\n    volumeMounts:\n" + mounts + "  volumes:\n" + volumes;
}

void write_settings(const Node& node, const std::string& value) {
  node.write("settings.yaml",
             "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: " + value + "}\n");
}

class Ownership : public ::testing::Test {
 protected:
  Ownership() {
    fs::create_directories(host_);
    write_in_place(host_ + "/file", "of the node");
    node_.start();
    write_settings(node_, "of a");
    node_.write("keys.yaml",
                "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: of the token}\n");
  }
  void want(const std::string& security) {
    node_.write(
        "web.yaml",
        pod_of(security, "",
               "    - {name: disk, mountPath: /disk}\n    - {name: memory, mountPath: /memory}\n"
               "    - {name: config, mountPath: /config}\n    - {name: secret, mountPath: /secret}\n"
               "    - {name: all, mountPath: /all}\n    - {name: node, mountPath: /node}\n"
               "    - {name: disk, mountPath: /part, subPath: a/b}\n",
               "  - {name: disk, emptyDir: {}}\n  - {name: memory, emptyDir: {medium: Memory}}\n"
               "  - {name: config, configMap: {name: settings, defaultMode: 0400}}\n"
               "  - {name: secret, secret: {secretName: keys, defaultMode: 0400}}\n"
               "  - name: all\n    projected: {defaultMode: 0400, sources: [{configMap: {name: settings}}]}\n"
               "  - name: node\n    " +
                   host_path(host_, "Directory") + "\n"));
    ASSERT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
  }
  std::string path(const std::string& volume) const { return node_.ctl().path("web", volume); }
  /// Without asking mooringd.
  std::string path_of(const std::string& volume) const {
    return node_.volume_path(names_in(node_.root() + "/pods").at(0), "empty-dir", volume);
  }
  void expect_nothing_left() {
    node_.remove("web.yaml");
    EXPECT_TRUE(node_.becomes_gone("web"));
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  }

  Node node_;
  Crun crun_{node_};
  const std::string host_ = node_.dir() + "/host";
};

TEST_F(Ownership, kb_10_1_NumbersAndModesAreThoseOfTheTable) {
  want("fsGroup: 2000");
  EXPECT_EQ(group_and_mode(path("disk")), "2000 2777");
  EXPECT_EQ(group_and_mode(path("disk") + "/a"), "2000 2755") << "made on the way to a part";
  EXPECT_EQ(group_and_mode(path("disk") + "/a/b"), "2000 2777");
  EXPECT_EQ(group_and_mode(path("memory")), "2000 3777");
  for (const char* volume : {"config", "secret", "all"}) {
    SCOPED_TRACE(volume);
    const std::string file = std::string(volume) == "secret" ? "/token" : "/a";
    EXPECT_EQ(group_and_mode(path(volume)), std::string(volume) == "config" ? "2000 2777" : "2000 3777");
    EXPECT_EQ(group_and_mode(path(volume) + "/..data"), "2000 2755");
    EXPECT_EQ(group_and_mode(path(volume) + file), "2000 440");
  }
  EXPECT_EQ(group_and_mode(host_), "0 755") << "the node's own files are never touched";
  EXPECT_EQ(group_and_mode(host_ + "/file"), "0 644");
  expect_nothing_left();
}

TEST_F(Ownership, AContainerOfAnotherUserWritesAndReads) {
  want("fsGroup: 2000, supplementalGroups: [3000]");
  crun_.start("web", "main", a_user);
  EXPECT_EQ(crun_.output("main", "id -u; id -G"), "1000\n1000 2000 3000\n");
  for (const std::string& volume : Strings{"disk", "memory", "part"}) {
    SCOPED_TRACE(volume);
    crun_.expect_done("main", "echo x > /" + volume + "/file && mkdir /" + volume + "/directory");
    EXPECT_EQ(crun_.output("main", "stat -c '%u %g' /" + volume + "/file"), "1000 2000\n");
    EXPECT_EQ(crun_.output("main", "stat -c '%u %g %a' /" + volume + "/directory"), "1000 2000 2755\n");
  }
  EXPECT_EQ(crun_.output("main", "cat /config/a"), "of a");
  EXPECT_EQ(crun_.output("main", "cat /all/a"), "of a");
  EXPECT_EQ(crun_.output("main", "cat /secret/token"), "of the token");
  for (const char* file : {"/config/a", "/config/new", "/all/a", "/all/new", "/secret/token"})
    crun_.expect_refused("main", std::string("echo x > ") + file, "Read-only file system");
}

TEST_F(Ownership, WithoutAGroupAContainerOfAnotherUserMayNotRead) {
  want("supplementalGroups: [2000]");
  EXPECT_EQ(group_and_mode(path("disk")), "0 777");
  EXPECT_EQ(group_and_mode(path("config") + "/a"), "0 400");
  crun_.start("web", "main", a_user);
  crun_.expect_refused("main", "cat /config/a", "Permission denied");
  crun_.expect_refused("main", "cat /secret/token", "Permission denied");
}

TEST_F(Ownership, OfANewVersionIsRightBeforeItIsSeen) {
  want("fsGroup: 2000");
  crun_.start("web", "main", a_user);
  for (int i = 0; i < 5; ++i) {
    const std::string value = "version-" + std::to_string(i);
    write_settings(node_, value);
    std::string seen;
    EXPECT_TRUE(node_.eventually([&] {
      seen = read_file(path("config") + "/a");
      return seen == value;
    }));
    EXPECT_EQ(crun_.output("main", "cat /config/a"), value);
    EXPECT_EQ(group_and_mode(path("config") + "/a"), "2000 440");
  }
}

TEST_F(Ownership, WhatContainersMadeOfTheirFilesStaysWhenMooringdStartsAgain) {
  want("fsGroup: 2000");
  crun_.start("web", "main", a_user);
  crun_.expect_done("main", "umask 077; echo x > /disk/private; echo x > /memory/private");
  EXPECT_EQ(chown((path("disk") + "/private").c_str(), 1000, 1000), 0);
  node_.kill();
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(
      node_.stays([&] { return group_and_mode(path("disk") + "/private") == "1000 600"; }, Millis(500)));
  EXPECT_EQ(group_and_mode(path("memory") + "/private"), "2000 600");
}

TEST_F(Ownership, WhatContainersMadeOfTheirFilesStaysWhenOthersUnmountAPart) {
  want("fsGroup: 2000");
  const std::string file = path("disk") + "/private";
  write_in_place(file, "x");
  EXPECT_EQ(chown(file.c_str(), 1000, 1000), 0);
  EXPECT_EQ(chmod(file.c_str(), 0600), 0);
  const std::string part = node_.root() + "/pods/" + node_.ctl().uid("web") + "/volume-subpaths/disk/main/6";
  unmount(part);
  EXPECT_TRUE(node_.eventually([&] { return !mounts_at(part).empty(); }));
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(group_and_mode(file), "1000 600");
}

/// As the record is until a volume was whole once.
void record_as_half_made(const Node& node) {
  for (const auto& entry : fs::directory_iterator(node.run_dir() + "/pods")) {
    std::string text = read_file(entry.path());
    for (std::size_t at = text.find("\"shape\":"); at != std::string::npos;
         at = text.find("\"shape\":", at + 1)) {
      text.insert(at, "\"complete\":false,");
      at += 20;
    }
    write_in_place(entry.path(), text);
  }
}

// The node stopped when the directories were made, and before they were given to the group.
TEST_F(Ownership, OfAVolumeThatACrashLeftHalfMadeIsSetInTheEnd) {
  want("fsGroup: 2000");
  node_.kill();
  for (const std::string& volume : {path_of("disk"), path_of("memory")}) {
    EXPECT_EQ(chown(volume.c_str(), 0, 0), 0);
    EXPECT_EQ(chmod(volume.c_str(), 0777), 0);
  }
  record_as_half_made(node_);
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(node_.eventually([&] { return group_and_mode(path("disk")) == "2000 2777"; }, Millis(2'000)))
      << group_and_mode(path("disk"));
  EXPECT_TRUE(node_.eventually([&] { return group_and_mode(path("memory")) == "2000 2777"; }, Millis(2'000)))
      << group_and_mode(path("memory"));
}

// The same of a volume that Mooring fills. That it cannot do so now keeps the moment for as long as it takes
// to look.
TEST(HalfMade, AConfigVolumeIsNotReadyWhileItIsEmpty) {
  Node node;
  fs::create_directories(node.root());
  mount_tmpfs(node.root(), "mode=755");
  node.start();
  write_settings(node, "of a");
  node.write("web.yaml", pod_text("web", {{"config", "configMap: {name: settings}"}}));
  ASSERT_TRUE(node.becomes_ready("web"));
  const std::string volume = node.ctl().path("web", "config");
  node.kill();
  for (const std::string& name : names_in(volume))
    fs::remove_all(volume + "/" + name);
  record_as_half_made(node);
  remount(node.root(), true);
  node.start();
  EXPECT_TRUE(node.stays([&] { return !node.ctl().is_ready("web"); }, Millis(1'000)))
      << node.ctl()({"explain", "pod/web"}).out;
  remount(node.root(), false);
  node.ctl()({"retry", "pod/web"});
  EXPECT_TRUE(node.becomes_ready("web"));
  EXPECT_TRUE(node.eventually([&] { return read_file(volume + "/a") == "of a"; }));
}

/// A large emptyDir that is there when its pod comes back after a reboot.
class LargeVolume : public ::testing::Test {
 protected:
  static void fill(const std::string& volume) {
    for (int i = 0; i < many_files; ++i) {
      const std::string directory = volume + "/" + std::to_string(i / files_of_a_directory);
      if (i % files_of_a_directory == 0) {
        fs::create_directory(directory);
        EXPECT_EQ(chown(directory.c_str(), 0, 7), 0);
      }
      const std::string file = directory + "/" + std::to_string(i);
      write_in_place(file, "");
      if (i % 2 == 0) chmod(file.c_str(), 0600);
    }
  }
  /// The first that is not as it must be; empty: none.
  static std::string first_wrong(const std::string& volume) {
    for (const auto& entry : fs::recursive_directory_iterator(volume)) {
      const std::string found = group_and_mode(entry.path());
      const bool is_even = std::stoi("0" + entry.path().filename().string()) % 2 == 0;
      const std::string wanted = entry.is_directory() ? "2000 2775" : is_even ? "2000 660" : "2000 664";
      if (found != wanted) return entry.path().string() + ": " + found;
    }
    return {};
  }
};

// The part of it is not mounted after the reboot, so the volume is made ready anew, with more in it than a
// warm worker may walk through.
TEST_F(LargeVolume, IsGivenToTheGroupByAWorkerOfItsOwn) {
  Node node;
  node.start();
  node.write("web.yaml", pod_of("fsGroup: 2000", "", "    - {name: disk, mountPath: /disk, subPath: \"0\"}\n",
                                "  - {name: disk, emptyDir: {}}\n"));
  ASSERT_TRUE(node.becomes_ready("web"));
  const std::string volume = node.ctl().path("web", "disk");
  node.kill();
  unmount_all(node.root());
  fs::remove_all(volume + "/0");
  fill(volume);
  ASSERT_EQ(chown(volume.c_str(), 0, 0), 0);
  ASSERT_EQ(chmod(volume.c_str(), 0755), 0);
  for (const std::string& name : names_in(node.run_dir()))
    fs::remove_all(node.run_dir() + "/" + name);
  node.start();
  ASSERT_TRUE(node.becomes_ready("web", Millis(60'000)));
  EXPECT_EQ(group_and_mode(volume), "2000 2775");
  EXPECT_EQ(first_wrong(volume), "");
  EXPECT_EQ(node.ctl().reason("web", "disk"), "");
  EXPECT_EQ(node.ctl().volume("web", "disk").value("attempts", -1), 0) << "another worker is no failure";
  node.remove("web.yaml");
  EXPECT_TRUE(node.becomes_gone("web"));
  EXPECT_TRUE(node.eventually([&] { return node.is_empty(); }));
}

/// mooring.io/fs-group-strategy: Idmap, with the root directory on a file system of this kind.
class MappedGroups : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    fs::create_directories(node_.root());
    fs::create_directories(node_.dir() + "/below");
    if (GetParam() == "tmpfs") {
      mount_tmpfs(node_.root(), "mode=755");
    } else if (!mount_image()) {
      GTEST_SKIP() << "no " << GetParam() << " can be made and mounted here";
    }
    node_.start();
    node_.write("web.yaml", pod_of("fsGroup: 2000", "mooring.io/fs-group-strategy: Idmap",
                                   "    - {name: disk, mountPath: /disk}\n"
                                   "    - {name: disk, mountPath: /part, subPath: part}\n",
                                   "  - {name: disk, emptyDir: {}}\n"));
    ASSERT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
    if (node_.ctl().message("web", "disk").find("cannot be mapped") != std::string::npos)
      GTEST_SKIP() << node_.ctl().message("web", "disk");
    volume_ = node_.ctl().path("web", "disk");
    // What lies below the root directory, without what is mounted there.
    ASSERT_EQ(mount(node_.root().c_str(), (node_.dir() + "/below").c_str(), nullptr, MS_BIND, nullptr), 0);
    stored_ = node_.dir() + "/below" + volume_.substr(node_.root().size());
  }
  bool mount_image() const {
    const std::string image = node_.dir() + "/image";
    return run({"truncate", "-s", "64M", image}).status == 0 &&
           run({"mkfs." + GetParam(), "-q", image}).status == 0 &&
           run({"mount", "-o", "loop", image, node_.root()}).status == 0;
  }

  Node node_;
  Crun crun_{node_};
  std::string volume_;
  std::string stored_;
};

TEST_P(MappedGroups, ShowTheGroupAndStoreTheOther) {
  EXPECT_EQ(group_and_mode(volume_), "2000 2777");
  EXPECT_EQ(group_and_mode(stored_), "0 2777");
  EXPECT_EQ(group_and_mode(volume_ + "/part"), "2000 2777");
  crun_.start("web", "main", a_user);
  crun_.expect_done("main", "echo -n x > /disk/file && echo -n y > /part/file");
  EXPECT_EQ(crun_.output("main", "stat -c '%u %g' /disk/file /part/file /disk/part"),
            "1000 2000\n1000 2000\n0 2000\n");
  EXPECT_EQ(group_and_mode(volume_ + "/file"), "2000 644");
  EXPECT_EQ(group_and_mode(stored_ + "/file"), "0 644");
  EXPECT_EQ(group_and_mode(stored_ + "/part/file"), "0 644");
  EXPECT_EQ(read_file(stored_ + "/file"), "x");
}

TEST_P(MappedGroups, StayWhenMooringdStartsAgainAndLeaveNothing) {
  write_in_place(volume_ + "/file", "x");
  const Strings before = mount_lines(node_.root());
  node_.kill();
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(node_.stays([&] { return mount_lines(node_.root()) == before; }, Millis(300)));
  EXPECT_EQ(group_and_mode(volume_ + "/file"), "2000 644");
  node_.kill();
  node_.remove("web.yaml");
  unmount(node_.dir() + "/below");
  node_.start();
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); })) << node_.ctl()({"status"}).out;
  EXPECT_EQ(mounts_below(node_.root()).size(), 1U) << "the root directory's own";
}

TEST_P(MappedGroups, AreMadeAgainWithTheirContentWhenTheNodeStartsAnew) {
  write_in_place(volume_ + "/file", "x");
  node_.kill();
  for (const Mount& mount : mounts_below(node_.root() + "/pods"))
    unmount(mount.point);
  for (const std::string& name : names_in(node_.run_dir()))
    fs::remove_all(node_.run_dir() + "/" + name);
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mounts_at(volume_).size(), 1U);
  EXPECT_EQ(read_file(volume_ + "/file"), "x");
  EXPECT_EQ(group_and_mode(volume_ + "/file"), "2000 644");
  EXPECT_EQ(group_and_mode(stored_ + "/file"), "0 644");
}

INSTANTIATE_TEST_SUITE_P(FileSystems, MappedGroups, ::testing::Values("ext4", "tmpfs"),
                         [](const auto& parameter) { return parameter.param; });

}  // namespace
}  // namespace mooring::integration
