#include "operation/flex_call.h"

#include <algorithm>
#include <cerrno>

#include "base/quote.h"

namespace mooring {
namespace {

/// A driver that is installed just now, or was removed, is there again in a moment or after a while.
/// What says something else says it itself: who was to run it cannot be reached, or nobody knows what it did.
Error not_started(const FlexProgram& program, Error error) {
  const std::string driver = "the FlexVolume driver " + quoted_if_needed(program.driver.str());
  if (error.reason != "SpawnFailed") {
    error.message = driver + ": " + error.message;
    return error;
  }
  const bool is_missing = error.errno_value == ENOENT || error.errno_value == EACCES;
  if (is_missing) error.reason = "DriverMissing";
  error.message = driver + " cannot be run: " + error.message;
  error.path = program.program;
  error.remedy = is_missing ? "install the driver there, executable; Mooring goes on by itself then"
                            : "see why it cannot be run; Mooring tries again";
  return error;
}

}  // namespace

bool FlexCaller::is_unsupported(std::string_view command) const {
  const auto& known = program_.unsupported;
  if (std::find(known.begin(), known.end(), command) != known.end()) return true;
  return std::any_of(outcome_.flex_unsupported.begin(), outcome_.flex_unsupported.end(),
                     [&](const FlexUnsupported& found) {
                       return found.driver == program_.driver && found.command == command;
                     });
}

Result<flex::Answer> FlexCaller::call(flex::Command command, std::vector<SecretBytes> arguments) {
  const std::string name(flex::to_string(command));
  flex::Answer unsupported;
  unsupported.is_supported = false;
  if (is_unsupported(name)) return unsupported;
  kernel::ProgramCall call;
  call.program = program_.program;
  call.arguments.emplace_back(name);
  for (SecretBytes& argument : arguments)
    call.arguments.push_back(std::move(argument));
  call.deadline_ms = program_.deadline_ms;
  call.output_bytes_max = flex::output_bytes_max;
  Result<kernel::ProgramAnswer> ran = drivers_.run(call);
  if (!ran) return not_started(program_, std::move(ran).error());
  const kernel::ProgramAnswer& end = ran.value();
  Result<flex::Answer> answer =
      flex::answer_of(command, {end.status, end.signal, end.is_late, end.is_too_long, end.output}, secrets_);
  if (answer && !answer.value().is_supported) outcome_.flex_unsupported.push_back({program_.driver, name});
  if (answer) return answer;
  Error error = std::move(answer).error();
  error.message = "FlexVolume driver " + quoted_if_needed(program_.driver.str()) + ": " + error.message;
  return error;
}

SecretBytes flex_options(const FlexVolume& volume, const FlexPod* pod) {
  flex::VolumeOptions told{volume.name, volume.file_system_type, volume.read_only, {}};
  for (const FlexOption& option : volume.options)
    told.options.insert_or_assign(option.key, option.value);
  if (pod == nullptr) return flex::options_json(told, nullptr);
  flex::PodOptions of_pod{pod->name.str(),      pod->name_space.str(), pod->uid.str(),
                          pod->service_account, pod->fs_group,         {}};
  for (const FlexSecret& secret : pod->secrets)
    of_pod.secrets.insert_or_assign(secret.key, secret.value);
  return flex::options_json(told, &of_pod);
}

}  // namespace mooring
