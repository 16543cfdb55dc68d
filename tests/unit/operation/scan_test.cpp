#include "operation/scan.h"

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TreeFacts scan(Node& node) {
  const Outcome outcome = node.run_well({ScanTree{}});
  EXPECT_FALSE(outcome.changed);
  EXPECT_TRUE(outcome.tree);
  return outcome.tree.value_or(TreeFacts());
}

TEST(Scan, of_an_empty_root_finds_nothing_and_makes_nothing) {
  Node node;
  const auto before = node.picture();
  const TreeFacts tree = scan(node);
  EXPECT_THAT(tree.pods, IsEmpty());
  EXPECT_THAT(tree.trash, IsEmpty());
  EXPECT_EQ(node.picture(), before);
}

TEST(Scan, finds_what_publishing_made) {
  Node node;
  const std::string other = layout::volume(uid, empty_dir, VolumeDirectory("w"));
  node.run_well({make_pod, MakeDirectory{volume_path, 0777}, MountTmpfs{volume_path, std::nullopt, 01777},
                 MakeDirectory{other, 0777}});
  const TreeFacts tree = scan(node);
  ASSERT_THAT(tree.pods, SizeIs(1));
  const FoundPod expected{uid,
                          true,
                          make_pod.name_space,
                          make_pod.name,
                          {{empty_dir, VolumeDirectory("v"), true}, {empty_dir, VolumeDirectory("w"), false}},
                          {}};
  EXPECT_EQ(tree.pods[0], expected);
}

TEST(Scan, a_stamp_of_another_pod_or_none_proves_nothing) {
  Node node;
  node.fake.put_file(node.root("pods/a/mooring.json"), stamp_text);
  node.fake.put_file(node.root("pods/b/mooring.json"), "{");
  node.fake.put_directory(node.root("pods/c/mooring.json"));
  node.fake.put_symlink(node.root("pods/d/mooring.json"), "../u1/mooring.json");
  node.fake.put_directory(node.root("pods/e"));
  node.fake.put_file(node.root("pods/u1/mooring.json"), stamp_text);
  for (const FoundPod& pod : scan(node).pods) {
    EXPECT_EQ(pod.has_stamp, pod.uid == uid) << pod.uid.str();
    EXPECT_EQ(pod.name.empty(), pod.uid != uid) << pod.uid.str();
  }
}

TEST(Scan, what_is_not_of_the_layout_is_named) {
  Node node;
  node.run_well({make_pod, MakeDirectory{volume_path, 0777}});
  node.fake.put_file(node.root("pods/u1/notes"), "");
  node.fake.put_file(node.root("pods/u1/volumes/notes"), "");
  node.fake.put_symlink(node.root("pods/u1/volumes/kubernetes.io~empty-dir/link"), "/");
  node.fake.put_file(node.root("pods/u1/.mooring.json.12.new"), "");  // A writer of ours died.
  const TreeFacts tree = scan(node);
  ASSERT_THAT(tree.pods, SizeIs(1));
  EXPECT_THAT(tree.pods[0].strangers,
              ElementsAre("notes", "volumes/kubernetes.io~empty-dir/link", "volumes/notes"));
  EXPECT_THAT(tree.pods[0].volumes, SizeIs(1));
}

TEST(Scan, files_and_links_beside_the_pods_are_no_pods) {
  Node node;
  node.fake.put_file(node.root("pods/file"), "");
  node.fake.put_symlink(node.root("pods/link"), "/");
  EXPECT_THAT(scan(node).pods, IsEmpty());
}

TEST(Scan, names_what_waits_in_the_trash) {
  Node node;
  node.fake.put_file(node.root("trash/b/data"), "");
  node.fake.put_file(node.root("trash/a"), "");
  EXPECT_THAT(scan(node).trash, ElementsAre("a", "b"));
}

TEST(Scan, kb_8_what_is_mounted_in_a_volume_is_not_entered) {
  Node node;
  node.run_well({make_pod, MakeDirectory{volume_path, 0777}});
  node.fake.mount_foreign(node.volume, "nfs4", "server:/export");
  node.fake.set_hook([&](std::string_view, const std::string& path, bool) {
    EXPECT_FALSE(path.starts_with(volume_path + "/")) << path;
    return Fault::none();
  });
  const TreeFacts tree = scan(node);
  ASSERT_THAT(tree.pods, SizeIs(1));
  EXPECT_THAT(tree.pods[0].volumes, ElementsAre(FoundVolume{empty_dir, VolumeDirectory("v"), true}));
}

TEST(Scan, kb_9_1_a_server_that_is_gone_is_not_asked) {
  Node node;
  node.run_well({make_pod, MakeDirectory{volume_path, 0777}});
  node.fake.put_server("server:/export");
  node.fake.mount_foreign(node.volume, "nfs4", "server:/export");
  node.fake.set_server_answers("server:/export", false);
  const TreeFacts tree = scan(node);
  ASSERT_THAT(tree.pods, SizeIs(1));
  EXPECT_THAT(tree.pods[0].volumes, ElementsAre(FoundVolume{empty_dir, VolumeDirectory("v"), true}));
}

TEST(Scan, half_a_scan_is_no_scan) {
  Node node;
  node.run_well({make_pod, MakeDirectory{volume_path, 0777}});
  node.fake.put_directory(node.root("trash/a"));
  for (const std::string& failing :
       {std::string("pods"), layout::pod(uid), layout::stamp(uid), layout::volumes(uid),
        layout::plugin_volumes(uid, empty_dir), std::string("/proc/self/mountinfo"), std::string("trash")}) {
    node.fake.set_hook([&](std::string_view, const std::string& path, bool) {
      return path == failing ? Fault::error(EIO) : Fault::none();
    });
    const Outcome outcome = node.run({ScanTree{}});
    ASSERT_TRUE(outcome.error) << failing;
    EXPECT_EQ(outcome.error->reason, "InputOutputError");
    EXPECT_FALSE(outcome.tree) << failing;
  }
}

TEST(Scan, a_pod_that_goes_meanwhile_does_no_harm) {
  Node node;
  node.run_well({make_pod});
  node.fake.put_directory(node.root("pods/u2"));
  node.fake.set_hook([&](std::string_view call, const std::string& path, bool before) {
    if (call == "list" && path == "pods" && !before) node.fake.remove_all(node.root("pods/u2"));
    return Fault::none();
  });
  const TreeFacts tree = scan(node);
  ASSERT_THAT(tree.pods, SizeIs(2));
  EXPECT_TRUE(tree.pods[0].has_stamp);
  EXPECT_FALSE(tree.pods[1].has_stamp);
  EXPECT_THAT(tree.pods[1].volumes, IsEmpty());
}

}  // namespace
}  // namespace mooring
