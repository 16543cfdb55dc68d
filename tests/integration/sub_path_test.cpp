// Parts of volumes (subPath) as containers see them: crun runs them with what mooringctl renders.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "crun.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* read_only_error = "Read-only file system";

constexpr const char* settings =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
    "data: {a: of a, b: of b, place: from-map}\n";
constexpr const char* secret =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {token: of the token}\n";

/// The container "main" has a part of each kind of volume, "other" has parts of the same ones.
constexpr const char* text =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
    "  - name: main\n    env:\n"
    "    - {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}\n"
    "    - {name: PLACE, valueFrom: {configMapKeyRef: {name: settings, key: place}}}\n"
    "    volumeMounts:\n"
    "    - {name: disk, mountPath: /made, subPath: a/b}\n"
    "    - {name: disk, mountPath: /named, subPathExpr: $(POD_NAME)/logs}\n"
    "    - {name: memory, mountPath: /placed, subPathExpr: $(PLACE)}\n"
    "    - {name: memory, mountPath: /made/within, subPath: within}\n"
    "    - {name: node, mountPath: /data, subPath: data, readOnly: true}\n"
    "    - {name: node, mountPath: /file, subPath: data/file}\n"
    "    - {name: node, mountPath: /fifo, subPath: fifo}\n"
    "    - {name: node, mountPath: /socket, subPath: socket}\n"
    "    - {name: node, mountPath: /new, subPath: new}\n"
    "    - {name: config, mountPath: /config-file, subPath: a}\n"
    "    - {name: config, mountPath: /config-directory, subPath: d}\n"
    "    - {name: secret, mountPath: /token, subPath: token}\n"
    "    - {name: disk, mountPath: /whole, subPath: ./}\n"
    "  - name: other\n    volumeMounts:\n"
    "    - {name: disk, mountPath: /same, subPath: a/b, readOnly: true}\n"
    "    - {name: disk, mountPath: /own, subPath: own}\n"
    "  volumes:\n  - {name: disk, emptyDir: {}}\n  - {name: memory, emptyDir: {medium: Memory}}\n"
    "  - {name: config, configMap: {name: settings, items: [{key: a, path: a}, {key: b, path: d/b}]}}\n"
    "  - {name: secret, secret: {secretName: keys}}\n"
    "  - name: node\n    ";

/// A socket that somebody once listened at.
void make_socket(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(&address.sun_path[0], sizeof address.sun_path - 1);
  const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const void* generic = &address;
  EXPECT_EQ(bind(file, static_cast<const sockaddr*>(generic), sizeof address), 0) << path;
  close(file);
}

class SubPaths : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(host_ + "/data");
    chmod(host_.c_str(), 0751);
    write_in_place(host_ + "/data/file", "of the node");
    EXPECT_EQ(mkfifo((host_ + "/fifo").c_str(), 0666), 0);
    make_socket(host_ + "/socket");
    node_.start();
    node_.write("settings.yaml", settings);
    node_.write("keys.yaml", secret);
    node_.write("web.yaml", text + host_path(host_, "Directory") + "\n");
    ASSERT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
  }
  std::string part(const std::string& volume, const std::string& container, int index) const {
    return node_.root() + "/pods/" + node_.ctl().uid("web") + "/volume-subpaths/" + volume + "/" + container +
           "/" + std::to_string(index);
  }
  std::string volume(const std::string& name) const { return node_.ctl().path("web", name); }

  Node node_;
  Crun crun_{node_};
  const std::string host_ = node_.dir() + "/host";
};

TEST_F(SubPaths, kb_11_1_EachPartIsMountedAtItsPlaceAndOnce) {
  const std::string directory = node_.root() + "/pods/" + node_.ctl().uid("web") + "/volume-subpaths";
  EXPECT_EQ(mounts_below(directory).size(), 14U);
  for (const std::string& place :
       {part("disk", "main", 0), part("disk", "main", 1), part("memory", "main", 2),
        part("memory", "main", 3), part("node", "main", 4), part("node", "main", 5), part("node", "main", 6),
        part("node", "main", 7), part("node", "main", 8), part("config", "main", 9),
        part("config", "main", 10), part("secret", "main", 11), part("disk", "other", 0),
        part("disk", "other", 1)})
    EXPECT_EQ(mounts_at(place).size(), 1U) << place;
}

