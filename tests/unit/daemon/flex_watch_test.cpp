#include "daemon/flex_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mooring {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class FlexWatchTest : public testing::Test {
 protected:
  FlexWatchTest() {
    std::string name = (fs::temp_directory_path() / "flex-XXXXXX").string();
    top_ = mkdtemp(name.data());
    directory_ = top_ + "/a/exec";
  }
  ~FlexWatchTest() override { fs::remove_all(top_); }

  void install(const std::string& driver_directory, const std::string& name, unsigned mode = 0755) {
    fs::create_directories(directory_ + "/" + driver_directory);
    const std::string path = directory_ + "/" + driver_directory + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n";
    chmod(path.c_str(), mode);
  }
  static std::vector<std::string> names(FlexTree& tree) {
    std::vector<std::string> drivers;
    const auto programs = tree.list();
    if (!programs) ADD_FAILURE() << programs.error().text();
    if (programs) {
      for (const FlexProgramFact& program : programs.value())
        drivers.push_back(program.driver.str());
    }
    return drivers;
  }
  /// True if inotify tells of something, which it does before the call that it is about returns.
  static bool is_told(FlexTree& tree) {
    pollfd waiting{tree.inotify(), POLLIN, 0};
    return poll(&waiting, 1, 0) == 1 && tree.take_changes();
  }

  std::string top_;
  std::string directory_;
};

TEST_F(FlexWatchTest, kb_16_lists_the_programs_that_are_drivers) {
  install("example.com~nfs", "nfs");
  install("lvm", "lvm");
  install("example.com~plain", "plain", 0644);
  install("example.com~other", "helper");
  install(".example.com~hidden", "hidden");
  fs::create_directories(directory_ + "/example.com~directory/directory");
  FlexTree tree(directory_);
  EXPECT_THAT(names(tree), ElementsAre("example.com/nfs", "lvm"));
  const FlexProgramFact program = tree.list().value().at(0);
  EXPECT_EQ(program.program, directory_ + "/example.com~nfs/nfs");
  EXPECT_EQ(program.size_bytes, 10U);
  EXPECT_NE(program.inode, 0U);
}

TEST_F(FlexWatchTest, kb_16_tells_of_each_change_that_may_matter) {
  install("example.com~nfs", "nfs");
  FlexTree tree(directory_);
  names(tree);
  EXPECT_FALSE(is_told(tree));
  const auto before = tree.list().value();
  // Replaced at one moment, as people are told to do it.
  std::ofstream(directory_ + "/example.com~nfs/.nfs") << "#!/bin/bash\n";
  chmod((directory_ + "/example.com~nfs/.nfs").c_str(), 0755);
  fs::rename(directory_ + "/example.com~nfs/.nfs", directory_ + "/example.com~nfs/nfs");
  EXPECT_TRUE(is_told(tree));
  EXPECT_NE(tree.list().value(), before);
  chmod((directory_ + "/example.com~nfs/nfs").c_str(), 0644);
  EXPECT_TRUE(is_told(tree));
  EXPECT_THAT(names(tree), IsEmpty());
  install("lvm", "lvm");
  EXPECT_TRUE(is_told(tree));
  EXPECT_THAT(names(tree), ElementsAre("lvm"));
  fs::remove(directory_ + "/lvm/lvm");
  EXPECT_TRUE(is_told(tree));
  EXPECT_THAT(names(tree), IsEmpty());
  fs::remove_all(directory_ + "/lvm");
  EXPECT_TRUE(is_told(tree));
}

TEST_F(FlexWatchTest, a_directory_that_is_missing_is_seen_when_it_comes) {
  FlexTree tree(directory_);
  EXPECT_THAT(names(tree), IsEmpty());
  fs::create_directories(top_ + "/a");
  EXPECT_TRUE(is_told(tree));
  EXPECT_THAT(names(tree), IsEmpty());
  install("lvm", "lvm");
  EXPECT_TRUE(is_told(tree));
  EXPECT_THAT(names(tree), ElementsAre("lvm"));
  fs::rename(directory_, top_ + "/away");
  EXPECT_TRUE(is_told(tree));
  EXPECT_THAT(names(tree), IsEmpty());
  install("nfs", "nfs");
  EXPECT_TRUE(is_told(tree));
  EXPECT_THAT(names(tree), ElementsAre("nfs"));
}

TEST_F(FlexWatchTest, a_link_to_a_directory_is_no_drivers_and_one_to_a_program_is) {
  install("lvm", "lvm");
  fs::create_symlink(directory_ + "/lvm", directory_ + "/linked");
  fs::create_directories(directory_ + "/nfs");
  fs::create_symlink("../lvm/lvm", directory_ + "/nfs/nfs");
  FlexTree tree(directory_);
  EXPECT_THAT(names(tree), ElementsAre("lvm", "nfs"));
}

TEST_F(FlexWatchTest, what_cannot_be_read_is_not_taken_for_gone) {
  fs::create_directories(top_ + "/a");
  std::ofstream(directory_) << "a file";
  FlexTree tree(directory_);
  const auto programs = tree.list();
  ASSERT_FALSE(programs);
  EXPECT_EQ(programs.error().reason, "FlexDirectoryUnreadable");
}

TEST_F(FlexWatchTest, tells_once_of_what_changed) {
  boost::asio::io_context loop;
  std::vector<std::vector<FlexProgramFact>> told;
  FlexWatch watch(loop, directory_, [&](std::vector<FlexProgramFact> programs) {
    told.push_back(std::move(programs));
    loop.stop();
  });
  watch.start();
  ASSERT_EQ(told.size(), 1U) << "that there are none, at once";
  EXPECT_THAT(told[0], IsEmpty());
  install("lvm", "lvm");
  loop.restart();
  loop.run_for(std::chrono::seconds(30));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[1].at(0).driver, DriverName("lvm"));
}

}  // namespace
}  // namespace mooring
