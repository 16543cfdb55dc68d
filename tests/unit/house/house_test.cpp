#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "rules.h"

namespace mooring::house {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<std::string> rules_broken(std::string_view path, std::string_view content) {
  std::vector<std::string> rules;
  for (const Finding& finding : check_file(path, content))
    rules.push_back(finding.rule);
  return rules;
}

std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream bytes;
  bytes << in.rdbuf();
  return bytes.str();
}

/// The C++ files below a folder of the source tree, relative to its root.
std::vector<std::string> sources_below(const std::string& folder) {
  const fs::path root(MOORING_SOURCE_DIR);
  std::vector<std::string> paths;
  if (!fs::exists(root / folder)) return paths;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    const std::string extension = entry.path().extension();
    if (entry.is_regular_file() && (extension == ".h" || extension == ".cpp")) {
      paths.push_back(entry.path().lexically_relative(root));
    }
  }
  return paths;
}

/// What is found in the tree of one rule, a line for each.
std::string findings_of(std::string_view rule) {
  std::string out;
  for (const std::string folder : {"lib", "agent", "tools"}) {
    for (const std::string& path : sources_below(folder)) {
      for (const Finding& finding : check_file(path, read(fs::path(MOORING_SOURCE_DIR) / path))) {
        if (finding.rule == rule) out += finding.text + "\n";
      }
    }
  }
  return out;
}

TEST(Tree, is_really_read) {
  const std::vector<std::string> paths = sources_below("lib");
  EXPECT_GT(paths.size(), 50u);
  EXPECT_THAT(paths, testing::Contains("lib/base/error.h"));
  EXPECT_THAT(read(fs::path(MOORING_SOURCE_DIR) / "lib/base/error.h"), HasSubstr("#pragma once"));
}

TEST(Tree, every_room_is_in_the_table) {
  std::set<std::string> unknown;
  for (const std::string& path : sources_below("lib")) {
    if (!is_known_room(room_of(path))) unknown.insert(room_of(path));
  }
  EXPECT_THAT(unknown, IsEmpty());
}

TEST(Tree, a_room_includes_only_the_rooms_that_it_may) {
  EXPECT_EQ(findings_of("room"), "");
}

TEST(Tree, only_the_linux_kernel_room_calls_mount_and_system_calls_by_number) {
  EXPECT_EQ(findings_of("kernel"), "");
}

TEST(Tree, only_the_agent_and_the_client_know_the_event_loop_and_the_bus) {
  EXPECT_EQ(findings_of("bus"), "");
}

TEST(Tree, only_the_caller_of_drivers_knows_grpc) {
  EXPECT_EQ(findings_of("grpc"), "");
}

TEST(Tree, no_file_is_too_long) {
  EXPECT_EQ(findings_of("length"), "");
}

TEST(Tree, every_header_starts_with_pragma_once) {
  EXPECT_EQ(findings_of("pragma"), "");
}

TEST(RoomRule, finds_an_include_that_is_not_allowed) {
  const std::vector<Finding> findings =
      check_file("lib/base/x.cpp", "int a;\n#include \"facts/mount_table.h\"\n");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].rule, "room");
  EXPECT_THAT(findings[0].text, HasSubstr("lib/base/x.cpp:2: "));
  EXPECT_THAT(findings[0].text, HasSubstr("facts/mount_table.h"));
  for (const auto& [path, include] : std::vector<std::pair<std::string, std::string>>{
           {"lib/plan/x.cpp", "kernel/kernel.h"},
           {"lib/kernel/kernel.cpp", "kernel/linux/linux_kernel.h"},
           {"lib/kernel/fake/x.cpp", "kernel/linux/lookup.h"},
           {"lib/operation/x.cpp", "kernel/linux/lookup.h"},
           {"lib/core/x.cpp", "wire/message.h"},
           {"lib/core/x.cpp", "operation/executor.h"},
           {"lib/manifest/x.cpp", "objects/store.h"},
           {"lib/client/x.cpp", "core/core.h"}}) {
    EXPECT_THAT(rules_broken(path, "#include \"" + include + "\"\n"), testing::ElementsAre("room"))
        << include;
  }
}

TEST(RoomRule, is_not_deceived_by_blanks_or_brackets) {
  EXPECT_THAT(rules_broken("lib/base/x.cpp", "  #  include   \"facts/a.h\""), testing::ElementsAre("room"));
  EXPECT_THAT(rules_broken("lib/base/x.cpp", "#include <facts/a.h>\n"), testing::Contains("room"));
  EXPECT_THAT(rules_broken("lib/step/x.cpp", "#include <base/a.h>\n"), testing::ElementsAre("room"));
}

TEST(RoomRule, finds_an_include_without_a_room_and_an_unknown_room) {
  EXPECT_THAT(rules_broken("lib/step/x.cpp", "#include \"layout.h\"\n"), testing::ElementsAre("room"));
  EXPECT_THAT(rules_broken("lib/step/x.cpp", "#include \"../base/ids.h\"\n"), testing::ElementsAre("room"));
  EXPECT_THAT(rules_broken("lib/step/x.cpp", "#include \"helpers/ids.h\"\n"), testing::ElementsAre("room"));
  EXPECT_THAT(rules_broken("lib/helpers/x.cpp", "#include \"base/ids.h\"\n"), testing::ElementsAre("room"));
}

