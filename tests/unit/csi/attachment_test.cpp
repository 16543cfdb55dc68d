// The stamp of a volume that Mooring had attached.

#include "csi/attachment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring::csi {
namespace {

using testing::HasSubstr;
using testing::Not;

const CsiAttachment whole{DriverName("d.example.com"), "pool/vol\"1\n", "node-1",
                          ObjectKey{Namespace("storage"), ObjectName("login")}, "plugins/x/globalmount"};

TEST(Attachment, is_read_as_it_was_written) {
  EXPECT_EQ(decode_attachment(encode_attachment(whole)), whole);
  CsiAttachment bare = whole;
  bare.secret.reset();
  bare.staged_path.clear();
  EXPECT_EQ(decode_attachment(encode_attachment(bare)), bare);
  EXPECT_THAT(encode_attachment(bare), Not(HasSubstr("secret")));
}

TEST(Attachment, what_is_not_whole_is_none) {
  const std::string text = encode_attachment(whole);
  for (std::size_t size = 0; size < text.size(); ++size)
    EXPECT_FALSE(decode_attachment(text.substr(0, size))) << size;
  for (const char* broken :
       {"[]", "{}", R"({"version":1})", R"({"version":2,"driver":"d","handle":"h","nodeId":"n"})",
        R"({"version":"1","driver":"d","handle":"h","nodeId":"n"})",
        R"({"version":1,"driver":"","handle":"h","nodeId":"n"})",
        R"({"version":1,"driver":"d","handle":7,"nodeId":"n"})",
        R"({"version":1,"driver":"d","handle":"h","nodeId":""})",
        R"({"version":1,"driver":"d","handle":"h","nodeId":"n","staged":[]})",
        R"({"version":1,"driver":"d","handle":"h","nodeId":"n","secret":"s"})",
        R"({"version":1,"driver":"d","handle":"h","nodeId":"n","secret":{"namespace":"x"}})"})
    EXPECT_FALSE(decode_attachment(broken)) << broken;
  EXPECT_TRUE(decode_attachment(R"({"version":1,"driver":"d","handle":"h","nodeId":"n"})"));
  EXPECT_FALSE(decode_attachment(text + std::string(attachment_size_max, ' ')));
}

}  // namespace
}  // namespace mooring::csi
