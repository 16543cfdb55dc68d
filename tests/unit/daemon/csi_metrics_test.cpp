// csi_operations_seconds: kubelet-behaviours 15.7, 21.

#include "daemon/csi_metrics.h"

#include <gmock/gmock.h>

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::Not;

Outcome outcome_of(std::vector<CsiCallFact> calls) {
  Outcome outcome;
  outcome.csi_calls = std::move(calls);
  return outcome;
}

CsiCallFact publish(std::uint64_t duration_us, CallCode code = CallCode::Ok) {
  return {DriverName("d.example.com"), "csi.v1.Node/NodePublishVolume", code, duration_us};
}

std::string labels(const std::string& driver, const std::string& code, const std::string& method) {
  return "{driver_name=\"" + driver + "\",grpc_status_code=\"" + code + "\",method_name=\"" + method +
         "\",migrated=\"false\"";
}

const std::string of_publish = labels("d.example.com", "OK", "/csi.v1.Node/NodePublishVolume");

TEST(CsiMetrics, there_are_none_before_a_driver_was_called) {
  CsiMetrics metrics;
  metrics.add(Outcome());
  EXPECT_EQ(metrics.text(), "");
}

TEST(CsiMetrics, kb_15_7_each_call_counts_in_all_buckets_that_it_is_within) {
  CsiMetrics metrics;
  metrics.add(outcome_of({publish(100'000), publish(300'000)}));
  metrics.add(outcome_of({publish(700'000'000)}));
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("# TYPE csi_operations_seconds histogram\n"));
  const std::string bucket = "\ncsi_operations_seconds_bucket" + of_publish;
  EXPECT_THAT(text, HasSubstr(bucket + ",le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(bucket + ",le=\"0.25\"} 1\n"));
  EXPECT_THAT(text, HasSubstr(bucket + ",le=\"0.5\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(bucket + ",le=\"600\"} 2\n"));
  EXPECT_THAT(text, HasSubstr(bucket + ",le=\"+Inf\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("csi_operations_seconds_sum" + of_publish + "} 700.4\n"));
  EXPECT_THAT(text, HasSubstr("csi_operations_seconds_count" + of_publish + "} 3\n"));
}

TEST(CsiMetrics, kb_15_7_errors_have_the_name_of_their_code) {
  CsiMetrics metrics;
  metrics.add(outcome_of({publish(1, CallCode::DeadlineExceeded), publish(1, CallCode::Cancelled)}));
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("_count" +
                              labels("d.example.com", "DeadlineExceeded", "/csi.v1.Node/NodePublishVolume") +
                              "} 1\n"));
  EXPECT_THAT(text, HasSubstr("grpc_status_code=\"Canceled\""));
}

TEST(CsiMetrics, who_is_asked_what_it_is_has_the_name_that_it_said) {
  CsiMetrics metrics;
  Outcome asked = outcome_of({{{}, "csi.v1.Node/NodeGetInfo", CallCode::Ok, 1}});
  metrics.add(asked);
  asked.csi_driver.emplace().name = DriverName("d.example.com");
  metrics.add(asked);
  EXPECT_THAT(metrics.text(),
              HasSubstr("_count" + labels("unknown-driver", "OK", "/csi.v1.Node/NodeGetInfo")));
  EXPECT_THAT(metrics.text(),
              HasSubstr("_count" + labels("d.example.com", "OK", "/csi.v1.Node/NodeGetInfo")));
}

TEST(CsiMetrics, names_without_end_do_not_take_memory_without_end) {
  CsiMetrics metrics;
  for (std::size_t i = 0; i < CsiMetrics::series_max + 10; ++i) {
    CsiCallFact call = publish(1);
    call.driver = DriverName("d" + std::to_string(i));
    metrics.add(outcome_of({call}));
  }
  EXPECT_THAT(metrics.text(),
              HasSubstr("_count" + labels("other", "OK", "/csi.v1.Node/NodePublishVolume") + "} 10\n"));
  metrics.add(outcome_of({{DriverName("d0"), "csi.v1.Node/NodePublishVolume", CallCode::Ok, 1}}));
  EXPECT_THAT(metrics.text(),
              HasSubstr("_count" + labels("d0", "OK", "/csi.v1.Node/NodePublishVolume") + "} 2\n"));
}

}  // namespace
}  // namespace mooring
