#include "operation/flex_staged.h"

#include <cerrno>
#include <string>
#include <utility>

#include "flex/names.h"
#include "operation/csi_staged.h"
#include "step/layout.h"

namespace mooring {
namespace {

using kernel::DirectoryEntry;

constexpr std::string_view root = "plugins/kubernetes.io/flexvolume";
constexpr std::string_view mounts = "mounts";

void add_volumes(const std::string& driver, kernel::Files& files, std::vector<CsiAttachment>& found) {
  if (!flex::is_driver_name(driver)) return;
  const std::string path = std::string(root) + "/" + driver + "/" + std::string(mounts);
  for (const DirectoryEntry& entry : directories_in(path, files)) {
    if (layout::unescape_handle(entry.name))
      found.push_back({DriverName(driver), entry.name, {}, std::nullopt, path + "/" + entry.name});
  }
}

}  // namespace

Result<std::vector<CsiAttachment>> find_staged_flex(kernel::Files& files) {
  std::vector<CsiAttachment> found;
  const auto entries = files.list(std::string(root));
  if (!entries && entries.error().errno_value == ENOENT) return found;
  if (!entries) return entries.error();
  for (const DirectoryEntry& first : entries.value()) {
    if (first.type != kernel::FileType::Directory) continue;
    for (const DirectoryEntry& second : directories_in(std::string(root) + "/" + first.name, files)) {
      // A driver "VENDOR/mounts" cannot be told from the volumes of a driver "VENDOR", and there is none.
      add_volumes(second.name == mounts ? first.name : first.name + "/" + second.name, files, found);
    }
  }
  return found;
}

}  // namespace mooring
