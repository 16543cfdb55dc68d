// hostPath: what each type takes and refuses, what it makes, what it waits for, and that nothing of the node
// is ever removed.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <set>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;
using Volumes = std::vector<std::pair<std::string, std::string>>;

/// The next try is at least 3.2 seconds away after so many failures, so that only an event can be quicker.
constexpr int many_attempts = 4;
constexpr Millis at_once{2'500};
/// The null device: nothing of it can be harmed.
constexpr const char* null_device = "/dev/null";

void make_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(&address.sun_path[0], path.size());
  const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const void* generic = &address;
  EXPECT_EQ(bind(file, static_cast<const sockaddr*>(generic), sizeof address), 0) << path;
  close(file);
}

class HostPath : public ::testing::Test {
 protected:
  HostPath() {
    fs::create_directory(host_);
    fs::create_directory(host_ + "/directory");
    write_in_place(host_ + "/directory/content", "of the host");
    write_in_place(host_ + "/file", "of the host");
    make_socket(host_ + "/socket");
    EXPECT_EQ(mkfifo((host_ + "/fifo").c_str(), 0600), 0);
    fs::create_symlink("directory", host_ + "/link-to-directory");
    fs::create_symlink(host_ + "/file", host_ + "/link-to-file");
    fs::create_symlink("nowhere", host_ + "/dangling");
    fs::create_symlink("loop", host_ + "/loop");
    node_.start();
  }

  std::string at(const std::string& name) const { return host_ + "/" + name; }
  void make(const std::string& pod, const Volumes& volumes) {
    node_.write(pod + ".yaml", pod_text(pod, volumes));
  }
  /// Waits until each volume is ready or refused, and gives the names of those that are ready.
  std::set<std::string> ready_of(const std::string& pod, std::size_t count) {
    std::set<std::string> ready;
    const auto is_decided = [&] {
      const Json found = node_.ctl().pod(pod);
      if (found.is_null() || found.at("volumes").size() != count) return false;
      ready.clear();
      for (const Json& volume : found.at("volumes")) {
        if (volume.at("phase") == "Ready") ready.insert(volume.at("name").get<std::string>());
        if (volume.at("phase") != "Ready" && volume.value("attempts", 0) == 0) return false;
      }
      return true;
    };
    EXPECT_TRUE(node_.eventually(is_decided)) << node_.ctl().pod(pod).dump(2);
    return ready;
  }
  /// Waits until a volume was refused so often that the next try is far away.
  void wait_for_a_long_pause(const std::string& pod, const std::string& volume) {
    EXPECT_TRUE(node_.eventually([&] {
      const Json found = node_.ctl().volume(pod, volume);
      return !found.is_null() && found.value("attempts", 0) >= many_attempts;
    })) << node_.ctl().pod(pod).dump(2);
    EXPECT_EQ(node_.ctl().reason(pod, volume), "HostPathCheckFailed");
  }
  bool is_ready_at_once(const std::string& pod) { return node_.becomes_ready(pod, at_once); }

  Node node_;
  const std::string host_ = node_.dir() + "/host";
};

TEST_F(HostPath, EachTypeTakesItsKindAndRefusesAllOthers) {
  const Strings kinds{"directory",           "file",         "socket",   "fifo",
                      "link-to-directory",   "link-to-file", "dangling", "missing",
                      "missing-parent/below"};
  const std::map<std::string, std::set<std::string>> taken{
      {"Directory", {"directory", "link-to-directory"}},
      {"File", {"file", "link-to-file"}},
      {"Socket", {"socket"}},
      {"CharDevice", {"device"}},
      {"BlockDevice", {}},
  };
  for (const auto& [type, expected] : taken) {
    std::string pod = type;
    std::transform(pod.begin(), pod.end(), pod.begin(), [](unsigned char c) { return std::tolower(c); });
    Volumes volumes{{"device", host_path(null_device, type)}};
    for (const std::string& kind : kinds) {
      std::string name = kind;
      std::replace(name.begin(), name.end(), '/', '-');
      volumes.emplace_back(name, host_path(at(kind), type));
    }
    make(pod, volumes);
    EXPECT_EQ(ready_of(pod, volumes.size()), expected) << type;
    const Json refused = node_.ctl().pod(pod);
    for (const Json& volume : refused.at("volumes")) {
      if (volume.at("phase") == "Ready") continue;
      EXPECT_EQ(volume.value("reason", ""), "HostPathCheckFailed") << volume.dump();
      EXPECT_NE(volume.value("message", "").find("hostPath type check failed"), std::string::npos);
      EXPECT_NE(volume.value("message", "").find(volume.value("path", "?")), std::string::npos)
          << volume.dump();
    }
    EXPECT_EQ(refused.at("ready"), false);
  }
  EXPECT_FALSE(is_there(at("missing")));
  EXPECT_FALSE(is_there(at("missing-parent")));
  EXPECT_FALSE(is_there(at("nowhere")));
}

