// configMap, secret, downwardAPI and projected, made, changed and removed by the real binaries.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

const std::string config_map = "configMap: {name: settings}";

std::string object(const std::string& kind, const std::string& name, const std::string& data) {
  return "apiVersion: v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\n" +
         (kind == "Secret" ? "stringData: " : "data: ") + data + "\n";
}

class Configs : public ::testing::Test {
 protected:
  Configs() { node_.start(); }
  std::string path(const std::string& name, const std::string& file) const {
    return node_.ctl().path("web", name) + "/" + file;
  }
  bool becomes(const std::string& file, const std::string& content) {
    return node_.eventually([&] { return read_file(file) == content; });
  }
  Node node_;
};

TEST_F(Configs, TheRealManifestsGiveWhatKubernetesGives) {
  node_.write("config.yaml", read_file(std::string(MANIFESTS_DIR) + "/volume-configmap.yaml"));
  node_.write("fields.yaml", read_file(std::string(MANIFESTS_DIR) + "/volume-downwardApi.yaml"));
  ASSERT_TRUE(node_.becomes_ready("configmap-pod") && node_.becomes_ready("dwapi-pod"));
  const std::string config = node_.ctl().path("configmap-pod", "config-vol");
  EXPECT_EQ(read_file(config + "/log_level"), "INFO");
  EXPECT_EQ(read_file(config + "/ui.properties"),
            "color.good=purple\ncolor.bad=yellow\nallow.textmode=true\nhow.nice.to.look=fairlyNice\n");
  EXPECT_EQ(fs::read_symlink(config + "/log_level"), "..data/log_level");
  const std::string fields = node_.ctl().path("dwapi-pod", "podinfo");
  EXPECT_EQ(read_file(fields + "/labels"), "app=\"dnsutils\"\nversion=\"1.1\"");
  EXPECT_EQ(read_file(fields + "/annotations"),
            "prometheus.io/port=\"80\"\nprometheus.io/scheme=\"http\"\nprometheus.io/scrape=\"true\"");
}

TEST_F(Configs, APodWaitsForItsObjectAndGoesOnWhenItIsThere) {
  node_.write("web.yaml", pod_text("web", {{"config", config_map}}));
  EXPECT_TRUE(node_.gets_reason("web", "config", "ConfigMapNotFound"));
  node_.write("config.yaml", object("ConfigMap", "settings", "{a: \"1\"}"));
  ASSERT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(read_file(path("config", "a")), "1");
}

