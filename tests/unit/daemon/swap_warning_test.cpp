#include "daemon/swap_warning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* old_kernel = "6.1.0-18-amd64";
constexpr const char* heading = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

std::string line(const std::string& path, const std::string& type = "partition") {
  return path + "                               " + type + "\t1048572\t\t0\t\t-2\n";
}

/// The warning's message; empty: there is none.
std::string message(const std::string& release, std::optional<std::string> swaps,
                    std::uint64_t swap_size_bytes = 0) {
  const std::optional<Error> warning = swap_warning({release, std::move(swaps), swap_size_bytes});
  return warning ? warning->message : std::string();
}

TEST(SwapWarning, depends_on_the_kernel) {
  struct Row {
    const char* release;
    bool is_warned;
  };
  for (const Row& row : std::vector<Row>{{"6.1.0-18-amd64", true},
                                         {"5.15.0", true},
                                         {"6.3.13-arch1", true},
                                         {"4.18.0-553.el8_10.x86_64", true},
                                         {"6.3", true},
                                         {"6.4", false},
                                         {"6.4.0-rc1", false},
                                         {"6.4-rc1", false},
                                         {"6.10.3", false},
                                         {"6.18.44-fc-v657", false},
                                         {"7.0.0", false},
                                         {"10.0", false},
                                         {"", true},
                                         {"6", true},
                                         {"6.", true},
                                         {"6.x", true},
                                         {"linux-6.4", true},
                                         {"99999999999999999999.4", true}}) {
    EXPECT_EQ(!message(row.release, heading + line("/dev/sda2")).empty(), row.is_warned) << row.release;
  }
}

TEST(SwapWarning, depends_on_where_the_swap_is) {
  struct Row {
    std::string swaps;
    const char* named;  ///< Empty: no warning.
  };
  for (const Row& row : std::vector<Row>{
           {"", ""},
           {heading, ""},
           {heading + line("/dev/sda2"), "to /dev/sda2 and"},
           {heading + line("/swapfile", "file"), "to /swapfile and"},
           {heading + line("/dev/zram0"), ""},
           {heading + line("/zram0"), ""},
           {heading + line("/dev/zram12") + line("/dev/zram0\\040(deleted)"), ""},
           {heading + line("/dev/zram0") + line("/dev/dm-1"), "to /dev/dm-1 and"},
           {heading + line("/dev/sda2") + line("/my\\040swap", "file"), "to /dev/sda2, /my\\040swap and"},
           {heading + line("/var/zram0", "file"), "to /var/zram0 and"},
           {heading + line("/dev/zram"), "to /dev/zram and"},
           {heading + line("/dev/zram0p1"), "to /dev/zram0p1 and"},
           {heading + line("/dev/mapper/zram-backed"), "to /dev/mapper/zram-backed and"},
           {heading + std::string("/dev/sda2 partition"), "to /dev/sda2 and"},
           {heading + std::string("\n \ngarbage\n"), ""},
           {"/dev/sda2 partition 1 0 -2\n", "to /dev/sda2 and"}}) {
    const std::string text = message(old_kernel, row.swaps);
    if (*row.named == '\0') {
      EXPECT_EQ(text, "") << row.swaps;
    } else {
      EXPECT_THAT(text, HasSubstr(row.named)) << row.swaps;
    }
  }
}

TEST(SwapWarning, takes_the_size_of_all_swap_where_the_areas_cannot_be_read) {
  EXPECT_EQ(message(old_kernel, std::nullopt, 0), "");
  EXPECT_THAT(message(old_kernel, std::nullopt, 4096), HasSubstr("/proc/swaps cannot be read"));
  EXPECT_EQ(message("6.4.1", std::nullopt, 4096), "");
  EXPECT_EQ(message(old_kernel, heading + line("/dev/zram0"), 4096), "") << "what is read counts";
}

TEST(SwapWarning, names_the_consequence_and_what_to_do) {
  const std::optional<Error> warning = swap_warning({old_kernel, heading + line("/dev/sda2"), 0});
  ASSERT_TRUE(warning);
  EXPECT_EQ(warning->reason, "SecretsMaySwap");
  EXPECT_THAT(warning->message, HasSubstr("Secrets"));
  EXPECT_THAT(warning->message, HasSubstr("Linux 6.1.0-18-amd64 has no tmpfs"));
  for (const char* remedy : {"encrypted swap", "swapoff", "Linux 6.4"})
    EXPECT_THAT(warning->remedy, HasSubstr(remedy));
  EXPECT_THAT(warning->text(), Not(HasSubstr("\n")));
}

TEST(SwapWarning, the_node_can_be_asked) {
  EXPECT_THAT(read_swap_facts().kernel_release, testing::ContainsRegex("^[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace mooring
