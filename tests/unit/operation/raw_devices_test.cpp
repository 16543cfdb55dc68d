// kubelet-behaviours 14: raw devices of pods.

#include "device_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;

const PodUid other_uid("u2");
const std::string map_directory = layout::device_map(block, element);

std::string link_of(const PodUid& pod) {
  return layout::device(pod, block, VolumeDirectory("data"));
}
MapDevice map_of(const DeviceName& device, const PodUid& pod = uid) {
  return {device, map_directory, pod, link_of(pod), false};
}
UnmapDevice unmap_of(const PodUid& pod = uid) {
  return {map_directory, pod, link_of(pod)};
}

struct Raw : testing::Test {
  std::string place(const PodUid& pod = uid) const { return node.root(map_directory) + "/" + pod.str(); }
  std::string link(const PodUid& pod = uid) const { return node.root(link_of(pod)); }
  bool is_bound(const PodUid& pod = uid) const { return !node.mounted_at(place(pod)).empty(); }
  /// The kernel's numbers of what a runtime that follows the link finds; nullopt: no device.
  std::optional<std::uint64_t> inode_by_link(const PodUid& pod = uid) const {
    const auto status = node.fake.status(link(pod));
    if (!status || status->type != kernel::FileType::BlockDevice) return std::nullopt;
    return status->inode;
  }
  std::uint64_t inode_of(const std::string& path) const { return node.fake.status(path)->inode; }

  DeviceNode node;
};

TEST_F(Raw, kb_14_a_pod_gets_a_link_to_its_device) {
  EXPECT_TRUE(node.run_well({map_of(disk)}).changed);
  EXPECT_TRUE(is_bound());
  EXPECT_EQ(node.fake.status(node.root(map_directory))->mode, 0750u);
  EXPECT_EQ(inode_by_link(), inode_of(disk_node));
  EXPECT_FALSE(node.run_well({map_of(disk)}).changed);
  EXPECT_EQ(node.mounted_at(place()).size(), 1u);
}

TEST_F(Raw, kb_14_the_device_is_kept_open_once_for_all_its_pods) {
  node.run_well({map_of(disk)});
  EXPECT_EQ(node.disks().loop_count(), 1u);
  node.run_well({map_of(disk, other_uid)});
  EXPECT_EQ(node.disks().loop_count(), 1u);
  node.run_well({unmap_of()});
  EXPECT_EQ(node.disks().loop_count(), 1u) << "the other pod has it still";
  EXPECT_EQ(inode_by_link(other_uid), inode_of(disk_node));
  node.run_well({unmap_of(other_uid)});
  EXPECT_EQ(node.disks().loop_count(), 0u);
}

TEST_F(Raw, kb_14_bug_a_missing_device_is_an_error_and_no_link) {
  node.disks().remove_device(disk_node);
  EXPECT_EQ(node.run_badly({map_of(disk)}).reason, "DeviceMissing");
  EXPECT_FALSE(inode_by_link());
}

TEST_F(Raw, kb_14_gap_a_file_that_is_no_device_is_refused_at_once) {
  node.fake.put_file("/dev/file", "x");
  EXPECT_EQ(node.run_badly({map_of({DeviceName::Kind::Path, "/dev/file"})}).reason, "NotABlockDevice");
}

TEST_F(Raw, kb_14_a_stale_link_is_replaced) {
  node.fake.put_symlink(link(), "/dev/elsewhere");
  EXPECT_TRUE(node.run_well({map_of(disk)}).changed);
  EXPECT_EQ(inode_by_link(), inode_of(disk_node));
}

TEST_F(Raw, what_is_no_link_and_no_place_of_ours_stays) {
  node.fake.put_file(link(), "data");
  EXPECT_EQ(node.run_badly({map_of(disk)}).reason, "ForeignFile");
  EXPECT_EQ(node.run_badly({unmap_of()}).reason, "ForeignFile");
  EXPECT_EQ(node.fake.read(link()), "data");
  node.fake.remove_all(link());
  node.run_well({unmap_of()});
  node.fake.put_file(place(), "data");
  EXPECT_EQ(node.run_badly({map_of(disk)}).reason, "ForeignFile");
  EXPECT_EQ(node.run_badly({unmap_of()}).reason, "ForeignFile");
  EXPECT_EQ(node.fake.read(place()), "data");
}

