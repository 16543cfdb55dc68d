#include <gmock/gmock.h>

#include "devices_fixture.h"
#include "operation/executor.h"

// The steps that make and remove volumes of claims, on both kernels: what the mount table and the descriptors
// prove on the fake node they must prove on a real one.

namespace mooring::kernel::contract {
namespace {

class VolumeSteps : public DevicesContract {
 protected:
  VolumeSteps() : base_(node().host("volumes")) {}

  std::string reason(std::vector<Step> steps) {
    Operation operation;
    operation.steps = std::move(steps);
    const Outcome outcome = execute(operation, node().ports());
    if (!outcome.error) return "";
    EXPECT_FALSE(outcome.error->message.empty());
    return outcome.error->reason;
  }
  std::string in_base(const std::string& below) const { return base_ + "/" + below; }
  Step make(const std::string& directory = "shop/data", const std::string& volume = "pvc-1") const {
    return MakeVolumeDirectory{base_, directory, ObjectName(volume), 0777, memory_};
  }
  Step remove(const std::string& directory = "shop/data", const std::string& volume = "pvc-1") const {
    return RemoveVolumeDirectory{base_, directory, ObjectName(volume), memory_};
  }
  const std::string& base() const { return base_; }
  const std::string& memory() const { return memory_; }

 private:
  const std::string base_;
  const std::string memory_ = "plugins/directory.mooring.io/made/pvc-1";
};

TEST_P(VolumeSteps, MakesAndRemovesADirectory) {
  EXPECT_EQ(reason({make(), LimitDirectory{"shop/data", 1U << 20U, base()}, make()}), "");
  const auto there = files().host_status({in_base("shop/data"), std::nullopt});
  ASSERT_TRUE(succeeds(there));
  ASSERT_TRUE(there.value());
  EXPECT_EQ(there.value()->mode, 0777U);
  node().put_file(in_base("shop/data/file"), "data");
  node().put_symlink(in_base("shop/data/link"), node().host(""));
  EXPECT_EQ(reason({remove()}), "");
  EXPECT_FALSE(node().exists(in_base("shop/data")));
  EXPECT_FALSE(node().exists(in_base(".mooring/owners/shop")));
  EXPECT_FALSE(node().exists(node().root(memory())));
  EXPECT_TRUE(node().exists(in_base("shop")));
  EXPECT_EQ(reason({remove()}), "");
}

TEST_P(VolumeSteps, GHSA_jr3w_9vfr_c746_FollowsNoLinkThatWasPutInTheWay) {
  ASSERT_EQ(reason({make()}), "");
  node().put_directory(node().host("precious/data"));
  node().put_file(node().host("precious/data/file"), "precious");
  node().remove(in_base("shop/data"));
  node().remove(in_base("shop"));
  node().put_symlink(in_base("shop"), node().host("precious"));
  EXPECT_EQ(reason({remove()}), "SymbolicLink");
  EXPECT_EQ(reason({make("shop/new", "pvc-2")}), "SymbolicLink");
  EXPECT_EQ(reason({SetAsideVolumeDirectory{base(), "shop/data", ObjectName("pvc-1"), "aside"}}),
            "SymbolicLink");
  EXPECT_EQ(node().read(node().host("precious/data/file")), "precious");
}

TEST_P(VolumeSteps, CVE_2026_3864_LeadsNowhereElse) {
  node().put_directory(node().host("precious"));
  EXPECT_EQ(reason({make("../precious")}), "BadName");
  EXPECT_EQ(reason({remove("../precious")}), "BadName");
  EXPECT_EQ(reason({remove("a/../../precious")}), "BadName");
  EXPECT_TRUE(node().exists(node().host("precious")));
}

TEST_P(VolumeSteps, WhatIsNotItsOwnStays) {
  node().put_directory(in_base("shop/data"));
  EXPECT_EQ(reason({make()}), "DirectoryTaken");
  EXPECT_EQ(reason({remove()}), "NotMooringsDirectory");
  ASSERT_EQ(reason({make("other", "pvc-2")}), "");
  EXPECT_EQ(reason({make("other")}), "DirectoryTaken");
  EXPECT_EQ(reason({make("other/below")}), "DirectoryTaken");
  EXPECT_EQ(reason({remove("other")}), "NotMooringsDirectory");
}

TEST_P(VolumeSteps, WhatIsMountedInItKeepsAllOfIt) {
  ASSERT_EQ(reason({make()}), "");
  node().put_file(in_base("shop/data/file"), "data");
  node().put_directory(in_base("shop/data/mnt"));
  node().mount_foreign(in_base("shop/data/mnt"));
  EXPECT_EQ(reason({remove()}), "MountedBelow");
  EXPECT_EQ(node().read(in_base("shop/data/file")), "data");
  node().unmount_foreign(in_base("shop/data/mnt"));
  EXPECT_EQ(reason({remove()}), "");
}

TEST_P(VolumeSteps, APodThatHasItOrAPartOfItKeepsIt) {
  ASSERT_EQ(reason({make(), make("beside", "pvc-2")}), "");
  node().put_directory(in_base("shop/data/part"));
  node().put_directory(node().root("pods/v"));
  for (const char* source : {"shop/data", "shop/data/part"}) {
    node().bind_foreign(in_base(source), node().root("pods/v"));
    EXPECT_EQ(reason({remove()}), "StillMounted") << source;
    node().unmount_foreign(node().root("pods/v"));
  }
  node().bind_foreign(in_base("beside"), node().root("pods/v"));
  EXPECT_EQ(reason({remove()}), "");
}

TEST_P(VolumeSteps, IsKeptToTheBaseThatALinkLedTo) {
  node().put_directory(node().host("disk"));
  node().put_symlink(base(), node().host("disk"));
  ASSERT_EQ(reason({make()}), "");
  EXPECT_TRUE(node().exists(node().host("disk/shop/data")));
  node().put_directory(node().root("pods/v"));
  node().bind_foreign(node().host("disk/shop/data"), node().root("pods/v"));
  EXPECT_EQ(reason({remove()}), "StillMounted");
}

TEST_P(VolumeSteps, ABaseWhoseFileSystemIsNotMountedIsNotAnEmptyOne) {
  node().put_directory(base());
  node().mount_foreign(base());
  ASSERT_EQ(reason({make()}), "");
  node().unmount_foreign(base());
  EXPECT_EQ(reason({remove()}), "BaseMissing");
  EXPECT_EQ(reason({make()}), "BaseMissing");
}

TEST_P(VolumeSteps, ABaseThatIsKnownIsNotMadeAnewUnderTheMountPoint) {
  const std::string known = "plugins/directory.mooring.io/bases/x";
  const Step second = MakeVolumeDirectory{base(), "beside", ObjectName("pvc-2"), 0777, {}, {}, known};
  const Step third = MakeVolumeDirectory{base(), "third", ObjectName("pvc-3"), 0777, {}, {}, known};
  node().put_directory(base());
  node().mount_foreign(base());
  ASSERT_EQ(reason({second}), "");
  node().unmount_foreign(base());
  EXPECT_EQ(reason({third}), "BaseMissing");
  EXPECT_FALSE(node().exists(in_base("third")));
  node().put_directory(in_base(".mooring"));
  EXPECT_EQ(reason({third}), "");
}

TEST_P(VolumeSteps, SetsAsideAndOverwritesNothing) {
  for (const char* content : {"1", "2"}) {
    ASSERT_EQ(reason({make()}), "");
    node().put_file(in_base("shop/data/file"), content);
    EXPECT_EQ(reason({SetAsideVolumeDirectory{base(), "shop/data", ObjectName("pvc-1"), "archived-data"}}),
              "");
  }
  EXPECT_EQ(node().read(in_base("archived-data/file")), "1");
  EXPECT_EQ(node().read(in_base("archived-data.2/file")), "2");
}

TEST_P(VolumeSteps, WhatAnEarlierMakingOfTheSameNameHoldsStays) {
  const ObjectName volume("pvc-1");
  const std::string image = in_base("pvc-1.img");
  ASSERT_EQ(reason({MakeVolumeDirectory{base(), "data", volume, 0777, {}, "t1"},
                    PrepareImage{image, volume, "t1"}}),
            "");
  node().put_file(in_base("data/file"), "data");
  node().put_file(image, "data");
  EXPECT_EQ(reason({MakeVolumeDirectory{base(), "data", volume, 0777, {}, "t2"}}), "DirectoryTaken");
  EXPECT_EQ(reason({PrepareImage{image, volume, "t2"}}), "ImageExists");
  EXPECT_EQ(reason({RemoveVolumeDirectory{base(), "data", volume, {}, "t2"},
                    RemoveImage{image, {}, {}, volume, "t2"}}),
            "");
  EXPECT_EQ(node().read(in_base("data/file")), "data");
  EXPECT_EQ(node().read(image), "data");
  EXPECT_EQ(reason({RemoveVolumeDirectory{base(), "data", volume, {}, "t1"},
                    RemoveImage{image, {}, {}, volume, "t1"}}),
            "");
  EXPECT_FALSE(node().exists(in_base("data")));
  EXPECT_FALSE(node().exists(image));
}

TEST_P(VolumeSteps, EmptiesWhatMayBeEmptied) {
  node().put_directory(node().host("data/sub"));
  node().put_file(node().host("data/sub/file"), "data");
  node().put_symlink(node().host("data/out"), node().host("elsewhere"));
  node().put_directory(node().host("elsewhere"));
  node().put_file(node().host("data/.mooring-trash-1/left/over"), "data");
  EXPECT_EQ(reason({EmptyDirectory{node().host("data")}}), "");
  EXPECT_TRUE(node().exists(node().host("data")));
  const auto entries = files().inside_host(node().host("data")).value()->list(".");
  ASSERT_TRUE(succeeds(entries));
  EXPECT_TRUE(entries.value().empty()) << entries.value().front().name;
  EXPECT_TRUE(node().exists(node().host("elsewhere")));
}

TEST_P(VolumeSteps, NeverEmptiesWhatHasToDoWithTheRootDirectoryOrTheSystemByWhateverName) {
  node().put_directory(node().root("pods"));
  node().put_symlink(node().host("link"), "/etc");
  node().put_directory(node().host("bound"));
  node().bind_foreign(node().base(), node().host("bound"));
  for (const std::string& path : {node().base(), node().base() + "/root", node().root("pods"),
                                  node().host("bound/root"), node().host("bound")})
    EXPECT_EQ(reason({EmptyDirectory{path}}), "SystemDirectory") << path;
  // The fake node has no /etc.
  if (GetParam() == NodeKind::Linux) {
    EXPECT_EQ(reason({EmptyDirectory{node().host("link")}}), "SystemDirectory");
  }
  EXPECT_TRUE(node().exists(node().root("pods")));
  node().unmount_foreign(node().host("bound"));
}

TEST_P(VolumeSteps, AnImageThatIsAttachedStays) {
  const std::string path = in_base("pvc-1.img");
  const std::string stamp = "plugins/kubernetes.io/block/images/pvc-1";
  const Step remove_image = RemoveImage{path, stamp, "plugins/kubernetes.io/block/formatted/pvc-1"};
  const DeviceName image{DeviceName::Kind::Image, path};
  ASSERT_EQ(reason({PrepareImage{path}, AttachDevice{image, 16 * mebibyte, false, stamp}}), "");
  EXPECT_EQ(reason({remove_image}), "DeviceBusy");
  EXPECT_TRUE(node().exists(path));
  EXPECT_EQ(reason({PrepareImage{path}}), "ImageExists");
  ASSERT_EQ(reason({DetachDevice{image}}), "");
  EXPECT_EQ(reason({remove_image, remove_image}), "");
  EXPECT_FALSE(node().exists(path));
  EXPECT_FALSE(node().exists(node().root(stamp)));
}

INSTANTIATE_TEST_SUITE_P(Ports, VolumeSteps, ::testing::Values(NodeKind::Fake, NodeKind::Linux), name_of);

}  // namespace
}  // namespace mooring::kernel::contract
