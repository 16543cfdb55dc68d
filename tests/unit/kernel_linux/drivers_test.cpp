#include <gtest/gtest.h>

#include "kernel/linux/linux_drivers.h"

namespace mooring::kernel {
namespace {

TEST(CsiInput, IsALineThatSaysWhatToCallAndTheRequestAsItIs) {
  const DriverCall call{"/run/a b.sock", "csi.v1.Node/NodeGetInfo", SecretBytes("{\"k\":\n\"v\"}"), 1500};
  EXPECT_EQ(csi_input(call).expose_secret(),
            "{\"deadline_ms\":1500,\"method\":\"csi.v1.Node/NodeGetInfo\",\"socket\":\"/run/a b.sock\"}\n"
            "{\"k\":\n\"v\"}");
}

TEST(CsiOutput, IsAnAnswer) {
  const auto good = read_csi_output("{\"code\":0,\"message\":\"\",\"response_bytes\":3}\n{\n}");
  ASSERT_TRUE(good);
  EXPECT_EQ(good.value().code, CallCode::Ok);
  EXPECT_EQ(good.value().response, "{\n}");
  const auto bad = read_csi_output("{\"code\":16,\"message\":\"who?\",\"response_bytes\":0}\n");
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad.value().code, CallCode::Unauthenticated);
  EXPECT_EQ(bad.value().message, "who?");
}

TEST(CsiOutput, ThatIsNotAllThereIsALostCall) {
  for (const char* output : {"", "\n", "{}", "[]\n", "null\n", "{\"code\":0}\n",
                             "{\"code\":0,\"message\":1,\"response_bytes\":0}\n",
                             "{\"code\":-1,\"message\":\"\",\"response_bytes\":0}\n",
                             "{\"code\":17,\"message\":\"\",\"response_bytes\":0}\n",
                             "{\"code\":0,\"message\":\"\",\"response_bytes\":3}\n{}",
                             "{\"code\":0,\"message\":\"\",\"response_bytes\":1}\n{}",
                             "{\"code\":0,\"message\":\"\",\"response_bytes\":0"}) {
    const auto lost = read_csi_output(output);
    ASSERT_FALSE(lost) << output;
    EXPECT_EQ(lost.error().reason, "DriverCallLost");
    EXPECT_EQ(lost.error().kind, ErrorKind::Uncertain);
  }
}

}  // namespace
}  // namespace mooring::kernel
