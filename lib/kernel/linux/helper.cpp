#include "kernel/linux/helper.h"

#include <unistd.h>

#include <csignal>
#include <cstring>

#include "kernel/linux/child.h"

namespace mooring::kernel {
namespace {

constexpr std::size_t output_bytes_max = 64 * 1024;
constexpr std::size_t told_lines_max = 3;

}  // namespace

std::string last_lines(std::string_view text, std::size_t lines_max, std::string_view separator) {
  std::string out;
  while (lines_max > 0 && !text.empty()) {
    const std::size_t newline = text.find_last_of("\r\n");
    std::string_view line = newline == std::string_view::npos ? text : text.substr(newline + 1);
    text = newline == std::string_view::npos ? std::string_view() : text.substr(0, newline);
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) continue;
    line = line.substr(begin, line.find_last_not_of(" \t") - begin + 1);
    out.insert(0, std::string(line) + (out.empty() ? "" : std::string(separator)));
    --lines_max;
  }
  return out;
}

std::string HelperEnd::text() const {
  std::string said = last_lines(output, told_lines_max, "; ");
  if (is_success()) return said;
  if (!said.empty()) said += "; ";
  if (signal == 0) return said + "exit status " + std::to_string(status);
  const char* name = sigabbrev_np(signal);
  return said + "killed by SIG" + (name != nullptr ? std::string(name) : std::to_string(signal));
}

std::string find_program(std::string_view name) {
  for (const char* directory : {"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"}) {
    const std::string path = std::string(directory) + std::string(name);
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

Result<HelperEnd> run_helper(const std::vector<std::string>& command) {
  ChildCommand child;
  for (const std::string& word : command)
    child.words.emplace_back(word);
  child.environment = clean_environment();
  // libblkid's cache is of the last seconds: mkfs.btrfs would find UUIDs there that are gone.
  child.environment.emplace_back("BLKID_FILE=/dev/null");
  child.output_bytes_max = output_bytes_max;
  child.keep = ChildCommand::Keep::End;
  // A child that it leaves behind may keep the stream open for ever (mount.nfs starts rpc.statd).
  child.linger_ms = 0;
  MOORING_TRY(ChildEnd ended, run_child(child));
  HelperEnd end;
  end.status = ended.status;
  end.signal = ended.signal;
  end.output = std::move(ended.output);
  return end;
}

}  // namespace mooring::kernel