TEST_F(Configs, AChangeIsInThePodAtOnceAndReplacedWhole) {
  node_.write("config.yaml", object("ConfigMap", "settings", "{a: \"1\", b: \"1\"}"));
  node_.write("web.yaml", pod_text("web", {{"config", config_map}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  const std::vector<std::string> mounts = mount_lines(node_.root());
  const std::string before = fs::read_symlink(path("config", "..data"));
  node_.write("config.yaml", object("ConfigMap", "settings", "{a: \"2\", c: \"2\"}"));
  EXPECT_TRUE(becomes(path("config", "a"), "2"));
  EXPECT_EQ(read_file(path("config", "c")), "2");
  EXPECT_FALSE(is_there(path("config", "b")));
  EXPECT_TRUE(node_.eventually([&] { return !is_there(path("config", before)); }));
  EXPECT_TRUE(node_.ctl().is_ready("web"));
  EXPECT_EQ(mount_lines(node_.root()), mounts);
  EXPECT_EQ(node_.bus().ready(), std::vector<std::string>{"web"}) << "it never stopped being ready";
}

TEST_F(Configs, WhatCannotBeRefreshedKeepsWhatItHoldsAndSaysWhy) {
  node_.write("config.yaml", object("ConfigMap", "settings", "{a: \"1\"}"));
  node_.write("web.yaml", pod_text("web", {{"config", config_map}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  node_.remove("config.yaml");
  EXPECT_TRUE(node_.gets_reason("web", "config", "ConfigMapNotFound"));
  EXPECT_EQ(read_file(path("config", "a")), "1");
  EXPECT_TRUE(node_.ctl().is_ready("web"));
  node_.write("config.yaml", object("ConfigMap", "settings", "{a: \"3\"}"));
  EXPECT_TRUE(becomes(path("config", "a"), "3"));
}

TEST_F(Configs, SecretsAreInMemoryAndInNothingElse) {
  const std::string marker = "MARKER-of-a-secret";
  node_.write("secret.yaml", object("Secret", "keys", "{token: " + marker + "}"));
  node_.write("web.yaml", pod_text("web", {{"secret", "secret: {secretName: keys, defaultMode: 0400}"}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  const std::string volume = node_.ctl().path("web", "secret");
  EXPECT_EQ(read_file(volume + "/token"), marker);
  EXPECT_EQ(mode_of(fs::canonical(volume + "/token")), 0400U);
  ASSERT_EQ(mounts_at(volume).size(), 1U);
  EXPECT_EQ(mounts_at(volume).front().type, "tmpfs");
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"dump"},
                                             {"events"},
                                             {"get", "volumes", "-o", "json"},
                                             {"describe", "pod", "web"},
                                             {"explain", "pod/web"},
                                             {"plan", "-f", node_.manifests()},
                                             {"plan", "-f", node_.manifests(), "-o", "json"}}) {
    const Ran ran = node_.ctl()(words);
    EXPECT_EQ((ran.out + ran.err).find(marker), std::string::npos) << words.front();
  }
  EXPECT_EQ(node_.log().find(marker), std::string::npos);
  for (const auto& entry : fs::recursive_directory_iterator(node_.run_dir())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(read_file(entry.path()).find(marker), std::string::npos) << entry.path();
  }
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

/// Ended by a signal that dumps core, mooringd leaves no core file; and where the test may lift its limit,
/// one that holds nothing of what it has in memory.
TEST_F(Configs, SecretsAreInNoCoreFile) {
  const std::string marker = "MARKER-of-a-secret";
  node_.write("secret.yaml", object("Secret", "keys", "{token: " + marker + "}"));
  node_.write("web.yaml", pod_text("web", {{"secret", "secret: {secretName: keys}"}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  const pid_t daemon = node_.daemon().pid();
  std::vector<pid_t> all = children_of(daemon);
  ASSERT_FALSE(all.empty());
  all.push_back(daemon);
  for (const pid_t pid : all) {
    EXPECT_EQ(read_file("/proc/" + std::to_string(pid) + "/coredump_filter"), "00000000\n");
    rlimit limit{};
    ASSERT_EQ(prlimit(pid, RLIMIT_CORE, nullptr, &limit), 0);
    EXPECT_EQ(limit.rlim_max, 0U);
  }
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  const bool is_lifted = prlimit(daemon, RLIMIT_CORE, &unlimited, nullptr) == 0;
  std::string pattern = read_file("/proc/sys/kernel/core_pattern");
  while (pattern.ends_with('\n'))
    pattern.pop_back();
  const fs::path place = fs::read_symlink("/proc/" + std::to_string(daemon) + "/cwd");
  ASSERT_EQ(kill(daemon, SIGABRT), 0);
  ASSERT_TRUE(node_.daemon().wait(Millis(10'000)));
  if (pattern.find_first_of("|/%") != std::string::npos) return;  // It would not be written here.
  for (const fs::path& core : {place / pattern, place / (pattern + "." + std::to_string(daemon))}) {
    if (!fs::exists(core)) continue;
    EXPECT_TRUE(is_lifted) << core;
    EXPECT_EQ(read_file(core).find(marker), std::string::npos);
    fs::remove(core);
  }
}

TEST_F(Configs, LargeContentReachesTheWorker) {
  std::string data = "{";
  for (int i = 0; i < 4; ++i)
    data += "k" + std::to_string(i) + ": " + std::string(200'000, static_cast<char>('a' + i)) + ", ";
  node_.write("config.yaml", object("ConfigMap", "settings", data + "}"));
  node_.write("web.yaml", pod_text("web", {{"config", config_map}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  EXPECT_EQ(read_file(path("config", "k3")), std::string(200'000, 'd'));
}

TEST_F(Configs, ARestartChangesNothingAndWhatChangedMeanwhileIsTakenUp) {
  node_.write("config.yaml", object("ConfigMap", "settings", "{a: \"1\"}"));
  node_.write("web.yaml",
              pod_text("web", {{"config", config_map},
                               {"optional", "configMap: {name: later, optional: true}"},
                               {"all", "projected: {sources: [{configMap: {name: settings}}]}"}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  const std::string before = fs::read_symlink(path("config", "..data"));
  const std::vector<std::string> mounts = mount_lines(node_.root());
  node_.kill();
  node_.write("later.yaml", object("ConfigMap", "later", "{b: \"2\"}"));
  node_.start();
  EXPECT_TRUE(becomes(path("optional", "b"), "2"));
  EXPECT_EQ(fs::read_symlink(path("config", "..data")), before);
  EXPECT_EQ(mount_lines(node_.root()), mounts);
}

TEST_F(Configs, ContainersGetThemReadOnly) {
  node_.write("config.yaml", object("ConfigMap", "settings", "{a: \"1\"}"));
  node_.write("web.yaml", pod_text("web", {{"config", config_map}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  const Ran ran = node_.ctl()({"render", "pod/web", "-c", "c", "--runtime=oci"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(Json::parse(ran.out).at(0).at("options"), Json({"rbind", "ro", "rprivate"}));
}

}  // namespace
}  // namespace mooring::integration
