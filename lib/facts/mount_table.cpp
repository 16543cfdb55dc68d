#include "facts/mount_table.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/quote.h"

namespace mooring {
namespace {

/// Takes the text up to the next blank, and the blank.
std::string_view take_field(std::string_view& line) {
  const std::size_t end = line.find(' ');
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  return field;
}

template <class Number>
bool to_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

std::string decoded(std::string_view field) {
  return field.find('\\') == std::string_view::npos ? std::string(field) : decode_octal_escapes(field);
}

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    const std::size_t end = options.find(',');
    if (options.substr(0, end) == wanted) return true;
    options.remove_prefix(end == std::string_view::npos ? options.size() : end + 1);
  }
  return false;
}

/// True if `path` is `ancestor` or lies below it.
bool is_within(std::string_view path, std::string_view ancestor) {
  if (ancestor == "/") return path.starts_with('/');
  return path.starts_with(ancestor) && (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

/// Reads the optional fields, "shared:1 master:2 -", up to and with the lone hyphen.
bool take_optional_fields(std::string_view& line, MountFact& out) {
  while (!line.empty()) {
    const std::string_view field = take_field(line);
    if (field == "-") return true;
    if (field.starts_with("shared:") && !to_number(field.substr(7), out.peer_group)) return false;
    if (field.starts_with("master:") && !to_number(field.substr(7), out.master_group)) return false;
  }
  return false;
}

}  // namespace

bool MountFact::is_read_only() const {
  return has_option(options, "ro") || has_option(super_options, "ro");
}

bool parse_mountinfo_line(std::string_view line, MountFact& out) {
  if (!to_number(take_field(line), out.id) || !to_number(take_field(line), out.parent_id)) return false;
  const std::string_view device = take_field(line);
  const std::size_t colon = device.find(':');
  if (colon == std::string_view::npos || !to_number(device.substr(0, colon), out.device_major) ||
      !to_number(device.substr(colon + 1), out.device_minor)) {
    return false;
  }
  out.root = decoded(take_field(line));
  out.mount_point = decoded(take_field(line));
  out.options = std::string(take_field(line));
  if (out.mount_point.empty() || out.mount_point.front() != '/' || out.options.empty()) return false;
  if (!take_optional_fields(line, out)) return false;
  out.type = decoded(take_field(line));
  out.source = decoded(take_field(line));
  out.super_options = std::string(line);
  return !out.type.empty() && !out.super_options.empty();
}

Result<MountTable> MountTable::parse(std::string_view mountinfo) {
  MountTable table;
  table.mounts_.reserve(static_cast<std::size_t>(std::count(mountinfo.begin(), mountinfo.end(), '\n')));
  std::size_t number = 0;
  while (!mountinfo.empty()) {
    ++number;
    const std::size_t end = mountinfo.find('\n');
    const bool is_whole = end != std::string_view::npos;
    if (!is_whole || !parse_mountinfo_line(mountinfo.substr(0, end), table.mounts_.emplace_back())) {
      Error error;
      error.kind = ErrorKind::Transient;
      error.reason = "MountTableUnreadable";
      error.message = "line " + std::to_string(number) + " of the mount table is not understood: " +
                      quoted(mountinfo.substr(0, std::min<std::size_t>(end, 200)));
      return error;
    }
    mountinfo.remove_prefix(end + 1);
  }
  table.build_index();
  return table;
}

MountTable MountTable::from_facts(std::vector<MountFact> facts) {
  MountTable table;
  table.mounts_ = std::move(facts);
  table.build_index();
  return table;
}

void MountTable::build_index() {
  by_mount_point_.resize(mounts_.size());
  for (std::uint32_t i = 0; i < mounts_.size(); ++i)
    by_mount_point_[i] = i;
  std::sort(by_mount_point_.begin(), by_mount_point_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int order = mounts_[a].mount_point.compare(mounts_[b].mount_point);
    return order != 0 ? order < 0 : a < b;
  });
}

const MountFact* MountTable::top_at(std::string_view path) const {
  const auto end =
      std::upper_bound(by_mount_point_.begin(), by_mount_point_.end(), path,
                       [&](std::string_view p, std::uint32_t i) { return p < mounts_[i].mount_point; });
  if (end == by_mount_point_.begin()) return nullptr;
  const MountFact& last = mounts_[*(end - 1)];
  return last.mount_point == path ? &last : nullptr;
}

std::size_t MountTable::count_at(std::string_view path) const {
  const auto begin =
      std::lower_bound(by_mount_point_.begin(), by_mount_point_.end(), path,
                       [&](std::uint32_t i, std::string_view p) { return mounts_[i].mount_point < p; });
  std::size_t count = 0;
  for (auto it = begin; it != by_mount_point_.end() && mounts_[*it].mount_point == path; ++it)
    ++count;
  return count;
}

const MountFact* MountTable::covering(std::string_view path) const {
  if (!path.starts_with('/')) return nullptr;
  while (true) {
    if (const MountFact* fact = top_at(path.empty() ? std::string_view("/") : path)) return fact;
    if (path.empty() || path == "/") return nullptr;
    path = path.substr(0, path.rfind('/'));
  }
}

std::vector<const MountFact*> MountTable::below(std::string_view path) const {
  const std::string prefix = path == "/" ? "/" : std::string(path) + "/";
  auto it =
      std::lower_bound(by_mount_point_.begin(), by_mount_point_.end(), prefix,
                       [&](std::uint32_t i, const std::string& p) { return mounts_[i].mount_point < p; });
  std::vector<const MountFact*> found;
  for (; it != by_mount_point_.end() && mounts_[*it].mount_point.starts_with(prefix); ++it) {
    if (mounts_[*it].mount_point != path) found.push_back(&mounts_[*it]);
  }
  return found;
}

std::vector<const MountFact*> MountTable::references(const MountFact& fact) const {
  std::vector<const MountFact*> found;
  for (const MountFact& other : mounts_) {
    if (other.id != fact.id && other.device_major == fact.device_major &&
        other.device_minor == fact.device_minor && is_within(other.root, fact.root)) {
      found.push_back(&other);
    }
  }
  return found;
}

bool is_local_file_system(std::string_view type) {
  constexpr std::array<std::string_view, 24> local{
      "bcachefs", "binfmt_misc", "btrfs",    "cgroup", "cgroup2", "devpts",    "devtmpfs", "erofs",
      "exfat",    "ext2",        "ext3",     "ext4",   "f2fs",    "hugetlbfs", "iso9660",  "overlay",
      "proc",     "ramfs",       "squashfs", "sysfs",  "tmpfs",   "vfat",      "xfs",      "zfs"};
  return std::binary_search(local.begin(), local.end(), type);
}

}  // namespace mooring
