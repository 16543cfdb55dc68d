// Programs of drivers (FlexVolume), whatever they do: the real kernel only. Once run by the process that
// asks, and once by a service, as under the shipped units.

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
#include <optional>

#include "kernel/linux/descriptor.h"
#include "kernel/linux/linux_drivers.h"
#include "kernel/linux/program_service.h"
#include "node.h"
#include "program_server.h"

namespace mooring::kernel::contract {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class LinuxOnlyPrograms : public ::testing::TestWithParam<bool> {
 protected:
  LinuxOnlyPrograms() {
    std::string directory = "/tmp/mooring-programs-XXXXXX";
    EXPECT_NE(mkdtemp(directory.data()), nullptr);
    directory_ = directory;
    if (!GetParam()) return;
    server_.emplace(directory_ + "/flex.sock", ProgramServer::Manner::Serves);
    drivers_port_ = LinuxDrivers("/nowhere/mooring-csi", server_->socket());
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
  std::optional<ProgramServer> server_;
  LinuxDrivers drivers_port_{"/nowhere/mooring-csi"};
};

TEST_P(LinuxOnlyPrograms, BothStreamsAndTheStatusAreTheAnswer) {
  const auto end = run(driver("echo '{'; echo problem >&2; echo '}'; exit 7"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().output, "{\nproblem\n}\n");
  EXPECT_EQ(end.value().status, 7);
  EXPECT_EQ(end.value().signal, 0);
  EXPECT_FALSE(end.value().is_late);
  EXPECT_FALSE(end.value().is_too_long);
}

TEST_P(LinuxOnlyPrograms, ArgumentsArriveAsTheyAre) {
  const auto end = run(driver("printf '<%s>' \"$@\""), 60'000, {"mount", "", "/a b", "{\"k\": \"v'\n$x\"}"});
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().output, "<mount><></a b><{\"k\": \"v'\n$x\"}>");
}

TEST_P(LinuxOnlyPrograms, AProgramHasNoInputACleanEnvironmentAndNoDescriptorOfOurs) {
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

TEST_P(LinuxOnlyPrograms, AProgramThatHangsIsKilledAtItsDeadlineWithAllThatItStarted) {
  ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  const auto begin = Clock::now();
  const auto end = run(driver("trap '' TERM\nsleep 1000 &\necho $!\nsleep 1000"), 500);
  ASSERT_TRUE(succeeds(end));
  EXPECT_TRUE(end.value().is_late);
  EXPECT_EQ(end.value().signal, SIGKILL);
  EXPECT_GE(Clock::now() - begin, milliseconds(500));
  const pid_t left = std::stoi(end.value().output);
  int status = 0;
  // Who waits for it is whoever is nearest above it: this process, or what ran the program and has not ended
  // yet.
  if (waitpid(left, &status, 0) == left) {
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  } else {
    EXPECT_EQ(kill(left, 0), -1);
    EXPECT_EQ(errno, ESRCH);
  }
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_P(LinuxOnlyPrograms, WhatAProgramLeavesBehindHoldsNobodyAndLivesOn) {
  const auto end = run(driver("sleep 1000 &\necho $!"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_FALSE(end.value().is_late);
  EXPECT_EQ(end.value().status, 0);
  EXPECT_EQ(kill(std::stoi(end.value().output), SIGKILL), 0);
}

TEST_P(LinuxOnlyPrograms, WhatIsWrittenShortlyAfterItsEndIsReadToo) {
  const auto end = run(driver("(sleep 0.05; echo late) &\necho early"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().output, "early\nlate\n");
}

TEST_P(LinuxOnlyPrograms, AnOutputThatIsTooLongIsCutAndSaidToBe) {
  const auto end = run(driver("head -c 1048576 /dev/zero | tr '\\0' x; exit 3"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_TRUE(end.value().is_too_long);
  EXPECT_EQ(end.value().output, std::string(64UL * 1024, 'x'));
  EXPECT_EQ(end.value().status, 3);
}

TEST_P(LinuxOnlyPrograms, AProgramThatTalksWithoutEndIsEnded) {
  const auto end = run(driver("exec yes"), 300);
  ASSERT_TRUE(succeeds(end));
  EXPECT_TRUE(end.value().is_late);
  EXPECT_TRUE(end.value().is_too_long);
}

TEST_P(LinuxOnlyPrograms, AProgramThatCrashedSaysBySignal) {
  const auto end = run(driver("kill -SEGV $$"));
  ASSERT_TRUE(succeeds(end));
  EXPECT_EQ(end.value().status, -1);
  EXPECT_EQ(end.value().signal, SIGSEGV);
}

TEST_P(LinuxOnlyPrograms, WhatCannotBeStartedWasNotStarted) {
  EXPECT_TRUE(fails(run("/nowhere/driver"), "SpawnFailed", ENOENT));
  EXPECT_TRUE(fails(run(driver("true", 0644)), "SpawnFailed", EACCES));
  const std::string written = driver("true");
  const Descriptor writer(open(written.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_TRUE(fails(run(written), "SpawnFailed", ETXTBSY));
  const std::string nothing = driver("");
  ASSERT_EQ(truncate(nothing.c_str(), 0), 0);
  EXPECT_TRUE(fails(run(nothing), "SpawnFailed", ENOEXEC));
}

INSTANTIATE_TEST_SUITE_P(Programs, LinuxOnlyPrograms, ::testing::Bool(),
                         [](const auto& how) { return std::string(how.param ? "ByAService" : "Here"); });

class LinuxOnlyProgramService : public LinuxOnlyPrograms {
 protected:
  /// What comes of a call to a server of this manner.
  Result<ProgramAnswer> ask(ProgramServer::Manner manner) {
    const ProgramServer server(directory_ + "/other.sock", manner);
    return run_by_service(server.socket(), {driver("echo run >>\"$0.ran\""), {}, 60'000, 1024});
  }
  bool was_run() const { return std::filesystem::exists(directory_ + "/driver1.ran"); }
};

TEST_P(LinuxOnlyProgramService, ThatIsNotThereHasRunNothing) {
  for (const std::string& socket : {directory_ + "/nothing.sock", std::string(200, 'x')}) {
    const auto end = run_by_service(socket, {driver("true"), {}, 60'000, 1024});
    EXPECT_TRUE(fails(end, "DriverServiceUnavailable", 0, ErrorKind::Transient));
  }
}

TEST_P(LinuxOnlyProgramService, ThatMustNotServeSaysWhyAndHasRunNothing) {
  const auto end = ask(ProgramServer::Manner::Refuses);
  ASSERT_TRUE(fails(end, "DriverServiceUnavailable", 0, ErrorKind::Transient));
  EXPECT_THAT(end.error().message, HasSubstr(problem_of_server));
  EXPECT_FALSE(was_run());
}

TEST_P(LinuxOnlyProgramService, ThatEndsWithoutAnAnswerLeavesNobodyKnowing) {
  EXPECT_TRUE(fails(ask(ProgramServer::Manner::HangsUp), "DriverCallLost", 0, ErrorKind::Uncertain));
}

TEST_P(LinuxOnlyProgramService, KillsTheProgramWhenItsCallerIsGone) {
  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const std::string program = driver("exec 3>" + pipe + "\nsleep 1000 &\nsleep 1000");
  const std::string socket = server_->socket();
  const pid_t caller = fork();
  if (caller == 0) {
    static_cast<void>(run_by_service(socket, {program, {}, 600'000, 1024}));
    _exit(0);
  }
  const Descriptor reading(open(pipe.c_str(), O_RDONLY | O_CLOEXEC));  // It runs when this is open.
  ASSERT_TRUE(reading);
  kill(caller, SIGKILL);
  waitpid(caller, nullptr, 0);
  char byte = 0;
  EXPECT_EQ(read(reading.get(), &byte, 1), 0) << "the end of all who have the pipe open";
}

INSTANTIATE_TEST_SUITE_P(Programs, LinuxOnlyProgramService, ::testing::Values(true),
                         [](const auto&) { return std::string("ByAService"); });

}  // namespace
}  // namespace mooring::kernel::contract