TEST_F(SubPaths, kb_11_2_WhatIsMadeHasTheModeOfTheVolumesRoot) {
  EXPECT_EQ(mode_of(volume("disk") + "/a/b"), 0777U);
  EXPECT_EQ(mode_of(volume("disk") + "/a"), 0755U) << "only the last one";
  EXPECT_EQ(mode_of(volume("disk") + "/web/logs"), 0777U);
  EXPECT_EQ(mode_of(volume("memory") + "/from-map"), 01777U);
  EXPECT_EQ(mode_of(host_ + "/new"), 0751U);
}

TEST_F(SubPaths, ContainersReadAndWriteTheirParts) {
  crun_.start("web", "main");
  for (const auto& [inside, outside] :
       {std::pair("/made", volume("disk") + "/a/b"), std::pair("/named", volume("disk") + "/web/logs"),
        std::pair("/placed", volume("memory") + "/from-map"),
        std::pair("/made/within", volume("memory") + "/within"), std::pair("/new", host_ + "/new"),
        std::pair("/whole", volume("disk"))}) {
    SCOPED_TRACE(inside);
    crun_.expect_done("main", std::string("echo -n written > ") + inside + "/by-container");
    EXPECT_EQ(crun_.output("main", std::string("cat ") + inside + "/by-container"), "written");
    EXPECT_EQ(read_file(outside + "/by-container"), "written");
  }
  EXPECT_EQ(crun_.output("main", "ls /whole"), "a\nby-container\nown\nweb\n");
  EXPECT_EQ(crun_.output("main", "cat /file"), "of the node");
  crun_.expect_done("main", "echo -n changed > /file");
  EXPECT_EQ(read_file(host_ + "/data/file"), "changed");
}

TEST_F(SubPaths, ReadOnlyPartsRefuseWritesInside) {
  crun_.start("web", "main");
  EXPECT_EQ(crun_.output("main", "cat /data/file"), "of the node");
  EXPECT_EQ(crun_.output("main", "cat /config-file"), "of a");
  EXPECT_EQ(crun_.output("main", "ls /config-directory; cat /config-directory/b"), "b\nof b");
  EXPECT_EQ(crun_.output("main", "cat /token"), "of the token");
  for (const char* script :
       {"echo x > /data/file", "rm /data/file", "echo x > /data/new", "echo x > /config-file",
        "echo x > /config-directory/b", "rm /config-directory/b", "echo x > /token"})
    crun_.expect_refused("main", script, read_only_error);
}

TEST_F(SubPaths, OneVolumeIsSharedInParts) {
  crun_.start("web", "main");
  crun_.start("web", "other");
  crun_.expect_done("main", "echo -n of main > /made/file");
  EXPECT_EQ(crun_.output("other", "cat /same/file"), "of main");
  crun_.expect_refused("other", "echo x > /same/file", read_only_error);
  crun_.expect_done("other", "echo -n of other > /own/file");
  EXPECT_EQ(crun_.output("other", "ls /own/"), "file\n");
  EXPECT_EQ(crun_.output("main", "ls /made/"), "file\nwithin\n");
  EXPECT_EQ(crun_.output("main", "cat /whole/own/file"), "of other");
}

