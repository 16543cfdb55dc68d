// mooringctl as people and scripts use it: answers, exit statuses, and what never reaches a terminal.

#include <gtest/gtest.h>

#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// The first character that could drive a terminal, with its place; empty if there is none.
std::string first_control(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if ((byte >= 0x20 || byte == '\n') && byte != 0x7f && !is_c1) continue;
    const std::size_t start = i < 40 ? 0 : i - 40;
    return "byte " + std::to_string(byte) + " after \"" + text.substr(start, i - start) + "\"";
  }
  return {};
}

/// Two containers that share a volume, one of them read-only.
constexpr const char* web_text =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
    "  - name: c1\n    volumeMounts:\n    - {name: disk, mountPath: /data}\n    - {name: memory, mountPath: "
    "/fast}\n"
    "  - name: c2\n    volumeMounts:\n    - {name: disk, mountPath: /data, readOnly: true}\n"
    "  volumes:\n  - {name: disk, emptyDir: {}}\n  - {name: memory, emptyDir: {medium: Memory, sizeLimit: "
    "1Mi}}\n";

class CtlTest : public ::testing::Test {
 protected:
  CtlTest() {
    node_.start();
    node_.write("web.yaml", web_text);
    EXPECT_TRUE(node_.becomes_ready("web"));
  }
  /// A pod whose directory of the host is missing.
  void write_waiting(const std::string& name) {
    node_.write(name + ".yaml",
                pod_text(name, {{"host", host_path(node_.dir() + "/later/" + name, "Directory")}}));
    ASSERT_TRUE(node_.gets_reason(name, "host", "HostPathCheckFailed"));
  }
  Ran ctl(const Words& words) { return node_.ctl()(words); }
  /// The answer, of a command that is expected to do well.
  std::string answer(const Words& words) {
    const Ran ran = ctl(words);
    EXPECT_EQ(ran.status, 0) << ::testing::PrintToString(words) << ran.err;
    return ran.out;
  }
  void expect_status(int status, const std::vector<Words>& commands) {
    for (const Words& words : commands) {
      const Ran ran = ctl(words);
      EXPECT_EQ(ran.status, status) << ::testing::PrintToString(words) << ran.out << ran.err;
      EXPECT_FALSE(ran.err.empty()) << ::testing::PrintToString(words) << " says nothing";
    }
  }

  Node node_;
};

TEST_F(CtlTest, StatusIsThreeAsLongAsSomethingIsNotAsItShouldBe) {
  EXPECT_TRUE(has(answer({"status"}), "1 of 1 pods ready, 2 of 2 volumes ready"));
  EXPECT_FALSE(has(answer({"status", "-x"}), "web"));
  write_waiting("waits");
  const Ran ran = ctl({"status", "-x"});
  EXPECT_EQ(ran.status, 3);
  EXPECT_TRUE(has(ran.out, "default/waits/host") && has(ran.out, "HostPathCheckFailed")) << ran.out;
  EXPECT_FALSE(has(ran.out, "web"));
  const Json status = node_.ctl().json({"status", "-x"});
  EXPECT_EQ(status.at("pods"), Json({{"total", 2}, {"ready", 1}}));
  EXPECT_EQ(status.at("items").size(), 1U);
  node_.write("broken.yaml", "kind: [\n");
  EXPECT_TRUE(node_.eventually([&] { return has(ctl({"status"}).out, "broken.yaml:2:1: error: "); }));
}

