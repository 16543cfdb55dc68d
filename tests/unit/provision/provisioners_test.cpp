#include "provision_fixture.h"

namespace mooring {
namespace {

using testing::ElementsAre;

TEST(Provisioners, are_found_by_name_and_of_two_the_first_counts) {
  const Provisioners all({{"site", "one", "/export", {}}, {"site", "two", "/export", {}}});
  EXPECT_THAT(all.names(), ElementsAre("block.mooring.io", "directory.mooring.io", "site"));
  EXPECT_EQ(all.find("kubernetes.io/no-provisioner"), nullptr);
  ASSERT_NE(all.find("site"), nullptr);
  const ProvisionedVolume made = Asked().well(*all.find("site"));
  EXPECT_EQ(std::get<manifest::NfsSource>(made.volume.source).server, "one");
}

TEST(Provisioners, none_of_the_built_in_ones_can_be_replaced) {
  const Provisioners all({{"block.mooring.io", "server", "/export", {}}});
  const ProvisionedVolume made = Asked().well(*all.find("block.mooring.io"));
  EXPECT_TRUE(std::holds_alternative<manifest::CsiSource>(made.volume.source));
}

/// The token of each step that has one.
std::vector<std::string> tokens_of(const ProvisionWork& work) {
  std::vector<std::string> tokens;
  for (const Step& step : work.steps) {
    std::visit(
        [&](const auto& one) {
          if constexpr (requires { one.token; }) tokens.push_back(one.token);
        },
        step);
  }
  return tokens;
}

TEST(Provisioners, all_of_them_tell_each_making_from_others_of_the_same_name) {
  const Provisioners all({{"site", "server", "/export", {}}});
  for (const std::string& name : all.names()) {
    SCOPED_TRACE(name);
    Asked asked;
    asked.storage_class.mount_options = {};
    EXPECT_EQ(asked.well(*all.find(name)).parameters.count("token"), 0U);
    asked.token = "t1";
    const ProvisionedVolume made = asked.well(*all.find(name));
    EXPECT_EQ(made.parameters.at("token"), "t1");
    EXPECT_THAT(tokens_of(all.find(name)->make(made)), ElementsAre("t1"));
    EXPECT_THAT(tokens_of(all.find(name)->remove(made)), ElementsAre("t1"));
  }
  Asked asked;
  asked.token = "t1";
  asked.set("onDelete", "delete");
  EXPECT_THAT(tokens_of(all.find("site")->remove(asked.well(*all.find("site")))), ElementsAre("t1"));
}

TEST(BuiltInClass, is_of_directories_that_go_with_their_claims) {
  const manifest::StorageClass& built_in = built_in_class();
  EXPECT_EQ(built_in.name.str(), "mooring");
  EXPECT_EQ(built_in.provisioner, "directory.mooring.io");
  EXPECT_EQ(built_in.reclaim_policy, manifest::ReclaimPolicy::Delete);
  EXPECT_EQ(built_in.binding_mode, manifest::BindingMode::Immediate);
  EXPECT_TRUE(built_in.allow_volume_expansion);
  EXPECT_TRUE(built_in.is_default);
  EXPECT_NE(Provisioners().find(built_in.provisioner), nullptr);
}

manifest::PersistentVolume volume_of(manifest::VolumeSource source) {
  manifest::PersistentVolume volume;
  volume.name = ObjectName("pv");
  volume.mount_options = {"hard", "hard"};
  volume.source = std::move(source);
  return volume;
}

std::string reason_of(const manifest::PersistentVolume& volume) {
  const auto work = recycle(volume);
  return work ? "" : work.error().reason;
}

TEST(Recycle, kb_18_5_the_content_of_a_host_path_is_removed) {
  for (const char* path : {"/srv/data", "/srv/data/"}) {
    const auto work = recycle(volume_of(manifest::HostPathSource{path, ""}));
    ASSERT_TRUE(work);
    EXPECT_THAT(work.value().steps, ElementsAre(Step(EmptyDirectory{"/srv/data"})));
    EXPECT_EQ(work.value().lane, Lane::Own);
  }
}

TEST(Recycle, kb_18_5_an_export_is_mounted_and_its_content_removed) {
  const auto work = recycle(volume_of(manifest::NfsSource{"server", "/export", false}));
  const std::string place = "plugins/kubernetes.io/nfs/provisioner/pv";
  ASSERT_TRUE(work);
  EXPECT_THAT(
      work.value().steps,
      ElementsAre(Step(MountNetwork{place, "nfs", "server:/export", {"hard", "retry=0"}, false}),
                  Step(EmptyDirectory{place}), Step(UnmountNetwork{place}), Step(RemoveDirectory{place})));
}

TEST(Recycle, kb_18_5_nothing_else_can_be_recycled) {
  EXPECT_EQ(reason_of(volume_of(manifest::LocalSource{"/srv/data", ""})), "RecycleUnsupported");
  EXPECT_EQ(reason_of(volume_of(manifest::CsiSource())), "RecycleUnsupported");
}

TEST(Recycle, a_directory_of_the_system_is_never_emptied) {
  for (const char* path :
       {"/", "//", "/usr", "/usr/share/x", "/etc", "/etc/app", "/var", "/var/lib", "/home", "/boot",
        "/dev/shm", "/proc", "/sys/fs", "/run/x", "/tmp", "/srv/../etc", "relative", "/a//b"})
    EXPECT_EQ(reason_of(volume_of(manifest::HostPathSource{path, ""})), "RecycleUnsupported") << path;
  EXPECT_EQ(reason_of(volume_of(manifest::HostPathSource{"/home/data", ""})), "");
}

}  // namespace
}  // namespace mooring
