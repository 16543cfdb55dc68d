// The core is a function of its events, and asks for nothing when there is nothing to do.

#include <gmock/gmock.h>

#include "core_fixture.h"

namespace mooring {
namespace {

using testing::IsEmpty;

/// All of the effects, byte by byte.
std::string text_of(const Effects& effects) {
  std::string text;
  for (const PodRecord& record : effects.records_to_write)
    text += "write " + encode_record(record) + "\n";
  for (const PodUid& uid : effects.records_to_remove)
    text += "remove " + uid.str() + "\n";
  for (const Operation& operation : effects.operations) {
    text += "start " + std::to_string(static_cast<std::uint64_t>(operation.id)) + " " +
            std::string(to_string(operation.lane)) + " " + std::to_string(operation.deadline_ms) + " " +
            operation.pod.str() + " " + operation.what + "\n";
    for (const Step& step : operation.steps)
      text += "  " + describe(step) + "\n";
  }
  for (const int watch : effects.watches_to_remove)
    text += "unwatch " + std::to_string(watch) + "\n";
  for (const PodUid& uid : effects.changed_pods)
    text += "changed " + uid.str() + "\n";
  for (const PodIdentity& pod : effects.pods_ready)
    text += "ready " + pod.key.text() + "\n";
  for (const PodIdentity& pod : effects.pods_gone)
    text += "gone " + pod.key.text() + "\n";
  for (const StatusEvent& event : effects.events) {
    text += std::to_string(event.sequence) + " " + rfc3339(event.time) + " " + event.reason + " " +
            event.object + " " + event.message + "\n";
  }
  return text;
}

const std::vector<std::string> pod_names{"a", "b", "c", "d", "e", "f", "g"};

/// The same facts, told forwards or backwards where their order means nothing; what the core does then.
std::string life(bool backwards, std::uint64_t seed) {
  Shell shell(core_options(seed));
  std::vector<std::string> names = pod_names;
  if (backwards) std::reverse(names.begin(), names.end());
  std::string text;
  const auto note = [&] {
    text += text_of(shell.last);
    const auto wake = shell.core.next_wake();
    text += "wake " + (wake ? std::to_string(wake->since_start.count()) : "never") + "\n";
  };
  std::vector<PodRecord> records;
  TreeFacts tree;
  for (const std::string& name : names) {
    records.push_back(record_of("old" + name, {volume_record("v")}));
    tree.pods.push_back(found_pod("old" + name, {"v"}));
    tree.trash.push_back("leftover-" + name);
  }
  shell.core.handle(RecordsRead{records, {}}, shell.now());
  for (const std::string& name : names) {
    const std::string yaml = pod_yaml(
        name, {{"v", disk}, {"m", memory}, {"h", "hostPath: {path: /data/" + name + ", type: File}"}});
    shell.core.handle(FileParsed{manifest::parse_file(yaml, name + ".yaml")}, shell.now());
  }
  shell.show_mounts();
  note();
  shell.end_scan(tree);
  note();
  shell.list({"a.yaml", "b.yaml", "c.yaml", "d.yaml", "e.yaml", "f.yaml", "g.yaml"});
  note();
  for (int round = 0; round < 60 && !shell.in_flight.empty(); ++round) {
    const std::string what = shell.in_flight[static_cast<std::size_t>(round) % shell.in_flight.size()].what;
    if (round % 3 == 0) {
      shell.fail(what, error_of(ErrorKind::Transient, "NoSpace"));
    } else {
      shell.end(what);
    }
    note();
    shell.advance(100ms);
    note();
  }
  return text;
}

TEST(Determinism, the_same_events_give_the_same_effects_byte_by_byte) {
  const std::string once = life(false, 7);
  EXPECT_GT(once.size(), 10'000u);
  EXPECT_EQ(life(false, 7), once);
}

TEST(Determinism, the_order_in_which_things_were_learnt_does_not_show) {
  EXPECT_EQ(life(true, 7), life(false, 7));
}

TEST(Determinism, another_seed_gives_other_pauses) {
  EXPECT_NE(life(false, 8), life(false, 7));
}

/// A node with a pod of each kind, all ready.
void start_all_kinds(Shell& shell) {
  shell.start();
  shell.write("web", {{"d", disk}, {"m", memory}, {"h", "hostPath: {path: /data, type: Directory}"}});
  shell.finish();
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}});
  ASSERT_TRUE(shell.pod("web").ready);
}

