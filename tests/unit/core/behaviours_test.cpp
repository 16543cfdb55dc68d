// kubelet-behaviours 10.1, 11 and 13, line by line: what the core makes of changes and failures.

#include <gmock/gmock.h>

#include "actual/record.h"
#include "core_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string publish = "publish default/web/v";

std::string config_map(const std::string& name, const std::string& data) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + "}\ndata: {" + data + "}\n";
}
std::string secret(const std::string& name, const std::string& data) {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + "}\nstringData: {" + data + "}\n";
}
/// What the operation in flight is to publish, "path=content" of each file.
std::vector<std::string> files_of(const Shell& shell) {
  std::vector<std::string> lines;
  for (const Operation& operation : shell.in_flight) {
    for (const Step& step : operation.steps) {
      const auto* files = std::get_if<PublishFiles>(&step);
      if (files == nullptr) continue;
      for (const PublishedFile& file : files->files)
        lines.push_back(file.path + "=" + file.bytes.expose_secret());
    }
  }
  return lines;
}
/// A pod "web" with this volume "v" and this in its container's mount.
std::string web(const std::string& source, const std::string& mount, const std::string& spec = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n" + spec +
         "  containers: [{name: main, volumeMounts: [{name: v, mountPath: /v" + mount +
         "}]}]\n  volumes:\n  - {name: v, " + source + "}\n";
}

TEST(Behaviour, kb_13_5_before_a_missing_object_came_nothing_is_made) {
  Shell shell;
  shell.start();
  for (const char* source : {"configMap: {name: none}", "secret: {secretName: none}",
                             "projected: {sources: [{secret: {name: none}}]}"}) {
    shell.write("web", {{"v", source}});
    EXPECT_THAT(shell.in_flight, IsEmpty()) << source;
    EXPECT_THAT(shell.records, IsEmpty()) << source;
    EXPECT_FALSE(shell.pod("web").ready);
  }
}

TEST(Behaviour, kb_13_5_an_optional_object_comes_and_goes_while_the_pod_is_ready) {
  Shell shell;
  shell.start({"settings.yaml"});
  shell.feed(FileGone{"settings.yaml"});
  shell.write("web", {{"v", "configMap: {name: settings, optional: true}"}});
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), IsEmpty());
  shell.finish();
  EXPECT_TRUE(shell.pod("web").ready);
  shell.write_text("settings.yaml", config_map("settings", "a: '1'"));
  EXPECT_THAT(files_of(shell), ElementsAre("a=1"));
  shell.finish();
  shell.feed(FileGone{"settings.yaml"});
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), IsEmpty());
  shell.finish();
  EXPECT_THAT(shell.ready, ElementsAre("web")) << "it never stopped being ready";
}

TEST(Behaviour, kb_13_5_an_optional_key_comes_and_goes) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", config_map("settings", ""));
  shell.write("web", {{"v", "configMap: {name: settings, optional: true, items: [{key: a, path: a}]}"}});
  shell.finish();
  shell.write_text("settings.yaml", config_map("settings", "a: '1'"));
  EXPECT_THAT(files_of(shell), ElementsAre("a=1"));
  shell.finish();
  shell.write_text("settings.yaml", config_map("settings", ""));
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
  EXPECT_THAT(files_of(shell), IsEmpty());
}

TEST(Behaviour, kb_13_5_a_refresh_that_cannot_be_is_an_event_each_time_that_its_cause_changes) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", config_map("settings", "a: '1'"));
  shell.write("web", {{"v", "configMap: {name: settings, items: [{key: a, path: a}]}"}});
  shell.finish();
  shell.feed(FileGone{"settings.yaml"});
  EXPECT_EQ(shell.count("FailedRefresh pod/default/web"), 1);
  shell.write_text("settings.yaml", config_map("settings", "b: '1'"));
  EXPECT_EQ(shell.count("FailedRefresh pod/default/web"), 2);
  EXPECT_THAT(shell.volume("web", "v").message, HasSubstr("non-existent config key: a"));
  EXPECT_TRUE(shell.pod("web").ready);
  EXPECT_THAT(shell.in_flight, IsEmpty());
}

TEST(Behaviour, kb_13_5_bug_a_failed_refresh_tears_nothing_down) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", config_map("settings", "a: '1'"));
  shell.write("web", {{"v", "configMap: {name: settings}"}});
  shell.finish();
  shell.write_text("settings.yaml", config_map("settings", "a: '2'"));
  for (int attempt = 0; attempt < 3; ++attempt) {
    shell.fail(publish, error_of(ErrorKind::Transient, "NoSpace"));
    EXPECT_THAT(shell.doing(), IsEmpty());
    EXPECT_TRUE(shell.pod("web").ready);
    shell.wake();
    ASSERT_THAT(shell.doing(), ElementsAre(publish)) << "and not unpublish";
    EXPECT_THAT(files_of(shell), ElementsAre("a=2"));
  }
}

