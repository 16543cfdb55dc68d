// What drivers say of volumes: how full they are, and how well (kubelet-behaviours 15.7).

#include <gmock/gmock.h>

#include "csi_core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t mebi = 1U << 20U;

class CsiUsage : public CsiCore {
 protected:
  static CsiNodeCapabilities stats() {
    CsiNodeCapabilities can;
    can.volume_stats = true;
    return can;
  }
  static CsiNodeCapabilities conditions() {
    CsiNodeCapabilities can = stats();
    can.volume_condition = true;
    return can;
  }
  static std::string measure(const std::string& pod) { return "measure " + target_of(pod); }
  /// The one of these that is in flight.
  std::string measure_of(const std::vector<std::string>& pods) const {
    for (const std::string& pod : pods) {
      if (shell.is_in_flight(measure(pod))) return measure(pod);
    }
    return "none of them";
  }
  static Outcome usage(std::uint64_t used_mebi) {
    Outcome outcome;
    outcome.usage = FileSystemUsage{100 * mebi, used_mebi * mebi, (100 - used_mebi) * mebi, 1000, 10, 990};
    return outcome;
  }
  static Outcome condition(bool is_abnormal, const std::string& message) {
    Outcome outcome = usage(1);
    outcome.condition = CsiCondition{is_abnormal, message};
    return outcome;
  }
  static Error silence() { return error_of(ErrorKind::Transient, "DriverNotAnswering", "no answer in time"); }
  std::optional<VolumeUsage> usage_of(const std::string& pod) { return shell.volume(pod, "v").usage; }
};