TEST_F(CtlTest, GetPodsInEachFormat) {
  node_.write("other.yaml",
              "apiVersion: v1\nkind: Pod\nmetadata: {name: far, namespace: other}\nspec:\n"
              "  containers: [{name: c, volumeMounts: [{name: v, mountPath: /v}]}]\n"
              "  volumes: [{name: v}]\n");
  ASSERT_TRUE(node_.eventually([&] { return has(ctl({"-n", "other", "get", "pods"}).out, "yes"); }));
  const std::string uid = node_.ctl().uid("web");
  const std::string table = answer({"get", "pods"});
  EXPECT_TRUE(table.starts_with("POD ")) << table;
  EXPECT_TRUE(has(table, "web") && has(table, "2/2") && !has(table, uid) && !has(table, "far")) << table;
  EXPECT_TRUE(has(answer({"get", "pods", "-o", "wide"}), uid));
  EXPECT_EQ(answer({"get", "pods", "-o", "name"}), "pod/web\n");
  EXPECT_EQ(answer({"get", "pods", "-o", "name", "-n", "other"}), "pod/far\n");
  EXPECT_EQ(answer({"get", "pods", "-o", "name", "-A"}), "pod/web\npod/far\n");
  EXPECT_TRUE(answer({"get", "pods", "-o", "yaml"})
                  .starts_with("apiVersion: mooring.io/v1\nkind: PodList\nitems:\n"));
  const Json list = Json::parse(answer({"get", "pods", "-o", "json", "-A"}));
  EXPECT_EQ(list.at("kind"), "PodList");
  EXPECT_EQ(list.at("items").size(), 2U);
  for (const Words& words :
       {Words{"get", "pod", "web"}, Words{"get", "pod/web"}, Words{"get", "po", "web"}}) {
    const Json one = node_.ctl().json(words);
    EXPECT_EQ(one.at("kind"), "Pod");
    EXPECT_EQ(one.at("metadata").at("uid"), uid);
  }
  EXPECT_EQ(answer({"get", "pods", "-n", "empty"}), "");
}

TEST_F(CtlTest, GetVolumesAndTheOtherKinds) {
  const std::string table = answer({"get", "volumes"});
  EXPECT_TRUE(has(table, "kubernetes.io/empty-dir") && has(table, "Ready")) << table;
  EXPECT_EQ(answer({"get", "volumes", "-o", "name"}), "volume/web/disk\nvolume/web/memory\n");
  EXPECT_EQ(node_.ctl().json({"get", "volumes", "web"}).at("items").size(), 2U);
  const Json one = node_.ctl().json({"get", "volume", "web/disk"});
  EXPECT_EQ(one.at("kind"), "Volume");
  EXPECT_EQ(one.at("path"), node_.ctl().path("web", "disk"));
  const std::string plugins = answer({"get", "plugins"});
  for (const char* plugin : {"host-path", "nfs", "local-volume", "block"})
    EXPECT_TRUE(has(plugins, std::string("kubernetes.io/") + plugin + " ")) << plugins;
  EXPECT_EQ(node_.ctl().json({"get", "plugins", "kubernetes.io/block"}).at("supports").at("blockMode"), true);
  EXPECT_EQ(node_.ctl().json({"get", "plugins", "kubernetes.io/nfs"}).at("supports").at("mountOptions"),
            true);
  for (const auto& [kind, name] :
       std::vector<std::pair<std::string, std::string>>{{"pv", "PersistentVolumeList"},
                                                        {"pvc", "PersistentVolumeClaimList"},
                                                        {"sc", "StorageClassList"},
                                                        {"devices", "DeviceList"},
                                                        {"drivers", "DriverList"},
                                                        {"events", "EventList"},
                                                        {"plugins", "PluginList"}})
    EXPECT_EQ(node_.ctl().json({"get", kind}).at("kind"), name);
  EXPECT_TRUE(has(answer({"describe", "pod", "web"}), "PodReady"));
  EXPECT_TRUE(has(answer({"describe", "volume", "web/disk"}), node_.ctl().path("web", "disk")));
  EXPECT_EQ(node_.ctl().json({"describe", "plugin", "kubernetes.io/empty-dir"}).at("kind"), "Plugin");
}

