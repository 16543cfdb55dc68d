// Drivers that want their volumes published again and again, and what they are to be told then
// (kubelet-behaviours 2.5, 15.3).

#include <gmock/gmock.h>

#include "csi_core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const std::string republish = "requiresRepublish: true";

std::string secret_yaml(const std::string& key, const std::string& value) {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: default}\nstringData: {'" + key +
         "': '" + value + "'}\n";
}
const std::string with_secret = ", nodePublishSecretRef: {name: s}";

using CsiRepublish = CsiCore;

TEST_F(CsiRepublish, kb_15_3_a_volume_is_published_again_while_its_pod_is_there) {
  register_driver("d.example.com", {}, republish);
  publish({"web"}, "d.example.com");
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(shell.doing(), IsEmpty());
    const Duration pause = shell.wake();
    EXPECT_GE(pause, 60s);
    EXPECT_LE(pause, 90s);
    ASSERT_THAT(shell.doing(), ElementsAre(publishing("web")));
    EXPECT_THAT(steps_of<PublishCsiVolume>(shell), SizeIs(1));
    EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
    EXPECT_TRUE(shell.pod("web").ready);
    shell.end(publishing("web"));
  }
  EXPECT_THAT(shell.ready, ElementsAre("web")) << "told once";
  shell.remove("web");
  shell.finish();
  EXPECT_FALSE(shell.core.next_wake());
}

TEST_F(CsiRepublish, kb_15_3_what_it_holds_then_is_given_to_the_pods_group_again) {
  register_driver("d.example.com", {}, republish + ", fsGroupPolicy: File");
  shell.write("web", {{"v", "csi: {driver: d.example.com}"}}, "  securityContext: {fsGroup: 2000}\n");
  for (int round = 0; round < 3; ++round) {
    ASSERT_THAT(shell.doing(), ElementsAre(publishing("web")));
    ASSERT_THAT(steps_of<ChangeGroup>(shell), SizeIs(1)) << "round " << round;
    EXPECT_EQ(steps_of<ChangeGroup>(shell)[0].group, 2000U);
    shell.end(publishing("web"));
    shell.show_mounts({{root_dir + "/" + target_of("web"), "tmpfs"}});
    shell.wake();
  }
}

TEST_F(CsiRepublish, kb_15_3_without_it_a_volume_is_published_once) {
  register_driver("d.example.com", {});
  publish({"web"}, "d.example.com");
  EXPECT_FALSE(shell.core.next_wake());
}

TEST_F(CsiRepublish, kb_15_3_a_failure_unmounts_nothing_and_is_tried_again) {
  register_driver("d.example.com", {}, republish);
  publish({"web"}, "d.example.com");
  shell.wake();
  shell.fail(publishing("web"), error_of(ErrorKind::Final, "PublishFailed", "no such secret"));
  const VolumeStatus status = shell.volume("web", "v");
  EXPECT_EQ(status.phase, Phase::Ready);
  EXPECT_EQ(status.reason, "PublishFailed");
  EXPECT_THAT(status.message, HasSubstr("no such secret"));
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.doing(), IsEmpty()) << "nothing is undone";
  while (shell.in_flight.empty())
    shell.wake();
  ASSERT_THAT(shell.doing(), ElementsAre(publishing("web")));
  shell.end(publishing("web"));
  EXPECT_EQ(shell.volume("web", "v").reason, "");
}

TEST_F(CsiRepublish, while_the_driver_is_gone_the_volume_keeps_what_it_holds_and_says_so) {
  register_driver("d.example.com", {}, republish);
  publish({"web"}, "d.example.com");
  unregister();
  const Duration pause = shell.wake();
  EXPECT_GE(pause, 60s);
  EXPECT_THAT(shell.doing(), IsEmpty());
  const VolumeStatus status = shell.volume("web", "v");
  EXPECT_EQ(status.phase, Phase::Ready);
  EXPECT_EQ(status.reason, "DriverNotRegistered");
  EXPECT_THAT(status.message, HasSubstr("keeps what it holds"));
  EXPECT_GE(shell.wake(), 60s) << "and not in a loop";
  EXPECT_EQ(shell.count("FailedRefresh pod/default/web"), 1);
  register_driver("d.example.com", {}, republish);
  ASSERT_THAT(shell.doing(), ElementsAre(publishing("web"))) << "at once when it is back";
  shell.end(publishing("web"));
  EXPECT_EQ(shell.volume("web", "v").reason, "");
}