TEST_F(Raw, all_is_made_anew_after_a_reboot) {
  node.run_well({map_of(disk)});
  node.fake.reboot();
  EXPECT_TRUE(node.run_well({map_of(disk)}).changed);
  EXPECT_EQ(inode_by_link(), inode_of(disk_node));
}

TEST_F(Raw, a_pod_never_gets_another_device_that_came_to_have_the_name) {
  node.run_well({map_of(disk)});
  const auto before = inode_by_link();
  node.disks().remove_device(disk_node);
  node.disks().put_device(disk_node, 64 * mebibyte, "naa.6");
  EXPECT_EQ(inode_by_link(), before) << "the link leads to what is bound, and not to a name";
  EXPECT_EQ(node.run_badly({map_of(disk)}).reason, "ForeignMount");
}

TEST_F(Raw, what_the_name_does_not_mean_any_more_is_let_go) {
  node.put_by_id(disk_node);
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  node.at_call("make_directory", false, [&] { node.put_by_id("/dev/sdc"); });
  EXPECT_EQ(node.run_badly({map_of(by_id)}).reason, "DeviceChanged");
  EXPECT_FALSE(is_bound());
}

TEST_F(Raw, what_takes_the_name_while_it_is_bound_is_let_go) {
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  for (const char* call : {"make_directory", "bind"}) {
    node.at_call(call, false, [&] { node.disks().swap_devices(disk_node, "/dev/sdc"); });
    EXPECT_EQ(node.run_badly({map_of(disk)}).reason, "DeviceChanged") << call;
    EXPECT_FALSE(is_bound());
    EXPECT_FALSE(inode_by_link());
    node.heal();
  }
}

TEST_F(Raw, a_device_that_cannot_be_written_to_is_for_readers_only) {
  node.disks().set_read_only(disk_node, true);
  EXPECT_EQ(node.run_badly({map_of(disk)}).reason, "DeviceReadOnly");
  EXPECT_FALSE(is_bound());
  MapDevice step = map_of(disk);
  step.read_only = true;
  node.run_well({step});
  EXPECT_TRUE(inode_by_link());
}

TEST_F(Raw, an_image_is_not_detached_while_a_pod_has_it) {
  node.run_well({AttachDevice{image, 64 * mebibyte, false}, map_of(image)});
  EXPECT_EQ(node.run_badly({DetachDevice{image}}).reason, "DeviceBusy");
  node.run_well({unmap_of(), DetachDevice{image}});
  EXPECT_EQ(node.disks().loop_count(), 0u);
}

TEST_F(Raw, without_the_lock_there_is_no_link) {
  node.fail_call("attach_image", ENOSPC, true);
  EXPECT_EQ(node.run_badly({map_of(disk)}).errno_value, ENOSPC);
  EXPECT_FALSE(inode_by_link());
  EXPECT_FALSE(is_bound()) << "it would be in the way of a device that comes later";
}

TEST_F(Raw, a_pod_that_comes_while_the_last_one_goes_has_the_device_held) {
  for (const char* call : {"unmount", "detach_image"}) {
    for (const bool before : {true, false}) {
      node.run_well({map_of(disk, other_uid)});
      node.at_call(call, before, [&] { node.run_well({map_of(disk)}); });
      node.run_well({unmap_of(other_uid)});
      node.heal();
      EXPECT_EQ(node.disks().loop_count(), 1u) << call << before;
      EXPECT_TRUE(is_bound());
      node.run_well({unmap_of()});
      EXPECT_EQ(node.disks().loop_count(), 0u);
    }
  }
}