TEST_F(CtlTest, ExplainTellsTheCauseTheNextTryAndWhatToDo) {
  write_waiting("waits");
  for (const char* name : {"pod/waits", "pod/waits/host"}) {
    const std::string text = answer({"explain", name});
    EXPECT_TRUE(has(text, node_.dir() + "/later/waits")) << text;
    for (const char* part : {"cause:", "HostPathCheckFailed", "since:", "tries:", "next try:", "what to do:"})
      EXPECT_TRUE(has(text, part)) << part << " is missing in\n" << text;
  }
  EXPECT_TRUE(has(answer({"explain", "pod/web"}), "pod default/web: ready"));
  node_.write("broken.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: broken}\nspec: {containers: []}\n");
  ASSERT_TRUE(node_.eventually([&] { return has(node_.ctl().problems(), "broken.yaml"); }));
  const Ran unknown = ctl({"explain", "pod/broken"});
  EXPECT_EQ(unknown.status, 4);
  EXPECT_TRUE(has(unknown.err, "broken.yaml:") && has(unknown.err, "spec.containers")) << unknown.err;
}

TEST_F(CtlTest, WaitEndsWhenItIsSoOrWhenTheTimeIsOver) {
  write_waiting("waits");
  Ran ran = ctl({"wait", "pod/waits", "--for=ready", "--timeout", "100ms"});
  EXPECT_EQ(ran.status, 6);
  EXPECT_TRUE(has(ran.err, "host") && has(ran.err, "HostPathCheckFailed")) << ran.err;
  ran = ctl({"wait", "pod/web", "--for=gone", "--timeout", "100ms"});
  EXPECT_EQ(ran.status, 6);
  EXPECT_TRUE(has(ran.err, "manifest is still there")) << ran.err;
  EXPECT_EQ(ctl({"wait", "pod/none", "--for=ready", "--timeout", "100ms"}).status, 6);
  answer({"wait", "pod/none", "--for=gone"});
  answer({"wait", "pod/web", "--for", "ready", "--timeout=0"});
  const Words line{Ctl::program(), "--bus", node_.bus_address(), "wait"};
  const auto start = [&](const std::string& pod, const std::string& condition) {
    Words words = line;
    words.insert(words.end(), {"pod/" + pod, "--for=" + condition});
    return Process(words, {node_.dir() + "/wait.log", {}});
  };
  Process ready = start("waits", "ready");
  Process gone = start("web", "gone");
  Process cut = start("never", "ready");
  fs::create_directories(node_.dir() + "/later/waits");
  node_.remove("web.yaml");
  EXPECT_EQ(ready.wait(default_limit), 0);
  EXPECT_EQ(gone.wait(default_limit), 0);
  EXPECT_EQ(node_.stop(), 0);
  EXPECT_EQ(cut.wait(default_limit), 5) << "its daemon is gone";
}

// As when somebody presses ^C, sooner or later.
TEST_F(CtlTest, WhoeverStopsWaitingHoldsUpNobody) {
  for (const int age_ms : {10, 50, 100, 200, 400}) {
    Process waiting({Ctl::program(), "--bus", node_.bus_address(), "wait", "pod/never", "--for=ready"},
                    {node_.dir() + "/wait.log", {}});
    EXPECT_FALSE(waiting.wait(Millis(age_ms)));
    waiting.kill();
    answer({"status"});
  }
}

TEST_F(CtlTest, RenderSpeaksTheWordsOfEachRuntime) {
  const std::string path = node_.ctl().path("web", "disk");
  const Json oci = Json::parse(answer({"render", "pod/web", "-c", "c2", "--runtime=oci"}));
  EXPECT_EQ(oci, Json::parse("[{\"destination\": \"/data\", \"type\": \"bind\", \"source\": \"" + path +
                             "\", \"options\": [\"rbind\", \"ro\", \"rprivate\"]}]"));
  EXPECT_EQ(answer({"render", "pod/web", "-c", "c2", "--runtime=podman"}),
            "--mount type=bind,source=" + path + ",destination=/data,ro=true,bind-propagation=rprivate\n");
  EXPECT_EQ(answer({"render", "pod/web", "-c", "c2", "--runtime=nspawn"}), "--bind-ro=" + path + ":/data\n");
  EXPECT_EQ(Json::parse(answer({"render", "pod/web", "-c", "c1", "--runtime=cri"})).at(0),
            Json({{"container_path", "/data"},
                  {"host_path", path},
                  {"readonly", false},
                  {"propagation", "PROPAGATION_PRIVATE"},
                  {"selinux_relabel", true}}));
  write_waiting("waits");
  expect_status(3, {{"render", "pod/waits", "--runtime=oci"}});
  expect_status(2, {{"render", "pod/web", "--runtime=oci"}});  // Which of its containers?
}

