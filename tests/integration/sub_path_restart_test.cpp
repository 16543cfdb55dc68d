// Mounted parts of volumes when mooringd or a worker ends, when the node starts anew, and when others unmount
// them.

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr int kills = 30;
constexpr int parts_of_a_pod = 5;

/// The device and the inode: what tells one file or directory from all others.
std::pair<dev_t, ino_t> identity(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 ? std::pair(status.st_dev, status.st_ino)
                                          : std::pair<dev_t, ino_t>();
}

class RestartedParts : public ::testing::Test {
 protected:
  RestartedParts() {
    fs::create_directories(host_ + "/data");
    write_in_place(host_ + "/data/file", "of the node");
    node_.start();
    node_.write("settings.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: of a}\n");
    want("web");
    EXPECT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
    uid_ = node_.ctl().uid("web");
    EXPECT_EQ(mounts_below(directory()).size(), std::size_t{parts_of_a_pod});
  }

  void want(const std::string& pod) const {
    node_.write(pod + ".yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: " + pod +
                                   "}\nspec:\n  containers:\n  - name: main\n    volumeMounts:\n"
                                   "    - {name: disk, mountPath: /0, subPath: a/b}\n"
                                   "    - {name: memory, mountPath: /1, subPath: a}\n"
                                   "    - {name: node, mountPath: /2, subPath: data}\n"
                                   "    - {name: node, mountPath: /3, subPath: data/file}\n"
                                   "    - {name: config, mountPath: /4, subPath: a}\n"
                                   "  volumes:\n  - {name: disk, emptyDir: {}}\n"
                                   "  - {name: memory, emptyDir: {medium: Memory}}\n"
                                   "  - {name: config, configMap: {name: settings}}\n  - name: node\n    " +
                                   host_path(host_, "Directory") + "\n");
  }
  std::string directory() const { return node_.root() + "/pods/" + uid_ + "/volume-subpaths"; }
  std::string disk() const { return directory() + "/disk/main/0"; }
  std::string memory() const { return directory() + "/memory/main/1"; }
  std::string file() const { return directory() + "/node/main/3"; }
  std::string config() const { return directory() + "/config/main/4"; }
  /// Forgets what was told, so that what is told from now on can be looked at.
  void forget_signals() {
    node_.bus().process();
    node_.bus().forget_signals();
  }
  void expect_nothing_left() {
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); })) << what_is_there();
    EXPECT_EQ(mount_lines(node_.root()), Strings{});
    EXPECT_EQ(names_in(host_ + "/data"), Strings{"file"});
    EXPECT_EQ(read_file(host_ + "/data/file"), "of the node");
  }
  std::string what_is_there() const {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(node_.root()))
      text += entry.path().string() + "\n";
    for (const std::string& line : mount_lines(node_.root()))
      text += line + "\n";
    return text + node_.ctl()({"status"}).out;
  }
  /// As a reboot: no mount, no record.
  void reboot() {
    node_.kill();
    unmount_all(node_.root());
    for (const std::string& name : names_in(node_.run_dir()))
      fs::remove_all(node_.run_dir() + "/" + name);
  }

  Node node_;
  const std::string host_ = node_.dir() + "/host";
  std::string uid_;
};

TEST_F(RestartedParts, StayTheSameMountsWhenMooringdIsKilled) {
  write_in_place(disk() + "/content", "x");
  write_in_place(memory() + "/content", "y");
  const Strings before = mount_lines(node_.root());
  for (int i = 0; i < 3; ++i) {
    node_.kill();
    forget_signals();
    node_.start();
    EXPECT_TRUE(node_.becomes_ready("web"));
    // What follows the readiness, such as looking at the content once more.
    EXPECT_TRUE(node_.stays([&] { return mount_lines(node_.root()) == before; }, Millis(500)));
  }
  EXPECT_EQ(read_file(disk() + "/content"), "x");
  EXPECT_EQ(read_file(memory() + "/content"), "y");
  EXPECT_EQ(node_.ctl()({"render", "pod/web", "-c", "main", "--runtime=oci"}).status, 0);
}

TEST_F(RestartedParts, AreRemovedWhenTheManifestWentWhileMooringdWasDown) {
  node_.kill();
  node_.remove("web.yaml");
  node_.start();
  EXPECT_TRUE(node_.becomes_gone("web"));
  expect_nothing_left();
}

TEST_F(RestartedParts, AreBoundToWhatCameInTheirPlaceWhileMooringdWasDown) {
  node_.kill();
  fs::rename(host_ + "/data/file", host_ + "/old");
  write_in_place(host_ + "/data/file", "new");
  EXPECT_EQ(read_file(file()), "of the node");
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(node_.eventually([&] { return read_file(file()) == "new"; }));
  EXPECT_EQ(mounts_at(file()).size(), 1U);
}