TEST(Idle, a_node_that_is_as_it_should_be_has_nothing_to_do_and_no_timer) {
  Shell shell;
  start_all_kinds(shell);
  EXPECT_FALSE(shell.core.next_wake());
  EXPECT_TRUE(shell.core.is_settled());
  shell.take();
  EXPECT_TRUE(is_nothing(shell.last));
}

TEST(Idle, an_empty_node_has_no_timer) {
  Shell shell;
  EXPECT_FALSE(shell.core.next_wake());
  shell.start();
  EXPECT_FALSE(shell.core.next_wake());
  EXPECT_TRUE(is_nothing(shell.last));
}

TEST(Idle, a_mount_table_in_which_nothing_of_ours_changed_wakes_no_pod) {
  Shell shell;
  start_all_kinds(shell);
  shell.show_mounts({{"/mnt", "ext4"}, {volume_path("web", "m"), "tmpfs"}});
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}, {"/var/lib/other/pods/x", "ext4"}});
  shell.show_mounts({{volume_path("web", "m"), "tmpfs"}, {"/var/lib/other/pods/x", "ext4"}});
  EXPECT_TRUE(is_nothing(shell.last));
}

TEST(Idle, stray_events_ask_for_nothing) {
  Shell shell;
  start_all_kinds(shell);
  const std::vector<Event> events{TimerFired{},
                                  WatchFired{3},
                                  FileGone{"other.yaml"},
                                  RetryRequested{key_of("other")},
                                  RecordFailed{uid_of("other"), {}},
                                  ListingCompleted{{"web.yaml"}}};
  for (const Event& event : events) {
    shell.feed(event);
    EXPECT_TRUE(is_nothing(shell.last)) << "event " << event.index();
    EXPECT_FALSE(shell.core.next_wake()) << "event " << event.index();
  }
}

TEST(Idle, a_manifest_that_is_read_again_as_it_was_starts_nothing) {
  Shell shell;
  start_all_kinds(shell);
  shell.write("web", {{"d", disk}, {"m", memory}, {"h", "hostPath: {path: /data, type: Directory}"}});
  EXPECT_THAT(shell.last.operations, IsEmpty());
  EXPECT_THAT(shell.last.records_to_write, IsEmpty());
  EXPECT_THAT(shell.last.events, IsEmpty());
  EXPECT_FALSE(shell.core.next_wake());
}

TEST(Idle, an_operation_in_flight_is_waited_for_without_a_timer) {
  Shell shell;
  shell.start();
  shell.write("web", {{"d", disk}});
  EXPECT_FALSE(shell.core.next_wake());
  shell.take();
  EXPECT_TRUE(is_nothing(shell.last));
}

TEST(Idle, a_pod_of_which_nothing_may_be_removed_yet_sets_no_timer) {
  Shell shell;
  shell.adopt({record_of("old", {volume_record("v")})}, {{found_pod("old", {"v"})}, {}});
  EXPECT_FALSE(shell.core.next_wake());
}

TEST(Idle, the_timer_of_a_pod_that_is_gone_goes_with_it) {
  Shell shell;
  shell.start();
  shell.write("web", {{"h", "hostPath: {path: /data, type: Socket}"}});
  shell.fail("publish default/web/h", error_of(ErrorKind::Transient, "HostPathCheckFailed"));
  shell.fail("watch for default/web/h", error_of(ErrorKind::Transient, "FileError"));
  EXPECT_TRUE(shell.core.next_wake());
  shell.remove("web");
  EXPECT_FALSE(shell.core.next_wake());
}

}  // namespace
}  // namespace mooring
