// A node whose mounts are all shared, as on most machines: what is unmounted in one place goes from others
// too. What the node and other pods have mounted must outlive a pod that had a part in it.

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cstdlib>
#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// A shared tmpfs in which temporary directories are made as long as it is there.
class SharedPlace {
 public:
  SharedPlace() : path_((fs::temp_directory_path() / "mooring-shared-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory can be made");
    mount_tmpfs(path_, "mode=755");
    EXPECT_EQ(mount(nullptr, path_.c_str(), nullptr, MS_SHARED, nullptr), 0);
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    setenv("TMPDIR", path_.c_str(), 1);
  }
  ~SharedPlace() {
    if (before_)
      setenv("TMPDIR", before_->c_str(), 1);
    else
      unsetenv("TMPDIR");
    unmount_all(path_);
    std::error_code failed;
    fs::remove(path_, failed);
  }
  SharedPlace(const SharedPlace&) = delete;
  SharedPlace& operator=(const SharedPlace&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<std::string> before_;
};

std::string mount_of(const std::string& volume, const std::string& more) {
  return "    - {name: " + volume + ", mountPath: /" + volume + more + "}\n";
}

std::string container(const std::string& name, const std::string& mounts) {
  return "  - name: " + name +
         "\n    image: i\n    securityContext: {privileged: true}\n    volumeMounts:\n" + mounts;
}

std::string pod(const std::string& name, const std::string& containers, const std::string& volume) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  containers:\n" + containers +
         "  volumes:\n  - name: data\n    " + volume + "\n";
}

const std::string shares = ", mountPropagation: Bidirectional";

class SharedNode : public ::testing::Test {
 protected:
  SharedNode() {
    fs::create_directory(disk_);
    mount_tmpfs(disk_, "");
    write_in_place(disk_ + "/data", "precious");
    node_.start();
  }
  /// The path of its volume.
  std::string want(const std::string& name, const std::string& text) {
    node_.write(name + ".yaml", text);
    EXPECT_TRUE(node_.becomes_ready(name)) << node_.ctl()({"explain", "pod/" + name}).out;
    return node_.ctl().path(name, "data");
  }
  void expect_gone(const std::string& name) {
    node_.remove(name + ".yaml");
    EXPECT_TRUE(node_.becomes_gone(name, Millis(10'000))) << node_.ctl()({"explain", "pod/" + name}).out;
  }
  /// What a container of the pod does that has its volume shared.
  void bind_node_into(const std::string& volume) {
    fs::create_directory(volume + "/host");
    ASSERT_EQ(mount(place_.path().c_str(), (volume + "/host").c_str(), nullptr, MS_BIND | MS_REC, nullptr),
              0);
    ASSERT_GT(mounts_below(volume + "/host").size(), 2U);
  }
  void expect_disk(const std::string& path) {
    EXPECT_EQ(mounts_at(path).size(), 1U);
    EXPECT_EQ(read_file(path + "/data"), "precious");
  }

  SharedPlace place_;
  Node node_;
  const std::string disk_ = place_.path() + "/disk";
};

TEST_F(SharedNode, WhatAContainerBoundOfTheNodeStaysOnTheNode) {
  const std::string volume = want("web", pod("web", container("a", mount_of("data", shares)), empty_dir));
  const auto before = mount_lines(place_.path());
  bind_node_into(volume);
  expect_gone("web");
  EXPECT_EQ(mount_lines(place_.path()), before);
  expect_disk(disk_);
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

TEST_F(SharedNode, TheVolumesOfOtherPodsOutliveABindOfTheNode) {
  const std::string other = want("other", pod("other", container("a", mount_of("data", "")), memory_dir));
  write_in_place(other + "/data", "precious");
  const std::string volume = want("web", pod("web", container("a", mount_of("data", shares)), memory_dir));
  bind_node_into(volume);
  expect_gone("web");
  expect_disk(other);
  expect_disk(disk_);
  EXPECT_TRUE(node_.ctl().is_ready("other"));
}

TEST_F(SharedNode, WhatTheNodeMountsBelowAPartOfItsDirectoryOutlivesThePod) {
  const std::string directory = place_.path() + "/mnt";
  const std::string later = directory + "/disks/d1";
  fs::create_directories(later);
  for (const std::string more :
       {"", ", mountPropagation: HostToContainer", ", mountPropagation: Bidirectional"}) {
    SCOPED_TRACE(more);
    want("web",
         pod("web", container("a", mount_of("data", ", subPath: disks" + more)), host_path(directory)));
    const std::string part = node_.root() + "/pods/" + node_.ctl().uid("web") + "/volume-subpaths/data/a/0";
    ASSERT_EQ(mounts_at(part).size(), 1U);
    mount_tmpfs(later, "");
    write_in_place(later + "/data", "precious");
    EXPECT_EQ(mounts_at(part + "/d1").size(), more.empty() ? 0U : 1U);
    expect_gone("web");
    expect_disk(later);
    unmount(later);
  }
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

TEST_F(SharedNode, WhatOneContainerLeftInAPartOfAnotherHoldsNothing) {
  for (const std::string& more : {std::string(), shares}) {
    SCOPED_TRACE(more);
    const std::string volume =
        want("web", pod("web",
                        container("agent", mount_of("data", shares)) +
                            container("app", mount_of("data", ", subPath: part" + more)),
                        empty_dir));
    fs::create_directory(volume + "/part/x");
    mount_tmpfs(volume + "/part/x", "");
    expect_gone("web");
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  }
}

}  // namespace
}  // namespace mooring::integration
