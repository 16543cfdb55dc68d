// Calls of CSI drivers, whatever they do: mooring-csi against a mock driver, and against what is none.

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "kernel/linux/descriptor.h"
#include "kernel/linux/linux_drivers.h"
#include "mock_driver.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Clock = std::chrono::steady_clock;

Result<DriverAnswer> call(const std::string& socket, const std::string& method, const json& request,
                          std::uint32_t deadline_ms = 60'000) {
  LinuxDrivers drivers(MOORING_CSI);
  return drivers.call({socket, method, SecretBytes(request.dump()), deadline_ms});
}

json response_of(const Result<DriverAnswer>& answer) {
  EXPECT_TRUE(succeeds(answer));
  if (!answer) return {};
  EXPECT_EQ(answer.value().code, CallCode::Ok) << answer.value().message;
  return json::parse(answer.value().response, nullptr, /*allow_exceptions=*/false);
}

/// The code of an answer, and that it came as an answer.
CallCode code_of(const Result<DriverAnswer>& answer) {
  EXPECT_TRUE(succeeds(answer));
  return answer ? answer.value().code : CallCode::Ok;
}

/// Listens, and does what it is told with who connects.
class Listener {
 public:
  using Talk = void (*)(int connection);

  Listener(const MockDriver& place, int backlog, Talk talk) : path_(place.path("other.sock")) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path_.c_str(), sizeof address.sun_path - 1);
    socket_.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(socket_.get(), backlog), 0);
    if (talk != nullptr) {
      thread_ = std::thread([this, talk] {
        const Descriptor connection(accept(socket_.get(), nullptr, nullptr));
        if (connection) talk(connection.get());
      });
    }
  }
  ~Listener() {
    shutdown(socket_.get(), SHUT_RDWR);
    if (thread_.joinable()) thread_.join();
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  Descriptor socket_;
  std::thread thread_;
};

const json publish_request{
    {"volume_id", "v1"}, {"target_path", "/nowhere/t"}, {"secrets", {{"key", "hunter22"}}}};

TEST(LinuxOnlyDriverCalls, AnAnswerHasTheNamesOfTheProtoAndItsDefaults) {
  const MockDriver mock({"--node-id", "n1"});
  const json response = response_of(call(mock.socket(), "csi.v1.Node/NodeGetInfo", json::object()));
  EXPECT_EQ(response, json({{"node_id", "n1"}, {"max_volumes_per_node", "0"}}));
}

TEST(LinuxOnlyDriverCalls, ARequestArrivesAsItWasAsked) {
  const MockDriver mock;
  mock.set_script({{"NodePublishVolume", {{"code", "INTERNAL"}}}});
  EXPECT_EQ(code_of(call(mock.socket(), "csi.v1.Node/NodePublishVolume", publish_request)),
            CallCode::Internal);
  ASSERT_EQ(mock.requests().size(), 1U);
  const json request = mock.requests().front();
  EXPECT_EQ(request["method"], "csi.v1.Node/NodePublishVolume");
  EXPECT_EQ(request["request"]["volume_id"], "v1");
  EXPECT_EQ(request["request"]["target_path"], "/nowhere/t");
  EXPECT_EQ(request["request"]["secrets"], json({{"key", "hunter22"}}));
}

TEST(LinuxOnlyDriverCalls, EachCodeAndItsMessageComeThrough) {
  const MockDriver mock;
  for (int code = 1; code <= 16; ++code) {
    mock.set_script({{"NodeGetInfo", {{"code", code}, {"message", "because of " + std::to_string(code)}}}});
    const auto answer = call(mock.socket(), "csi.v1.Node/NodeGetInfo", json::object());
    EXPECT_EQ(code_of(answer), static_cast<CallCode>(code));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer.value().message, "because of " + std::to_string(code));
    EXPECT_EQ(answer.value().response, "");
  }
}

TEST(LinuxOnlyDriverCalls, ALongMessageIsCutCleanedAndFreeOfSecretsAndItsCodeIsKept) {
  const MockDriver mock;
  const std::string message = "mkfs: \x1b[31mfailed\nwith hunter22 " + std::string(100'000, 'x');
  mock.set_script({{"NodePublishVolume", {{"code", "INTERNAL"}, {"message", message}}}});
  const auto answer = call(mock.socket(), "csi.v1.Node/NodePublishVolume", publish_request);
  EXPECT_EQ(code_of(answer), CallCode::Internal);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer.value().message.size(), 1024U);
  EXPECT_THAT(answer.value().message, ::testing::StartsWith("mkfs: \\x1b[31mfailed with *** xxx"));
}

