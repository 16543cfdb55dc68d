#include "step/csi_layout.h"

#include <gtest/gtest.h>

#include "base/sha256.h"

namespace mooring::layout {
namespace {

const PodUid uid("u1");
const VolumeDirectory directory("pv-1");
const DriverName driver("d.example.org");

TEST(CsiLayout, kb_15_2_of_file_systems) {
  const std::string hash = sha256_hex("h/1");
  EXPECT_EQ(csi_target(uid, directory), "pods/u1/volumes/kubernetes.io~csi/pv-1/mount");
  EXPECT_EQ(csi_target_data(uid, directory), "pods/u1/volumes/kubernetes.io~csi/pv-1/vol_data.json");
  EXPECT_EQ(csi_staged(driver, "h/1"), "plugins/kubernetes.io/csi/d.example.org/" + hash + "/globalmount");
  EXPECT_EQ(csi_staged_data(driver, "h/1"),
            "plugins/kubernetes.io/csi/d.example.org/" + hash + "/vol_data.json");
  EXPECT_EQ(mount_place(uid, csi_plugin(), directory), csi_target(uid, directory));
  const PluginName nfs("kubernetes.io/nfs");
  EXPECT_EQ(mount_place(uid, nfs, directory), volume(uid, nfs, directory));
  const auto target = parse_csi_target(csi_target(uid, directory));
  ASSERT_TRUE(target);
  EXPECT_EQ(target->pod, uid);
  EXPECT_EQ(target->directory, directory);
  const auto staged = parse_csi_staged(csi_staged(driver, "h/1"));
  ASSERT_TRUE(staged);
  EXPECT_EQ(staged->driver, driver);
  EXPECT_EQ(staged->handle_hash, hash);
  const auto old = parse_csi_staged("plugins/kubernetes.io/csi/pv/pv-1/globalmount");
  ASSERT_TRUE(old);
  EXPECT_TRUE(old->driver.empty());
  EXPECT_EQ(old->directory, directory);
}

TEST(CsiLayout, kb_15_5_of_raw_devices) {
  const std::string root = "plugins/kubernetes.io/csi/volumeDevices/";
  EXPECT_EQ(csi_block_staged(directory), root + "staging/pv-1");
  EXPECT_EQ(csi_block_published(directory), root + "publish/pv-1");
  EXPECT_EQ(csi_block_target(directory, uid), root + "publish/pv-1/u1");
  EXPECT_EQ(csi_block_root(directory), root + "pv-1");
  EXPECT_EQ(csi_block_map(directory), root + "pv-1/dev");
  EXPECT_EQ(csi_block_data(directory), root + "pv-1/data/vol_data.json");
  EXPECT_EQ(parse_csi_block_staged(csi_block_staged(directory)), directory);
  EXPECT_EQ(parse_csi_block_published(csi_block_published(directory)), directory);
  EXPECT_EQ(parse_csi_block_map(csi_block_map(directory)), directory);
}

TEST(CsiLayout, parsers_take_nothing_else) {
  for (const char* path :
       {"", "pods/u1/volumes/kubernetes.io~csi/pv-1", "pods/u1/volumes/kubernetes.io~nfs/pv-1/mount",
        "pods/u1/volumes/kubernetes.io~csi/mount", "pods/u1/volumes/kubernetes.io~csi/pv-1/mount/",
        "pods/../volumes/kubernetes.io~csi/pv-1/mount"})
    EXPECT_FALSE(parse_csi_target(path)) << path;
  const std::string hash(64, 'a');
  for (const std::string& path :
       {"plugins/kubernetes.io/csi/d/" + hash, "plugins/kubernetes.io/csi/d/" + hash + "/globalmount/",
        "plugins/kubernetes.io/csi/d/" + std::string(64, 'A') + "/globalmount",
        "plugins/kubernetes.io/csi/d/" + hash.substr(1) + "/globalmount",
        "plugins/kubernetes.io/csi/volumeDevices/" + hash + "/globalmount",
        "plugins/kubernetes.io/csi/../" + hash + "/globalmount",
        std::string("plugins/kubernetes.io/csi/globalmount")})
    EXPECT_FALSE(parse_csi_staged(path)) << path;
  for (const char* path : {"plugins/kubernetes.io/csi/volumeDevices/staging/..",
                           "plugins/kubernetes.io/csi/volumeDevices/staging/", "volumeDevices/staging/pv"})
    EXPECT_FALSE(parse_csi_block_staged(path)) << path;
  EXPECT_FALSE(parse_csi_block_map("plugins/kubernetes.io/csi/volumeDevices/staging/dev"));
  EXPECT_FALSE(parse_csi_block_map("plugins/kubernetes.io/csi/volumeDevices/dev"));
  EXPECT_FALSE(is_csi_block_element(VolumeDirectory("publish")));
  EXPECT_FALSE(is_csi_driver_element(DriverName("pv")));
  EXPECT_FALSE(is_csi_driver_element(DriverName("attached")));
  EXPECT_FALSE(is_csi_driver_element(DriverName("a/b")));
  EXPECT_TRUE(is_csi_driver_element(driver));
}

TEST(CsiLayout, each_volume_has_a_stamp_of_its_own) {
  EXPECT_TRUE(csi_attachment({driver, "h"}).starts_with("plugins/kubernetes.io/csi/attached/"));
  EXPECT_TRUE(csi_attachment({driver, "h"}).ends_with(".json"));
  EXPECT_NE(csi_attachment({DriverName("ab"), "c"}), csi_attachment({DriverName("a"), "bc"}));
}

TEST(CsiLayout, a_key_names_driver_and_handle) {
  EXPECT_EQ(csi_key({driver, "srv/a#b c"}), VolumeKey("kubernetes.io/csi/d.example.org^srv/a#b%20c"));
  for (const std::string& handle :
       {std::string("h"), std::string("a^b%41\n\xff"), std::string("x\0y", 3), std::string(500, '~')}) {
    const CsiVolumeName volume{driver, handle};
    EXPECT_EQ(parse_csi_key(csi_key(volume)), volume);
  }
  for (const char* key : {"", "kubernetes.io/csi/d", "kubernetes.io/csi/^h", "kubernetes.io/csi/d^",
                          "kubernetes.io/block/d^h", "kubernetes.io/csi/d^%4", "kubernetes.io/csi/d^%zz",
                          "kubernetes.io/csi/d^%41", "kubernetes.io/csi/d^a b"})
    EXPECT_FALSE(parse_csi_key(VolumeKey(key))) << key;
}

}  // namespace
}  // namespace mooring::layout
