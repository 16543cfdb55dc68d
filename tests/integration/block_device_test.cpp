// Devices by each of their names, also such as come later; local PersistentVolumes; and devices that pods
// have raw.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "block_node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// A label that no other device of the machine has.
std::string own_label() {
  return "mooring" + std::to_string(getpid());
}

class Device : public BlockNode {
 protected:
  /// The test's own loop device on a new image.
  std::string attach_blank() { return disks_.attach(disks_.make("data", 64 * mebibyte)); }
  std::string attach_ext4() {
    return disks_.attach(disks_.make_formatted("data", "ext4", 64 * mebibyte, {"-L", own_label()}));
  }
  void expect_usable(const std::string& attributes) {
    write_block(attributes);
    make_ready("web");
    write_in_place(path_in("web", "file"), "x");
    EXPECT_EQ(read_file(staged() + "/file"), "x");
    expect_gone("web");
    EXPECT_TRUE(node_.eventually([&] { return mounts_at(staged()).empty(); })) << what_is_there();
    EXPECT_TRUE(node_.eventually([&] { return names_in(node_.run_dir() + "/devices").empty(); }));
  }
  static std::string here() {
    return "  nodeAffinity: {required: {nodeSelectorTerms: [{matchExpressions: "
           "[{key: kubernetes.io/hostname, operator: In, values: [node]}]}]}}\n";
  }
  static Storage local(const std::string& mode = "Filesystem", const std::string& node = here()) {
    Storage storage;
    storage.mode = mode;
    storage.more = node;
    return storage;
  }
  /// The link that a runtime is told of.
  std::string link_of(const std::string& pod) const { return node_.ctl().path(pod, "v"); }
  void make_raw_ready(const std::string& pod) {
    node_.write(pod + ".yaml", raw_pod_text(pod, "data"));
    ASSERT_TRUE(node_.becomes_ready(pod)) << node_.ctl()({"explain", "pod/" + pod}).out;
  }
  static std::string read_device(const std::string& path, std::size_t size) {
    const int device = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    std::string bytes(size, '\0');
    if (read(device, bytes.data(), size) != static_cast<ssize_t>(size)) bytes = "(none)";
    close(device);
    return bytes;
  }
};

TEST_F(Device, ByItsNodeIsFormattedIfItsVolumeSaysSoAndStaysAttached) {
  const std::string node = attach_blank();
  expect_usable("device: " + node + ", format: IfBlank");
  EXPECT_EQ(disks_.loops_of(image()), std::vector<std::string>{node});  // Not Mooring's to detach.
}

TEST_F(Device, ByItsUuidIsFound) {
  const std::string node = attach_ext4();
  expect_usable("uuid: " + tag_of(node, "UUID"));
}

TEST_F(Device, ByItsLabelIsFound) {
  attach_ext4();
  expect_usable("label: " + own_label());
}

TEST_F(Device, WhoseUuidTwoHaveIsRefusedUntilOneIsGone) {
  const std::string node = attach_ext4();
  fs::copy_file(image(), image("copy"));
  const std::string copy = disks_.attach(image("copy"));
  write_block("uuid: " + tag_of(node, "UUID"));
  write_pod("web");
  EXPECT_TRUE(node_.gets_reason("web", "v", "DeviceAmbiguous"));
  EXPECT_NE(node_.ctl().message("web", "v").find(copy), std::string::npos);
  disks_.detach(copy);
  EXPECT_TRUE(node_.becomes_ready("web"));
}