TEST_F(HostPath, WithoutATypeNothingIsLookedAt) {
  make("web", {{"directory", host_path(at("directory"))},
               {"file", host_path(at("file"))},
               {"missing", host_path(at("missing/a/b"))},
               {"loop", host_path(at("loop"))},
               {"device", host_path(null_device)},
               {"unset", "hostPath: {path: " + Json(at("unset")).dump() + "}"}});
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(node_.ctl().path("web", "missing"), at("missing/a/b"));
  EXPECT_FALSE(is_there(at("missing")));
  EXPECT_FALSE(is_there(at("unset")));
}

TEST_F(HostPath, OrCreateMakesWhatIsMissingAndNothingElse) {
  make("web", {{"made", host_path(at("new/a/b"), "DirectoryOrCreate")},
               {"there", host_path(at("directory"), "DirectoryOrCreate")},
               {"link", host_path(at("link-to-directory/below"), "DirectoryOrCreate")},
               {"file", host_path(at("new-file"), "FileOrCreate")},
               {"old-file", host_path(at("file"), "FileOrCreate")},
               {"link-file", host_path(at("link-to-file"), "FileOrCreate")}});
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mode_of(at("new")), 0755U);
  EXPECT_EQ(mode_of(at("new/a/b")), 0755U);
  EXPECT_TRUE(fs::is_directory(at("directory/below")));
  EXPECT_EQ(mode_of(at("new-file")), 0644U);
  EXPECT_TRUE(fs::is_regular_file(at("new-file")));
  EXPECT_EQ(fs::file_size(at("new-file")), 0U);
  EXPECT_EQ(read_file(at("file")), "of the host");
  EXPECT_EQ(read_file(at("directory/content")), "of the host");
  make("wrong", {{"on-file", host_path(at("file"), "DirectoryOrCreate")},
                 {"on-socket", host_path(at("socket"), "FileOrCreate")},
                 {"on-fifo", host_path(at("fifo"), "FileOrCreate")},
                 {"on-directory", host_path(at("directory"), "FileOrCreate")},
                 {"below-file", host_path(at("file/below"), "DirectoryOrCreate")},
                 {"no-parent", host_path(at("missing/file"), "FileOrCreate")}});
  EXPECT_EQ(ready_of("wrong", 6), std::set<std::string>{});
  EXPECT_FALSE(is_there(at("missing")));
  EXPECT_TRUE(fs::is_socket(at("socket")));
  EXPECT_EQ(read_file(at("file")), "of the host");
}

TEST_F(HostPath, ADeviceIsOneOfItsOwnKindOnly) {
  const dev_t loop_like = makedev(7, 200);  // Never opened: only its kind is looked at.
  const bool can_make = mknod(at("block").c_str(), S_IFBLK | 0600, loop_like) == 0;
  const std::string why = std::strerror(errno);
  make("char", {{"device", host_path(null_device, "CharDevice")}});
  EXPECT_TRUE(node_.becomes_ready("char"));
  make("not-block", {{"device", host_path(null_device, "BlockDevice")}});
  EXPECT_TRUE(node_.gets_reason("not-block", "device", "HostPathCheckFailed"));
  // A link out of the file system: the confined look-up ends there, and another one follows it (decision
  // 0010).
  fs::create_symlink(null_device, at("link-to-device"));
  make("through", {{"device", host_path(at("link-to-device"), "CharDevice")}});
  EXPECT_TRUE(node_.becomes_ready("through"));
  if (!can_make) {
    std::printf("BlockDevice is tested with a wrong kind only: no block device can be made here: %s\n",
                why.c_str());
    return;
  }
  make("block", {{"device", host_path(at("block"), "BlockDevice")}});
  EXPECT_TRUE(node_.becomes_ready("block"));
  make("not-char", {{"device", host_path(at("block"), "CharDevice")}});
  EXPECT_TRUE(node_.gets_reason("not-char", "device", "HostPathCheckFailed"));
  EXPECT_TRUE(is_there(at("block")));
}

