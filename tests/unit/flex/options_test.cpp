#include "flex/options.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace mooring::flex {
namespace {

std::string json(const VolumeOptions& volume, const PodOptions* pod = nullptr) {
  return options_json(volume, pod).expose_secret();
}

TEST(FlexOptions, kb_16_every_call_is_told_of_the_volume) {
  EXPECT_EQ(json({"pv-1", "ext4", false, {{"share", "server:/x"}}}),
            R"({"kubernetes.io/fsType":"ext4","kubernetes.io/pvOrVolumeName":"pv-1",)"
            R"("kubernetes.io/readwrite":"rw","share":"server:/x"})");
  EXPECT_EQ(
      json({"v", "", true, {}}),
      R"({"kubernetes.io/fsType":"","kubernetes.io/pvOrVolumeName":"v","kubernetes.io/readwrite":"ro"})");
}

TEST(FlexOptions, kb_16_mount_is_told_of_the_pod_and_of_secrets_in_base64) {
  PodOptions pod{"web", "default", "u1", "builder", 2000, {}};
  pod.secrets.emplace("password", SecretBytes("s3cret"));
  pod.secrets.emplace("bytes", SecretBytes(std::string("\0\xff\n", 3)));
  EXPECT_EQ(
      json({"v", "", false, {}}, &pod),
      R"({"kubernetes.io/fsType":"","kubernetes.io/mounterArgs.FsGroup":"2000",)"
      R"("kubernetes.io/pod.name":"web","kubernetes.io/pod.namespace":"default",)"
      R"("kubernetes.io/pod.uid":"u1","kubernetes.io/pvOrVolumeName":"v","kubernetes.io/readwrite":"rw",)"
      R"("kubernetes.io/secret/bytes":"AP8K","kubernetes.io/secret/password":"czNjcmV0",)"
      R"("kubernetes.io/serviceAccount.name":"builder"})");
}

TEST(FlexOptions, kb_16_a_group_is_told_only_if_the_pod_has_one) {
  const PodOptions pod{"web", "default", "u1", "", std::nullopt, {}};
  EXPECT_EQ(json({"v", "", false, {}}, &pod).find("FsGroup"), std::string::npos);
}

TEST(FlexOptions, kb_16_the_users_options_win) {
  const PodOptions pod{"web", "default", "u1", "", std::nullopt, {{"k", SecretBytes("x")}}};
  const std::string text =
      json({"v", "ext4", false, {{"kubernetes.io/fsType", "xfs"}, {"kubernetes.io/secret/k", "mine"}}}, &pod);
  EXPECT_NE(text.find(R"("kubernetes.io/fsType":"xfs")"), std::string::npos);
  EXPECT_NE(text.find(R"("kubernetes.io/secret/k":"mine")"), std::string::npos);
}

TEST(FlexOptions, any_value_is_one_json_string) {
  const std::string text = json({"v", "", false, {{"a", "\"\\\n\t\x01"}, {"b", "\xff"}}});
  EXPECT_NE(text.find(R"("a":"\"\\\n\t\u0001")"), std::string::npos) << text;
  EXPECT_NE(text.find("\"b\":\"\xEF\xBF\xBD\""), std::string::npos);
}

TEST(FlexOptions, base64_is_the_standards) {
  const std::vector<std::pair<std::string, std::string>> values{
      {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : values)
    EXPECT_EQ(encode_base64(SecretBytes(plain)).expose_secret(), encoded);
}

}  // namespace
}  // namespace mooring::flex
