#include "kernel/linux/program_service.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

namespace mooring::kernel {
namespace {

TEST(ProgramRequest, IsALineThatSaysWhatToRunAndTheArgumentsAsTheyAre) {
  const ProgramCall call{
      "/a b/driver", {SecretBytes("mount"), SecretBytes(""), SecretBytes("{\"k\":\n1}")}, 500, 9};
  const SecretBytes request = program_request(call);
  EXPECT_EQ(request.expose_secret(),
            "{\"arguments\":[5,0,8],\"deadline_ms\":500,\"output_bytes_max\":9,\"program\":\"/a b/driver\"}\n"
            "mount{\"k\":\n1}");
  const auto read = read_program_request(request.expose_secret());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->program, call.program);
  EXPECT_EQ(read->arguments, call.arguments);
  EXPECT_EQ(read->deadline_ms, 500U);
  EXPECT_EQ(read->output_bytes_max, 9U);
}

TEST(ProgramRequest, ThatIsNoneIsRefused) {
  for (const char* request :
       {"", "\n", "[]\n", "null\n", "{}\n",
        R"({"arguments":[],"deadline_ms":1,"output_bytes_max":1,"program":"/d"})",
        "{\"arguments\":[],\"deadline_ms\":1,\"output_bytes_max\":1,\"program\":\"d\"}\n",
        "{\"arguments\":[],\"deadline_ms\":1,\"output_bytes_max\":1,\"program\":1}\n",
        "{\"arguments\":[],\"deadline_ms\":-1,\"output_bytes_max\":1,\"program\":\"/d\"}\n",
        "{\"arguments\":[],\"deadline_ms\":4294967296,\"output_bytes_max\":1,\"program\":\"/d\"}\n",
        "{\"arguments\":3,\"deadline_ms\":1,\"output_bytes_max\":1,\"program\":\"/d\"}\n",
        "{\"arguments\":[1],\"deadline_ms\":1,\"output_bytes_max\":1,\"program\":\"/d\"}\n",
        "{\"arguments\":[-1],\"deadline_ms\":1,\"output_bytes_max\":1,\"program\":\"/d\"}\na",
        "{\"arguments\":[1],\"deadline_ms\":1,\"output_bytes_max\":1,\"program\":\"/d\"}\nab"})
    EXPECT_FALSE(read_program_request(request)) << request;
}

TEST(ProgramReply, IsHowItEndedAndWhatItSaid) {
  for (const ProgramAnswer& end :
       {ProgramAnswer{0, 0, false, false, "{\n}\n"}, ProgramAnswer{7, 0, false, true, ""},
        ProgramAnswer{-1, SIGKILL, true, false, std::string("a\0b\xff", 4)}}) {
    const auto read = read_program_reply(program_reply(end));
    ASSERT_TRUE(read);
    EXPECT_EQ(read.value().status, end.status);
    EXPECT_EQ(read.value().signal, end.signal);
    EXPECT_EQ(read.value().is_late, end.is_late);
    EXPECT_EQ(read.value().is_too_long, end.is_too_long);
    EXPECT_EQ(read.value().output, end.output);
  }
}

TEST(ProgramReply, MayBeThatNothingWasRun) {
  const auto read = read_program_reply(
      program_reply(system_error(ErrorKind::Transient, "SpawnFailed", "cannot run", "/d", ENOENT)));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().reason, "SpawnFailed");
  EXPECT_EQ(read.error().kind, ErrorKind::Transient);
  EXPECT_EQ(read.error().errno_value, ENOENT);
}

TEST(ProgramReply, ThatIsNoneIsALostCall) {
  for (const char* reply : {"", "\n", "null\n", "{}\n", "{\"reason\":\"X\"}\n",
                            "{\"reason\":1,\"message\":\"\",\"errno\":2,\"remedy\":\"\"}\n",
                            "{\"status\":0,\"signal\":0,\"is_late\":false,\"is_too_long\":false}",
                            "{\"status\":\"0\",\"signal\":0,\"is_late\":false,\"is_too_long\":false}\n",
                            "{\"status\":0,\"signal\":0,\"is_late\":0,\"is_too_long\":false}\n"}) {
    const auto lost = read_program_reply(reply);
    ASSERT_FALSE(lost) << reply;
    EXPECT_EQ(lost.error().reason, "DriverCallLost");
    EXPECT_EQ(lost.error().kind, ErrorKind::Uncertain);
  }
}

}  // namespace
}  // namespace mooring::kernel