TEST_F(SubPaths, PipesAndSocketsAreGivenWithoutBeingOpened) {
  crun_.start("web", "main");
  crun_.expect_done("main", "[ -p /fifo ] && [ -S /socket ]");
  const int file = open((host_ + "/fifo").c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
  ASSERT_EQ(write(file, "abc", 3), 3);
  EXPECT_EQ(crun_.inside("main", "dd if=/fifo bs=3 count=1").out, "abc");
  close(file);
}

TEST_F(SubPaths, LeaveNothingAndTheNodesFilesStay) {
  crun_.start("web", "main");
  crun_.expect_done("main", "echo -n kept > /new/file; echo x > /made/file");
  node_.remove("web.yaml");  // The container still runs.
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
  EXPECT_EQ(mounts_below(node_.root()).size(), 0U);
  EXPECT_EQ(read_file(host_ + "/new/file"), "kept");
  EXPECT_EQ(read_file(host_ + "/data/file"), "of the node");
}

// What follows changes, and what does not (kubelet-behaviours 11.4, last paragraph).

class ChangedParts : public ::testing::Test {
 protected:
  void write_config(const std::string& version) const {
    node_.write("settings.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: \"" +
                                     version + "\", b: \"" + version + "\"}\n");
  }
  void start_with(const std::string& annotations) {
    node_.start();
    write_config("1");
    node_.write("web.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web, annotations: {" + annotations +
                                "}}\nspec:\n  containers:\n  - name: main\n    volumeMounts:\n"
                                "    - {name: config, mountPath: /file, subPath: a}\n"
                                "    - {name: config, mountPath: /directory, subPath: d}\n"
                                "  volumes:\n  - {name: config, configMap: {name: settings,"
                                " items: [{key: a, path: a}, {key: b, path: d/b}]}}\n");
    ASSERT_TRUE(node_.becomes_ready("web")) << node_.ctl()({"explain", "pod/web"}).out;
    parts_ = node_.root() + "/pods/" + node_.ctl().uid("web") + "/volume-subpaths/config/main/";
    crun_.start("web", "main");
    EXPECT_EQ(seen("main"), "1 1");
  }
  std::string seen(const std::string& name) const {
    return crun_.output(name, "cat /file; echo -n ' '; cat /directory/b");
  }
  std::string on_node() const { return read_file(parts_ + "0") + " " + read_file(parts_ + "1/b"); }

  Node node_;
  Crun crun_{node_};
  std::string parts_;
};

TEST_F(ChangedParts, kb_11_4_TheNextContainerSeesTheNewVersionARunningOneKeepsTheOld) {
  start_with("");
  const std::vector<std::string> before = mount_lines(node_.root());
  write_config("2");
  // Whoever reads through a part while it is exchanged keeps it busy for that moment.
  EXPECT_TRUE(node_.eventually([&] {
    const std::vector<std::string> now = mount_lines(node_.root());
    return now.size() == before.size() && std::none_of(now.begin(), now.end(), [&](const std::string& line) {
             const bool is_of_old_version = line.find("//deleted") != std::string::npos;
             return is_of_old_version || std::find(before.begin(), before.end(), line) != before.end();
           });
  }));
  EXPECT_EQ(on_node(), "2 2");
  EXPECT_EQ(crun_.output("main", "cat /file"), "1");
  // If the mount table was read in the moment between the two, the pod waited for the part.
  EXPECT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(mounts_below(node_.root()).size(), 2U) << "each part is mounted once";
  crun_.start("web", "main", {}, "later");
  EXPECT_EQ(seen("later"), "2 2");
}

TEST_F(ChangedParts, WithLiveSubPathARunningContainerSeesTheNewVersion) {
  start_with("mooring.io/live-subpath: \"true\"");
  const std::vector<std::string> mounts = mount_lines(node_.root());
  for (const std::string& version : std::vector<std::string>{"2", "of another length", ""}) {
    write_config(version);
    EXPECT_TRUE(node_.eventually([&] { return on_node() == version + " " + version; })) << on_node();
    EXPECT_EQ(seen("main"), version + " " + version);
  }
  EXPECT_EQ(mount_lines(node_.root()), mounts);
  EXPECT_EQ(node_.bus().ready(), std::vector<std::string>{"web"});
}

TEST_F(ChangedParts, WithLiveSubPathARestartChangesNothingAndTheNextChangeIsSeen) {
  start_with("mooring.io/live-subpath: \"true\"");
  const std::vector<std::string> mounts = mount_lines(node_.root());
  node_.kill();
  write_config("2");
  node_.start();
  EXPECT_TRUE(node_.eventually([&] { return on_node() == "2 2"; })) << on_node();
  EXPECT_EQ(seen("main"), "2 2");
  EXPECT_EQ(mount_lines(node_.root()), mounts);
}

}  // namespace
}  // namespace mooring::integration
