// How full volumes are, as people, programs and Prometheus are told.

#include <gtest/gtest.h>
#include <unistd.h>

#include "node.h"
#include "scrape.h"

namespace mooring::integration {
namespace {

constexpr std::uint64_t mebi = 1U << 20U;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

NodeOptions with_metrics() {
  NodeOptions options;
  options.metrics = "unix:/tmp/mooring-usage-metrics." + std::to_string(getpid());
  return options;
}

class UsageTest : public ::testing::Test {
 protected:
  UsageTest() : node_(with_metrics()) { node_.start(); }
  ~UsageTest() override { unlink(socket_.c_str()); }

  Json usage(const std::string& pod, const std::string& volume) {
    const Json answer = node_.ctl().json({"get", "volumes", pod + "/" + volume});
    return answer.value("usage", Json());
  }
  std::string metrics() const { return scrape(socket_); }

  std::string socket_ = "/tmp/mooring-usage-metrics." + std::to_string(getpid());
  Node node_;
};

TEST_F(UsageTest, AFullVolumeInMemoryIsToldOfEverywhere) {
  node_.write("web.yaml", pod_text("web", {{"memory", memory_dir}, {"disk", empty_dir}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  fill_up(node_.ctl().path("web", "memory") + "/file");
  ASSERT_TRUE(node_.eventually([&] { return usage("web", "memory").is_object(); }));
  const Json full = usage("web", "memory");
  EXPECT_EQ(full.at("capacityBytes"), mebi);
  EXPECT_EQ(full.at("usedBytes"), mebi);
  EXPECT_EQ(full.at("availableBytes"), 0);
  EXPECT_EQ(full.at("inodesUsed"), 2);
  EXPECT_TRUE(full.at("time").is_string());
  EXPECT_FALSE(full.contains("stale"));

  ASSERT_TRUE(node_.eventually([&] { return usage("web", "disk").is_object(); }));
  const Json disk = usage("web", "disk");
  EXPECT_GT(disk.at("capacityBytes").get<std::uint64_t>(), 0U);
  EXPECT_FALSE(disk.contains("usedBytes")) << "it shares its file system";

  const Ran wide = node_.ctl()({"get", "volumes", "-o", "wide"});
  EXPECT_TRUE(has(wide.out, "SIZE") && has(wide.out, "USED") && has(wide.out, "AVAIL")) << wide.out;
  EXPECT_TRUE(has(wide.out, "1Mi")) << wide.out;
  const Ran details = node_.ctl()({"describe", "volume", "web/memory"});
  EXPECT_TRUE(has(details.out, "1Mi of 1Mi used, 0 available")) << details.out << details.err;

  const std::string labels = "{namespace=\"default\",pod=\"web\",volume=\"memory\"} ";
  const std::string text = metrics();
  EXPECT_TRUE(has(text, "mooring_volume_used_bytes" + labels + std::to_string(mebi) + "\n")) << text;
  EXPECT_FALSE(has(text, "kubelet_volume_stats")) << "it is of no claim";
}

TEST_F(UsageTest, TheMetricsAskByThemselves) {
  node_.write("web.yaml", pod_text("web", {{"memory", memory_dir}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  EXPECT_TRUE(node_.eventually([&] {
    return has(metrics(),
               "mooring_volume_capacity_bytes{namespace=\"default\",pod=\"web\",volume=\"memory\"}");
  }));
}

TEST_F(UsageTest, ALimitOnADiskWithoutQuotasIsMeasuredByAWalk) {
  node_.write("web.yaml", pod_text("web", {{"disk", "emptyDir: {sizeLimit: 1Mi}"}}));
  ASSERT_TRUE(node_.becomes_ready("web"));
  write_in_place(node_.ctl().path("web", "disk") + "/file", std::string(3 * mebi, 'x'));
  ASSERT_TRUE(node_.eventually([&] { return usage("web", "disk").contains("usedBytes"); }));
  EXPECT_GE(usage("web", "disk").at("usedBytes").get<std::uint64_t>(), 3 * mebi);
  ASSERT_TRUE(node_.gets_reason("web", "disk", "SizeLimitExceeded"));
  EXPECT_EQ(node_.ctl().phase("web", "disk"), "Ready");
  EXPECT_EQ(node_.ctl().message("web", "disk"),
            "Usage of EmptyDir volume \"disk\" exceeds the limit \"1Mi\".");
  EXPECT_TRUE(node_.eventually([&] { return node_.bus().has_event("SizeLimitExceeded", "\"disk\""); }));
  node_.remove("web.yaml");
  EXPECT_TRUE(node_.becomes_gone("web"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); }));
}

}  // namespace
}  // namespace mooring::integration
