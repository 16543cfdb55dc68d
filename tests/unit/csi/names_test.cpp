#include "csi/names.h"

#include <gtest/gtest.h>

#include "base/quote.h"
#include "base/sha256.h"
#include "csi/volume_data.h"

namespace mooring::csi {
namespace {

TEST(CsiNames, kb_15_2_handles_and_attachments) {
  EXPECT_EQ(inline_handle(PodUid("uid"), VolumeName("v")), "csi-" + sha256_hex("uidv"));
  EXPECT_EQ(attachment_id("h", DriverName("d"), NodeName("n")), "csi-" + sha256_hex("hdn"));
}

struct Access {
  ClaimedAccess claimed;
  bool has_multi_writer;
  const char* asked;
};

TEST(CsiNames, kb_15_3_access_modes) {
  const Access rows[] = {
      {ClaimedAccess::ReadWriteOnce, false, "SINGLE_NODE_WRITER"},
      {ClaimedAccess::ReadOnlyMany, false, "MULTI_NODE_READER_ONLY"},
      {ClaimedAccess::ReadWriteMany, false, "MULTI_NODE_MULTI_WRITER"},
      {ClaimedAccess::ReadWriteOncePod, false, "SINGLE_NODE_WRITER"},
      {ClaimedAccess::ReadWriteOnce, true, "SINGLE_NODE_MULTI_WRITER"},
      {ClaimedAccess::ReadOnlyMany, true, "MULTI_NODE_READER_ONLY"},
      {ClaimedAccess::ReadWriteMany, true, "MULTI_NODE_MULTI_WRITER"},
      {ClaimedAccess::ReadWriteOncePod, true, "SINGLE_NODE_SINGLE_WRITER"},
  };
  for (const Access& row : rows)
    EXPECT_EQ(to_string(access_mode(row.claimed, row.has_multi_writer)), row.asked);
}

TEST(VolumeData, kb_15_2_says_what_tools_expect) {
  const VolumeData data{DriverName("d"), "h\"1",  VolumeDirectory("pv"),
                        NodeName("n1"),  "csi-1", "Persistent"};
  const std::string text = encode_volume_data(data);
  EXPECT_EQ(text, R"({"attachmentID":"csi-1","driverName":"d","nodeName":"n1","specVolID":"pv",)"
                  R"("volumeHandle":"h\"1","volumeLifecycleMode":"Persistent"})");
  EXPECT_EQ(decode_volume_data(text), data);
  EXPECT_EQ(encode_volume_data({DriverName("d"), "h"}), R"({"driverName":"d","volumeHandle":"h"})");
}

TEST(VolumeData, what_is_cut_short_says_nothing) {
  const std::string text = encode_volume_data({DriverName("d"), "h", VolumeDirectory("pv")});
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_EQ(decode_volume_data(text.substr(0, size)), std::nullopt) << size;
  EXPECT_EQ(decode_volume_data(R"({"driverName":"d"})"), std::nullopt);
  EXPECT_EQ(decode_volume_data(R"({"driverName":1,"volumeHandle":"h"})"), std::nullopt);
  EXPECT_EQ(decode_volume_data("[]"), std::nullopt);
  EXPECT_EQ(decode_volume_data(std::string(volume_data_size_max + 1, ' ')), std::nullopt);
  EXPECT_EQ(decode_volume_data(R"({"driverName":"d","volumeHandle":"h","nodeName":3,"later":{}})"),
            (VolumeData{DriverName("d"), "h"}));
}

}  // namespace
}  // namespace mooring::csi
