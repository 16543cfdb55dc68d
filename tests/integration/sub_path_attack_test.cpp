// Whoever owns the content of a volume must not get a part of the node mounted, or anything made there, by
// links and renames in it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr int rounds_max = 200;
/// On a slow machine, and with sanitizers, fewer rounds take as long.
constexpr int rounds_min = 40;
constexpr auto long_enough = std::chrono::seconds(60);
constexpr int parts = 4;  ///< That are bound in each round.
constexpr std::uint64_t swaps_max = 2'000'000'000;

std::string parts_text(const std::string& path) {
  std::string text = "    volumeMounts:\n";
  for (int i = 0; i < parts; ++i)
    text += "    - {name: data, mountPath: /" + std::to_string(i) + ", subPath: " + path + "}\n";
  return text;
}

/// Two names in a directory change places as fast as they can, until this object ends.
class Swapper {
 public:
  Swapper(int directory, const std::string& one, const std::string& other)
      : thread_([this, directory, one, other] {
          for (std::uint64_t i = 0; i < swaps_max && !is_over_; ++i) {
            if (renameat2(directory, one.c_str(), directory, other.c_str(), RENAME_EXCHANGE) == 0) ++swaps_;
          }
        }) {}
  ~Swapper() { end(); }
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;
  void end() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::uint64_t swaps() const { return swaps_; }

 private:
  std::atomic<bool> is_over_ = false;
  std::atomic<std::uint64_t> swaps_ = 0;
  std::thread thread_;
};

/// The pod "web" has parts of a directory of the node that others write to.
/// pod "web" has parts of the same directory.
class Attack : public ::testing::Test {
 protected:
  Attack() {
    fs::create_directories(volume_);
    fs::create_directories(secret_ + "/sub");
    write_in_place(secret_ + "/key", "of the node");
    write_in_place(secret_ + "/sub/key", "of the node");
    node_.start();
  }

  void want(const std::string& path) {
    node_.write("web.yaml",
                "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: main\n" +
                    parts_text(path) + "  volumes:\n  - name: data\n    " + host_path(volume_, "Directory") +
                    "\n");
  }
  std::string target(int index) const {
    return node_.root() + "/pods/" + uid_ + "/volume-subpaths/data/main/" + std::to_string(index);
  }
  /// The manifest is there; the parts are refused with this reason.
  void expect_refused(const std::string& path, const std::string& reason) {
    want(path);
    EXPECT_TRUE(node_.gets_reason("web", "data", reason)) << path;
    EXPECT_FALSE(node_.ctl().is_ready("web"));
    const std::string message = node_.ctl().message("web", "data");
    EXPECT_NE(message.find("container main"), std::string::npos) << message;
    EXPECT_EQ(message.find(secret_), std::string::npos) << message;
    EXPECT_EQ(node_.ctl()({"render", "pod/web", "-c", "main", "--runtime=oci"}).out, "");
    EXPECT_TRUE(mounts_below(node_.root()).empty());
    expect_untouched();
    node_.remove("web.yaml");
    EXPECT_TRUE(node_.becomes_gone("web"));
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  }
  void expect_untouched() const {
    EXPECT_EQ(names_in(secret_), (Strings{"key", "sub"}));
    EXPECT_EQ(names_in(secret_ + "/sub"), Strings{"key"});
    EXPECT_EQ(read_file(secret_ + "/key"), "of the node");
    EXPECT_EQ(mode_of(secret_), 0755U);
  }

