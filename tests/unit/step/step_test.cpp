#include "step/step.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring {
namespace {

using testing::HasSubstr;

TEST(Describe, names_what_each_step_does_and_where) {
  EXPECT_EQ(describe(MakePodDirectory{PodUid("u1"), Namespace("default"), ObjectName("web")}),
            "make the pod's directory pods/u1 for default/web");
  EXPECT_EQ(describe(MakeDirectory{"pods/u1/a", 0777}), "make directory pods/u1/a mode 0777");
  EXPECT_EQ(describe(MakeDirectory{"pods/u1/a", 01777}), "make directory pods/u1/a mode 1777");
  EXPECT_EQ(describe(MountTmpfs{"pods/u1/a", 64, 01777}), "mount tmpfs size=64 on pods/u1/a");
  EXPECT_EQ(describe(MountTmpfs{"pods/u1/a", std::nullopt, 01777}), "mount tmpfs on pods/u1/a");
  EXPECT_EQ(describe(MountHugetlbfs{"pods/u1/a", 2097152}), "mount hugetlbfs pagesize=2097152 on pods/u1/a");
  EXPECT_EQ(describe(BindMount{"/srv/x", "pods/u1/a", false, true}), "bind /srv/x on pods/u1/a");
  EXPECT_EQ(describe(BindMount{"/srv/x", "pods/u1/a", true, true}), "bind read-only /srv/x on pods/u1/a");
  EXPECT_EQ(describe(Unmount{"pods/u1/a", {"tmpfs"}}), "unmount pods/u1/a");
  EXPECT_EQ(describe(DiscardDirectory{"pods/u1/a", "t"}), "discard directory pods/u1/a");
  EXPECT_EQ(describe(EmptyTrash{"t1"}), "remove trash/t1");
  EXPECT_EQ(describe(RemovePodDirectory{PodUid("u1")}), "remove the pod's directory pods/u1");
  EXPECT_THAT(describe(CheckHostPath{"/srv/x", HostPathType::Directory, std::nullopt}),
              HasSubstr("/srv/x is a Directory"));
  EXPECT_THAT(describe(CheckHostPath{"/srv/x", HostPathType::File, "/srv"}), HasSubstr("the mount at /srv"));
  EXPECT_EQ(describe(WatchHostPath{"/srv/x", std::nullopt}), "watch for /srv/x");
  EXPECT_EQ(describe(ScanTree{}), "read the tree below the root directory");
}

TEST(Describe, names_whose_the_directory_of_a_volume_is) {
  const ObjectName volume("pvc-1");
  EXPECT_EQ(describe(MakeVolumeDirectory{"/srv/v", "shop/data", volume, 0770, "m"}),
            "make the directory /srv/v/shop/data of volume pvc-1 mode 0770");
  EXPECT_EQ(describe(RemoveVolumeDirectory{"/srv/v", "shop/data", volume, "m"}),
            "remove the directory /srv/v/shop/data of volume pvc-1");
  EXPECT_EQ(describe(SetAsideVolumeDirectory{"/srv/v", "shop/data", volume, "archived-data"}),
            "rename the directory /srv/v/shop/data of volume pvc-1 to archived-data");
  EXPECT_EQ(describe(EmptyDirectory{"/srv/data"}), "remove all that is in /srv/data");
  EXPECT_EQ(describe(PrepareImage{"/srv/v/pvc-1.img"}),
            "make sure that the image /srv/v/pvc-1.img can be made");
  EXPECT_EQ(describe(RemoveImage{"/srv/v/pvc-1.img", "i", "f"}), "remove the image /srv/v/pvc-1.img");
  EXPECT_EQ(describe(LimitDirectory{"pvc-1", 64, "/srv/v"}), "limit /srv/v/pvc-1 to 64 bytes");
  EXPECT_EQ(describe(LimitDirectory{"pods/u1/a", 64}), "limit pods/u1/a to 64 bytes");
}

TEST(Describe, names_the_driver_that_does_a_step_and_no_secret) {
  const FlexProgram program{DriverName("example.com/nfs"), "/flex/example.com~nfs/nfs", {}, 1};
  const FlexVolume volume{"pv-1", "ext4", true, {{"password", "in the manifest"}}};
  const FlexPod pod{
      PodUid("u1"), Namespace("default"), ObjectName("web"), "", 1, {{"key", SecretBytes("s3cret")}}};
  const PublishFlexVolume publish{program, volume, pod, "pods/u1/a", ""};
  EXPECT_EQ(describe(publish),
            "have the FlexVolume driver example.com/nfs mount volume pv-1 read-only on pods/u1/a");
  EXPECT_EQ(describe(UnpublishFlexVolume{program, "pods/u1/a"}),
            "have the FlexVolume driver example.com/nfs unmount pods/u1/a");
  EXPECT_EQ(
      describe(StageFlexVolume{program, volume, NodeName("n1"), "plugins/m", "plugins/f"}),
      "have the FlexVolume driver example.com/nfs attach volume pv-1 read-only and mount it on plugins/m");
  EXPECT_EQ(describe(UnstageFlexVolume{program, "pv-1", NodeName("n1"), "plugins/m"}),
            "have the FlexVolume driver example.com/nfs unmount plugins/m and detach volume pv-1");
  EXPECT_EQ(describe(GrowFlexVolume{program, volume, "plugins/m", 4096, true}),
            "have the FlexVolume driver example.com/nfs grow volume pv-1 to 4096 bytes");
  EXPECT_EQ(describe(ProbeFlexDriver{program}), "ask the FlexVolume driver example.com/nfs what it can do");
}

TEST(Describe, keeps_a_hostile_path_on_one_line) {
  const std::string path = "pods/u1/a\nb";
  for (const Step& step : std::vector<Step>{
           MakeDirectory{path, 0750}, MountTmpfs{path, 1, 0}, MountHugetlbfs{path, 1}, BindMount{path, "t"},
           BindMount{"/s", path}, Unmount{path, {}}, DiscardDirectory{path, "t"}, EmptyTrash{path},
           CheckHostPath{path, HostPathType::File, path}, WatchHostPath{path, std::nullopt},
           MakeVolumeDirectory{"/s", path, ObjectName("v"), 0, {}},
           MakeVolumeDirectory{path, "d", ObjectName("v"), 0, {}},
           RemoveVolumeDirectory{"/s", "d", ObjectName(path), {}}, EmptyDirectory{path}, PrepareImage{path},
           SetAsideVolumeDirectory{"/s", "d", ObjectName("v"), path}, RemoveImage{path, {}, {}}}) {
    EXPECT_EQ(describe(step).find('\n'), std::string::npos) << describe(step);
    EXPECT_THAT(describe(step), HasSubstr("a\\nb"));
  }
}

TEST(ToString, host_path_types_are_named_as_in_kubernetes) {
  EXPECT_EQ(to_string(HostPathType::Unset), "");
  EXPECT_EQ(to_string(HostPathType::DirectoryOrCreate), "DirectoryOrCreate");
  EXPECT_EQ(to_string(HostPathType::Directory), "Directory");
  EXPECT_EQ(to_string(HostPathType::FileOrCreate), "FileOrCreate");
  EXPECT_EQ(to_string(HostPathType::File), "File");
  EXPECT_EQ(to_string(HostPathType::Socket), "Socket");
  EXPECT_EQ(to_string(HostPathType::CharDevice), "CharDevice");
  EXPECT_EQ(to_string(HostPathType::BlockDevice), "BlockDevice");
}

TEST(ToString, lanes_have_names) {
  EXPECT_EQ(to_string(Lane::Local), "local");
  EXPECT_EQ(to_string(Lane::Teardown), "teardown");
  EXPECT_EQ(to_string(Lane::Own), "own");
}

TEST(Step, compares_by_every_field) {
  EXPECT_EQ((BindMount{"/s", "t", true, true}), (BindMount{"/s", "t", true, true}));
  EXPECT_NE((BindMount{"/s", "t", true, true}), (BindMount{"/s", "t", false, true}));
  EXPECT_NE((BindMount{"/s", "t", true, true}), (BindMount{"/s", "t", true, false}));
  EXPECT_NE((MountTmpfs{"p", std::nullopt, 0777}), (MountTmpfs{"p", 0, 0777}));
  EXPECT_NE(Step(Unmount{"p", {"tmpfs"}}), Step(Unmount{"p", {}}));
  EXPECT_NE(Step(EmptyTrash{"p"}), Step(ScanTree{}));
}

}  // namespace
}  // namespace mooring
