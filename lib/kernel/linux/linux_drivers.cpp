#include "kernel/linux/linux_drivers.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "kernel/linux/child.h"
#include "kernel/linux/program_service.h"

namespace mooring::kernel {
namespace {

using nlohmann::json;

/// How much longer than the call's own deadline mooring-csi may take, to start and to say that it is late.
constexpr std::uint32_t late_ms = 2000;
/// The largest message of a driver (4 MiB), as JSON.
constexpr std::size_t answer_bytes_max = 16UL * 1024 * 1024;
constexpr std::size_t message_bytes_max = 1024;
constexpr std::uint32_t linger_ms = 500;
constexpr int code_max = static_cast<int>(CallCode::Unauthenticated);

Error call_lost(std::string message) {
  Error error;
  error.kind = ErrorKind::Uncertain;
  error.reason = "DriverCallLost";
  error.message = std::move(message);
  return error;
}

std::string how_it_ended(const ChildEnd& end) {
  if (end.signal == 0) return "ended with status " + std::to_string(end.status);
  const char* name = sigabbrev_np(end.signal);
  return "was killed by SIG" + (name != nullptr ? std::string(name) : std::to_string(end.signal));
}

}  // namespace

std::string find_csi_program() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return "mooring-csi";
  const std::string own(path.data(), static_cast<std::size_t>(size));
  const std::string directory = own.substr(0, own.rfind('/') + 1);
  std::string beside = directory + "mooring-csi";
  std::string in_build_tree = directory + "../csi/mooring-csi";
  const bool is_installed = access(beside.c_str(), X_OK) == 0 || access(in_build_tree.c_str(), X_OK) != 0;
  return is_installed ? beside : in_build_tree;
}

SecretBytes csi_input(const DriverCall& call) {
  const json header{{"socket", call.socket}, {"method", call.method}, {"deadline_ms", call.deadline_ms}};
  std::string input = header.dump(-1, ' ', false, json::error_handler_t::replace);
  input.reserve(input.size() + 1 + call.request.expose_secret().size());  // It moves no more.
  input += '\n';
  input += call.request.expose_secret();
  return SecretBytes(std::move(input));
}

Result<DriverAnswer> read_csi_output(std::string_view output) {
  const std::size_t newline = std::min(output.find('\n'), output.size());
  const json header = json::parse(output.substr(0, newline), nullptr, /*allow_exceptions=*/false);
  const bool has_fields = header.is_object() && header.contains("code") &&
                          header["code"].is_number_unsigned() && header.contains("message") &&
                          header["message"].is_string() && header.contains("response_bytes") &&
                          header["response_bytes"].is_number_unsigned();
  if (!has_fields || header["code"].get<std::uint64_t>() > code_max)
    return call_lost("mooring-csi did not say what came of the call");
  const std::string_view rest = newline < output.size() ? output.substr(newline + 1) : std::string_view();
  if (header["response_bytes"].get<std::uint64_t>() != rest.size())
    return call_lost("mooring-csi ended in the middle of the driver's answer");
  DriverAnswer answer;
  answer.code = static_cast<CallCode>(header["code"].get<int>());
  answer.message = header["message"].get<std::string>().substr(0, message_bytes_max);
  answer.response = rest;
  return answer;
}

Result<DriverAnswer> LinuxDrivers::call(const DriverCall& call) {
  const SecretBytes input = csi_input(call);
  ChildCommand command;
  command.words.emplace_back(csi_program_);
  command.environment = clean_environment();
  command.input = &input;
  command.takes_errors = false;
  command.output_bytes_max = answer_bytes_max;
  command.deadline_ms = call.deadline_ms + late_ms;
  command.linger_ms = linger_ms;
  const auto begun = std::chrono::steady_clock::now();
  MOORING_TRY(ChildEnd end, run_child(command));
  const auto taken = std::chrono::steady_clock::now() - begun;
  const auto taken_us =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(taken).count());
  if (end.is_late) {
    return DriverAnswer{CallCode::DeadlineExceeded,
                        "no answer in " + std::to_string(call.deadline_ms) + " ms; mooring-csi was ended", "",
                        taken_us};
  }
  Result<DriverAnswer> answer = read_csi_output(end.output);
  wipe(end.output);
  if (answer) answer.value().duration_us = taken_us;
  if (answer && !end.is_too_long) return answer;
  Error error = answer ? call_lost("the driver's answer is too long") : std::move(answer).error();
  error.message += " of " + call.method + " (it " + how_it_ended(end) + ")";
  error.path = call.socket;
  error.remedy = "the call is made again; look at the driver if this goes on";
  return error;
}

Result<ProgramAnswer> LinuxDrivers::run(const ProgramCall& call) {
  if (!flex_socket_.empty()) return run_by_service(flex_socket_, call);
  ChildCommand command;
  command.words.emplace_back(call.program);
  command.words.insert(command.words.end(), call.arguments.begin(), call.arguments.end());
  command.environment = clean_environment();
  command.output_bytes_max = call.output_bytes_max;
  command.deadline_ms = call.deadline_ms;
  command.linger_ms = linger_ms;
  MOORING_TRY(ChildEnd end, run_child(command));
  return ProgramAnswer{end.status, end.signal, end.is_late, end.is_too_long, std::move(end.output)};
}

}  // namespace mooring::kernel
