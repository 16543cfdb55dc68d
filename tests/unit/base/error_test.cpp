#include "base/error.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "base/result.h"

namespace mooring {
namespace {

Error plain(std::string message) {
  Error error;
  error.message = std::move(message);
  return error;
}

TEST(ErrorText, is_the_message_alone_if_nothing_else_is_known) {
  EXPECT_EQ(plain("no such volume").text(), "no such volume");
}

TEST(ErrorText, has_context_outermost_first_then_step_message_path_and_remedy) {
  Error error = plain("it is busy");
  error.step = "unmount";
  error.path = "pods/u/a b";
  error.remedy = "stop the container";
  const Error whole = std::move(error).within("unpublish cache").within("pod default/web");
  EXPECT_EQ(whole.text(),
            "pod default/web: unpublish cache: unmount: it is busy (\"pods/u/a b\"); stop the container");
}

TEST(ErrorText, does_not_repeat_a_path_that_the_message_names) {
  Error error = plain("/srv/data is a file");
  error.path = "/srv/data";
  EXPECT_EQ(error.text(), "/srv/data is a file");
}

TEST(ErrorText, escapes_a_path_with_a_newline) {
  Error error = plain("it is missing");
  error.path = "/srv/a\nb";
  EXPECT_EQ(error.text(), "it is missing (\"/srv/a\\nb\")");
}

TEST(ErrnoText, has_the_name_and_the_description) {
  EXPECT_EQ(errno_text(ENOENT), "ENOENT: No such file or directory");
  EXPECT_EQ(errno_text(EBUSY), "EBUSY: Device or resource busy");
}

TEST(ErrnoText, of_an_unknown_number_is_the_number) {
  EXPECT_EQ(errno_text(99999), "errno 99999");
  EXPECT_EQ(errno_text(-7), "errno -7");
}

TEST(SystemError, carries_the_number_and_its_text) {
  const Error error = system_error(ErrorKind::Transient, "MountFailed", "mount tmpfs", "/x", EACCES);
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_EQ(error.reason, "MountFailed");
  EXPECT_EQ(error.message, "mount tmpfs: EACCES: Permission denied");
  EXPECT_EQ(error.path, "/x");
  EXPECT_EQ(error.errno_value, EACCES);
  EXPECT_EQ(error.text(), "mount tmpfs: EACCES: Permission denied (\"/x\")");
}

TEST(ErrorKind, has_a_name_for_each_value) {
  EXPECT_EQ(to_string(ErrorKind::Transient), "transient");
  EXPECT_EQ(to_string(ErrorKind::Final), "final");
  EXPECT_EQ(to_string(ErrorKind::Uncertain), "uncertain");
}

Result<int> half(int number) {
  if (number % 2 != 0) return plain("it is odd");
  return number / 2;
}

Result<int> quarter(int number) {
  MOORING_TRY(const int first, half(number));
  return half(first);
}

TEST(Result, an_error_is_handed_up_by_try) {
  EXPECT_EQ(quarter(12).value(), 3);
  ASSERT_FALSE(quarter(6));
  EXPECT_EQ(quarter(6).error().message, "it is odd");
  EXPECT_FALSE(quarter(5));
}

TEST(ResultDeathTest, taking_the_value_of_an_error_ends_the_program) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(static_cast<void>(half(3).value()), "");
}

}  // namespace
}  // namespace mooring