TEST_F(Raw, the_last_pod_that_goes_while_another_one_comes_leaves_the_device_held) {
  for (const char* call : {"write_file", "bind", "make_link"}) {
    node.run_well({map_of(disk, other_uid)});
    node.at_call(call, true, [&] { node.run_well({unmap_of(other_uid)}); });
    const Outcome outcome = node.run({map_of(disk)});
    node.heal();
    if (outcome.error) {  // The directory went with the other one: it is made by the next try.
      EXPECT_EQ(outcome.error->kind, ErrorKind::Transient);
      EXPECT_FALSE(is_bound());
      EXPECT_EQ(node.disks().loop_count(), 0u);
      node.run_well({map_of(disk)});
    }
    EXPECT_EQ(node.disks().loop_count(), 1u) << call;
    node.run_well({unmap_of()});
    EXPECT_EQ(node.disks().loop_count(), 0u) << call;
  }
}

TEST_F(Raw, what_a_worker_held_and_did_not_live_to_bind_is_let_go_with_the_device) {
  node.fake.set_hook([](std::string_view call, const std::string&, bool) {
    return call == "bind" ? Fault::crash() : Fault::none();
  });
  EXPECT_THROW(node.run({map_of(disk)}), kernel::FakeCrash);
  node.heal();
  EXPECT_EQ(node.disks().loop_count(), 1u);
  node.run_well({unmap_of(), DetachDevice{disk}});
  EXPECT_EQ(node.disks().loop_count(), 0u);
}

TEST_F(Raw, a_bind_that_is_gone_at_once_is_not_a_success) {
  node.at_call("bind", false, [&] { node.fake.unmount_foreign(place()); });
  const Error error = node.run_badly({map_of(disk)});
  EXPECT_EQ(error.reason, "MountFailed");
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
  EXPECT_FALSE(inode_by_link());
}

TEST_F(Raw, unmapping_undoes_it_all) {
  node.run_well({make_pod});
  node.run_well({map_of(disk)});
  EXPECT_TRUE(node.run_well({unmap_of()}).changed);
  EXPECT_FALSE(node.run_well({unmap_of()}).changed);
  EXPECT_FALSE(node.fake.exists(node.root(map_directory)));
  EXPECT_EQ(node.disks().loop_count(), 0u);
  node.run_well({RemovePodDirectory{uid}});
  EXPECT_FALSE(node.fake.exists(node.root(layout::pod(uid))));
}

TEST_F(Raw, kb_14_unmapping_tolerates_whatever_is_gone_already) {
  node.run_well({map_of(disk)});
  node.fake.remove_all(link());
  node.run_well({unmap_of()});
  node.run_well({map_of(disk)});
  node.disks().remove_device(disk_node);
  node.run_well({unmap_of()});
  EXPECT_FALSE(is_bound());
  EXPECT_EQ(node.disks().loop_count(), 0u);
}

TEST_F(Raw, errors_are_hints) {
  for (const char* call : {"bind", "attach_image", "make_link", "write_file"}) {
    node.fail_call(call, EIO, false);
    const bool is_hint = std::string(call) != "write_file";
    EXPECT_EQ(!node.run({map_of(disk)}).error, is_hint) << call;
    node.heal();
    node.run_well({map_of(disk)});
    EXPECT_EQ(inode_by_link(), inode_of(disk_node));
    node.run_well({unmap_of()});
  }
  for (const char* call : {"detach_image", "unmount"}) {
    node.run_well({map_of(disk)});
    node.fake.set_hook(
        [call, is_done = false](std::string_view name, const std::string&, bool before) mutable {
          if (name != call || before || is_done) return Fault::none();
          is_done = true;
          return Fault::error(EIO);
        });
    node.run_well({unmap_of()});
    node.heal();
    EXPECT_EQ(node.disks().loop_count(), 0u);
    EXPECT_FALSE(is_bound());
  }
}

TEST_F(Raw, what_a_reboot_left_of_a_pod_that_does_not_come_back_goes_with_its_directory) {
  node.run_well({make_pod, map_of(disk)});
  node.fake.reboot();
  node.run_well({RemovePodDirectory{uid}});
  EXPECT_FALSE(node.fake.exists(node.root(layout::pod(uid))));
  EXPECT_FALSE(node.fake.exists(node.root(map_directory)));
}

