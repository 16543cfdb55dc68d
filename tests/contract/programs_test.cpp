// Programs of drivers (FlexVolume), whatever they do: the real kernel only.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "kernel/linux/descriptor.h"
#include "kernel/linux/linux_drivers.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class LinuxOnlyPrograms : public ::testing::Test {
 protected:
  LinuxOnlyPrograms() {
    std::string directory = "/tmp/mooring-programs-XXXXXX";
    EXPECT_NE(mkdtemp(directory.data()), nullptr);
    directory_ = directory;
  }
  ~LinuxOnlyPrograms() override { std::filesystem::remove_all(directory_); }

  /// A driver of these lines of shell.
  std::string driver(const std::string& lines, mode_t mode = 0755) {
    const std::string path = directory_ + "/driver" + std::to_string(++drivers_);
    std::ofstream(path) << "#!/bin/sh\n" << lines << "\n";
    chmod(path.c_str(), mode);
    return path;
  }

  Result<ProgramAnswer> run(const std::string& program, std::uint32_t deadline_ms = 60'000,
                            const std::vector<std::string>& arguments = {}) {
    ProgramCall call;
    call.program = program;
    for (const std::string& argument : arguments)
      call.arguments.emplace_back(argument);
    call.deadline_ms = deadline_ms;
    call.output_bytes_max = 64UL * 1024;
    return drivers_port_.run(call);
  }

  std::string directory_;
  int drivers_ = 0;
  LinuxDrivers drivers_port_{"/nowhere/mooring-csi"};
};

TEST_F(LinuxOnlyPrograms, BothStreamsAndTheStatusAreTheAnswer) {
  const auto end = run(driver("echo '{'; echo problem >&2; echo '}'; exit 7"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().output, "{\nproblem\n}\n");
  EXPECT_EQ(end.value().status, 7);
  EXPECT_EQ(end.value().signal, 0);
  EXPECT_FALSE(end.value().is_late);
  EXPECT_FALSE(end.value().is_too_long);
}

TEST_F(LinuxOnlyPrograms, ArgumentsArriveAsTheyAre) {
  const auto end = run(driver("printf '<%s>' \"$@\""), 60'000, {"mount", "", "/a b", "{\"k\": \"v'\n$x\"}"});
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().output, "<mount><></a b><{\"k\": \"v'\n$x\"}>");
}

TEST_F(LinuxOnlyPrograms, AProgramHasNoInputACleanEnvironmentAndNoDescriptorOfOurs) {
  const Descriptor ours(open("/dev/null", O_RDONLY));
  const auto end =
      run(driver("test -z \"$(cat)\" || exit 1; env; pwd; umask; set -- /proc/$$/fd/*; echo $#"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().status, 0);
  EXPECT_THAT(end.value().output, HasSubstr("LC_ALL=C\n"));
  EXPECT_THAT(end.value().output, ::testing::Not(HasSubstr("HOME=")));
  // The shell has its script open, and the directory that it reads.
  EXPECT_THAT(end.value().output, ::testing::EndsWith("/\n0022\n5\n"));
}

TEST_F(LinuxOnlyPrograms, AProgramThatHangsIsKilledAtItsDeadlineWithAllThatItStarted) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const auto begin = Clock::now();
  const auto end = run(driver("trap '' TERM\nsleep 1000 &\necho $!\nsleep 1000"), 500);
  ASSERT_TRUE(succeeds(end));
  EXPECT_TRUE(end.value().is_late);
  EXPECT_EQ(end.value().signal, SIGKILL);
  EXPECT_GE(Clock::now() - begin, milliseconds(500));
  const pid_t left = std::stoi(end.value().output);
  int status = 0;
  EXPECT_EQ(waitpid(left, &status, 0), left);
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(LinuxOnlyPrograms, WhatAProgramLeavesBehindHoldsNobodyAndLivesOn) {
  const auto end = run(driver("sleep 1000 &\necho $!"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_FALSE(end.value().is_late);
  EXPECT_EQ(end.value().status, 0);
  EXPECT_EQ(kill(std::stoi(end.value().output), SIGKILL), 0);
}

TEST_F(LinuxOnlyPrograms, WhatIsWrittenShortlyAfterItsEndIsReadToo) {
  const auto end = run(driver("(sleep 0.05; echo late) &\necho early"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().output, "early\nlate\n");
}

TEST_F(LinuxOnlyPrograms, AnOutputThatIsTooLongIsCutAndSaidToBe) {
  const auto end = run(driver("head -c 1048576 /dev/zero | tr '\\0' x; exit 3"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_TRUE(end.value().is_too_long);
  EXPECT_EQ(end.value().output, std::string(64UL * 1024, 'x'));
  EXPECT_EQ(end.value().status, 3);
}

TEST_F(LinuxOnlyPrograms, AProgramThatTalksWithoutEndIsEnded) {
  const auto end = run(driver("exec yes"), 300);
  ASSERT_TRUE(succeeds(end));
  EXPECT_TRUE(end.value().is_late);
  EXPECT_TRUE(end.value().is_too_long);
}

TEST_F(LinuxOnlyPrograms, AProgramThatCrashedSaysBySignal) {
  const auto end = run(driver("kill -SEGV $$"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().status, -1);
  EXPECT_EQ(end.value().signal, SIGSEGV);
}

TEST_F(LinuxOnlyPrograms, WhatCannotBeStartedWasNotStarted) {
  EXPECT_TRUE(fails(run("/nowhere/driver"), "SpawnFailed", ENOENT));
  EXPECT_TRUE(fails(run(driver("true", 0644)), "SpawnFailed", EACCES));
  const std::string written = driver("true");
  const Descriptor writer(open(written.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(fails(run(written), "SpawnFailed", ETXTBSY));
  const std::string nothing = driver("");
  ASSERT_EQ(truncate(nothing.c_str(), 0), 0);
  EXPECT_TRUE(fails(run(nothing), "SpawnFailed", ENOEXEC));
}

}  // namespace
}  // namespace mooring::kernel::contract
