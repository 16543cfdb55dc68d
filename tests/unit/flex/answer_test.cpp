#include "flex/answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace mooring::flex {
namespace {

using testing::HasSubstr;
using testing::Not;

Result<Answer> read(std::string_view output, int status = 0, Command command = Command::Mount) {
  End end;
  end.status = status;
  end.output = output;
  return answer_of(command, end);
}

Answer good(std::string_view output, Command command = Command::Mount) {
  Result<Answer> answer = read(output, 0, command);
  if (!answer) ADD_FAILURE() << answer.error().text();
  return answer ? std::move(answer).value() : Answer();
}

Error bad(std::string_view output, int status = 0) {
  const Result<Answer> answer = read(output, status);
  if (answer) ADD_FAILURE() << "it was taken: " << output;
  return answer ? Error() : answer.error();
}

TEST(FlexAnswer, kb_16_commands_are_called_as_drivers_know_them) {
  std::string names;
  for (int i = 0; i <= static_cast<int>(Command::ExpandFs); ++i)
    names += std::string(to_string(static_cast<Command>(i))) + " ";
  EXPECT_EQ(
      names,
      "init getvolumename attach isattached waitforattach mountdevice unmountdevice mount unmount detach "
      "expandvolume expandfs ");
}

TEST(FlexAnswer, kb_16_success_carries_what_the_command_asked_for) {
  EXPECT_TRUE(good(R"({"status":"Success"})").is_supported);
  EXPECT_EQ(good(R"({"status":"Success","device":"/dev/sdb"})").device_path, "/dev/sdb");
  EXPECT_EQ(good(R"({"status":"Success","volumeName":"v"})").volume_name, "v");
  EXPECT_EQ(good(R"({"status":"Success","attached":true})").is_attached, true);
  EXPECT_EQ(good(R"({"status":"Success","attached":false})").is_attached, false);
  EXPECT_FALSE(good(R"({"status":"Success"})").is_attached);
  EXPECT_EQ(good(R"({"status":"Success","volumeNewSize":1024})").new_size_bytes, 1024);
  EXPECT_EQ(good(" \n{\"status\":\"Success\"}\n\n").device_path, "");
}

TEST(FlexAnswer, kb_16_keys_are_matched_in_any_case) {
  EXPECT_EQ(good(R"({"STATUS":"Success","Device":"/dev/sdb"})").device_path, "/dev/sdb");
  EXPECT_FALSE(good(R"({"Status":"Success","Capabilities":{"ATTACH":false}})").capabilities.attach);
}

TEST(FlexAnswer, the_last_of_several_keys_counts_whatever_its_case) {
  EXPECT_EQ(bad(R"({"status":"Success","STATUS":"Failure"})").reason, "DriverFailed");
  EXPECT_TRUE(good(R"({"STATUS":"Failure","status":"Success"})").is_supported);
  EXPECT_TRUE(good(R"({"status":"Failure","Status":"x","status":"Success"})").is_supported);
  EXPECT_EQ(good(R"({"status":"Success","device":"/a","DEVICE":"/b"})").device_path, "/b");
}

TEST(FlexAnswer, kb_16_the_status_is_exact) {
  for (const std::string status :
       {"success", "SUCCESS", "Success ", "", "Ok", "Not Supported", "not supported"})
    EXPECT_EQ(bad("{\"status\":\"" + status + "\"}").reason, "DriverFailed") << status;
  EXPECT_EQ(bad("{}").reason, "DriverFailed");
}

TEST(FlexAnswer, kb_16_a_failure_is_told_in_the_kubelets_words) {
  const Error error = bad(R"({"status":"Failure","message":"no such share"})");
  EXPECT_EQ(error.reason, "DriverFailed");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_EQ(error.message, "mount command failed, status: Failure, reason: no such share");
  EXPECT_FALSE(error.remedy.empty());
  EXPECT_EQ(bad(R"({"status":"Failure","message":"no such share"})", 1).message, error.message);
}

TEST(FlexAnswer, kb_16_not_supported_is_no_error_whatever_the_exit_status) {
  EXPECT_FALSE(good(R"({"status":"Not supported"})").is_supported);
  const Result<Answer> answer = read(R"({"status":"Not supported","message":"why"})", 1);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer.value().is_supported);
}

