// What a scan tells of volumes that FlexVolume drivers attached: after a reboot it is all there is.

#include "flex_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FlexStaged : public testing::Test {
 protected:
  std::vector<VolumeKey> found() {
    const Outcome outcome = node.run_well({ScanTree{}});
    std::vector<VolumeKey> keys;
    if (!outcome.tree) return keys;
    for (const CsiAttachment& one : outcome.tree->attachments) {
      keys.emplace_back(one.driver.str() + "/" + one.handle);
      EXPECT_EQ(one.staged_path,
                layout::flex_staged(PluginName(one.driver.str()), layout::VolumeElement(one.handle)));
      EXPECT_EQ(one.node_id, "");
    }
    return keys;
  }
  StageFlexVolume stage() const {
    return {node.program,
            {"pv-1", "", false, {}},
            NodeName("n1"),
            layout::flex_staged(plugin, element),
            layout::flex_format_stamp(plugin, element)};
  }
  UnstageFlexVolume unstage() const { return {node.program, "pv-1", NodeName("n1"), stage().path}; }

  FlexNode node;
  const PluginName plugin{"example.com/share"};
  const layout::VolumeElement element{"pv-1"};
  const VolumeKey key{"example.com/share/pv-1"};
  const std::string folder = "plugins/kubernetes.io/flexvolume/";
};

TEST_F(FlexStaged, a_scan_finds_what_was_attached_also_after_a_reboot) {
  node.mounts("mountdevice");
  node.unmounts("unmountdevice");
  EXPECT_THAT(found(), IsEmpty());
  node.run_well({stage()});
  EXPECT_THAT(found(), ElementsAre(key));
  node.fake.reboot();
  EXPECT_THAT(found(), ElementsAre(key));
  node.run_well({unstage()});
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(FlexStaged, what_may_be_attached_is_found_however_staging_it_failed) {
  for (const std::string command : {"attach", "waitforattach", "mountdevice"}) {
    node.acts.clear();
    node.hangs(command);
    node.run_badly({stage()});
    EXPECT_THAT(found(), ElementsAre(key)) << command;
    node.answers(command, failure_text);
    node.run_badly({stage()});
    EXPECT_THAT(found(), ElementsAre(key)) << command;
    node.acts.clear();
    node.run_well({unstage()});
    EXPECT_THAT(found(), IsEmpty()) << command;
  }
}

TEST_F(FlexStaged, what_is_not_detached_yet_is_found) {
  node.mounts("mountdevice");
  node.acts["unmountdevice"] = [this](const std::vector<std::string>& arguments) {
    node.fake.unmount_foreign(arguments.at(1));
    EXPECT_TRUE(node.fake.ports().files.remove_directory(stage().path));
    return FlexNode::said(success_text);
  };
  node.run_well({stage()});
  node.answers("detach", failure_text);
  node.run_badly({unstage()});
  EXPECT_THAT(found(), ElementsAre(key));
  node.run_badly({unstage()});
  EXPECT_THAT(found(), ElementsAre(key));
  node.answers("detach", success_text);
  node.run_well({unstage()});
  EXPECT_THAT(found(), IsEmpty());
}

TEST_F(FlexStaged, drivers_of_one_part_and_of_two_are_found_and_nothing_else) {
  node.fake.put_directory(node.root(folder + "share/mounts/pv-2"));
  node.fake.put_directory(node.root(folder + "example.com/share/mounts/v%2Babc"));
  node.fake.put_file(node.root(folder + "example.com/share/mounts/file"), "");
  node.fake.put_directory(node.root(folder + "example.com/share/mounts/not+escaped"));
  node.fake.put_directory(node.root(folder + "example.com/share/formatted/pv-3"));
  node.fake.put_directory(node.root(folder + ".new/share/mounts/pv-4"));
  node.fake.put_file(node.root(folder + "other"), "");
  node.fake.put_symlink(node.root(folder + "link.example.com"), node.root(folder + "example.com"));
  EXPECT_THAT(found(), UnorderedElementsAre(VolumeKey("share/pv-2"), VolumeKey("example.com/share/v%2Babc")));
}

}  // namespace
}  // namespace mooring
