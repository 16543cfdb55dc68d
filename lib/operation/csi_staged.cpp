#include "operation/csi_staged.h"

#include <cerrno>
#include <string>
#include <utility>

#include "operation/csi_calls.h"
#include "step/csi_layout.h"

namespace mooring {

using kernel::DirectoryEntry;

std::vector<DirectoryEntry> directories_in(const std::string& path, kernel::Files& files) {
  auto entries = files.list(path);
  if (!entries) return {};
  std::erase_if(entries.value(),
                [](const DirectoryEntry& entry) { return entry.type != kernel::FileType::Directory; });
  return std::move(entries).value();
}

namespace {

/// Of a driver: <driver>/<hash>/vol_data.json.
void add_file_systems(const DriverName& driver, const std::string& path, kernel::Files& files,
                      std::vector<CsiAttachment>& found) {
  for (const DirectoryEntry& entry : directories_in(path, files)) {
    const std::string data = path + "/" + entry.name + "/" + std::string(csi::volume_data_name);
    const csi::VolumeData volume = read_volume_data(data, files);
    const std::string& handle = volume.volume_handle;
    if (volume.driver != driver || handle.empty()) continue;
    // In a directory that is not its own it is a copy of somebody's.
    if (layout::csi_staged_data(driver, handle) != data) continue;
    found.push_back({driver, handle, {}, std::nullopt, layout::csi_staged(driver, handle)});
  }
}

/// Of all drivers: volumeDevices/<directory>/data/vol_data.json, beside a directory "dev".
void add_devices(const std::string& path, kernel::Files& files, std::vector<CsiAttachment>& found) {
  for (const DirectoryEntry& entry : directories_in(path, files)) {
    const auto directory = layout::parse_csi_block_map(path + "/" + entry.name + "/dev");
    if (!directory) continue;
    const csi::VolumeData volume = read_volume_data(layout::csi_block_data(*directory), files);
    if (!layout::is_csi_driver_element(volume.driver) || volume.volume_handle.empty()) continue;
    found.push_back(
        {volume.driver, volume.volume_handle, {}, std::nullopt, layout::csi_block_staged(*directory)});
  }
}

}  // namespace

Result<std::vector<CsiAttachment>> find_staged_csi(kernel::Files& files) {
  std::vector<CsiAttachment> found;
  const std::string root = std::string(layout::plugins) + "/" + layout::csi_plugin().str();
  const auto entries = files.list(root);
  if (!entries && entries.error().errno_value == ENOENT) return found;
  if (!entries) return entries.error();
  for (const DirectoryEntry& entry : entries.value()) {
    if (entry.type != kernel::FileType::Directory) continue;
    const std::string path = root + "/" + entry.name;
    const DriverName driver(entry.name);
    if (layout::is_csi_driver_element(driver)) {
      add_file_systems(driver, path, files, found);
    } else {
      add_devices(path, files, found);
    }
  }
  return found;
}

}  // namespace mooring
