// The completion script, as bash runs it.

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>

#include "ctl/commands.h"

namespace mooring::ctl {
namespace {

/// What is offered for the last of the words; `mooringctl` itself answers KIND/a and KIND/b.
std::string offered(const std::string& words) {
  testing::internal::CaptureStdout();
  run_completion(Options{});
  const std::string script = testing::internal::GetCapturedStdout();
  const std::string path = testing::TempDir() + "mooringctl_completion_test.bash";
  {
    std::ofstream file(path);
    file << script << "mooringctl() { echo \"$2/a\"; echo \"$2/b\"; }\n"
         << "COMP_WORDS=(mooringctl " << words << ")\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
         << "_mooringctl\necho \"${COMPREPLY[*]}\"\n";
  }
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(("bash " + path + " 2>&1").c_str(), "r"),
                                                       pclose);
  std::string out;
  std::array<char, 4096> buffer{};
  while (pipe && std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe.get()) != nullptr)
    out += buffer.data();
  std::remove(path.c_str());
  return out;
}

TEST(Completion, offers_the_names_of_claims_volumes_and_classes) {
  EXPECT_EQ(offered("get pvc ''"), "a b\n");
  EXPECT_EQ(offered("describe pv ''"), "a b\n");
  EXPECT_EQ(offered("get storageclass ''"), "a b\n");
}

TEST(Completion, offers_what_each_command_is_about) {
  EXPECT_EQ(offered("delete ''"), "pvc/a pvc/b\n");
  EXPECT_EQ(offered("release ''"), "pv/a pv/b volumesnapshots/a volumesnapshots/b\n");
  EXPECT_EQ(offered("explain ''"), "pods/a pods/b pvc/a pvc/b\n");
  EXPECT_EQ(offered("render ''"), "pods/a pods/b\n");
}

TEST(Completion, offers_conditions_flags_and_commands) {
  EXPECT_EQ(offered("wait pvc/a --for b"), "bound\n");
  EXPECT_NE(offered("release pv/a -").find("--forget"), std::string::npos);
  EXPECT_EQ(offered("rel"), "release\n");
  EXPECT_EQ(offered("del"), "delete\n");
}

}  // namespace
}  // namespace mooring::ctl
