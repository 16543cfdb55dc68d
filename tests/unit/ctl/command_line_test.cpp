// What command lines mean, and which are refused before any daemon is asked.

#include <gtest/gtest.h>

#include <vector>

#include "ctl/commands.h"
#include "ctl/storage.h"

namespace mooring::ctl {
namespace {

CommandLine parsed(std::vector<const char*> words) {
  words.insert(words.begin(), "mooringctl");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

TEST(CommandLine, get_has_a_kind_and_a_name) {
  const CommandLine line = parsed({"get", "pvc", "data", "-n", "shop", "-o", "json"});
  ASSERT_TRUE(line.command);
  EXPECT_EQ(line.options.kind, "pvc");
  EXPECT_EQ(line.options.name, "data");
  EXPECT_EQ(line.options.name_space, "shop");
  EXPECT_TRUE(line.options.has_namespace);
  EXPECT_EQ(line.options.format, Format::Json);
}

TEST(CommandLine, wait_knows_bound) {
  const CommandLine line = parsed({"wait", "pvc/data", "--for=bound", "--timeout", "5s"});
  ASSERT_TRUE(line.command);
  EXPECT_EQ(line.options.condition, "bound");
  EXPECT_EQ(line.options.timeout, "5s");
  EXPECT_FALSE(line.options.has_namespace);
}

TEST(CommandLine, release_may_forget) {
  EXPECT_FALSE(parsed({"release", "pv/pv-1"}).options.forget);
  const CommandLine line = parsed({"release", "pv/pv-1", "--forget"});
  ASSERT_TRUE(line.command);
  EXPECT_TRUE(line.options.forget);
  EXPECT_EQ(line.options.name, "pv/pv-1");
}

TEST(CommandLine, that_is_wrong_has_no_command_and_status_two) {
  testing::internal::CaptureStderr();
  for (const std::vector<const char*>& words : std::vector<std::vector<const char*>>{
           {"wait", "pvc/data", "--for=well"}, {"delete"}, {"release"}, {"nothing"}, {}}) {
    const CommandLine line = parsed(words);
    EXPECT_FALSE(line.command);
    EXPECT_EQ(line.status, static_cast<int>(ExitStatus::Usage));
  }
  EXPECT_FALSE(testing::internal::GetCapturedStderr().empty());
}

TEST(CommandLine, that_names_the_wrong_kind_is_refused_before_a_daemon_is_asked) {
  testing::internal::CaptureStderr();
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"delete", "pv/data"},
                                             {"delete", "data"},
                                             {"release", "pvc/data"},
                                             {"release", "pv/"},
                                             {"release", "volumesnapshot/s"},
                                             {"release", "volumesnapshot/", "--forget"},
                                             {"release", "volumesnapshot/ns/", "--forget"},
                                             {"release", "volumesnapshot/ns/s/x", "--forget"},
                                             {"wait", "pvc/data", "--for=ready"},
                                             {"wait", "pod/web", "--for=bound"},
                                             {"get", "nonsense"}}) {
    CommandLine line = parsed(words);
    ASSERT_TRUE(line.command);
    line.options.bus = "unix:path=/nonexistent/bus";  // It would be status 5.
    EXPECT_EQ(line.command(line.options), ExitStatus::Usage) << words[1];
  }
  EXPECT_FALSE(testing::internal::GetCapturedStderr().empty());
}

TEST(ObjectReference, has_a_kind_by_any_of_its_names) {
  for (const char* text : {"pvc/data", "persistentvolumeclaim/data", "persistentvolumeclaims/data"}) {
    const auto reference = parse_object_reference(text);
    ASSERT_TRUE(reference) << text;
    EXPECT_EQ(reference.value().kind, Kind::Claims);
    EXPECT_EQ(reference.value().name, "data");
  }
  EXPECT_EQ(parse_object_reference("pv/x").value().kind, Kind::PersistentVolumes);
  EXPECT_EQ(parse_object_reference("storageclass/x").value().kind, Kind::Classes);
  EXPECT_EQ(parse_object_reference("pod/web/data").value().name, "web/data");
}

TEST(ObjectReference, without_kind_or_name_is_wrong_usage) {
  for (const char* text : {"data", "", "pvc/", "ship/data"}) {
    const auto reference = parse_object_reference(text);
    ASSERT_FALSE(reference) << text;
    EXPECT_EQ(reference.error().reason, "Usage");
  }
}

}  // namespace
}  // namespace mooring::ctl
