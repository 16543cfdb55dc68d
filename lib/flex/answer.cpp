#include "flex/answer.h"

#include <algorithm>
#include <array>

#include "base/quote.h"
#include "flex/options.h"
#include "flex/reply.h"

namespace mooring::flex {
namespace {

Error error_of(ErrorKind kind, std::string reason, std::string message, std::string remedy) {
  Error error = refusal(std::move(reason), std::move(message), std::move(remedy));
  error.kind = kind;
  return error;
}

std::string how_it_ended(const End& end) {
  if (end.signal != 0) return "was ended by signal " + std::to_string(end.signal);
  return "exited with status " + std::to_string(end.status);
}

void take_out(std::string& text, std::string_view secret) {
  constexpr std::string_view instead = "[secret]";
  for (std::size_t at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + instead.size()))
    text.replace(at, secret.size(), instead);
}

Error bad_answer(Command command, const End& end, const std::string& what,
                 const std::vector<SecretBytes>& secrets) {
  const std::string said = end.output.empty() ? "nothing" : quoted(words_of(end.output, secrets));
  return error_of(ErrorKind::Uncertain, "BadDriverAnswer",
                  "failed to unmarshal output for command: " + std::string(to_string(command)) + ", " + what +
                      "; the driver " + how_it_ended(end) + " and wrote " + said,
                  "see to the driver: it has to write one JSON object and nothing else, on both streams");
}

}  // namespace

std::string_view to_string(Command command) {
  constexpr std::array<std::string_view, 12> names{
      "init",          "getvolumename", "attach",  "isattached", "waitforattach", "mountdevice",
      "unmountdevice", "mount",         "unmount", "detach",     "expandvolume",  "expandfs"};
  return names.at(static_cast<std::size_t>(command));
}

std::string words_of(std::string_view text, const std::vector<SecretBytes>& secrets) {
  // Of what is cut off nobody can tell any more whether it was the half of a secret: they go first.
  std::string words(text);
  for (const SecretBytes& secret : secrets) {
    constexpr std::size_t telling_size = 4;  // What is shorter is in any text.
    if (secret.expose_secret().empty()) continue;
    take_out(words, encode_base64(secret).expose_secret());
    if (secret.expose_secret().size() >= telling_size) take_out(words, secret.expose_secret());
  }
  std::replace_if(
      words.begin(), words.end(), [](char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  while (words.ends_with(' '))
    words.pop_back();
  constexpr std::string_view more = "...";
  bool is_cut = words.size() > words_bytes_max;
  if (is_cut) words.resize(words_bytes_max);
  std::string shown = clean(words);
  if (shown.size() > words_bytes_max) {
    shown.resize(words_bytes_max);
    is_cut = true;
  }
  if (is_cut) {
    shown.resize(std::min(shown.size(), words_bytes_max - more.size()));
    while (!shown.empty() && !is_valid_utf8(shown))
      shown.pop_back();
    shown += more;
  }
  return shown;
}

Result<Answer> answer_of(Command command, const End& end, const std::vector<SecretBytes>& secrets) {
  const std::string name(to_string(command));
  if (end.is_late) {
    return error_of(ErrorKind::Uncertain, "DriverTimeout",
                    name + " command failed: the driver did not answer in time and was killed",
                    "see what the driver waits for; Mooring tries again");
  }
  if (end.is_too_long) {
    return error_of(ErrorKind::Uncertain, "DriverAnswerTooLong",
                    name + " command failed: the driver wrote more than " + std::to_string(output_bytes_max) +
                        " bytes: " + quoted(words_of(end.output, secrets)),
                    "see to the driver: it has to write one JSON object and nothing else, on both streams");
  }
  Result<Reply> reply = parse_reply(end.output);
  if (!reply) return bad_answer(command, end, reply.error().message, secrets);
  Reply& said = reply.value();
  if (said.status == "Not supported") {
    said.answer.is_supported = false;
    return std::move(said.answer);
  }
  if (said.status != "Success") {
    return error_of(ErrorKind::Transient, "DriverFailed",
                    name + " command failed, status: " + words_of(said.status, secrets) +
                        ", reason: " + words_of(said.answer.message, secrets),
                    "see what the driver says; Mooring tries again");
  }
  if (end.status != 0 || end.signal != 0) {
    return error_of(ErrorKind::Uncertain, "DriverExitError",
                    name + " command failed: the driver says Success, and " + how_it_ended(end),
                    "see to the driver: it has to exit with status 0 when it succeeded");
  }
  return std::move(said.answer);
}

}  // namespace mooring::flex