TEST_F(CsiRepublish, a_volume_on_its_way_down_is_not_published_again) {
  register_driver("d.example.com", {}, republish);
  publish({"web"}, "d.example.com");
  shell.remove("web");
  for (int i = 0; i < 20; ++i) {
    ASSERT_THAT(shell.doing(), ElementsAre("unpublish default/web/v"));
    shell.fail(shell.in_flight.at(0).what, error_of(ErrorKind::Transient, "UnpublishFailed"));
    while (shell.in_flight.empty())
      ASSERT_GT(shell.wake(), Duration::zero()) << "it looks again and again";
  }
}

TEST_F(CsiRepublish, a_driver_object_that_comes_to_want_it_gets_it) {
  register_driver("d.example.com", {});
  publish({"web"}, "d.example.com");
  shell.write_text("d.example.com.yaml", driver_yaml("d.example.com", republish));
  ASSERT_THAT(shell.doing(), ElementsAre(publishing("web")));
  shell.end(publishing("web"));
  EXPECT_GE(shell.wake(), 60s);
}

TEST_F(CsiRepublish, the_next_time_is_with_the_secret_as_it_is_then) {
  register_driver("d.example.com", {}, republish);
  shell.write_text("s.yaml", secret_yaml("k", "one"));
  publish({"web"}, "d.example.com", with_secret);
  shell.write_text("s.yaml", secret_yaml("k", "two"));
  while (shell.in_flight.empty())
    shell.wake();
  ASSERT_THAT(steps_of<PublishCsiVolume>(shell), SizeIs(1));
  EXPECT_EQ(steps_of<PublishCsiVolume>(shell)[0].secrets.at("k").expose_secret(), "two");
}

TEST_F(CsiRepublish, a_volume_that_was_refused_for_want_of_a_secret_goes_on_when_it_comes) {
  register_driver("d.example.com", {});
  shell.write("web", {{"v", "csi: {driver: d.example.com" + with_secret + "}"}});
  EXPECT_EQ(shell.volume("web", "v").reason, "SecretNotFound");
  EXPECT_THAT(shell.doing(), IsEmpty());
  shell.write_text("s.yaml", secret_yaml("k", "one"));
  EXPECT_THAT(shell.doing(), ElementsAre(publishing("web")));
}

TEST_F(CsiRepublish, kb_15_3_a_driver_that_asks_for_tokens_gets_none_that_nobody_has) {
  register_driver("d.example.com", {}, "tokenRequests: [{audience: vault}]");
  shell.write("web", {{"v", "csi: {driver: d.example.com}"}});
  const VolumeStatus status = shell.volume("web", "v");
  EXPECT_EQ(status.reason, "TokensUnavailable");
  EXPECT_THAT(status.message, HasSubstr("API server"));
  EXPECT_THAT(status.action, HasSubstr("serviceAccount.tokens"));
}

TEST_F(CsiRepublish, kb_15_3_tokens_that_a_secret_holds_go_where_the_driver_looks_for_them) {
  const std::string key = "csi.storage.k8s.io/serviceAccount.tokens";
  const std::string tokens = R"({"vault":{"token":"t"}})";
  register_driver("d.example.com", {}, "tokenRequests: [{audience: vault}]");
  register_driver("e.example.com", {},
                  "tokenRequests: [{audience: vault}], serviceAccountTokenInSecrets: true");
  shell.write("web", {{"v", "csi: {driver: d.example.com" + with_secret + "}"}});
  shell.write("db", {{"v", "csi: {driver: e.example.com" + with_secret + "}"}});
  shell.write_text("s.yaml", secret_yaml("serviceAccount.tokens", tokens));
  const auto steps = steps_of<PublishCsiVolume>(shell);
  ASSERT_THAT(steps, SizeIs(2)) << "both waited for the Secret";
  for (const PublishCsiVolume& step : steps) {
    const bool is_in_secrets = step.volume.driver == DriverName("e.example.com");
    EXPECT_EQ(step.tokens.expose_secret(), is_in_secrets ? "" : tokens);
    EXPECT_EQ(step.secrets.contains(key), is_in_secrets);
    EXPECT_FALSE(step.secrets.contains("serviceAccount.tokens"));
    EXPECT_FALSE(step.volume_context.contains(key)) << "it is a secret";
  }
}

}  // namespace
}  // namespace mooring
