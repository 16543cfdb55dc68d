#pragma once

#include <gmock/gmock.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "device_fixture.h"

namespace mooring {

inline const std::string success_text = R"({"status":"Success"})";
inline const std::string failure_text = R"({"status":"Failure","message":"no such share"})";
inline const std::string unsupported_text = R"({"status":"Not supported"})";

/// A node with one FlexVolume driver, which does what a test tells it: by default it supports nothing.
class FlexNode : public DeviceNode {
 public:
  using Act = std::function<kernel::ProgramAnswer(const std::vector<std::string>& arguments)>;

  FlexNode() {
    fake.drivers().set_on_run([this](const kernel::ProgramCall& call) -> Result<kernel::ProgramAnswer> {
      EXPECT_EQ(call.program, program.program);
      EXPECT_EQ(call.deadline_ms, program.deadline_ms);
      EXPECT_EQ(call.output_bytes_max, 1U << 20U);
      std::vector<std::string> arguments;
      for (const SecretBytes& argument : call.arguments)
        arguments.push_back(argument.expose_secret());
      std::string line;
      for (const std::string& argument : arguments)
        line += (line.empty() ? "" : " ") + (argument.starts_with('{') ? "JSON" : argument);
      calls.push_back(line);
      arguments_of[arguments.front()] = arguments;
      if (is_missing) return kernel::FakeDrivers().run(call);
      const auto act = acts.find(arguments.front());
      return act == acts.end() ? said(unsupported_text) : act->second(arguments);
    });
  }

  static kernel::ProgramAnswer said(std::string output, int status = 0) {
    kernel::ProgramAnswer answer;
    answer.status = status;
    answer.output = std::move(output);
    return answer;
  }
  void answers(const std::string& command, const std::string& output, int status = 0) {
    acts[command] = [=](const auto&) { return said(output, status); };
  }
  /// The driver mounts at the path that it is given, and then answers.
  void mounts(const std::string& command, const std::string& output = success_text, int status = 0) {
    acts[command] = [=, this](const std::vector<std::string>& arguments) {
      EXPECT_EQ(fake.mount_foreign(arguments.at(1), "nfs4", "server:/share"), 0);
      return said(output, status);
    };
  }
  void unmounts(const std::string& command) {
    acts[command] = [this](const std::vector<std::string>& arguments) {
      fake.unmount_foreign(arguments.at(1));  // Nothing there is right too.
      return said(success_text);
    };
  }
  /// It is killed at its deadline, after it did this.
  void hangs(const std::string& command, std::function<void(const std::string& path)> after = {}) {
    acts[command] = [=](const std::vector<std::string>& arguments) {
      if (after) after(arguments.at(1));
      kernel::ProgramAnswer answer;
      answer.status = -1;
      answer.signal = 9;
      answer.is_late = true;
      return answer;
    };
  }
  std::vector<std::string> take_calls() { return std::exchange(calls, {}); }

  FlexProgram program{DriverName("example.com/share"), "/flex/example.com~share/share", {}, 5000};
  std::map<std::string, Act> acts;
  std::vector<std::string> calls;  ///< "mount /path JSON".
  std::map<std::string, std::vector<std::string>> arguments_of;
  bool is_missing = false;
};

}  // namespace mooring
