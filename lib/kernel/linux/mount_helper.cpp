#include "kernel/linux/mount_helper.h"

#include <unistd.h>

#include "base/error.h"
#include "kernel/linux/child.h"

namespace mooring::kernel {
namespace {

/// Of all that a helper says, so that its words fit into an error.
constexpr std::size_t words_size_max = 1024;

/// What was written, on one line.
std::string on_one_line(std::string words) {
  while (!words.empty() && words.back() == '\n')
    words.pop_back();
  for (std::size_t at = words.find('\n'); at != std::string::npos; at = words.find('\n', at))
    words.replace(at, 1, "; ");
  return words;
}

std::string how_it_ended(const std::string& program, const ChildEnd& end) {
  if (end.signal != 0) return program + " was ended by signal " + std::to_string(end.signal);
  return program + " ended with status " + std::to_string(end.status) + " and said nothing";
}

}  // namespace

std::string helper_of(const std::string& type) {
  if (type.empty() || type.find('/') != std::string::npos) return {};
  std::string program = "/sbin/mount." + type;
  return access(program.c_str(), X_OK) == 0 ? program : std::string();
}

HelperAnswer run_helper(const std::string& program, const std::vector<std::string>& arguments) {
  ChildCommand command;
  command.words.emplace_back(program);
  for (const std::string& argument : arguments)
    command.words.emplace_back(argument);
  command.environment = clean_environment();
  command.output_bytes_max = words_size_max;
  Result<ChildEnd> end = run_child(command);
  if (!end) return {false, program + " cannot be run: " + errno_text(end.error().errno_value)};
  if (end.value().status == 0) return {true, {}};
  const std::string said = on_one_line(end.value().output);
  return {false, said.empty() ? how_it_ended(program, end.value()) : said};
}

}  // namespace mooring::kernel