TEST(LinuxOnlyDriverCalls, NobodyListensIsUnavailable) {
  const MockDriver mock;
  std::ofstream(mock.path("file")) << "no socket";
  for (const std::string& path : {mock.path("nothing"), mock.path("file"), mock.path(std::string(200, 'x'))})
    EXPECT_EQ(code_of(call(path, "csi.v1.Identity/Probe", json::object())), CallCode::Unavailable) << path;
}

TEST(LinuxOnlyDriverCalls, ADriverThatHangsIsLeftAtTheDeadline) {
  const MockDriver mock;
  mock.set_script({{"NodeGetInfo", {{"delay_ms", 600'000}}}});
  const auto begin = Clock::now();
  const auto answer = call(mock.socket(), "csi.v1.Node/NodeGetInfo", json::object(), 500);
  EXPECT_EQ(code_of(answer), CallCode::DeadlineExceeded);
  EXPECT_GE(Clock::now() - begin, milliseconds(500));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer.value().message, "no answer in 500 ms");
  mock.set_script(json::object());
  EXPECT_EQ(code_of(call(mock.socket(), "csi.v1.Node/NodeGetInfo", json::object())), CallCode::Ok)
      << "the next call has nothing of it";
}

TEST(LinuxOnlyDriverCalls, ADriverThatAcceptsNobodyIsLeftAtTheDeadline) {
  const MockDriver mock;
  const Listener deaf(mock, 0, nullptr);
  // The first connection waits to be accepted, also after its end; the second cannot even wait.
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(code_of(call(deaf.path(), "csi.v1.Identity/Probe", json::object(), 300)),
              CallCode::DeadlineExceeded);
  }
}

TEST(LinuxOnlyDriverCalls, WhoDoesNotSpeakGrpcIsAnErrorAtOnce) {
  const MockDriver mock;
  const std::array<Listener::Talk, 3> talks{
      [](int connection) { static_cast<void>(!write(connection, "HTTP/1.1 400 Bad Request\r\n\r\n", 28)); },
      [](int connection) {
        const std::string garbage(1024UL * 1024, '\xa5');
        send(connection, garbage.data(), garbage.size(), MSG_NOSIGNAL);
      },
      [](int) {}};
  for (const Listener::Talk talk : talks) {
    const Listener other(mock, 8, talk);
    // gRPC calls a frame that it cannot read Internal, if it comes after the request was sent.
    EXPECT_THAT(code_of(call(other.path(), "csi.v1.Identity/Probe", json::object(), 20'000)),
                ::testing::AnyOf(CallCode::Unavailable, CallCode::Internal));
    unlink(other.path().c_str());
  }
}

TEST(LinuxOnlyDriverCalls, AnAnswerThatIsNoMessageTellsNothing) {
  const MockDriver mock;
  for (const std::size_t size : {std::size_t{1}, std::size_t{1024} * 1024}) {
    mock.set_script({{"NodeGetInfo", {{"garbage_bytes", size}}}});
    const auto answer = call(mock.socket(), "csi.v1.Node/NodeGetInfo", json::object());
    EXPECT_EQ(code_of(answer), CallCode::Unavailable);
    ASSERT_TRUE(answer);
    EXPECT_THAT(answer.value().message, HasSubstr("is no message of csi.v1.Node/NodeGetInfo"));
  }
}

TEST(LinuxOnlyDriverCalls, AnAnswerMayHaveFourMebibytesAndNoMore) {
  const MockDriver mock;
  mock.set_script({{"GetPluginInfo", {{"response", {{"name", std::string(4'000'000, 'x')}}}}}});
  const json large = response_of(call(mock.socket(), "csi.v1.Identity/GetPluginInfo", json::object()));
  EXPECT_EQ(large.value("name", std::string()).size(), 4'000'000U);
  mock.set_script({{"GetPluginInfo", {{"response", {{"name", std::string(5'000'000, 'x')}}}}}});
  EXPECT_EQ(code_of(call(mock.socket(), "csi.v1.Identity/GetPluginInfo", json::object())),
            CallCode::ResourceExhausted);
}

TEST(LinuxOnlyDriverCalls, AReplyThatIsLostIsUnavailableAndTheWorkWasDone) {
  const MockDriver mock;
  mock.set_script({{"CreateVolume", {{"lose_reply", true}}}});
  const json request{{"name", "pvc-1"}, {"capacity_range", {{"required_bytes", "1048576"}}}};
  EXPECT_EQ(code_of(call(mock.socket(), "csi.v1.Controller/CreateVolume", request)), CallCode::Unavailable);
  EXPECT_TRUE(std::filesystem::is_directory(mock.path("data/volumes/pvc-1")));
  mock.set_script(json::object());
  const json again = response_of(call(mock.socket(), "csi.v1.Controller/CreateVolume", request));
  EXPECT_EQ(again["volume"]["volume_id"], "pvc-1");
  EXPECT_EQ(again["volume"]["capacity_bytes"], "1048576");
}

TEST(LinuxOnlyDriverCalls, ADriverThatCrashesIsUnavailable) {
  for (const char* moment : {"before", "after"}) {
    const MockDriver mock;
    mock.set_script({{"CreateVolume", {{"crash", moment}}}});
    const auto answer = call(mock.socket(), "csi.v1.Controller/CreateVolume", {{"name", "v"}});
    EXPECT_EQ(code_of(answer), CallCode::Unavailable) << moment;
    EXPECT_EQ(std::filesystem::exists(mock.path("data/volumes/v")), std::string(moment) == "after");
  }
}

TEST(LinuxOnlyDriverCalls, ARequestThatIsNoneIsNotSent) {
  const MockDriver mock;
  const auto no_field = call(mock.socket(), "csi.v1.Node/NodePublishVolume", {{"volume_idea", "hunter22"}});
  EXPECT_EQ(code_of(no_field), CallCode::Unavailable);  // It says nothing of an earlier call.
  ASSERT_TRUE(no_field);
  EXPECT_THAT(no_field.value().message, Not(HasSubstr("hunter22")));
  EXPECT_EQ(code_of(call(mock.socket(), "csi.v1.Node/Explode", json::object())), CallCode::InvalidArgument);
  EXPECT_TRUE(mock.requests().empty());
}

TEST(LinuxOnlyDriverCalls, ACallerThatEndsInTheMiddleIsACallThatIsLost) {
  const MockDriver mock;
  const std::string program = mock.path("mooring-csi");
  for (const char* lines : {"kill -SEGV $$", "exit 0", "echo '{\"code\":0'", "printf '{}\\n'",
                            R"(printf '{"code":0,"message":"","response_bytes":10}\n{}')",
                            R"(printf '{"code":99,"message":"","response_bytes":0}\n')"}) {
    std::ofstream(program) << "#!/bin/sh\n" << lines << "\n";
    chmod(program.c_str(), 0755);
    LinuxDrivers drivers(program);
    const auto answer =
        drivers.call({mock.socket(), "csi.v1.Identity/Probe", SecretBytes(publish_request.dump()), 60'000});
    EXPECT_TRUE(fails(answer, "DriverCallLost", 0, ErrorKind::Uncertain)) << lines;
    ASSERT_FALSE(answer);
    EXPECT_THAT(answer.error().text(), Not(HasSubstr("hunter22")));
  }
}

TEST(LinuxOnlyDriverCalls, ACallerThatHangsIsEndedAndOneThatIsNotThereWasNotStarted) {
  const MockDriver mock;
  const std::string program = mock.path("mooring-csi");
  std::ofstream(program) << "#!/bin/sh\nexec sleep 1000\n";
  chmod(program.c_str(), 0755);
  LinuxDrivers hanging(program);
  EXPECT_EQ(code_of(hanging.call({mock.socket(), "csi.v1.Identity/Probe", SecretBytes("{}"), 10})),
            CallCode::DeadlineExceeded);
  LinuxDrivers missing("/nowhere/mooring-csi");
  EXPECT_TRUE(fails(missing.call({mock.socket(), "csi.v1.Identity/Probe", SecretBytes("{}"), 10}),
                    "SpawnFailed", ENOENT));
}

TEST(LinuxOnlyDriverCalls, ARegistrationIsAskedAndTold) {
  const MockDriver mock({"--supported-versions", "1.0.0,1.9.0"});
  const json info = response_of(
      call(mock.registration_socket(), "pluginregistration.Registration/GetInfo", json::object()));
  EXPECT_EQ(info, json({{"type", "CSIPlugin"},
                        {"name", "mock.csi.mooring.io"},
                        {"endpoint", mock.socket()},
                        {"supported_versions", {"1.0.0", "1.9.0"}}}));
  const json status{{"plugin_registered", false}, {"error", "no"}};
  response_of(
      call(mock.registration_socket(), "pluginregistration.Registration/NotifyRegistrationStatus", status));
  EXPECT_EQ(mock.requests().back()["request"], status);
}

}  // namespace
}  // namespace mooring::kernel::contract
