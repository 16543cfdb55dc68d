#include "operation/device_links.h"

#include <algorithm>
#include <cerrno>

#include "operation/device_checks.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring {
namespace {

std::string relative_target(const std::string& link, const std::string& target) {
  std::string path;
  for (auto depth = std::count(link.begin(), link.end(), '/'); depth > 0; --depth)
    path += "../";
  return path + target;
}

}  // namespace

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

bool is_empty_file(const kernel::FileStatus& status) {
  return status.type == kernel::FileType::Regular && status.size_bytes == 0;
}

Error something_else(const std::string& path, const std::string& wanted) {
  Error error =
      refusal("ForeignFile", "something that Mooring did not make stands where " + wanted + " belongs",
              "look at it, and remove it if nobody needs it");
  error.path = path;
  return error;
}

Result<bool> link_device(const std::string& link, const std::string& place, kernel::Files& files) {
  const std::string target = relative_target(link, place);
  const auto there = files.read_link(link);
  if (!there && there.error().errno_value == EINVAL) return something_else(link, "the link to the device");
  MOORING_TRY(const auto now, there);
  if (now == target) return false;
  if (now) {
    MOORING_TRY(files.remove_file(link));
  }
  MOORING_TRY(files.make_directory(parent_of(link), layout::private_mode));
  const Result<void> made = files.make_link(link, target);
  if (made) return true;
  const auto after = files.read_link(link);
  return after && after.value() == target ? Result<bool>(true) : made.error();
}

Result<bool> unlink_device(const std::string& link, kernel::Files& files) {
  MOORING_TRY(const auto there, files.status(link));
  if (!there) return false;
  if (there->type != kernel::FileType::SymbolicLink) return something_else(link, "the link to the device");
  MOORING_TRY(files.remove_file(link));
  return true;
}

std::string place_by_link(const std::string& link, const std::string& target, const PodUid& pod) {
  const std::size_t begin = target.find_first_not_of("./");
  const std::string place = begin == std::string::npos ? std::string() : target.substr(begin);
  if (place.find('/') == std::string::npos || target != relative_target(link, place)) return {};
  const std::string directory = parent_of(place);
  const bool is_map = layout::parse_device_map(directory) || layout::parse_csi_block_map(directory);
  return is_map && place == directory + "/" + pod.str() ? place : std::string();
}

Result<bool> remove_unless_shared(const std::string& path, kernel::Files& files) {
  const Result<bool> removed = remove_if_empty(path, files);
  if (!removed && removed.error().reason == "NotEmpty") return false;
  return removed;
}

}  // namespace mooring
