// An outcome with a large tree comes in parts, and is whole again at the other end: nothing of it is lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "facts/tree_parts.h"
#include "wire/message.h"
#include "worker/serve.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

constexpr std::size_t count = 4000;  ///< Of each: more than one message has room for.

TreeFacts large_tree() {
  TreeFacts tree;
  auto& [pods, trash, attachments] = tree;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string number = std::to_string(i);
    FoundPod pod;
    pod.uid = PodUid("u" + number);
    pod.has_stamp = true;
    pod.name_space = Namespace("default");
    pod.name = ObjectName("p" + number);
    pod.volumes = {{PluginName("kubernetes.io/empty-dir"), VolumeDirectory("v"), true}};
    pod.strangers = {"odd"};
    pods.push_back(pod);
    trash.push_back("t" + number);
    attachments.push_back({DriverName("d.example.com"), "h" + number, "n1", std::nullopt, "s" + number});
  }
  return tree;
}

/// Each of its members is set, here by name: one that is added and is not set does not compile.
Outcome full_outcome(TreeFacts found) {
  Outcome outcome;
  auto& [id, steps_done, error, changed, is_partial, progress, warnings, tree, trash_entry, watches, usage,
         is_enforced, condition, flex_probe, flex_unsupported, csi_driver, csi_made, csi_calls] = outcome;
  id = OperationId{7};
  steps_done = 3;
  error = Error{ErrorKind::Uncertain, "Reason", "it failed", "step", "path", 16, "do it again", {"inner"}};
  changed = true;
  is_partial = false;  // The last part is none.
  progress = "10 files looked at";
  warnings = {"one"};
  tree = std::move(found);
  trash_entry = "u1.g";
  watches = {41};
  usage = FileSystemUsage{10u << 20, 3u << 20, 7u << 20, 1000, 11, 989};
  is_enforced = true;
  condition = CsiCondition{true, "sick"};
  flex_probe = FlexProbe{false, true, true, false, true};
  flex_unsupported = {{DriverName("example.com/nfs"), "attach"}};
  csi_driver.emplace().name = DriverName("d.example.com");
  csi_made = CsiPublishContext{{{"device", "/dev/x"}}};
  csi_calls = {{DriverName("d"), "csi.v1.Node/NodeGetInfo", CallCode::Ok, 1500}};
  return outcome;
}

std::string bytes_of(const Outcome& outcome) {
  return wire::encode(wire::Outcomes{{outcome}});
}

/// As mooringd puts it together.
Outcome joined(std::vector<Outcome> parts) {
  TreeFacts whole;
  for (Outcome& part : parts)
    add_part(whole, std::move(*part.tree));
  Outcome last = std::move(parts.back());
  last.tree = std::move(whole);
  return last;
}

TEST(SplitOutcome, every_member_survives_the_way) {
  const Outcome whole = full_outcome(large_tree());
  std::vector<Outcome> parts = split_outcome(whole);
  EXPECT_GT(parts.size(), 3u);
  for (const Outcome& part : parts) {
    EXPECT_EQ(part.id, whole.id);
    EXPECT_EQ(part.is_partial, &part != &parts.back());
    EXPECT_LT(bytes_of(part).size(), wire::message_size_max);
  }
  EXPECT_EQ(bytes_of(joined(std::move(parts))), bytes_of(whole));
}

TEST(SplitOutcome, only_attachments_are_as_many_parts_as_they_need) {
  TreeFacts tree;
  tree.attachments = large_tree().attachments;
  const Outcome whole = full_outcome(std::move(tree));
  std::vector<Outcome> parts = split_outcome(whole);
  EXPECT_GT(parts.size(), 3u);
  EXPECT_EQ(bytes_of(joined(std::move(parts))), bytes_of(whole));
}

TEST(SplitOutcome, what_is_small_or_has_no_tree_stays_as_it_is) {
  Outcome outcome = full_outcome({});
  EXPECT_THAT(split_outcome(outcome), SizeIs(1));
  EXPECT_EQ(bytes_of(split_outcome(outcome).front()), bytes_of(outcome));
  outcome.tree.reset();
  EXPECT_THAT(split_outcome(outcome), SizeIs(1));
  EXPECT_EQ(bytes_of(split_outcome(outcome).front()), bytes_of(outcome));
}

TEST(AddPart, the_order_stays) {
  TreeFacts whole{{}, {"a"}, {}};
  add_part(whole, {{}, {"b", "c"}, {}});
  EXPECT_THAT(whole.trash, ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace mooring
