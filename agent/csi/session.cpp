#include "csi_call/session.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/quote.h"

namespace mooring::csi_call {
namespace {

using nlohmann::json;

constexpr std::size_t words_bytes_max = 1024;
/// A value of one or two characters is found in any text; what it would be replaced in is no secret.
constexpr std::size_t secret_bytes_min = 3;
constexpr std::string_view instead_of_secret = "***";

/// Cut at the end of a character.
void cut(std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;
  text.resize(end);
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
}

std::string output_of(const Answer& answer) {
  const json header{{"code", static_cast<int>(answer.code)},
                    {"message", answer.message},
                    {"response_bytes", answer.response.size()}};
  return header.dump(-1, ' ', false, json::error_handler_t::replace) + "\n" + answer.response;
}

std::string refuse(std::string message) {
  return output_of({CallCode::InvalidArgument, std::move(message), ""});
}

const std::string* text_of(const json& header, const char* name) {
  const auto found = header.find(name);
  return found == header.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace

std::string words_to_tell(std::string words, const std::vector<SecretBytes>& secrets) {
  std::vector<const SecretBytes*> by_length;
  for (const SecretBytes& secret : secrets)
    by_length.push_back(&secret);
  // One that holds another goes first, so that no end of it is left.
  std::stable_sort(by_length.begin(), by_length.end(), [](const SecretBytes* a, const SecretBytes* b) {
    return a->expose_secret().size() > b->expose_secret().size();
  });
  for (const SecretBytes* secret : by_length) {
    if (secret->expose_secret().size() >= secret_bytes_min)
      replace_all(words, secret->expose_secret(), instead_of_secret);
  }
  for (char& c : words)
    if (c == '\n' || c == '\r' || c == '\t') c = ' ';
  while (!words.empty() && words.back() == ' ')
    words.pop_back();
  words = clean(words);
  cut(words, words_bytes_max);
  return words;
}

std::string serve_one(std::string_view input, const Caller& caller) {
  const std::size_t newline = input.find('\n');
  if (newline == std::string_view::npos) return refuse("the input has no request");
  const json header = json::parse(input.substr(0, newline), nullptr, /*allow_exceptions=*/false);
  const std::string* socket = header.is_object() ? text_of(header, "socket") : nullptr;
  const std::string* name = header.is_object() ? text_of(header, "method") : nullptr;
  if (socket == nullptr || name == nullptr || !header.contains("deadline_ms") ||
      !header["deadline_ms"].is_number_unsigned())
    return refuse("the input does not say what to call");
  std::optional<Method> method = find_method(*name);
  if (!method) return refuse("there is no method " + mooring::quoted(*name));
  std::optional<SecretBytes> request = to_wire(*method->request, input.substr(newline + 1));
  if (!request)
    // Nothing of an earlier call of the same follows from that: InvalidArgument would be the driver's word.
    return output_of(
        {CallCode::Unavailable, "the request is no message of " + method->name + "; it was not sent", ""});
  const std::vector<SecretBytes> secrets = secrets_in(*method->request, request->expose_secret());
  Call call;
  call.socket = *socket;
  call.method = *method;
  call.request = std::move(*request);
  call.deadline = std::chrono::milliseconds(header["deadline_ms"].get<std::uint32_t>());
  Answer answer = caller(call);
  answer.message = words_to_tell(std::move(answer.message), secrets);
  if (answer.code != CallCode::Ok) return output_of({answer.code, answer.message, ""});
  std::optional<std::string> response = to_json(*method->response, answer.response);
  wipe(answer.response);
  if (!response)
    // What it did, nobody knows: Unknown and Internal would say that it is not at it any more.
    return output_of({CallCode::Unavailable, "the driver's answer is no message of " + method->name, ""});
  return output_of({CallCode::Ok, "", std::move(*response)});
}

}  // namespace mooring::csi_call
