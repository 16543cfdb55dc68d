// What is wrong in manifests, flags, configuration or directories is told with its place, and harms nothing
// else.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// A document that is wrong, and what must be told of it.
struct Bad {
  std::string name;  ///< Of the file, without its suffix.
  std::string text;
  std::string place;  ///< ":line:column: ", or ":line:" where the parser's column is not ours to say.
  std::string says;
};

std::string pod_of(const std::string& spec) {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nspec:\n" + spec;
}
/// Its volume's source stands in line 9, from column 5 on.
std::string with_source(const std::string& source) {
  return pod_of(
             "  containers:\n  - {name: c, volumeMounts: [{name: v, mountPath: /v}]}\n  volumes:\n  - name: "
             "v\n    ") +
         source + "\n";
}

std::string repeated(const std::string& part, int times) {
  std::string out;
  for (int i = 0; i < times; ++i)
    out += part;
  return out;
}

std::string alias_bomb() {
  std::string text =
      "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (char name = '1'; name <= '8'; ++name) {
    const std::string before = std::string("*a") + static_cast<char>(name - 1);
    text.append("a").append(1, name).append(": &a").append(1, name).append(" [");
    text.append(repeated(before + ", ", 9)).append(before).append("]\n");
  }
  return text;
}

std::vector<Bad> not_yaml() {
  return {
      {"cut", "apiVersion: v1\nkind: Pod\nmetadata: {name: cut\nspec: {}\n", ":4:", "not valid YAML"},
      {"tab", "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: tab\n", ":4:", "not valid YAML"},
      {"twice", "apiVersion: v1\nkind: Pod\nmetadata: {name: bad}\nkind: Pod\n", ":4:1: ", "duplicate key"},
      {"bytes", std::string("\0\x01\xff\xfe\x80", 5), ":1:1: ", "UTF-8"},
      {"bytes-below", "apiVersion: v1\nkind: Pod\nmetadata: {name: \"\xc3\x28\"}\n", ":3:", "UTF-8"},
      {"deep", pod_of("  x: " + repeated("[", 200) + repeated("]", 200) + "\n"), ":5:", "64"},
      {"bomb", alias_bomb(), ":", "aliases expand to more than"},
      {"list", "- apiVersion: v1\n- kind: Pod\n", ":1:", "must be a mapping"},
      {"word", "hello\n", ":1:1: ", "must be a mapping"},
      {"large", "kind: Pod\n" + repeated("# " + std::string(1022, 'x') + "\n", 17 * 1024), "", "16 MiB"},
  };
}

std::vector<Bad> not_kubernetes() {
  const std::string container = "  containers:\n  - name: c\n    volumeMounts:\n";
  return {
      {"no-kind", "apiVersion: v1\nmetadata: {name: bad}\n", ":1:1: ", "kind: is required"},
      {"upper-case",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: Bad_Name}\nspec: {containers: [{name: c}]}\n",
       ":3:18: ", "metadata.name: "},
      {"number", "apiVersion: v1\nkind: Pod\nmetadata: {name: 12}\nspec: {containers: [{name: c}]}\n",
       ":3:18: ", "metadata.name: must be a string"},
      {"escape",
       "apiVersion: v1\nkind: Pod\nmetadata:\n  name: bad\n  uid: ../../etc\nspec: {containers: [{name: "
       "c}]}\n",
       ":5:8: ", "metadata.uid: "},
      {"name-space",
       "apiVersion: v1\nkind: Pod\nmetadata: {name: bad, namespace: a/b}\nspec: {containers: [{name: c}]}\n",
       ":3:34: ", "metadata.namespace: "},
      {"volume-name", pod_of("  containers: [{name: c}]\n  volumes:\n  - name: ../up\n"),
       ":7:11: ", "spec.volumes[0].name: "},
      {"same-name", pod_of("  containers: [{name: c}]\n  volumes:\n  - name: v\n  - name: v\n"),
       ":8:11: ", "spec.volumes[1].name: "},
      {"no-volume", pod_of(container + "    - {name: other, mountPath: /v}\n"),
       ":8:14: ", "spec.containers[0].volumeMounts[0].name: "},
      {"quantity", with_source("emptyDir: {sizeLimit: 1Zi}"),
       ":9:27: ", "spec.volumes[0].emptyDir.sizeLimit: "},
      {"negative", with_source("emptyDir: {sizeLimit: -1Mi}"),
       ":9:27: ", "spec.volumes[0].emptyDir.sizeLimit: "},
      {"medium", with_source("emptyDir: {medium: Disk}"), ":9:24: ", "spec.volumes[0].emptyDir.medium: "},
      {"parent", with_source("hostPath: {path: /a/../b}"), ":9:22: ", "spec.volumes[0].hostPath.path: "},
      {"no-path", with_source("hostPath: {type: Directory}"), ":",
       "spec.volumes[0].hostPath.path: is required"},
      {"path-type", with_source("hostPath: {path: /a, type: Dir}"),
       ":9:32: ", "spec.volumes[0].hostPath.type: "},
      {"source", with_source("zfs: {pool: tank}"), ":9:", "spec.volumes[0].zfs: unknown kind of volume"},
      {"two-sources", with_source("emptyDir: {}\n    hostPath: {path: /a}"), ":", "spec.volumes[0]: "},
  };
}