TEST_F(CsiUsage, kb_15_7_a_driver_with_get_volume_stats_is_asked_by_a_worker_of_its_own) {
  register_driver("d.example.com", stats());
  publish({"web"}, "d.example.com");
  EXPECT_THAT(shell.doing(), IsEmpty()) << "nobody asked";
  shell.feed(UsageAsked{});
  ASSERT_THAT(shell.doing(), ElementsAre(measure("web")));
  const Operation& operation = shell.in_flight.at(0);
  EXPECT_EQ(operation.lane, Lane::Own);
  const auto steps = steps_of<MeasureCsiVolume>(shell);
  ASSERT_THAT(steps, SizeIs(1));
  EXPECT_EQ(steps[0].volume.driver, DriverName("d.example.com"));
  EXPECT_EQ(steps[0].volume.socket, "/run/d.example.com");
  EXPECT_TRUE(steps[0].volume.handle.starts_with("csi-"));
  EXPECT_EQ(steps[0].path, target_of("web"));
  EXPECT_EQ(steps[0].volume.deadline_ms, 60'000u);
  EXPECT_GT(operation.deadline_ms, 60'000u) << "the worker lives to tell of it";
  shell.end(measure("web"), usage(40));
  ASSERT_TRUE(usage_of("web"));
  EXPECT_EQ(usage_of("web")->used_bytes, 40 * mebi);
  EXPECT_EQ(usage_of("web")->inodes_used, 10u);
  EXPECT_FALSE(shell.volume("web", "v").is_abnormal);
}

TEST_F(CsiUsage, kb_15_7_of_other_drivers_the_file_system_is_asked) {
  register_driver("d.example.com", {});
  publish({"web"}, "d.example.com");
  shell.feed(UsageAsked{});
  EXPECT_THAT(steps_of<MeasureUsage>(shell), SizeIs(1));
  EXPECT_THAT(steps_of<MeasureCsiVolume>(shell), IsEmpty());
}

TEST_F(CsiUsage, a_driver_that_hangs_is_asked_for_one_volume_at_a_time_and_holds_up_no_other) {
  register_driver("slow.example.com", stats());
  register_driver("fast.example.com", stats());
  publish({"a", "b", "c"}, "slow.example.com");
  publish({"p", "q"}, "fast.example.com");
  shell.feed(UsageAsked{});
  EXPECT_THAT(steps_of<MeasureCsiVolume>(shell), SizeIs(2));
  for (int i = 0; i < 2; ++i)
    shell.end(measure_of({"p", "q"}), usage(1));
  EXPECT_TRUE(usage_of("p") && usage_of("q"));
  const std::string hanging = measure_of({"a", "b", "c"});
  ASSERT_THAT(shell.doing(), ElementsAre(hanging));
  const WallTime asked = shell.now().wall;
  shell.advance(11s);
  shell.take();
  const std::string pod = hanging == measure("a") ? "a" : hanging == measure("b") ? "b" : "c";
  ASSERT_TRUE(usage_of(pod));
  EXPECT_FALSE(usage_of(pod)->is_known);
  EXPECT_THAT(usage_of(pod)->stale, HasSubstr("no answer yet"));
  EXPECT_EQ(usage_of(pod)->unknown_since, asked);
  shell.fail(hanging, silence());
  EXPECT_THAT(shell.doing(), IsEmpty()) << "the others would wait in vain";
  EXPECT_FALSE(shell.core.is_measuring());
  for (const char* one : {"a", "b", "c"}) {
    ASSERT_TRUE(usage_of(one)) << one;
    EXPECT_FALSE(usage_of(one)->is_known);
    EXPECT_THAT(usage_of(one)->stale, HasSubstr("no answer in time"));
    EXPECT_TRUE(usage_of(one)->unknown_since);
    EXPECT_EQ(shell.volume(one, "v").phase, Phase::Ready);
  }
}

TEST_F(CsiUsage, who_waits_for_numbers_does_not_wait_for_a_driver_that_did_not_answer_before) {
  register_driver("d.example.com", stats());
  publish({"web"}, "d.example.com");
  shell.feed(UsageAsked{});
  EXPECT_TRUE(shell.core.is_measuring());
  shell.fail(measure("web"), silence());
  shell.advance(60s);
  shell.feed(UsageAsked{});
  EXPECT_THAT(shell.doing(), ElementsAre(measure("web")));
  EXPECT_FALSE(shell.core.is_measuring());
  shell.end(measure("web"), usage(5));
  EXPECT_TRUE(usage_of("web")->is_known);
  EXPECT_EQ(usage_of("web")->stale, "");
  EXPECT_FALSE(usage_of("web")->unknown_since);
  shell.advance(60s);
  shell.feed(UsageAsked{});
  EXPECT_TRUE(shell.core.is_measuring());
}

TEST_F(CsiUsage, while_a_driver_is_gone_its_last_numbers_stay_and_say_so) {
  register_driver("d.example.com", stats());
  publish({"web"}, "d.example.com");
  shell.feed(UsageAsked{});
  shell.end(measure("web"), usage(40));
  unregister();
  shell.advance(60s);
  shell.feed(UsageAsked{});
  ASSERT_THAT(steps_of<MeasureCsiVolume>(shell), SizeIs(1)) << "its file system is no answer for it";
  EXPECT_EQ(steps_of<MeasureCsiVolume>(shell)[0].volume.socket, "");
  shell.fail(measure("web"), error_of(ErrorKind::Transient, "DriverNotRegistered", "it is not there"));
  EXPECT_EQ(usage_of("web")->used_bytes, 40 * mebi);
  EXPECT_THAT(usage_of("web")->stale, HasSubstr("it is not there"));
}

TEST_F(CsiUsage, kb_15_7_a_driver_that_tells_conditions_is_asked_again_and_again) {
  register_driver("d.example.com", conditions());
  publish({"web"}, "d.example.com");
  ASSERT_THAT(shell.doing(), ElementsAre(measure("web"))) << "nobody asked";
  shell.end(measure("web"), condition(false, "all is well"));
  EXPECT_EQ(shell.volume("web", "v").is_abnormal, false);
  EXPECT_EQ(shell.volume("web", "v").reason, "");
  EXPECT_EQ(shell.wake(), 60s);
  shell.end(measure("web"), condition(true, "disk 3 is failing"));
  const VolumeStatus ill = shell.volume("web", "v");
  EXPECT_EQ(ill.phase, Phase::Ready);
  EXPECT_EQ(ill.is_abnormal, true);
  EXPECT_EQ(ill.reason, "VolumeConditionAbnormal");
  EXPECT_THAT(ill.message, HasSubstr("disk 3 is failing"));
  EXPECT_NE(ill.action, "");
  EXPECT_THAT(shell.last.changed_pods, ElementsAre(uid_of("web")));
  EXPECT_EQ(shell.count("VolumeConditionAbnormal pod/default/web"), 1);
  shell.wake();
  shell.end(measure("web"), condition(true, "disk 3 is failing"));
  EXPECT_EQ(shell.count("VolumeConditionAbnormal pod/default/web"), 1) << "once for each change";
  shell.wake();
  shell.end(measure("web"), condition(false, "all is well"));
  EXPECT_EQ(shell.volume("web", "v").reason, "");
  EXPECT_EQ(shell.count("VolumeConditionNormal pod/default/web"), 1);
}

TEST_F(CsiUsage, kb_15_7_a_condition_of_a_driver_that_does_not_say_that_it_tells_any_is_no_condition) {
  register_driver("d.example.com", stats());
  publish({"web"}, "d.example.com");
  shell.feed(UsageAsked{});
  shell.end(measure("web"), condition(true, "disk 3 is failing"));
  EXPECT_TRUE(usage_of("web"));
  EXPECT_FALSE(shell.volume("web", "v").is_abnormal);
  EXPECT_EQ(shell.volume("web", "v").reason, "");
}

TEST_F(CsiUsage, a_condition_stays_as_it_was_said_while_its_driver_says_nothing) {
  register_driver("d.example.com", conditions());
  publish({"web"}, "d.example.com");
  shell.end(measure("web"), condition(true, "disk 3 is failing"));
  shell.wake();
  shell.fail(measure("web"), silence());
  EXPECT_EQ(shell.volume("web", "v").reason, "VolumeConditionAbnormal");
  EXPECT_EQ(shell.wake(), 60s) << "it is asked again";
}

TEST_F(CsiUsage, a_volume_that_is_gone_is_not_watched_any_more) {
  register_driver("d.example.com", conditions());
  publish({"web"}, "d.example.com");
  shell.remove("web");
  shell.finish();
  EXPECT_THAT(shell.gone, ElementsAre("web"));
  EXPECT_FALSE(shell.core.next_wake());
}

}  // namespace
}  // namespace mooring