TEST_F(HostPath, WhatAppearsLateIsActedOnAtOnce) {
  make("web", {{"data", host_path(at("late/a/b"), "Directory")}});
  wait_for_a_long_pause("web", "data");
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().volume("web", "data").contains("nextRetry"); }));
  fs::create_directories(at("late/a/b"));
  EXPECT_TRUE(is_ready_at_once("web"));
}

// The watch climbs down with what appears.
TEST_F(HostPath, WhatAppearsStepByStepIsFollowed) {
  make("web", {{"data", host_path(at("late/a/b"), "File")}});
  EXPECT_TRUE(node_.gets_reason("web", "data", "HostPathCheckFailed"));
  fs::create_directory(at("late"));
  fs::create_directory(at("late/a"));
  wait_for_a_long_pause("web", "data");
  write_in_place(at("late/a/.b.new"), "");
  fs::rename(at("late/a/.b.new"), at("late/a/b"));
  EXPECT_TRUE(is_ready_at_once("web"));
}

// The watch stands on "late/a", of which nothing tells that another "late" is in its place now.
TEST_F(HostPath, WhatAppearsWithAnotherDirectoryOnTheWayIsActedOnAtOnce) {
  fs::create_directories(at("late/a"));
  fs::create_directories(at("prepared/a"));
  write_in_place(at("prepared/a/b"), "");
  make("web", {{"data", host_path(at("late/a/b"), "File")}});
  wait_for_a_long_pause("web", "data");
  fs::rename(at("late"), at("gone"));
  fs::rename(at("prepared"), at("late"));
  EXPECT_TRUE(is_ready_at_once("web"));
}

TEST_F(HostPath, ASocketThatAppearsLateIsActedOnAtOnce) {
  make("web", {{"data", host_path(at("late-socket"), "Socket")}});
  wait_for_a_long_pause("web", "data");
  make_socket(at("late-socket"));
  EXPECT_TRUE(is_ready_at_once("web"));
}

TEST_F(HostPath, AFileOrCreateWaitsForItsDirectory) {
  make("web", {{"data", host_path(at("late/file"), "FileOrCreate")}});
  wait_for_a_long_pause("web", "data");
  EXPECT_FALSE(is_there(at("late")));
  fs::create_directory(at("late"));
  EXPECT_TRUE(is_ready_at_once("web"));
  EXPECT_EQ(mode_of(at("late/file")), 0644U);
}

TEST_F(HostPath, AWrongKindThatIsReplacedIsActedOnAtOnce) {
  make("web", {{"data", host_path(at("file"), "Directory")}});
  wait_for_a_long_pause("web", "data");
  fs::remove(at("file"));
  fs::create_directory(at("file"));
  EXPECT_TRUE(is_ready_at_once("web"));
}

TEST_F(HostPath, ADanglingLinkWhoseTargetAppearsIsActedOnAtOnce) {
  make("web", {{"data", host_path(at("dangling"), "Directory")}});
  wait_for_a_long_pause("web", "data");
  fs::create_directory(at("nowhere"));
  EXPECT_TRUE(is_ready_at_once("web"));
}

TEST_F(HostPath, AMissingPathHoldsUpNothingElse) {
  make("web", {{"data", host_path(at("missing"), "Directory")}, {"own", empty_dir}, {"memory", memory_dir}});
  make("db", {{"data", host_path(at("directory"), "Directory")}});
  EXPECT_TRUE(node_.becomes_ready("db"));
  EXPECT_TRUE(node_.eventually([&] {
    return node_.ctl().phase("web", "own") == "Ready" && node_.ctl().phase("web", "memory") == "Ready";
  }));
  EXPECT_TRUE(node_.gets_reason("web", "data", "HostPathCheckFailed"));
  EXPECT_EQ(node_.ctl().pod("web").at("ready"), false);
  std::string error;
  EXPECT_EQ(node_.bus().container_mounts("web", "c", error), -1);
  EXPECT_EQ(error, "NotReady");
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web")) << "what was never ready can go";
}

