// Making the missing directories of a subPath, with a writer in the volume who puts others in their place.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include "kernel/linux/descriptor.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::ElementsAre;

class SubPathCreateContract : public Contract {
 protected:
  SubPathCreateContract() { node().put_directory(node().root("v")); }
  Result<std::unique_ptr<OpenFile>> open(const std::string& path) {
    return files().open_sub_path({"v", std::nullopt, path, true});
  }
  std::uint32_t mode(const std::string& path) { return files().status(path).value()->mode; }
  void mode_is_right(std::uint32_t volume, std::uint32_t parent) {
    node().set_mode(node().root("v"), volume);
    node().put_directory(node().root("v/parent"));
    node().set_mode(node().root("v/parent"), parent);
    const auto made = open("parent/made");
    ASSERT_TRUE(succeeds(made));
    EXPECT_EQ(made.value()->status().mode, volume);
    EXPECT_EQ(mode("v/parent/made"), volume);
    EXPECT_EQ(mode("v/parent"), parent);
    EXPECT_THAT(files().list("v/parent").value(), ElementsAre(DirectoryEntry{"made", FileType::Directory}));
    node().remove(node().root("v/parent/made"));
    node().remove(node().root("v/parent"));
  }
};

TEST_P(SubPathCreateContract, kb_11_2_the_mode_is_that_of_the_volume_whatever_the_parent_hands_on) {
  for (const std::uint32_t volume : {0700U, 0755U, 0777U, 01777U, 02770U, 03777U, 04755U, 06711U}) {
    for (const std::uint32_t parent : {0700U, 0777U, 02777U, 03777U})
      mode_is_right(volume, parent);
  }
}

TEST_P(SubPathCreateContract, ADirectoryThatASetGroupIdParentHandsItsGroupToHasThatGroup) {
  node().set_mode(node().root("v"), 0755);
  node().put_directory(node().root("v/parent"));
  ASSERT_TRUE(succeeds(files().set_owner("v/parent", 4242, 02775)));
  ASSERT_TRUE(succeeds(open("parent/made")));
  EXPECT_EQ(files().status("v/parent/made").value()->group, 4242U);
  EXPECT_EQ(mode("v/parent/made"), 0755U);
}

INSTANTIATE_TEST_SUITE_P(Ports, SubPathCreateContract, ::testing::Values(NodeKind::Fake, NodeKind::Linux),
                         name_of);

/// Puts `secret` in the place of what is new in a directory, as soon as it is there, and away again.
class Swapper {
 public:
  explicit Swapper(std::string directory) : directory_(std::move(directory)), thread_([this] { swap(); }) {}
  ~Swapper() {
    is_over_ = true;
    thread_.join();
  }

 private:
  void swap() {
    const Descriptor at(open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    while (!is_over_) {
      if (renameat2(at.get(), "secret", at.get(), "new", RENAME_EXCHANGE) != 0) continue;
      std::this_thread::yield();
      renameat2(at.get(), "secret", at.get(), "new", RENAME_EXCHANGE);
    }
  }
  std::string directory_;
  std::atomic<bool> is_over_{false};
  std::thread thread_;
};

class LinuxOnlySubPathCreate : public ::testing::Test {
 protected:
  LinuxOnlySubPathCreate() : node_(make_linux_node(true)) {
    for (const char* path : {"v", "v/parent", "v/parent/secret"})
      node_->put_directory(node_->root(path));
  }
  void secret_stays_secret(std::uint32_t volume, std::uint32_t parent) {
    node_->set_mode(node_->root("v"), volume);
    node_->set_mode(node_->root("v/parent"), parent);
    node_->set_mode(node_->root("v/parent/secret"), 0700);
    struct stat secret {};
    const Descriptor held(open(node_->root("v/parent/secret").c_str(), O_PATH | O_CLOEXEC));
    for (int round = 0; round < 3000; ++round) {
      {
        const Swapper swapper(node_->root("v/parent"));
        const auto made = node_->ports().files.open_sub_path({"v", std::nullopt, "parent/new", true});
        ASSERT_TRUE(succeeds(made));
      }
      ASSERT_EQ(fstat(held.get(), &secret), 0);
      ASSERT_EQ(secret.st_mode & 07777U, 0700U) << "in round " << round;
      ASSERT_EQ(rmdir(node_->root("v/parent/new").c_str()), 0);
    }
  }

 private:
  std::unique_ptr<Node> node_;
};

TEST_F(LinuxOnlySubPathCreate, ADirectoryThatTakesThePlaceOfTheNewOneKeepsItsMode) {
  secret_stays_secret(0777, 0777);
}

TEST_F(LinuxOnlySubPathCreate, AlsoWhereTheNewOneMustBeGivenItsMode) {
  secret_stays_secret(02777, 0777);
}

}  // namespace
}  // namespace mooring::kernel::contract