TEST_F(CtlTest, TreeEventsDumpAndVersionAnswer) {
  const std::string tree = answer({"tree"});
  for (const std::string& part : {std::string("node node"), node_.ctl().path("web", "disk"),
                                  std::string("container c2 at /data (read-only)")})
    EXPECT_TRUE(has(tree, part)) << tree;
  EXPECT_TRUE(has(answer({"events"}), "PodReady"));
  const Json dump = Json::parse(answer({"dump"}));
  EXPECT_EQ(dump.at("rootDirectory"), node_.root());
  EXPECT_EQ(dump.at("pods").size(), 1U);
  EXPECT_TRUE(has(answer({"version"}), "mooringd "));
  EXPECT_TRUE(node_.ctl().json({"version"}).contains("daemon"));
  const std::string log = node_.dir() + "/events.log";
  Process follower({Ctl::program(), "--bus", node_.bus_address(), "events", "-f", "-o", "json"}, {log, {}});
  EXPECT_TRUE(node_.eventually([&] { return has(read_file(log), "PodReady"); }));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.eventually([&] { return has(read_file(log), "PodGone"); })) << read_file(log);
}

TEST_F(CtlTest, WatchingTellsWhatChanges) {
  const std::string log = node_.dir() + "/watch.log";
  Process watcher({Ctl::program(), "--bus", node_.bus_address(), "get", "pods", "-w", "-o", "name"},
                  {log, {}});
  EXPECT_TRUE(node_.eventually([&] { return read_file(log) == "pod/web\n"; }));
  write_waiting("waits");
  EXPECT_TRUE(node_.eventually([&] { return read_file(log).ends_with("pod/waits\npod/web\n"); }))
      << read_file(log);
  node_.remove("waits.yaml");
  EXPECT_TRUE(node_.eventually([&] { return read_file(log).ends_with("pod/web\npod/web\n"); }))
      << read_file(log);
}

TEST_F(CtlTest, WhatDoesNotExistIsFour) {
  expect_status(4, {{"get", "pod", "none"},
                    {"get", "pod", "web", "-n", "other"},
                    {"get", "volume", "web/none"},
                    {"get", "pv", "none"},
                    {"get", "plugin", "none"},
                    {"describe", "pod", "none"},
                    {"describe", "volume", "web/none"},
                    {"explain", "pod/none"},
                    {"explain", "pod/web/none"},
                    {"render", "pod/none", "--runtime=oci"},
                    {"render", "pod/web", "-c", "none", "--runtime=oci"},
                    {"retry", "pod/none"}});
}

TEST_F(CtlTest, WrongUsageIsTwo) {
  expect_status(2, {{},
                    {"fly"},
                    {"get"},
                    {"get", "trains"},
                    {"get", "pods", "-o", "xml"},
                    {"get", "pods", "web", "more"},
                    {"--no-such", "status"},
                    {"describe", "pod"},
                    {"explain"},
                    {"explain", "pod/"},
                    {"explain", "pod/a/b/c"},
                    {"wait", "pod/web"},
                    {"wait", "pod/web", "--for=blue"},
                    {"wait", "pod/web", "--for=ready", "--timeout", "soon"},
                    {"wait", "pod/a/b", "--for=ready"},
                    {"render", "pod/web"},
                    {"render", "pod/web", "--runtime=lxc"},
                    {"plan"},
                    {"verify"},
                    {"status", "--color=pink"}});
}

