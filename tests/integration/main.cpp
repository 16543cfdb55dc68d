#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <string>

namespace {

/// What automake and CMake understand as "skipped".
constexpr int skipped = 77;

bool is_in_path(const std::string& tool) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "/usr/sbin:/usr/bin:/sbin:/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (access((directory + "/" + tool).c_str(), X_OK) == 0) return true;
  }
  return false;
}

/// Why the tests cannot run here; empty if they can.
std::string obstacle() {
  if (geteuid() != 0) return "they need root";
  std::istringstream tools(NEEDED_TOOLS);
  for (std::string tool; tools >> tool;) {
    if (!is_in_path(tool)) return tool + " is not installed";
  }
  if (unshare(CLONE_NEWNS) != 0 || mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return std::string("no mount namespace of their own can be had: ") + std::strerror(errno);
  return {};
}

}  // namespace

int main(int argument_count, char** arguments) {
  ::testing::InitGoogleTest(&argument_count, arguments);
  const std::string why = obstacle();
  if (!why.empty()) {
    std::printf("skipped: the integration tests: %s\n", why.c_str());
    return skipped;
  }
  // Workers whose mooringd was killed become children of this process, which ends them.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  return RUN_ALL_TESTS();
}