TEST(FlexAnswer, kb_16_success_with_a_nonzero_exit_is_an_error) {
  const Error error = bad(R"({"status":"Success"})", 3);
  EXPECT_EQ(error.reason, "DriverExitError");
  EXPECT_EQ(error.kind, ErrorKind::Uncertain);
  EXPECT_THAT(error.message, HasSubstr("exited with status 3"));
  End end;
  end.status = -1;
  end.signal = 9;
  end.output = R"({"status":"Success"})";
  const Result<Answer> killed = answer_of(Command::Mount, end);
  ASSERT_FALSE(killed);
  EXPECT_THAT(killed.error().message, HasSubstr("signal 9"));
}

TEST(FlexAnswer, kb_16_what_is_not_exactly_one_object_is_no_answer) {
  for (const std::string output :
       {"", " ", "Success", "mounting...\n{\"status\":\"Success\"}", "{\"status\":\"Success\"} done",
        "{\"status\":\"Success\"}{\"status\":\"Success\"}", "[{\"status\":\"Success\"}]", "\"Success\"",
        "null", "1", "true", "{\"status\":\"Success\"", "{'status':'Success'}", "{\"status\":\"Success\",}",
        "{\"status\":Success}"}) {
    const Error error = bad(output);
    EXPECT_EQ(error.reason, "BadDriverAnswer") << output;
    EXPECT_EQ(error.kind, ErrorKind::Uncertain) << output;
    EXPECT_THAT(error.message, HasSubstr("failed to unmarshal output for command: mount")) << output;
  }
  EXPECT_EQ(bad(std::string("{\"status\":\"Success\"}\0", 21)).reason, "BadDriverAnswer");
}

TEST(FlexAnswer, a_value_of_the_wrong_type_is_no_answer) {
  for (const std::string field :
       {R"("status":1)", R"("status":["Success"])", R"("status":{"a":1})", R"("device":7)",
        R"("message":true)", R"("attached":"yes")", R"("attached":1)", R"("volumeName":{})",
        R"("capabilities":[])", R"("capabilities":"all")", R"("capabilities":{"attach":"no"})",
        R"("capabilities":{"fsGroup":[]})", R"("volumeNewSize":"1Gi")", R"("volumeNewSize":1.5)",
        R"("volumeNewSize":18446744073709551615)"}) {
    EXPECT_EQ(bad("{\"status\":\"Success\"," + field + "}").reason, "BadDriverAnswer") << field;
  }
}

TEST(FlexAnswer, null_changes_nothing_and_unknown_keys_do_not_matter) {
  EXPECT_EQ(good(R"({"status":"Success","status":null,"device":null,"capabilities":null})").capabilities,
            FlexCapabilities());
  EXPECT_EQ(
      good(R"({"status":"Success","more":{"status":"Failure","device":["/x",{"attached":1}]},"n":[1,{}]})")
          .device_path,
      "");
  EXPECT_FALSE(good(R"({"capabilities":{"attach":false,"later":{"attach":true}},"status":"Success"})")
                   .capabilities.attach);
}

TEST(FlexAnswer, kb_16_what_init_leaves_out_is_as_by_default) {
  const FlexCapabilities all = good(R"({"status":"Success"})", Command::Init).capabilities;
  EXPECT_TRUE(all.attach && all.selinux_relabel && all.fs_group && all.requires_fs_resize);
  EXPECT_FALSE(all.supports_metrics);
  struct Case {
    const char* field;
    FlexCapabilities wanted;
  };
  const std::vector<Case> cases{{R"("attach":false)", {false, true, false, true, true}},
                                {R"("selinuxRelabel":false)", {true, false, false, true, true}},
                                {R"("supportsMetrics":true)", {true, true, true, true, true}},
                                {R"("fsGroup":false)", {true, true, false, false, true}},
                                {R"("requiresFSResize":false)", {true, true, false, true, false}}};
  for (const Case& one : cases) {
    const std::string text = R"({"status":"Success","capabilities":{)" + std::string(one.field) + "}}";
    EXPECT_EQ(good(text, Command::Init).capabilities, one.wanted) << one.field;
  }
}