  /// What became of a round in which parts were to be bound anew.
  struct Tally {
    int bound = 0;
    int refused = 0;
  };
  int attempts() const {
    const Json volume = node_.ctl().volume("web", "data");
    return volume.is_null() ? 0 : volume.value("attempts", 0);
  }
  /// True if the last try failed, and no other was asked for since.
  bool was_refused() const {
    const Json volume = node_.ctl().volume("web", "data");
    return volume.is_object() && volume.contains("nextRetry");
  }
  /// Nothing but what is below the volume is mounted on a target.
  void expect_inside(const std::string& at, const std::string& wanted_root) const {
    const auto mounts = mounts_at(at);
    ASSERT_LE(mounts.size(), 1U);
    if (mounts.empty()) return;
    EXPECT_FALSE(is_there(at + "/key")) << "the node's own directory is mounted";
    EXPECT_NE(inode_of(at), inode_of(secret_));
    EXPECT_NE(inode_of(at), inode_of(secret_ + "/sub"));
    EXPECT_NE(mounts.front().line.find(wanted_root), std::string::npos) << mounts.front().line;
  }
  bool all_are_mounted() const {
    for (int i = 0; i < parts; ++i) {
      if (mounts_at(target(i)).empty()) return false;
    }
    return true;
  }
  /// Takes the parts away, `prepare`s and waits until all are bound again or were refused.
  void one_round(Tally& tally, const std::function<void()>& prepare) {
    // A worker may be looking at one.
    for (int i = 0; i < parts; ++i)
      umount2(target(i).c_str(), MNT_DETACH);
    prepare();
    node_.ctl()({"retry", "pod/web"});
    bool is_bound = false;
    EXPECT_TRUE(node_.eventually([&] {
      is_bound = all_are_mounted() && node_.ctl().is_ready("web");
      return is_bound || was_refused();
    })) << node_.ctl()({"explain", "pod/web"}).out;
    ++(is_bound ? tally.bound : tally.refused);
    for (int i = 0; i < parts; ++i)
      expect_inside(target(i), "/host/volume/");
    expect_untouched();
  }
  void race(const std::string& one, const std::string& other, const std::function<void()>& prepare) {
    const int directory = open(volume_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    Tally tally;
    {
      const Swapper swapper(directory, one, other);
      const auto until = Clock::now() + long_enough;
      const auto goes_on = [&](int round) {
        return round < rounds_min || (round < rounds_max && Clock::now() < until);
      };
      for (int round = 0; goes_on(round) && !HasFailure(); ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        one_round(tally, prepare);
      }
      EXPECT_GT(swapper.swaps(), 0U);
    }
    close(directory);
    EXPECT_GE(tally.bound + tally.refused, rounds_min);
    RecordProperty("bound", tally.bound);
    std::printf("%d rounds bound, %d refused\n", tally.bound, tally.refused);
  }
  void expect_nothing_left() {
    node_.remove("web.yaml");
    EXPECT_TRUE(node_.becomes_gone("web"));
    EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
    expect_untouched();
  }

  Node node_;
  const std::string volume_ = node_.dir() + "/host/volume";
  const std::string secret_ = node_.dir() + "/host/secret";
  std::string uid_;
};

TEST_F(Attack, CVE_2017_1002101_LinksOutOfTheVolumeAreRefused) {
  fs::create_symlink("/", volume_ + "/root");
  fs::create_symlink("../secret", volume_ + "/relative");
  fs::create_symlink(secret_, volume_ + "/absolute");
  fs::create_symlink("relative/sub", volume_ + "/twice");
  fs::create_symlink("/proc/self/root", volume_ + "/magic");
  for (const char* path : {"root", "root/etc", "relative", "relative/key", "absolute", "absolute/sub/new",
                           "twice", "twice/new", "magic"})
    expect_refused(path, "SubPathEscapes");
}

TEST_F(Attack, CVE_2017_1002101_AContainersLinkDoesNotReachTheNextPod) {
  want("cache");
  ASSERT_TRUE(node_.becomes_ready("web"));
  uid_ = node_.ctl().uid("web");
  // The container sees its part only, and makes in it what the next one is to fall for.
  fs::create_symlink("/", target(0) + "/escape");
  fs::create_symlink("../../secret", target(0) + "/up");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  expect_refused("cache/escape/etc", "SubPathEscapes");
  expect_refused("cache/up", "SubPathEscapes");
  expect_refused("cache/up/new", "SubPathEscapes");
}

TEST_F(Attack, CVE_2017_1002101_InAVolumeOfItsOwn) {
  const std::string volumes = "  volumes:\n  - {name: data, emptyDir: {}}\n";
  const std::string head = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n";
  const std::string first = "  - name: first\n    volumeMounts:\n    - {name: data, mountPath: /data}\n";
  node_.write("web.yaml", head + first + volumes);
  ASSERT_TRUE(node_.becomes_ready("web"));
  const std::string uid = node_.ctl().uid("web");
  fs::create_symlink(secret_, node_.volume_path(uid, "empty-dir", "data") + "/link");
  // The pod is the same one, by a changed manifest.
  node_.kill();
  node_.write("web.yaml", head + first +
                              "  - name: second\n    volumeMounts:\n"
                              "    - {name: data, mountPath: /data, subPath: link}\n" +
                              volumes);
  node_.start();
  EXPECT_TRUE(node_.gets_reason("web", "data", "SubPathEscapes"));
  EXPECT_TRUE(mounts_below(node_.root()).empty());
  expect_untouched();
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  expect_untouched();
}

TEST_F(Attack, LinksThatStayInsideAreFollowed) {
  fs::create_directories(volume_ + "/real/deep");
  fs::create_symlink("real", volume_ + "/link");
  want("link/deep");
  ASSERT_TRUE(node_.becomes_ready("web"));
  uid_ = node_.ctl().uid("web");
  EXPECT_EQ(inode_of(target(0)), inode_of(volume_ + "/real/deep"));
  expect_nothing_left();
}

TEST_F(Attack, DanglingLinksAreRefusedAndNothingIsMadeWhereTheyLead) {
  fs::create_symlink("nothing", volume_ + "/inside");
  fs::create_symlink("../secret/nothing", volume_ + "/outside");
  fs::create_symlink("loop", volume_ + "/loop");
  for (const char* path : {"inside", "inside/new", "loop", "loop/new", "outside", "outside/new"}) {
    SCOPED_TRACE(path);
    want(path);
    EXPECT_TRUE(
        node_.eventually([&] { return node_.ctl().phase("web", "data") == "Publishing" && attempts() > 0; }));
    EXPECT_FALSE(node_.ctl().is_ready("web"));
    EXPECT_TRUE(mounts_below(node_.root()).empty());
    EXPECT_FALSE(is_there(volume_ + "/nothing"));
    expect_nothing_left();
  }
}

// The directory that is bound and a link out of the volume change places all the time.
TEST_F(Attack, CVE_2021_25741_ALinkThatTakesTheDirectorysPlace) {
  fs::create_directories(volume_ + "/swapped");
  write_in_place(volume_ + "/swapped/mine", "x");
  want("swapped");
  ASSERT_TRUE(node_.becomes_ready("web"));
  uid_ = node_.ctl().uid("web");
  fs::create_symlink("../secret", volume_ + "/link");
  race("swapped", "link", [] {});
  expect_nothing_left();
}

// The same one level up, and by an absolute link.
TEST_F(Attack, CVE_2021_25741_ALinkThatTakesTheParentsPlace) {
  fs::create_directories(volume_ + "/swapped/sub");
  want("swapped/sub");
  ASSERT_TRUE(node_.becomes_ready("web"));
  uid_ = node_.ctl().uid("web");
  fs::create_symlink(secret_, volume_ + "/link");
  race("swapped", "link", [] {});
  expect_nothing_left();
}

// What is missing must be made each time, while the directory that it is made in is swapped.
TEST_F(Attack, CVE_2017_1002101_ALinkThatTakesThePlaceOfWhatIsBeingMade) {
  fs::create_directories(volume_ + "/swapped");
  const int swapped = open((volume_ + "/swapped").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  want("swapped/a/b");
  ASSERT_TRUE(node_.becomes_ready("web"));
  uid_ = node_.ctl().uid("web");
  fs::create_symlink("../secret", volume_ + "/link");
  race("swapped", "link", [&] {
    // By what is open, so that the race is not lost here.
    unlinkat(swapped, "a/b", AT_REMOVEDIR);
    unlinkat(swapped, "a", AT_REMOVEDIR);
  });
  close(swapped);
  expect_nothing_left();
}

}  // namespace
}  // namespace mooring::integration
