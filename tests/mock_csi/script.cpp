#include "script.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

namespace mooring::mock_csi {
namespace {

using nlohmann::json;

constexpr std::array<std::string_view, 17> code_names{
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "mock_csi: script: %s\n", what.c_str());
  std::_Exit(3);
}

CallCode code_of(const json& value) {
  if (value.is_number_unsigned() && value.get<std::size_t>() < code_names.size())
    return static_cast<CallCode>(value.get<int>());
  for (std::size_t i = 0; i < code_names.size(); ++i) {
    if (value.is_string() && value.get<std::string>() == code_names[i]) return static_cast<CallCode>(i);
  }
  give_up("no such code: " + value.dump());
}

Instruction decode(const json& value) {
  Instruction out;
  if (value.contains("code")) out.code = code_of(value["code"]);
  out.message = value.value("message", std::string());
  out.does_it = value.value("does_it", out.code == CallCode::Ok);
  out.delay_ms = value.value("delay_ms", 0U);
  out.loses_reply = value.value("lose_reply", false);
  const std::string crash = value.value("crash", std::string());
  if (crash == "before") out.crash = Instruction::Crash::Before;
  if (crash == "after") out.crash = Instruction::Crash::After;
  if (!crash.empty() && out.crash == Instruction::Crash::Never) give_up("no such crash: " + crash);
  out.garbage_bytes = value.value("garbage_bytes", std::size_t{0});
  if (value.contains("response")) out.response = value["response"];
  return out;
}

}  // namespace

Instruction Script::next(const std::string& method) {
  const std::lock_guard lock(mutex_);
  std::ifstream in(file_);
  if (file_.empty() || !in) return {};
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text != last_text_) calls_.clear();
  last_text_ = text;
  const json all = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!all.is_object()) give_up(file_ + " is no JSON object");
  const std::size_t number = calls_[method]++;
  const auto found = all.find(method);
  if (found == all.end()) return {};
  if (!found->is_array()) return decode(*found);
  return number < found->size() ? decode((*found)[number]) : Instruction();
}

}  // namespace mooring::mock_csi
