#include "daemon/usage_metrics.h"

#include <gmock/gmock.h>

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::Not;

PodStatus pod_with(const std::string& name, const std::string& claim, std::optional<VolumeUsage> usage) {
  PodStatus pod;
  pod.name_space = Namespace("default");
  pod.name = ObjectName(name);
  VolumeStatus& volume = pod.volumes.emplace_back();
  volume.name = VolumeName("v");
  volume.claim = claim;
  volume.usage = std::move(usage);
  return pod;
}

VolumeUsage some_usage() {
  VolumeUsage usage;
  usage.capacity_bytes = 100;
  usage.used_bytes = 40;
  usage.available_bytes = 60;
  usage.inodes = 10;
  usage.inodes_used = 3;
  usage.inodes_free = 7;
  return usage;
}

TEST(UsageMetrics, there_are_none_of_what_was_never_measured) {
  EXPECT_EQ(usage_metrics({}), "");
  EXPECT_EQ(usage_metrics({pod_with("web", "data", std::nullopt)}), "");
}

TEST(UsageMetrics, kb_21_those_of_claims_have_the_kubelets_names_and_each_claim_is_told_once) {
  const std::string text =
      usage_metrics({pod_with("a", "data", some_usage()), pod_with("b", "data", some_usage()),
                     pod_with("c", "", some_usage())});
  const std::string of_claim = "{namespace=\"default\",persistentvolumeclaim=\"data\"} ";
  for (const std::string& line :
       {"capacity_bytes" + of_claim + "100\n", "available_bytes" + of_claim + "60\n",
        "used_bytes" + of_claim + "40\n", "inodes" + of_claim + "10\n", "inodes_free" + of_claim + "7\n",
        "inodes_used" + of_claim + "3\n"}) {
    EXPECT_THAT(text, HasSubstr("\nkubelet_volume_stats_" + line));
    EXPECT_EQ(text.find("stats_" + line), text.rfind("stats_" + line));
  }
  EXPECT_THAT(text, HasSubstr("# TYPE kubelet_volume_stats_capacity_bytes gauge\n"));
}

TEST(UsageMetrics, all_have_mooring_s) {
  VolumeUsage shared = some_usage();
  shared.used_bytes.reset();
  shared.inodes_used.reset();
  shared.stale = "its server is gone";
  const std::string text = usage_metrics({pod_with("a", "", some_usage()), pod_with("b", "", shared)});
  EXPECT_THAT(text,
              HasSubstr("\nmooring_volume_used_bytes{namespace=\"default\",pod=\"a\",volume=\"v\"} 40\n"));
  EXPECT_THAT(text, Not(HasSubstr("mooring_volume_used_bytes{namespace=\"default\",pod=\"b\"")));
  EXPECT_THAT(text,
              HasSubstr("\nmooring_volume_usage_stale{namespace=\"default\",pod=\"b\",volume=\"v\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("kubelet_volume_stats")));
}

TEST(UsageMetrics, what_could_never_be_measured_has_no_numbers_and_says_so) {
  VolumeUsage unknown;
  unknown.is_known = false;
  unknown.stale = "its driver does not answer";
  const std::string text = usage_metrics({pod_with("a", "data", unknown)});
  EXPECT_THAT(text, Not(HasSubstr("capacity")));
  EXPECT_THAT(text,
              HasSubstr("mooring_volume_usage_stale{namespace=\"default\",pod=\"a\",volume=\"v\"} 1\n"));
}

TEST(HealthMetrics, kb_15_7_tell_what_drivers_say_of_the_volumes_of_claims) {
  PodStatus well = pod_with("a", "data", std::nullopt);
  well.volumes[0].is_abnormal = false;
  PodStatus ill = pod_with("b", "data", std::nullopt);
  ill.volumes[0].is_abnormal = true;
  const std::string text = health_metrics({ill, well, pod_with("c", "other", std::nullopt)});
  EXPECT_THAT(text, HasSubstr("\nkubelet_volume_stats_health_status_abnormal{namespace=\"default\","
                              "persistentvolumeclaim=\"data\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("\nmooring_volume_health_status_abnormal{namespace=\"default\",pod=\"a\","
                              "volume=\"v\"} 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("other")));
  EXPECT_EQ(health_metrics({pod_with("c", "other", std::nullopt)}), "");
}

}  // namespace
}  // namespace mooring
