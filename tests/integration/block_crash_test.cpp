// mooringd, its workers, or both are killed between any two things that they do to a volume of a pod, one
// after the other: in one life each, until a whole life passes. Whatever the moment was, the end is the same.

#include <filesystem>

#include "block_node.h"
#include "moments.h"

namespace mooring::integration {
namespace {

/// A life with fewer is one in which nothing was seen.
constexpr int calls_min = 20;
constexpr const char* content = "written before the end";

class BlockCrash : public BlockNode, public ::testing::WithParamInterface<Victim> {
 protected:
  void write_manifests(bool is_raw) {
    Storage storage;
    if (is_raw) storage.mode = "Block";
    write_storage(name_, block_source(name_, sized("64Mi", name_)), storage);
    if (is_raw) {
      node_.write(name_ + ".yaml", raw_pod_text(name_, name_));
    } else {
      write_pod(name_, name_);
    }
  }
  void expect_set_up(Moments& moments, bool is_raw) {
    ASSERT_TRUE(moments.comes_to([&] {
      const Json pod = node_.ctl().pod(name_);
      if (!pod.is_object() || !pod.value("ready", false)) return false;
      path_ = pod.at("volumes").at(0).value("path", "");
      return true;
    })) << node_.ctl()({"explain", "pod/" + name_}).out
        << what_is_there();
    ASSERT_EQ(disks_.loops_of(image(name_)).size(), 1U) << what_is_there();
    EXPECT_EQ(disks_.loops().size(), is_raw ? 2U : 1U) << what_is_there();
    EXPECT_EQ(mounts_at(staged(name_)).size(), is_raw ? 0U : 1U) << what_is_there();
    if (is_raw) {
      EXPECT_TRUE(std::filesystem::is_block_file(path_));
    } else {
      EXPECT_EQ(mounts_at(path_).size(), 1U) << what_is_there();
      EXPECT_NE(stamp(name_).find("\"complete\":true"), std::string::npos) << stamp(name_);
    }
  }
  void expect_torn_down(Moments& moments) {
    node_.remove(name_ + ".yaml");
    EXPECT_TRUE(moments.comes_to([&] { return is_all_gone(); })) << what_is_there();
    moments.restart_if_killed();
    expect_all_gone();
  }
  /// One pod with one volume comes, writes, and goes. True if the moment with this number came.
  bool live(int at, bool is_raw) {
    SCOPED_TRACE("moment " + std::to_string(at));
    name_ = "data-" + std::to_string(at);
    node_.kill();
    Moments moments(node_, at, GetParam());
    moments.begin();
    write_manifests(is_raw);
    expect_set_up(moments, is_raw);
    if (HasFatalFailure()) return false;
    SCOPED_TRACE("the moment so far: " + moments.call());
    const std::string seed = hash_seed_of(image(name_));
    if (is_raw) {
      Disks::put(path_, 4096, content);
    } else {
      write_in_place(path_ + "/file", content);
    }
    expect_torn_down(moments);
    SCOPED_TRACE("the moment: " + moments.call());
    if (is_raw) {
      EXPECT_EQ(read_file(image(name_)).substr(4096, std::string(content).size()), content);
      EXPECT_EQ(stamp(name_), "(none)");
    } else {
      // Whatever was formatted twice was so before a pod had it.
      EXPECT_NE(seed, "");
      EXPECT_EQ(hash_seed_of(image(name_)), seed);
      EXPECT_EQ(run({"debugfs", "-R", "cat /file", image(name_)}).out, content);
      EXPECT_EQ(run({"e2fsck", "-fn", image(name_)}).status, 0);
      EXPECT_NE(stamp(name_).find(tag_of(image(name_), "UUID")), std::string::npos) << stamp(name_);
    }
    node_.remove(name_ + "-storage.yaml");
    unlink(image(name_).c_str());
    return moments.has_come();
  }
  void live_until_nobody_is_killed(bool is_raw) {
    int at = 1;
    while (live(at, is_raw) && !HasFailure())
      ++at;
    RecordProperty("moments", at - 1);
    if (HasFailure()) return;
    EXPECT_GE(at, calls_min);
  }

  std::string name_;
  std::string path_;  ///< Of the pod's volume.
};

TEST_P(BlockCrash, AFileSystemIsSetUpOnceAndTornDownWhenever) {
  live_until_nobody_is_killed(false);
}

TEST_P(BlockCrash, ARawDeviceIsSetUpOnceAndTornDownWhenever) {
  live_until_nobody_is_killed(true);
}

INSTANTIATE_TEST_SUITE_P(Moments, BlockCrash, ::testing::Values(Victim::All, Victim::Daemon, Victim::Caller),
                         victim_name);

}  // namespace
}  // namespace mooring::integration