class BadManifests : public ::testing::Test {
 protected:
  BadManifests() {
    node_.start();
    node_.write("good.yaml", pod_text("good", {{"disk", empty_dir}, {"memory", memory_dir}}));
    EXPECT_TRUE(node_.becomes_ready("good"));
    write_in_place(node_.ctl().path("good", "memory") + "/file", "content");
    mounts_ = mount_lines(node_.root());
  }

  void expect_told(const Bad& bad) {
    SCOPED_TRACE(bad.name);
    const std::string file = node_.manifests() + "/" + bad.name + ".yaml";
    const auto is_told = [&] {
      const std::string problems = node_.ctl().problems();
      for (std::size_t at = problems.find(file); at != std::string::npos; at = problems.find(file, at + 1)) {
        const std::string line = problems.substr(at, problems.find('\n', at) - at);
        if (line.starts_with(file + bad.place) && line.find(bad.says) != std::string::npos) return true;
      }
      return false;
    };
    EXPECT_TRUE(node_.eventually(is_told, Millis(10'000))) << "told are:\n" << node_.ctl().problems();
  }

  void expect_all_told_and_no_harm(const std::vector<Bad>& bad) {
    for (const Bad& each : bad)
      node_.write(each.name + ".yaml", each.text);
    for (const Bad& each : bad)
      expect_told(each);
    node_.write("later.yaml", pod_text("later", {{"disk", empty_dir}}));
    EXPECT_TRUE(node_.becomes_ready("later"));
    EXPECT_TRUE(node_.ctl().pod("good").at("ready"));
    EXPECT_EQ(mount_lines(node_.root()), mounts_);
    EXPECT_EQ(read_file(node_.ctl().path("good", "memory") + "/file"), "content");
    EXPECT_EQ(node_.ctl()({"status"}).status, 3);
    EXPECT_TRUE(node_.ctl().pod("bad").is_null());
    for (const Bad& each : bad)
      node_.remove(each.name + ".yaml");
    EXPECT_TRUE(node_.eventually([&] { return node_.ctl().problems().empty(); })) << node_.ctl().problems();
  }

  Node node_;
  std::vector<std::string> mounts_;
};

TEST_F(BadManifests, ThatAreNoYamlAreToldWithTheirPlace) {
  expect_all_told_and_no_harm(not_yaml());
}

TEST_F(BadManifests, ThatAreNoObjectsAreToldWithPlaceAndField) {
  expect_all_told_and_no_harm(not_kubernetes());
}

TEST_F(BadManifests, HarmNoDocumentBesideThem) {
  node_.write("mixed.yaml", pod_text("first", {{"disk", empty_dir}}) + "---\nkind: [\n---\n" +
                                with_source("zfs: {}") + "---\n" + pod_text("last", {{"disk", empty_dir}}));
  EXPECT_TRUE(node_.becomes_ready("first"));
  EXPECT_TRUE(node_.becomes_ready("last"));
  EXPECT_NE(node_.ctl().problems().find("mixed.yaml:"), std::string::npos);
}

TEST_F(BadManifests, ThatWereGoodBeforeKeepTheirVolumesOverARestart) {
  const std::string path = node_.ctl().path("good", "memory");
  node_.write("good.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: [\n");
  EXPECT_TRUE(
      node_.eventually([&] { return node_.ctl().problems().find("good.yaml:") != std::string::npos; }));
  EXPECT_EQ(node_.stop(), 0);
  node_.start();
  EXPECT_TRUE(
      node_.eventually([&] { return node_.ctl().problems().find("good.yaml:") != std::string::npos; }));
  EXPECT_TRUE(node_.stays([&] { return mount_lines(node_.root()) == mounts_; }, Millis(500)));
  EXPECT_EQ(read_file(path + "/file"), "content");
}

TEST_F(BadManifests, WithVolumesOfNoPluginAreRefusedByNameAndOnlyThose) {
  const std::string text = pod_text("kinds", {{"good", empty_dir},
                                              {"rbd", "rbd: {monitors: [m], image: i}"},
                                              {"csi", "csi: {driver: d.example.org}"},
                                              {"iscsi", "iscsi: {targetPortal: t, iqn: i, lun: 0}"},
                                              {"claim", "persistentVolumeClaim: {claimName: c}"}});
  node_.write("kinds.yaml", text);
  EXPECT_TRUE(node_.eventually([&] { return node_.ctl().phase("kinds", "good") == "Ready"; }));
  EXPECT_TRUE(node_.gets_reason("kinds", "claim", "ClaimNotFound"));
  EXPECT_TRUE(node_.gets_reason("kinds", "csi", "DriverNotRegistered"));
  for (const char* volume : {"rbd", "iscsi"}) {
    SCOPED_TRACE(volume);
    EXPECT_TRUE(node_.gets_reason("kinds", volume, "NoPlugin"));
    EXPECT_EQ(node_.ctl().phase("kinds", volume), "Pending");
    EXPECT_NE(node_.ctl().message("kinds", volume).find("kubernetes.io/"), std::string::npos);
  }
  EXPECT_EQ(node_.ctl().json({"explain", "pod/kinds"}).at("origin"), node_.manifests() + "/kinds.yaml:1:1");
  EXPECT_EQ(node_.ctl()({"render", "pod/kinds", "--runtime=oci"}).status, 3);
  EXPECT_TRUE(node_.ctl().pod("good").at("ready"));
  node_.remove("kinds.yaml");
  EXPECT_TRUE(node_.becomes_gone("kinds"));
}

TEST_F(BadManifests, WithHostPathsThatCannotBeAreRefusedWithTheReason) {
  write_in_place(node_.dir() + "/file", "");
  node_.write("paths.yaml",
              pod_text("paths", {{"relative", "hostPath: {path: var/data}"},
                                 {"below-file", host_path(node_.dir() + "/file/below", "DirectoryOrCreate")},
                                 {"no-socket", host_path(node_.dir() + "/file", "Socket")},
                                 {"long", host_path("/" + std::string(300, 'x'), "FileOrCreate")}}));
  EXPECT_TRUE(node_.gets_reason("paths", "relative", "InvalidHostPath"));
  for (const char* volume : {"below-file", "no-socket", "long"}) {
    SCOPED_TRACE(volume);
    EXPECT_TRUE(
        node_.eventually([&] { return node_.ctl().volume("paths", volume).value("attempts", 0) > 0; }));
    EXPECT_NE(node_.ctl().phase("paths", volume), "Ready");
    EXPECT_FALSE(node_.ctl().reason("paths", volume).empty());
    EXPECT_FALSE(node_.ctl().message("paths", volume).empty());
  }
  EXPECT_NE(node_.ctl().message("paths", "below-file").find("ENOTDIR"), std::string::npos)
      << node_.ctl().message("paths", "below-file");
  EXPECT_NE(node_.ctl().message("paths", "long").find("ENAMETOOLONG"), std::string::npos)
      << node_.ctl().message("paths", "long");
  EXPECT_EQ(read_file(node_.dir() + "/file"), "");
}

/// Runs mooringd with a flag changed or added, to its end.
class Start : public ::testing::Test {
 protected:
  std::vector<std::string> with(const std::string& flag, const std::string& value) {
    std::vector<std::string> all = node_.arguments();
    const auto found = std::find(all.begin(), all.end(), flag);
    if (found != all.end()) {
      *(found + 1) = value;
    } else {
      all.insert(all.end(), {flag, value});
    }
    return all;
  }
  void expect_refused(const std::vector<std::string>& arguments, int status, const std::string& says) {
    SCOPED_TRACE(arguments.back());
    const Ran ran = run(arguments, Millis(5'000));
    EXPECT_EQ(ran.status, status) << ran.err;
    EXPECT_NE(ran.err.find(says), std::string::npos) << "it says: " << ran.err;
  }
  /// What --check-config says of a configuration.
  Ran check(const std::string& text) {
    write_in_place(config_, text);
    std::vector<std::string> all = node_.arguments();
    all.emplace_back("--check-config");
    return run(all, Millis(5'000));
  }

  Node node_;
  const std::string config_ = node_.dir() + "/mooringd.yaml";
};

TEST_F(Start, FlagsThatAreWrongAreBadUsage) {
  std::vector<std::string> unknown = node_.arguments();
  unknown.emplace_back("--no-such-flag");
  expect_refused(unknown, 2, "--no-such-flag");
  expect_refused(with("--root-dir", "/"), 2, "--root-dir");
  expect_refused(with("--root-dir", "///."), 2, "--root-dir");
  expect_refused(with("--log-level", "loud"), 2, "loud");
  expect_refused(with("--bus", "tram"), 2, "tram");
  expect_refused(with("--node-label", "novalue"), 2, "novalue");
  expect_refused(with("--allocatable", "memory=much"), 2, "much");
  expect_refused(with("--config", node_.dir() + "/none.yaml"), 2, "none.yaml");
  EXPECT_FALSE(is_there(node_.root())) << "nothing may be made before all is understood";
  EXPECT_EQ(run({node_.arguments().front(), "--version"}).status, 0);
}

TEST_F(Start, ConfigurationThatIsWrongIsToldWithItsPlace) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"logLevel: info\nrootDir: [a\n", ":"},
      {"logLevel: info\nlogLevel: warn\n", ":2:1: "},
      {"[1]\n", ":1:"},
      {"just text\n", ":1:1: "},
      {"logLevel: info\nrootDirectory: /a\n", ":2:"},
      {"nodeName: node\nlogLevel: loud\n", ":2:11: "},
      {"manifestDirs: /a\n", ":1:15: "},
      {"nodeName: 12\n", ":1:11: "},
      {"allocatable:\n  memory: much\n", ":2:11: "},
  };
  for (const auto& [text, place] : cases) {
    SCOPED_TRACE(text);
    const Ran checked = check(text);
    EXPECT_EQ(checked.status, 2) << checked.err;
    EXPECT_NE(checked.err.find(config_ + place), std::string::npos) << "it says: " << checked.err;
  }
  expect_refused(node_.arguments(), 2, config_ + ":2:11: ");
  EXPECT_FALSE(is_there(node_.root()));
}

TEST_F(Start, ConfigurationThatIsRightIsTaken) {
  for (const char* text :
       {"", "# nothing yet\n", "logLevel: info\nnodeLabels: {rack: seven}\nallocatable: {memory: 8Gi}\n"}) {
    const Ran checked = check(text);
    EXPECT_EQ(checked.status, 0) << text << checked.err;
  }
}

TEST_F(Start, ASecondOneOnTheSameRootEndsAtOnceAndHarmsNothing) {
  node_.start();
  node_.write("web.yaml", pod_text("web", {{"memory", memory_dir}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  const std::vector<std::string> before = mount_lines(node_.root());
  expect_refused(node_.arguments(), 1, node_.root());
  fs::create_directory_symlink(node_.root(), node_.dir() + "/alias");
  std::vector<std::string> other = with("--root-dir", node_.dir() + "/alias");
  *(std::find(other.begin(), other.end(), "--run-dir") + 1) = node_.dir() + "/run2";
  expect_refused(other, 1, "another mooringd");
  // On a root of its own it would take over the records of the first.
  expect_refused(with("--root-dir", node_.dir() + "/root2"), 1, "another mooringd keeps its records");
  EXPECT_EQ(mount_lines(node_.root()), before);
  EXPECT_EQ(node_.bus().owner(), node_.daemon().pid());
  node_.write("later.yaml", pod_text("later", {{"memory", memory_dir}}));
  EXPECT_TRUE(node_.becomes_ready("later"));
}

TEST_F(Start, DirectoriesThatCannotBeUsedAreNamedWithTheCause) {
  write_in_place(node_.dir() + "/file", "");
  fs::create_directory(node_.dir() + "/read-only");
  mount_tmpfs(node_.dir() + "/read-only", "size=64k");
  remount(node_.dir() + "/read-only", true);
  const std::string read_only = node_.dir() + "/read-only/a";
  expect_refused(with("--root-dir", read_only), 1, "EROFS");
  expect_refused(with("--run-dir", read_only), 1, "EROFS");
  expect_refused(with("--run-dir", read_only), 1, read_only);
  expect_refused(with("--root-dir", node_.dir() + "/file"), 1, node_.dir() + "/file");
  expect_refused(with("--run-dir", node_.dir() + "/file"), 1, node_.dir() + "/file");
  expect_refused(with("--root-dir", node_.dir() + "/file/below"), 1, "ENOTDIR");
}

TEST_F(Start, ARootThatIsReadOnlyIsAReasonAndNotTheEnd) {
  fs::create_directory(node_.root());
  mount_tmpfs(node_.root(), "size=1m");
  remount(node_.root(), true);
  node_.write("web.yaml", pod_text("web", {{"disk", empty_dir}}));
  node_.start();
  ASSERT_TRUE(node_.gets_reason("web", "disk", "ReadOnlyFileSystem"));
  EXPECT_NE(node_.ctl().message("web", "disk").find("EROFS"), std::string::npos);
  remount(node_.root(), false);
  EXPECT_TRUE(node_.becomes_ready("web"));
}

TEST(StartWithoutABus, ServesVolumesAndIsOnTheBusAsSoonAsItIsThere) {
  Node node(NodeOptions{.has_bus = false});
  const std::string uid = "0b5c7a52-0000-4000-8000-000000000002";
  std::string text = pod_text("web", {{"memory", memory_dir}});
  text.replace(text.find("{name: web}"), 11, "{name: web, uid: " + uid + "}");
  node.write("web.yaml", text);
  node.start_without_waiting();
  EXPECT_TRUE(
      node.eventually([&] { return mounts_at(node.volume_path(uid, "empty-dir", "memory")).size() == 1; }));
  EXPECT_EQ(node.ctl()({"status"}).status, 5);
  EXPECT_NE(node.log().find("cannot connect to the bus"), std::string::npos);
  node.start_bus();
  EXPECT_TRUE(node.eventually([&] { return node.bus().owner() == node.daemon().pid(); }));
  EXPECT_TRUE(node.becomes_ready("web"));
  EXPECT_EQ(node.stop(), 0);
}

}  // namespace
}  // namespace mooring::integration