TEST(Behaviour, kb_13_5_containers_may_not_write_whatever_they_ask_for) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", config_map("settings", "a: '1'"));
  for (const char* mount : {", readOnly: false", ", readOnly: false, subPath: a"}) {
    shell.write_text("web.yaml", web("configMap: {name: settings}", mount));
    shell.finish();
    const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName("main"));
    ASSERT_TRUE(mounts) << mounts.error().text();
    EXPECT_TRUE(mounts.value().at(0).read_only) << mount;
  }
}

TEST(Behaviour, kb_13_6_no_record_event_or_status_holds_a_value) {
  Shell shell;
  shell.start();
  shell.write_text("keys.yaml", secret("keys", "token: HIDDEN-MARKER"));
  shell.write("web", {{"v", "secret: {secretName: keys}"}});
  std::vector<std::string> said;
  const auto note = [&] {
    for (const auto& [uid, record] : shell.records)
      said.push_back(encode_record(record));
    for (const StatusEvent& event : shell.last.events)
      said.push_back(event.message);
    said.push_back(shell.volume("web", "v").message);
    for (const Operation& operation : shell.in_flight) {
      said.push_back(operation.what);
      for (const Step& step : operation.steps)
        said.push_back(describe(step));
    }
  };
  note();
  shell.finish();
  shell.write_text("keys.yaml", secret("keys", "token: HIDDEN-MARKER-2"));
  note();
  shell.fail(publish, error_of(ErrorKind::Transient, "NoSpace"));
  note();
  shell.feed(FileGone{"keys.yaml"});
  note();
  EXPECT_GT(said.size(), 8u);
  for (const std::string& text : said)
    EXPECT_THAT(text, Not(HasSubstr("HIDDEN-MARKER")));
}

TEST(Behaviour, kb_13_8_a_projected_volume_follows_each_of_its_objects) {
  Shell shell;
  shell.start();
  shell.write_text("settings.yaml", config_map("settings", "a: '1'"));
  shell.write_text("keys.yaml", secret("keys", "k: '1'"));
  shell.write("web",
              {{"v", "projected: {sources: [{configMap: {name: settings}}, {secret: {name: keys}}]}"}});
  EXPECT_THAT(files_of(shell), ElementsAre("a=1", "k=1"));
  shell.finish();
  shell.write_text("keys.yaml", secret("keys", "k: '2'"));
  EXPECT_THAT(files_of(shell), ElementsAre("a=1", "k=2"));
  shell.finish();
  shell.write_text("settings.yaml", config_map("settings", "a: '2'"));
  EXPECT_THAT(files_of(shell), ElementsAre("a=2", "k=2"));
  shell.finish();
  shell.feed(FileGone{"keys.yaml"});
  EXPECT_THAT(shell.in_flight, IsEmpty()) << "nothing is written if one source fails";
  EXPECT_EQ(shell.volume("web", "v").reason, "SecretNotFound");
}

TEST(Behaviour, kb_13_8_a_token_is_refused_and_holds_up_no_other_volume) {
  Shell shell;
  shell.start();
  shell.write("web", {{"v", "projected: {sources: [{serviceAccountToken: {path: token}}]}"}, {"w", disk}});
  EXPECT_THAT(shell.doing(), ElementsAre("publish default/web/w"));
  shell.finish();
  EXPECT_EQ(shell.volume("web", "v").reason, "UnsupportedSource");
  EXPECT_EQ(shell.volume("web", "w").phase, Phase::Ready);
}

TEST(Behaviour, kb_13_1_bug_an_empty_dir_whose_group_could_not_be_given_is_not_ready) {
  Shell shell;
  shell.start();
  shell.write_text("web.yaml", web(disk, "", "  securityContext: {fsGroup: 2000}\n"));
  shell.fail(publish, error_of(ErrorKind::Transient, "InputOutputError"));
  EXPECT_FALSE(shell.pod("web").ready);
  EXPECT_EQ(shell.volume("web", "v").reason, "InputOutputError");
  shell.wake();
  ASSERT_THAT(shell.doing(), ElementsAre(publish));
}

TEST(Behaviour, kb_11_3_a_part_is_read_only_where_the_container_says_so) {
  Shell shell;
  shell.start();
  for (const bool read_only : {false, true}) {
    shell.write_text("web.yaml", web(disk, read_only ? ", subPath: a, readOnly: true" : ", subPath: a"));
    shell.finish();
    const auto mounts = shell.core.container_mounts(uid_of("web"), ContainerName("main"));
    ASSERT_TRUE(mounts) << mounts.error().text();
    EXPECT_EQ(mounts.value().at(0).read_only, read_only);
  }
}

}  // namespace
}  // namespace mooring
