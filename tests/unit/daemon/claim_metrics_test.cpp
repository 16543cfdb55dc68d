#include "daemon/claim_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::Not;

ClaimStatus claim(const std::string& name, const std::string& phase, const std::string& request = "1Gi") {
  ClaimStatus status;
  status.name_space = Namespace("shop");
  status.name = ObjectName(name);
  status.phase = phase;
  status.request = request;
  return status;
}

PersistentVolumeStatus volume(const std::string& name, const std::string& phase) {
  PersistentVolumeStatus status;
  status.name = ObjectName(name);
  status.phase = phase;
  status.capacity = "5G";
  return status;
}

TEST(ClaimMetrics, have_a_line_for_each_phase_of_each_claim) {
  const std::string text = claim_metrics({claim("data", "Bound")}, {});
  const std::string labels =
      R"(kube_persistentvolumeclaim_status_phase{namespace="shop",persistentvolumeclaim="data",)";
  EXPECT_THAT(text, HasSubstr(labels + "phase=\"Bound\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(labels + "phase=\"Pending\"} 0\n"));
  EXPECT_THAT(text, HasSubstr(labels + "phase=\"Lost\"} 0\n"));
}

TEST(ClaimMetrics, have_a_line_for_each_phase_of_each_volume) {
  const std::string text = claim_metrics({}, {volume("pv-1", "Released")});
  EXPECT_THAT(
      text,
      HasSubstr("kube_persistentvolume_status_phase{persistentvolume=\"pv-1\",phase=\"Released\"} 1\n"));
  EXPECT_THAT(text,
              HasSubstr("kube_persistentvolume_status_phase{persistentvolume=\"pv-1\",phase=\"Bound\"} 0\n"));
  EXPECT_THAT(text,
              HasSubstr("kube_persistentvolume_capacity_bytes{persistentvolume=\"pv-1\"} 5000000000\n"));
}

TEST(ClaimMetrics, count_each_phase_and_say_so_of_none_too) {
  const std::string text =
      claim_metrics({claim("a", "Bound"), claim("b", "Bound"), claim("c", "Terminating")}, {});
  EXPECT_THAT(text, HasSubstr("mooring_claims{phase=\"Bound\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("mooring_claims{phase=\"Lost\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("mooring_claims{phase=\"Terminating\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mooring_persistent_volumes{phase=\"Failed\"} 0\n"));
}

TEST(ClaimMetrics, have_kubernetes_phase_for_what_mooring_calls_otherwise) {
  ClaimStatus going = claim("data", "Terminating");
  going.volume = "pv-1";
  PersistentVolumeStatus its = volume("pv-1", "Terminating");
  its.claim = "shop/data";
  const std::string text =
      claim_metrics({going, claim("new", "Terminating")},
                    {its, volume("pv-2", "Terminating"), volume("pv-3", "Provisioning")});
  EXPECT_THAT(text, HasSubstr("persistentvolumeclaim=\"data\",phase=\"Bound\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("persistentvolumeclaim=\"new\",phase=\"Pending\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("persistentvolume=\"pv-1\",phase=\"Bound\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("persistentvolume=\"pv-2\",phase=\"Released\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("persistentvolume=\"pv-3\",phase=\"Pending\"} 1\n"));
}

TEST(ClaimMetrics, count_what_is_waited_for) {
  ClaimStatus waits = claim("a", "Pending");
  waits.reason = "DriverNotRegistered";
  PersistentVolumeStatus going = volume("pv-1", "Released");
  going.reason = "SecretMissing";
  const std::string text = claim_metrics({waits, claim("b", "Bound")}, {going, going});
  EXPECT_THAT(text, HasSubstr("mooring_claims_waiting{reason=\"DriverNotRegistered\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("mooring_persistent_volumes_waiting{reason=\"SecretMissing\"} 2\n"));
  EXPECT_THAT(claim_metrics({claim("b", "Bound")}, {}), Not(HasSubstr("_waiting")));
}

TEST(ClaimMetrics, tell_what_is_asked_for_in_bytes) {
  const std::string text = claim_metrics({claim("a", "Bound", "1Gi"), claim("odd", "Pending", "many")}, {});
  EXPECT_THAT(text, HasSubstr("persistentvolumeclaim=\"a\"} 1073741824\n"));
  EXPECT_THAT(text, Not(HasSubstr("_bytes{namespace=\"shop\",persistentvolumeclaim=\"odd\"}")));
}

TEST(ClaimMetrics, escape_what_the_format_gives_a_meaning) {
  EXPECT_EQ(claim_metrics({claim("a\"b\\c\nd", "Bound")}, {}).find("\nd"), std::string::npos);
}

TEST(ClaimMetrics, name_each_metric_once) {
  const std::string text = claim_metrics({claim("a", "Bound"), claim("b", "Lost")}, {volume("pv", "Bound")});
  for (const char* name :
       {"mooring_claims", "kube_persistentvolumeclaim_status_phase", "kube_persistentvolume_status_phase"}) {
    const std::string head = std::string("# TYPE ") + name + " gauge\n";
    const std::size_t first = text.find(head);
    ASSERT_NE(first, std::string::npos) << name;
    EXPECT_EQ(text.find(head, first + 1), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace mooring