TEST_F(Device, ThatAppearsLaterIsAttachedWhenTheKernelTellsOfIt) {
  disks_.make_formatted("data", "ext4", 64 * mebibyte, {"-L", own_label()});
  write_block("label: " + own_label());
  write_pod("web");
  // By now the pause before the next try is longer than what is allowed below.
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().volume("web", "v").value("attempts", 0) >= 4; }));
  EXPECT_EQ(node_.ctl().reason("web", "v"), "DeviceMissing");
  disks_.attach(image());
  EXPECT_TRUE(node_.becomes_ready("web", Millis(2'000)));
}

TEST_F(Device, OfAMissingNameIsNamed) {
  write_block("device: /dev/disk/by-id/mooring-none");
  write_pod("web");
  EXPECT_TRUE(node_.gets_reason("web", "v", "DeviceMissing"));
  EXPECT_NE(node_.ctl().message("web", "v").find("/dev/disk/by-id/mooring-none"), std::string::npos);
}

// ---- Local PersistentVolumes.

TEST_F(Device, OfALocalVolumeIsFormattedOnceAndKept) {
  const std::string node = attach_blank();
  write_storage("data", "local: {path: " + node + ", fsType: ext4}", local());
  make_ready("writer");
  write_in_place(path_in("writer", "file"), "kept");
  const std::string seed = hash_seed_of(node);
  expect_gone("writer");
  make_ready("reader");
  EXPECT_EQ(read_file(path_in("reader", "file")), "kept");
  expect_gone("reader");
  EXPECT_TRUE(node_.eventually([&] { return mounts_below(node_.root() + "/plugins").empty(); }));
  EXPECT_EQ(hash_seed_of(node), seed);
}

TEST_F(Device, OfALocalVolumeMayBeRaw) {
  const std::string node = attach_blank();
  Disks::put(node, 0, "raw bytes");
  write_storage("data", "local: {path: " + node + "}", local("Block"));
  make_raw_ready("web");
  EXPECT_EQ(read_device(link_of("web"), 9), "raw bytes");
  expect_gone("web");
  EXPECT_TRUE(node_.eventually([&] { return disks_.loops().size() == 1; })) << what_is_there();
  EXPECT_TRUE(mounts_below(node_.root()).empty());
}

TEST_F(Device, ALocalDirectoryIsBoundAndKept) {
  fs::create_directory(image("directory"));
  write_storage("data", "local: {path: " + image("directory") + "}", local());
  make_ready("web");
  write_in_place(path_in("web", "file"), "kept");
  EXPECT_EQ(mounts_at(node_.ctl().path("web", "v")).size(), 1U);
  EXPECT_EQ(read_file(image("directory/file")), "kept");
  expect_gone("web");
  expect_all_gone();
  EXPECT_EQ(read_file(image("directory/file")), "kept");
}

TEST_F(Device, ALocalDirectoryThatIsMissingIsWaitedFor) {
  write_storage("data", "local: {path: " + image("directory") + "}", local());
  write_pod("web");
  EXPECT_TRUE(node_.eventually([&] {
    return node_.ctl().message("web", "v").find(image("directory")) != std::string::npos;
  })) << node_.ctl().message("web", "v");
  EXPECT_FALSE(is_there(image("directory")));  // It is the administrator's to make.
  fs::create_directory(image("directory"));
  EXPECT_TRUE(node_.becomes_ready("web"));
}

TEST_F(Device, ALocalVolumeOfAnotherNodeIsRefused) {
  fs::create_directory(image("directory"));
  std::string elsewhere = here();
  elsewhere.replace(elsewhere.find("[node]"), 6, "[other]");
  write_storage("data", "local: {path: " + image("directory") + "}", local("Filesystem", elsewhere));
  write_pod("web");
  EXPECT_TRUE(node_.gets_reason("web", "v", "NodeAffinityMismatch"));
}

// ---- Raw devices.

TEST_F(Device, ARawImageIsALinkToADeviceThatThePodHasUntilItGoes) {
  Storage storage;
  storage.mode = "Block";
  write_block(sized(), "ext4", storage);
  make_raw_ready("web");
  const std::string link = link_of("web");
  EXPECT_EQ(link,
            node_.root() + "/pods/" + node_.ctl().uid("web") + "/volumeDevices/kubernetes.io~block/data");
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_TRUE(fs::is_block_file(link));
  const std::vector<std::string> loops = disks_.loops_of(image());
  ASSERT_EQ(loops.size(), 1U);
  EXPECT_EQ(disks_.loops_of(loops[0]).size(), 1U) << "nothing keeps the device";
  struct stat by_link {};
  struct stat by_node {};
  ASSERT_EQ(stat(link.c_str(), &by_link) + stat(loops[0].c_str(), &by_node), 0);
  EXPECT_EQ(by_link.st_rdev, by_node.st_rdev);
  Disks::put(link, 4096, "raw bytes");
  EXPECT_EQ(tag_of(image(), "TYPE"), "");  // A raw device is never formatted.
  EXPECT_EQ(stamp(), "(none)");
  expect_gone("web");
  expect_all_gone();
  EXPECT_EQ(read_file(image()).substr(4096, 9), "raw bytes");
}

TEST_F(Device, ARawDeviceOfTwoPodsGoesWithTheLast) {
  Storage storage;
  storage.mode = "Block";
  storage.access = "ReadWriteMany";
  write_block(sized(), "ext4", storage);
  make_raw_ready("one");
  make_raw_ready("two");
  EXPECT_EQ(disks_.loops().size(), 2U) << what_is_there();  // The image's, and the one that keeps it.
  expect_gone("one");
  EXPECT_EQ(disks_.loops().size(), 2U) << what_is_there();
  EXPECT_TRUE(fs::is_block_file(link_of("two")));
  expect_gone("two");
  expect_all_gone();
}

TEST_F(Device, ARawImageGrowsWithItsCapacity) {
  Storage storage;
  storage.mode = "Block";
  write_block(sized(), "ext4", storage);
  make_raw_ready("web");
  storage.capacity = "128Mi";
  write_block(sized(), "ext4", storage);
  EXPECT_TRUE(node_.eventually([&] { return fs::file_size(image()) == 128 * mebibyte; }))
      << node_.ctl()({"events"}).out;
  const std::string size =
      "/sys/block/" + fs::path(disks_.loops_of(image()).at(0)).filename().string() + "/size";
  EXPECT_TRUE(node_.eventually([&] { return read_file(size) == "262144\n"; })) << read_file(size);
  expect_gone("web");
  expect_all_gone();
  storage.capacity = "192Mi";  // While no pod has it.
  write_block(sized(), "ext4", storage);
  make_raw_ready("next");
  EXPECT_TRUE(node_.eventually([&] { return fs::file_size(image()) == 192 * mebibyte; }));
}

TEST_F(Device, ARawVolumeInVolumeMountsIsRefused) {
  Storage storage;
  storage.mode = "Block";
  write_block(sized(), "ext4", storage);
  write_pod("web");
  EXPECT_TRUE(node_.gets_reason("web", "v", "VolumeModeMismatch"));
  EXPECT_TRUE(disks_.loops().empty());
}

}  // namespace
}  // namespace mooring::integration