TEST(FlexAnswer, a_driver_that_was_killed_may_have_done_anything) {
  End end;
  end.is_late = true;
  end.output = R"({"status":"Success"})";
  const Result<Answer> answer = answer_of(Command::Attach, end);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().reason, "DriverTimeout");
  EXPECT_EQ(answer.error().kind, ErrorKind::Uncertain);
  EXPECT_THAT(answer.error().message, HasSubstr("attach command failed"));
}

TEST(FlexAnswer, a_mebibyte_of_garbage_is_told_of_in_a_few_words) {
  const std::string garbage(output_bytes_max, 'x');
  const Error error = bad(garbage);
  EXPECT_EQ(error.reason, "BadDriverAnswer");
  EXPECT_LT(error.message.size(), 2 * words_bytes_max);
  End end;
  end.is_too_long = true;
  end.output = garbage;
  const Result<Answer> answer = answer_of(Command::Mount, end);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().reason, "DriverAnswerTooLong");
  EXPECT_LT(answer.error().message.size(), 2 * words_bytes_max);
}

TEST(FlexAnswer, however_deep_it_nests_it_is_read) {
  const std::string deep(output_bytes_max / 2, '[');
  EXPECT_EQ(bad(deep).reason, "BadDriverAnswer");
  EXPECT_EQ(bad("{\"a\":" + deep).reason, "BadDriverAnswer");
  EXPECT_TRUE(
      good("{\"a\":" + deep + std::string(deep.size(), ']') + ",\"status\":\"Success\"}").is_supported);
}

TEST(FlexAnswer, words_are_bounded_and_clean) {
  EXPECT_EQ(words_of("no\x1b[31m share\n"), "no\\x1b[31m share");
  const std::string long_words = words_of(std::string(5000, '\x01'));
  EXPECT_LE(long_words.size(), words_bytes_max);
  EXPECT_TRUE(long_words.ends_with("..."));
  std::string umlauts;
  for (int i = 0; i < 1000; ++i)
    umlauts += "\xc3\xa4";
  EXPECT_LE(words_of("a" + umlauts).size(), words_bytes_max);
  EXPECT_EQ(words_of(std::string(words_bytes_max, 'a')).size(), words_bytes_max);
}

TEST(FlexAnswer, what_a_driver_was_told_in_secret_is_not_repeated) {
  const std::vector<SecretBytes> secrets{SecretBytes("s3cret"), SecretBytes("ab"), SecretBytes("")};
  for (const std::string output :
       {R"({"status":"Failure","message":"login with s3cret (czNjcmV0, YWI=) failed"})",
        R"({"status":"s3cret","message":"czNjcmV0 YWI="})", "garbage s3cret czNjcmV0 YWI="}) {
    End end;
    end.output = output;
    const Result<Answer> answer = answer_of(Command::Mount, end, secrets);
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text(), Not(HasSubstr("s3cret")));
    EXPECT_THAT(answer.error().text(), Not(HasSubstr("czNjcmV0")));
    EXPECT_THAT(answer.error().text(), Not(HasSubstr("YWI=")));
  }
  End too_long;
  too_long.is_too_long = true;
  const std::string cut = std::string(words_bytes_max - 3, 'x') + "s3cret";
  too_long.output = cut;
  EXPECT_THAT(answer_of(Command::Mount, too_long, secrets).error().message, Not(HasSubstr("s3c")));
  // Also not the half that is left where a message is cut.
  const std::string long_text = std::string(words_bytes_max - 6, 'x') + "s3cret";
  EXPECT_THAT(words_of(long_text, secrets), Not(HasSubstr("s3c")));
}

TEST(FlexAnswer, what_is_no_utf8_is_no_reason_to_refuse_an_answer) {
  EXPECT_TRUE(good("{\"status\":\"Success\",\"message\":\"\xff\xfe\"}").is_supported);
  EXPECT_EQ(bad("{\"status\":\"Failure\",\"message\":\"a\xff\"}").message,
            "mount command failed, status: Failure, reason: a?");
}

}  // namespace
}  // namespace mooring::flex