TEST_F(Raw, a_link_to_what_is_bound_stays_with_the_pods_directory) {
  node.run_well({make_pod, map_of(disk)});
  EXPECT_EQ(node.run_badly({RemovePodDirectory{uid}}).reason, "NotEmpty");
  EXPECT_EQ(inode_by_link(), inode_of(disk_node));
  node.run_well({unmap_of(), RemovePodDirectory{uid}});
}

TEST_F(Raw, links_of_others_in_the_pods_directory_stay) {
  node.run_well({make_pod});
  const std::string directory = layout::devices(uid) + "/kubernetes.io~block";
  for (const std::string& target :
       {std::string("/dev/sdb"), std::string("../../../../plugins"),
        std::string("../../../../plugins/kubernetes.io~block/volumeDevices/data/other")}) {
    node.fake.put_symlink(node.root(directory + "/other"), target);
    EXPECT_EQ(node.run_badly({RemovePodDirectory{uid}}).reason, "NotEmpty") << target;
    node.fake.remove_all(node.root(directory + "/other"));
  }
}

TEST_F(Raw, the_device_is_let_go_by_each_name_that_it_had) {
  node.put_by_id(disk_node);
  node.run_well({map_of(by_id)});
  node.disks().remove_device(disk_node);
  node.disks().restore_device(disk_node, "/dev/sdc");
  node.put_by_id("/dev/sdc");
  node.run_well({map_of(by_id, other_uid)});
  EXPECT_EQ(node.disks().loop_count(), 2u);
  node.run_well({unmap_of()});
  EXPECT_EQ(node.disks().loop_count(), 1u) << "nobody has it by its old name any more";
  node.run_well({unmap_of(other_uid)});
  EXPECT_EQ(node.disks().loop_count(), 0u);
}

TEST_F(Raw, a_formatting_that_never_ended_is_not_done_again_when_a_pod_may_have_written) {
  const FormatStamp begun{false, "ext4", "0001", disk.text(), 64 * mebibyte, "naa.5"};
  node.put_stamp(begun);
  MapDevice reading = map_of(disk);
  reading.read_only = true;
  node.run_well({reading, unmap_of()});
  EXPECT_EQ(node.stamp(), begun) << "nobody could write";
  node.fail_call("attach_image", ENOSPC, true);
  node.run_badly({map_of(disk)});
  node.heal();
  EXPECT_TRUE(node.stamp()->is_complete) << "before a pod may write, not after";
  node.run_well({map_of(disk), unmap_of()});
  EXPECT_EQ(node.run_badly({format_of(disk)}).reason, "FormattedBefore");
  EXPECT_EQ(node.disks().formats(disk_node), 0u);
}

TEST_F(Raw, a_volume_that_was_never_formatted_gets_no_stamp) {
  node.run_well({map_of(disk)});
  EXPECT_FALSE(node.stamp());
}

TEST_F(Raw, kb_19_an_image_grows_and_a_disk_is_as_large_as_it_is) {
  EXPECT_FALSE(node.run_well({GrowFileSystem{disk, {}, {}, std::nullopt}}).changed);
  node.run_well({AttachDevice{image, 64 * mebibyte, false}});
  EXPECT_TRUE(node.run_well({GrowFileSystem{image, {}, {}, 128 * mebibyte}}).changed);
  EXPECT_EQ(node.disks().size_bytes(image_path), 128 * mebibyte);
  EXPECT_FALSE(node.run_well({GrowFileSystem{image, {}, {}, 64 * mebibyte}}).changed);
}

TEST_F(Raw, another_device_that_gets_the_node_before_it_is_held_is_let_go) {
  node.disks().put_device("/dev/sdc", 64 * mebibyte, "naa.6");
  node.at_call("attach_image", true, [&] { node.disks().swap_devices(disk_node, "/dev/sdc"); });
  const DeviceName by_wwid{DeviceName::Kind::Wwid, "naa.5"};
  EXPECT_EQ(node.run_badly({map_of(by_wwid)}).reason, "DeviceChanged");
  EXPECT_FALSE(is_bound());
  EXPECT_EQ(node.disks().loop_count(), 0u);
  node.run_well({map_of(by_wwid)});
  EXPECT_EQ(inode_by_link(), inode_of("/dev/sdc"));
}

}  // namespace
}  // namespace mooring