TEST_F(HostPath, NothingOfTheNodeIsRemovedAndNothingIsMadeBelowTheRoot) {
  make("web", {{"directory", host_path(at("directory"), "Directory")},
               {"file", host_path(at("file"), "File")},
               {"socket", host_path(at("socket"), "Socket")},
               {"made", host_path(at("made"), "DirectoryOrCreate")},
               {"made-file", host_path(at("made-file"), "FileOrCreate")},
               {"link", host_path(at("link-to-directory"), "Directory")}});
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(names_in(node_.root() + "/pods").empty());
  EXPECT_TRUE(names_in(node_.run_dir() + "/pods").empty());
  write_in_place(at("made/content"), "of the pod");
  const Strings before = names_in(host_);
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_EQ(names_in(host_), before);
  EXPECT_EQ(read_file(at("directory/content")), "of the host");
  EXPECT_EQ(read_file(at("made/content")), "of the pod");
  EXPECT_TRUE(node_.is_empty());
}

TEST_F(HostPath, AParentElementIsRefusedWhereverItStands) {
  fs::create_directory(at("..data"));
  int number = 0;
  for (const Volumes::value_type& bad :
       Volumes{{"middle", host_path(at("directory/../file"), "File")},
               {"end", host_path(at("directory/.."), "Directory")},
               {"untyped", host_path(host_ + "/../host")},
               {"make", host_path(at("new/../../made"), "DirectoryOrCreate")}}) {
    const std::string pod = "bad-" + std::to_string(++number);
    make(pod, {bad});
    EXPECT_TRUE(node_.gets_problem(pod + ".yaml:")) << bad.first;
    EXPECT_TRUE(node_.gets_problem("must not contain '..'")) << bad.first;
    EXPECT_TRUE(node_.ctl().pod(pod).is_null()) << bad.first;
  }
  make("relative", {{"data", host_path("host/file")}});
  EXPECT_TRUE(node_.gets_reason("relative", "data", "InvalidHostPath"));
  make("good",
       {{"dots", host_path(at("..data"), "Directory")}, {"dot", host_path(at("./directory/"), "Directory")}});
  EXPECT_TRUE(node_.becomes_ready("good"));
  EXPECT_FALSE(is_there(at("new")));
  EXPECT_FALSE(is_there(node_.dir() + "/made"));
}

// Decision 0010: links are followed, also into another mount, which takes a worker of its own and is no
// failure.
TEST_F(HostPath, LinksAreFollowedAlsoIntoOtherMounts) {
  fs::create_directory(at("mounted"));
  mount_tmpfs(at("mounted"), "");
  fs::create_directory(at("mounted/inside"));
  fs::create_symlink("mounted/inside", at("into"));
  fs::create_symlink("mounted", at("onto"));
  make("web", {{"into", host_path(at("into"), "Directory")},
               {"below", host_path(at("onto/inside"), "Directory")},
               {"direct", host_path(at("mounted/inside"), "Directory")},
               {"made", host_path(at("onto/new/a"), "DirectoryOrCreate")}});
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(fs::is_directory(at("mounted/new/a")));
  EXPECT_FALSE(node_.bus().has_event("FailedMount", ""));
  const Json web = node_.ctl().pod("web");
  for (const Json& volume : web.at("volumes"))
    EXPECT_EQ(volume.at("attempts"), 0) << volume.dump();
  make("loop", {{"data", host_path(at("loop"), "Directory")}});
  EXPECT_TRUE(node_.gets_reason("loop", "data", "SymbolicLinkLoop"));
}

TEST_F(HostPath, WhatAppearsLateBehindALinkIntoAnotherMountIsActedOnAtOnce) {
  fs::create_directory(at("mounted"));
  mount_tmpfs(at("mounted"), "");
  fs::create_symlink("mounted", at("onto"));
  make("web", {{"data", host_path(at("onto/late"), "Directory")}});
  wait_for_a_long_pause("web", "data");
  fs::create_directory(at("mounted/late"));
  EXPECT_TRUE(is_ready_at_once("web"));
}

// A mount that comes late brings the path with it; no directory tells of that, only the mount table.
TEST_F(HostPath, WhatAppearsWithAMountIsFound) {
  fs::create_directory(at("disk"));
  fs::create_directory(node_.dir() + "/prepared");
  make("web", {{"data", host_path(at("disk/data"), "Directory")}});
  EXPECT_TRUE(node_.gets_reason("web", "data", "HostPathCheckFailed"));
  mount_tmpfs(at("disk"), "");
  fs::create_directory(at("disk/data"));
  EXPECT_TRUE(node_.becomes_ready("web"));
}

}  // namespace
}  // namespace mooring::integration
