#include "kernel/linux/udev_database.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "kernel/linux/block_device.h"

namespace mooring::kernel {
namespace {

constexpr std::string_view escape = "\\x";

std::string without_escapes(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    unsigned value = 0;
    if (text.starts_with(escape) && text.size() >= 4) {
      const auto read = std::from_chars(text.data() + 2, text.data() + 4, value, 16);
      if (read.ec == std::errc() && read.ptr == text.data() + 4) {
        plain += static_cast<char>(value);
        text.remove_prefix(4);
        continue;
      }
    }
    plain += text.front();
    text.remove_prefix(1);
  }
  return plain;
}

void take(std::string_view line, std::string_view key, std::string& value) {
  if (line.starts_with(key)) value = without_escapes(line.substr(key.size()));
}

}  // namespace

UdevEntry parse_udev_entry(std::string_view text) {
  UdevEntry entry;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    take(line, "E:ID_FS_UUID_ENC=", entry.uuid);
    take(line, "E:ID_FS_LABEL_ENC=", entry.label);
    take(line, "S:disk/by-diskseq/", entry.disk_sequence);
  }
  return entry;
}

std::optional<UdevEntry> udev_entry(dev_t number) {
  std::ifstream file("/run/udev/data/b" + std::to_string(major(number)) + ":" +
                     std::to_string(minor(number)));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (text.empty()) return std::nullopt;
  UdevEntry entry = parse_udev_entry(text);
  const std::string sequence = read_attribute(sysfs_of(number) + "/diskseq");
  const bool is_old = !sequence.empty() && !entry.disk_sequence.empty() && sequence != entry.disk_sequence;
  if (is_old) return std::nullopt;
  return entry;
}

}  // namespace mooring::kernel
