// What Mooring must not take for its own, and must notice when it is taken away.

#include <gtest/gtest.h>
#include <sys/mount.h>

#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

const std::string uid = "0b5c7a52-0000-4000-8000-000000000002";

std::string pod_with_uid() {
  std::string text = pod_text("web", {{"data", empty_dir}});
  text.replace(text.find("{name: web}"), 11, "{name: web, uid: " + uid + "}");
  return text;
}

TEST(Guards, ADirectoryThatMooringDidNotMakeIsNotClaimedAndItsDataStays) {
  Node node;
  const std::string precious = node.volume_path(uid, "empty-dir", "data") + "/precious";
  fs::create_directories(fs::path(precious).parent_path());
  write_in_place(precious, "precious");
  for (const bool is_there_first : {true, false}) {
    if (is_there_first) node.write("web.yaml", pod_with_uid());
    node.start();
    if (!is_there_first) {
      EXPECT_TRUE(node.becomes_gone("web"));  // So the node was looked at.
      node.write("web.yaml", pod_with_uid());
    }
    EXPECT_TRUE(node.gets_reason("web", "data", "ForeignDirectory"));
    node.remove("web.yaml");
    EXPECT_TRUE(node.becomes_gone("web"));
    EXPECT_EQ(read_file(precious), "precious");
    EXPECT_EQ(node.stop(), 0);
  }
}

class RootReplaced : public ::testing::TestWithParam<std::string> {
 protected:
  void replace() {
    if (GetParam() == "moved") {
      fs::rename(node_.root(), node_.dir() + "/aside");
      fs::create_directory(node_.root());
    } else {
      mount_tmpfs(node_.root(), "size=64k");
    }
  }
  void put_back() {
    if (GetParam() == "moved") {
      fs::remove_all(node_.root());
      fs::rename(node_.dir() + "/aside", node_.root());
    } else {
      // A worker that is being started may look at it just now.
      EXPECT_TRUE(node_.eventually([&] { return umount2(node_.root().c_str(), 0) == 0; }));
    }
  }
  Node node_;
};

TEST_P(RootReplaced, NothingIsReadyThatPodsWouldNotFind) {
  node_.start();
  node_.write("old.yaml", pod_text("old", {{"data", empty_dir}}));
  ASSERT_TRUE(node_.becomes_ready("old"));
  replace();
  node_.write("new.yaml", pod_text("new", {{"data", empty_dir}}));
  EXPECT_TRUE(node_.gets_reason("new", "data", "RootReplaced"));
  node_.remove("old.yaml");
  EXPECT_TRUE(node_.gets_reason("old", "data", "RootReplaced"));
  put_back();
  EXPECT_TRUE(node_.becomes_ready("new"));
  EXPECT_TRUE(is_there(node_.ctl().path("new", "data")));
  EXPECT_TRUE(node_.becomes_gone("old"));
}

INSTANTIATE_TEST_SUITE_P(How, RootReplaced, ::testing::Values("moved", "covered"),
                         [](const auto& how) { return how.param; });

TEST(Guards, AVolumeWhoseDirectoryVanishedIsMadeAgainWhenAskedToLook) {
  Node node;
  node.start();
  node.write("web.yaml", pod_text("web", {{"data", empty_dir}}));
  ASSERT_TRUE(node.becomes_ready("web"));
  const std::string path = node.ctl().path("web", "data");
  fs::remove_all(path);
  EXPECT_EQ(node.ctl()({"retry"}).status, 0);
  EXPECT_TRUE(node.eventually([&] { return is_there(path) && node.ctl().is_ready("web"); }));
}

}  // namespace
}  // namespace mooring::integration
