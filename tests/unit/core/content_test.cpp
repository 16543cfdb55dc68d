// Volumes whose content follows objects and the pod.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string config = "configMap: {name: settings}";
const std::string optional = "configMap: {name: settings, optional: true}";
const std::string publish = "publish default/web/v";

std::string settings(const std::string& value) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {key: '" + value + "'}\n";
}
/// What the operation in flight is to publish, "path=content" of each file.
std::vector<std::string> files_of(const Shell& shell) {
  std::vector<std::string> lines;
  for (const Step& step : shell.in_flight.at(0).steps) {
    const auto* files = std::get_if<PublishFiles>(&step);
    if (files == nullptr) continue;
    EXPECT_TRUE(layout::is_content_version(files->version)) << files->version;
    for (const PublishedFile& file : files->files)
      lines.push_back(file.path + "=" + file.bytes.expose_secret());
  }
  return lines;
}

TEST(Content, kb_13_5_a_missing_object_is_waited_for_and_made_when_it_comes) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", config}});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_EQ(shell.volume("web", "v").reason, "ConfigMapNotFound");
  shell.write_text("settings.yaml", settings("1"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), ElementsAre("key=1"));
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
}

TEST(Content, kb_13_5_a_change_is_published_at_once_and_the_pod_stays_ready) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1"));
  shell.write("web", {{"v", config}});
  shell.finish();
  shell.write_text("settings.yaml", settings("2"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), ElementsAre("key=2"));
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").phase, Phase::Ready);
  shell.write_text("settings.yaml", settings("3"));  // While the last one is on its way.
  shell.end(publish);
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), ElementsAre("key=3"));
  shell.finish();
  EXPECT_THAT(shell.ready, ElementsAre("web"));
}

TEST(Content, what_is_read_again_as_it_was_starts_nothing) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1"));
  shell.write("web", {{"v", config}});
  shell.finish();
  shell.write_text("settings.yaml", settings("1"));
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_FALSE(shell.core.next_wake());
}

TEST(Content, kb_13_5_what_cannot_be_refreshed_keeps_what_it_holds_and_says_why) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1"));
  shell.write("web", {{"v", config}});
  shell.finish();
  shell.feed(FileGone{"settings.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "ConfigMapNotFound");
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("it keeps what it holds"));
  shell.write_text("settings.yaml", settings("1"));
  EXPECT_EQ(shell.volume("web", "v").reason, "");
}

TEST(Content, kb_13_5_bug_a_refresh_that_failed_is_tried_again_and_the_pod_stays_ready) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1"));
  shell.write("web", {{"v", config}});
  shell.finish();
  for (const Error& error : {error_of(ErrorKind::Transient, "NoSpace"), worker_lost()}) {
    shell.write_text("settings.yaml", settings(error.reason));
    shell.fail(publish, error);
    EXPECT_TRUE(shell.pod("web").ready);
    EXPECT_EQ(shell.volume("web", "v").reason, error.reason);
    if (!shell.is_in_flight(publish)) shell.wake();
    shell.end(publish);
    EXPECT_EQ(shell.volume("web", "v").reason, "");
  }
}

TEST(Content, an_object_that_may_not_be_read_yet_is_not_taken_for_missing) {
  Shell shell;
  shell.adopt({record_of("web", {})}, {});
  shell.write("web", {{"v", optional}});
  EXPECT_THAT(shell.in_flight, IsEmpty()) << "an optional one must not become empty for a moment";
  EXPECT_EQ(shell.volume("web", "v").reason, "WaitingForManifests");
  shell.write_text("settings.yaml", settings("1"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), ElementsAre("key=1"));
}

TEST(Content, an_object_that_a_broken_manifest_may_hold_is_waited_for) {
  Shell shell;
  shell.start();
  shell.write_text("odd.yaml", "{{{{\n");
  shell.write("web", {{"v", optional}});
  EXPECT_THAT(shell.in_flight, IsEmpty());
  shell.feed(FileGone{"odd.yaml"});
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), IsEmpty());
}

TEST(Content, kb_13_7_a_label_that_changes_is_published) {
  const auto text = [](const std::string& label) {
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {a: '" + label +
           "'}}\nspec:\n  containers: [{name: c, volumeMounts: [{name: v, mountPath: /v}]}]\n  volumes:\n"
           "  - {name: v, downwardAPI: {items: [{path: l, fieldRef: {fieldPath: "
           "\"metadata.labels['a']\"}}]}}\n";
  };
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", text("1"));
  shell.finish();
  shell.write_text("web.yaml", text("2"));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), ElementsAre("l=2"));
}

TEST(Content, kb_13_5_containers_get_it_read_only) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1"));
  shell.write("web", {{"v", config}});
  shell.finish();
  const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName());
  ASSERT_TRUE(mounts);
  EXPECT_TRUE(mounts.value().at(0).read_only);
}

TEST(Content, an_immutable_object_does_not_change) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", settings("1") + "immutable: true\n");
  shell.write("web", {{"v", config}});
  shell.finish();
  shell.write_text("settings.yaml", settings("2") + "immutable: true\n");
  EXPECT_THAT(shell.in_flight, IsEmpty());
  EXPECT_THAT(shell.core.node_status().problems, ElementsAre(HasSubstr("is immutable")));
}

}  // namespace
}  // namespace mooring