TEST_F(RestartedParts, AreMadeAgainWhenTheNodeStartsAnew) {
  write_in_place(disk() + "/content", "x");
  reboot();
  EXPECT_EQ(names_in(disk()), Strings{});
  node_.start();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mounts_below(directory()).size(), std::size_t{parts_of_a_pod});
  EXPECT_EQ(read_file(disk() + "/content"), "x");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  expect_nothing_left();
}

TEST_F(RestartedParts, LeaveNothingWhenTheNodeStartsAnewWithoutTheManifest) {
  reboot();
  node_.remove("web.yaml");
  node_.start();
  expect_nothing_left();
}

TEST_F(RestartedParts, ThatOthersUnmountAreBoundAgain) {
  write_in_place(disk() + "/content", "x");
  for (const std::string& part : {disk(), memory(), file(), config()}) {
    SCOPED_TRACE(part);
    const auto before = identity(part);
    unmount(part);
    EXPECT_TRUE(node_.eventually([&] { return identity(part) == before; })) << node_.ctl().pod("web").dump(2);
    EXPECT_TRUE(node_.becomes_ready("web"));
    EXPECT_EQ(mounts_at(part).size(), 1U);
  }
  EXPECT_EQ(read_file(disk() + "/content"), "x");
  EXPECT_TRUE(node_.bus().has_event("MountVanished", "a subPath mount of volume"));
}

TEST_F(RestartedParts, OfAVolumeThatOthersUnmountAreBoundToTheNewOne) {
  const std::string volume = node_.volume_path(uid_, "empty-dir", "memory");
  unmount(volume);
  EXPECT_TRUE(node_.eventually([&] {
    return !mounts_at(volume).empty() && is_there(volume + "/a") &&
           identity(memory()) == identity(volume + "/a");
  })) << what_is_there();
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mounts_at(memory()).size(), 1U);
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  expect_nothing_left();
}

// Something foreign in a part is in the volume too: nothing is removed until it is gone.
TEST_F(RestartedParts, WithSomethingForeignMountedInThemWait) {
  fs::create_directory(disk() + "/in");
  mount_tmpfs(disk() + "/in", "");
  write_in_place(disk() + "/in/file", "foreign");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().volume("web", "disk").value("attempts", 0) > 0; }))
      << node_.ctl().pod("web").dump(2);
  EXPECT_EQ(read_file(disk() + "/in/file"), "foreign");
  unmount(disk() + "/in");
  EXPECT_TRUE(node_.becomes_gone("web"));
  expect_nothing_left();
}

TEST_F(RestartedParts, NothingIsLeftWhenWorkersAreKilledInTheMiddle) {
  const pid_t daemon = node_.daemon().pid();
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    const std::string pod = "passing-" + std::to_string(i % 3);
    const bool is_coming = i % 2 == 0;
    const Strings before = mount_lines(node_.root());
    if (is_coming) want(pod);
    if (!is_coming) fs::remove(node_.manifests() + "/passing-" + std::to_string((i - 1) % 3) + ".yaml");
    // In the middle: some of the mounts have come or gone.
    node_.eventually([&] { return mount_lines(node_.root()) != before; }, Millis(1'000));
    for (const pid_t worker : children_of(daemon))
      kill(worker, SIGKILL);
  }
  EXPECT_EQ(node_.bus().owner(), daemon);
  EXPECT_TRUE(node_.becomes_ready("web"));
  for (const std::string& name : names_in(node_.manifests())) {
    if (name.ends_with(".yaml") && name != "settings.yaml") node_.remove(name);
  }
  expect_nothing_left();
}

TEST_F(RestartedParts, NothingIsLeftWhenMooringdIsKilledInTheMiddle) {
  for (int i = 0; i < kills && !HasFailure(); ++i) {
    const Strings before = mount_lines(node_.root());
    const std::string manifest = node_.manifests() + "/passing.yaml";
    if (is_there(manifest)) {
      fs::remove(manifest);
    } else {
      want("passing");
    }
    node_.eventually([&] { return mount_lines(node_.root()) != before; }, Millis(1'000));
    node_.kill();
    node_.start();
  }
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mounts_below(directory()).size(), std::size_t{parts_of_a_pod});
  for (const std::string& name : names_in(node_.manifests())) {
    if (name.ends_with(".yaml") && name != "settings.yaml") node_.remove(name);
  }
  expect_nothing_left();
}

}  // namespace
}  // namespace mooring::integration
