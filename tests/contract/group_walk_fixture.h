#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "kernel/linux/descriptor.h"
#include "kernel/linux/group_walk.h"
#include "node.h"

namespace mooring::kernel::contract {

inline constexpr std::uint32_t group = 4242;
inline constexpr std::uint32_t other_group = 4343;
inline constexpr std::uint32_t owner = 1234;

struct Look {
  std::uint32_t mode = 0;
  std::uint32_t owner = 0;
  std::uint32_t group = 0;
  std::int64_t changed_ns = 0;
  friend bool operator==(const Look&, const Look&) = default;
};

inline Look look_of(const struct stat& status) {
  return {status.st_mode & 07777U, status.st_uid, status.st_gid,
          status.st_ctim.tv_sec * 1'000'000'000LL + status.st_ctim.tv_nsec};
}

/// A volume on the real kernel, and what is in it.
class GroupWalkFixture : public ::testing::Test {
 protected:
  GroupWalkFixture() : node_(make_linux_node(true)) {
    node().put_directory(volume());
    node().set_mode(volume(), 0755);
  }

  Node& node() { return *node_; }
  std::string volume(const std::string& below = "") const {
    return node_->root(below.empty() ? "volume" : "volume/" + below);
  }
  Result<GroupReport> walk(const GroupChange& change, const GroupWalkTuning& tuning = {},
                           const GroupProgress& progress = {}) {
    const Descriptor root(open(volume().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    return change_group(root.get(), volume(), change, progress, tuning);
  }
  GroupReport walked(const GroupChange& change, const GroupWalkTuning& tuning = {}) {
    const Result<GroupReport> report = walk(change, tuning);
    EXPECT_TRUE(succeeds(report));
    return report ? report.value() : GroupReport{};
  }

  void put_file(const std::string& below, std::uint32_t mode) {
    node().put_file(volume(below), below);
    own(volume(below), mode);
  }
  void put_directory(const std::string& below, std::uint32_t mode) {
    node().put_directory(volume(below));
    own(volume(below), mode);
  }
  void put_files(const std::string& below, int count) {
    node().put_directory(volume(below));
    const Descriptor directory(open(volume(below).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int n = 0; n < count; ++n)
      Descriptor(openat(directory.get(), std::to_string(n).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  }
  static void own(const std::string& path, std::uint32_t mode) {
    ASSERT_EQ(chown(path.c_str(), owner, 0), 0);
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
  }

  static Look look_at(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
    return look_of(status);
  }
  void expect(const std::string& below, std::uint32_t mode, std::uint32_t expected_group = group) {
    const Look look = look_at(volume(below));
    EXPECT_EQ(look.mode, mode) << std::oct << below << ": " << look.mode << " and not " << mode;
    EXPECT_EQ(look.group, expected_group) << below;
  }

 private:
  std::unique_ptr<Node> node_;
};

inline GroupChange to(std::uint32_t wanted) {
  GroupChange change;
  change.group = wanted;
  return change;
}

inline GroupChange read_only_to(std::uint32_t wanted) {
  GroupChange change = to(wanted);
  change.read_only = true;
  return change;
}

inline GroupChange on_mismatch(GroupChange change) {
  change.only_on_root_mismatch = true;
  return change;
}

}  // namespace mooring::kernel::contract