TEST_F(CtlTest, WithoutADaemonItIsFive) {
  EXPECT_EQ(node_.stop(), 0);
  const std::vector<Words> commands{{"status"},
                                    {"get", "pods"},
                                    {"get", "volumes"},
                                    {"describe", "pod", "web"},
                                    {"explain", "pod/web"},
                                    {"wait", "pod/web", "--for=ready"},
                                    {"tree"},
                                    {"events"},
                                    {"render", "pod/web", "--runtime=oci"},
                                    {"retry"},
                                    {"dump"}};
  expect_status(5, commands);  // A bus without a daemon.
  answer({"version"});
  node_.stop_bus();
  expect_status(5, commands);  // Not even a bus.
  answer({"version"});
}

TEST_F(CtlTest, PlanAndVerifyNeedNoDaemonAndTouchNothing) {
  EXPECT_EQ(node_.stop(), 0);
  node_.stop_bus();
  const std::string manifests = node_.manifests();
  const std::string root = node_.dir() + "/untouched";
  EXPECT_EQ(answer({"verify", "-f", manifests}), "");
  const std::string plan = answer({"plan", "-f", manifests + "/web.yaml", "--root-dir", root});
  EXPECT_TRUE(has(plan, "default/web/memory") && has(plan, "tmpfs")) << plan;
  EXPECT_EQ(node_.ctl().json({"plan", "-f", manifests}).at("kind"), "Plan");
  EXPECT_FALSE(is_there(root));
  node_.write("bad.yaml",
              pod_text("bad", {{"a", "hostPath: {path: /a, type: Dir}"}, {"b", "emptyDir: {sizeLimit: x}"}}));
  node_.write("iscsi.yaml", pod_text("iscsi", {{"disk", "iscsi: {targetPortal: t, iqn: i, lun: 0}"}}));
  Ran ran = ctl({"verify", "-f", manifests});
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(has(ran.out, manifests + "/bad.yaml:13:")) << ran.out;
  EXPECT_TRUE(has(ran.out, ": error: spec.volumes[0].hostPath.type: ")) << ran.out;
  EXPECT_TRUE(has(ran.out, ": error: spec.volumes[1].emptyDir.sizeLimit: ")) << ran.out;
  EXPECT_TRUE(has(ran.out, "iscsi.yaml:") && has(ran.out, "kubernetes.io/iscsi")) << ran.out;
  EXPECT_EQ(ctl({"verify", "-f", manifests + "/web.yaml"}).status, 0);
  ran = ctl({"plan", "-f", manifests + "/web.yaml", manifests + "/bad.yaml"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_TRUE(has(ran.out, "default/web/memory")) << "what is good is planned all the same";
  EXPECT_EQ(ctl({"verify", "-f", manifests + "/none.yaml"}).status, 1);
  EXPECT_TRUE(has(ctl({"verify", "-f", manifests + "/none.yaml"}).out, "none.yaml: ENOENT"));
}

TEST_F(CtlTest, OnlyRootMayRetryAndOthersAreToldSo) {
  const std::string copy = node_.dir() + "/mooringctl";  // The build may be where only root can go.
  fs::copy_file(Ctl::program(), copy);
  const Words other{"setpriv", "--reuid=65534", "--regid=65534",    "--clear-groups",
                    copy,      "--bus",         node_.bus_address()};
  const auto as_other = [&](const std::string& command) {
    Words words = other;
    words.push_back(command);
    return run(words);
  };
  EXPECT_EQ(as_other("status").status, 0);
  const Ran refused = as_other("retry");
  EXPECT_EQ(refused.status, 7) << refused.err;
  EXPECT_TRUE(has(refused.err, "root")) << refused.err;
  answer({"retry"});
  answer({"retry", "pod/web"});
}

TEST_F(CtlTest, AnAnswerThatCannotBeWrittenIsAFailure) {
  Process full({Ctl::program(), "--bus", node_.bus_address(), "get", "pods"}, {"/dev/full", {}});
  EXPECT_EQ(full.wait(default_limit), 1);
}

TEST_F(CtlTest, ColoursAreForTerminalsAndSayNothingMore) {
  write_waiting("waits");
  for (const Words& words :
       {Words{"status"}, Words{"get", "pods"}, Words{"get", "volumes"}, Words{"explain", "pod/waits"},
        Words{"tree"}, Words{"events"}, Words{"describe", "pod", "web"}}) {
    EXPECT_EQ(first_control(ctl(words).out), "") << ::testing::PrintToString(words);
  }
  Words words{"get", "pods", "--color=always"};
  std::string painted = answer(words);
  EXPECT_TRUE(has(painted, "\033["));
  for (std::size_t at = painted.find('\033'); at != std::string::npos; at = painted.find('\033'))
    painted.erase(at, painted.find('m', at) - at + 1);
  EXPECT_EQ(painted, answer({"get", "pods"}));
}

TEST_F(CtlTest, TheBusMayComeFromTheEnvironment) {
  EXPECT_EQ(run({"env", "MOORING_BUS=" + node_.bus_address(), Ctl::program(), "status"}).status, 0);
  EXPECT_EQ(run({"env", "MOORING_BUS=" + node_.bus_address() + "-not", Ctl::program(), "status"}).status, 5);
}

TEST_F(CtlTest, NothingFromAManifestDrivesTheTerminal) {
  // ESC, BEL, DEL, a C1 control (CSI), a carriage return and a line feed; in a path, and in a file's name.
  const std::string odd = "\"" + node_.dir() + "/a\\e[2J\\a\\x7f\\u009b31m\\r\\nready\"";
  node_.write("odd\033[2J\x7f.yaml",
              pod_text("odd", {{"waits", "hostPath: {type: Directory, path: " + odd + "}"}}) + "---\n" +
                  pod_text("there", {{"host", "hostPath: {path: " + odd + "}"}}) + "---\n" +
                  pod_text("bad", {{"host", "hostPath: {path: /a, type: " + odd + "}"}}));
  ASSERT_TRUE(node_.gets_reason("odd", "waits", "HostPathCheckFailed"));
  ASSERT_TRUE(node_.becomes_ready("there"));
  ASSERT_FALSE(node_.ctl().problems().empty());
  std::vector<Words> commands{{"tree"},
                              {"dump"},
                              {"events"},
                              {"explain", "pod/odd"},
                              {"explain", "pod/bad"},
                              {"verify", "-f", node_.manifests()},
                              {"plan", "-f", node_.manifests()},
                              {"wait", "pod/odd", "--for=ready", "--timeout=1ms"}};
  for (const char* format : {"table", "wide", "json", "yaml", "name"}) {
    commands.insert(commands.end(), {{"status", "-o", format}, {"get", "pods", "-o", format}});
    commands.insert(commands.end(), {{"get", "volumes", "-o", format}, {"get", "events", "-o", format}});
    commands.push_back({"describe", "pod", "odd", "-o", format});
  }
  for (const Words& words : commands) {
    const Ran ran = ctl(words);
    EXPECT_EQ(first_control(ran.out), "") << ::testing::PrintToString(words);
    EXPECT_EQ(first_control(ran.err), "") << ::testing::PrintToString(words);
  }
  EXPECT_EQ(first_control(node_.log()), "") << "in mooringd's log";
  const Json mounts = Json::parse(answer({"render", "pod/there", "--runtime=oci"}));
  EXPECT_EQ(mounts.at(0).at("source"), node_.dir() + "/a\033[2J\a\x7f\u009b31m\r\nready")
      << "to programs it is told as it is";
}

}  // namespace
}  // namespace mooring::integration