TEST(RoomRule, allows_the_own_room_the_table_and_the_system) {
  EXPECT_THAT(rules_broken("lib/base/x.cpp", "#include \"base/x.h\"\n#include <vector>\n"), IsEmpty());
  EXPECT_THAT(
      rules_broken("lib/kernel/linux/x.cpp", "#include \"kernel/linux/x.h\"\n#include \"kernel/files.h\"\n"),
      IsEmpty());
  EXPECT_THAT(rules_broken("lib/step/x.cpp", "#include \"facts/tree_facts.h\"\n#include <sys/stat.h>\n"),
              IsEmpty());
  EXPECT_THAT(rules_broken("agent/daemon/x.cpp", "#include \"core/core.h\"\n#include \"log.h\"\n"),
              IsEmpty());
  EXPECT_THAT(rules_broken("lib/base/x.cpp", "// #include \"core/core.h\"\n"), IsEmpty());
}

TEST(KernelRule, finds_mount_headers_and_system_call_numbers_outside) {
  for (const char* line :
       {"#include <sys/mount.h>", "#include <libmount/libmount.h>", "#include <libmount.h>",
        "#include <blkid/blkid.h>", "  return syscall(SYS_fsopen, name, 0);", "SYS_mount"}) {
    for (const char* path :
         {"lib/kernel/kernel.cpp", "lib/operation/x.cpp", "agent/worker/x.cpp", "tools/x.cpp"})
      EXPECT_THAT(rules_broken(path, line), testing::ElementsAre("kernel")) << path << " " << line;
    EXPECT_THAT(rules_broken("lib/kernel/linux/x.cpp", line), IsEmpty());
    EXPECT_THAT(rules_broken("tests/kernel/x.cpp", line), IsEmpty());
  }
}

TEST(KernelRule, leaves_other_words_and_comments_alone) {
  for (const char* line : {"MY_SYS_fsopen", "// SYS_mount is not used here", "SYS_", "#include <sys/mman.h>"})
    EXPECT_THAT(rules_broken("lib/operation/x.cpp", line), IsEmpty()) << line;
}

TEST(GrpcRule, finds_grpc_and_protobuf_outside) {
  for (const char* line :
       {"#include <grpcpp/channel.h>", "#include <grpc/grpc.h>", "#include <google/protobuf/message.h>"}) {
    for (const char* path : {"lib/csi/x.cpp", "lib/kernel/linux/x.cpp", "agent/worker/x.cpp"})
      EXPECT_THAT(rules_broken(path, line), testing::ElementsAre("grpc")) << line;
    for (const char* path : {"agent/csi/x.cpp", "agent/csi/main/x.cpp", "tests/mock_csi/x.cpp"})
      EXPECT_THAT(rules_broken(path, line), IsEmpty()) << line;
  }
}

TEST(BusRule, finds_the_event_loop_and_the_bus_outside) {
  for (const char* line :
       {"#include <boost/asio.hpp>", "#include <boost/asio/io_context.hpp>", "#include <asio.hpp>",
        "#include <systemd/sd-bus.h>", "#include <sdbus-c++/sdbus-c++.h>"}) {
    for (const char* path : {"lib/core/x.cpp", "lib/status/x.h", "lib/kernel/linux/x.cpp"})
      EXPECT_THAT(rules_broken(path, "#pragma once\n" + std::string(line)), testing::ElementsAre("bus"))
          << line;
    for (const char* path : {"agent/daemon/x.cpp", "lib/client/x.cpp", "tests/integration/x.cpp"})
      EXPECT_THAT(rules_broken(path, line), IsEmpty()) << line;
  }
  EXPECT_THAT(rules_broken("lib/core/x.cpp", "#include <boost/outcome.hpp>"), IsEmpty());
}

std::string lines(std::size_t count) {
  std::string out = "#pragma once\n";
  for (std::size_t i = 1; i < count; ++i)
    out += "\n";
  return out;
}

TEST(LengthRule, finds_a_file_of_one_line_too_many) {
  EXPECT_THAT(rules_broken("lib/base/x.h", lines(file_lines_max)), IsEmpty());
  EXPECT_THAT(rules_broken("lib/base/x.h", lines(file_lines_max + 1)), testing::ElementsAre("length"));
  EXPECT_THAT(rules_broken("agent/daemon/x.cpp", lines(file_lines_max + 1)), testing::ElementsAre("length"));
  EXPECT_THAT(rules_broken("lib/base/x.h", lines(file_lines_max) + "int last;"),
              testing::ElementsAre("length"));
}

TEST(PragmaRule, finds_a_header_that_starts_with_something_else) {
  for (const char* content :
       {"", "\n#pragma once\n", "#ifndef X\n#define X\n#endif\n", "// text\n#pragma once\n"}) {
    EXPECT_THAT(rules_broken("lib/base/x.h", content), testing::ElementsAre("pragma"));
    EXPECT_THAT(rules_broken("lib/base/x.cpp", content), IsEmpty());
  }
  EXPECT_THAT(rules_broken("lib/kernel/linux/x.h", "int a;\n"), testing::ElementsAre("pragma"));
}

}  // namespace
}  // namespace mooring::house
