#include "operation/csi_calls.h"

#include <cerrno>

#include "operation/device_checks.h"
#include "operation/device_links.h"

namespace mooring {
namespace {

constexpr std::uint32_t data_mode = 0640;

/// What a crash left of a file that was being written beside its name.
bool is_leftover(std::string_view name) {
  return name.starts_with("." + std::string(csi::volume_data_name) + ".") && name.ends_with(".new");
}

Result<void> remove_leftovers(const std::string& directory, kernel::Files& files) {
  const auto entries = files.list(directory);
  if (!entries && entries.error().errno_value == ENOENT) return success();
  if (!entries) return entries.error();
  for (const auto& entry : entries.value()) {
    if (entry.type != kernel::FileType::Regular || !is_leftover(entry.name)) continue;
    MOORING_TRY(files.remove_file(directory + "/" + entry.name));
  }
  return success();
}

/// Removes what the driver was to remove, if it is no more than a place to mount on.
Result<bool> remove_target(const std::string& path, kernel::Files& files) {
  MOORING_TRY(const auto there, files.status(path));
  if (!there) return false;
  switch (there->type) {
    case kernel::FileType::Directory:
      return remove_if_empty(path, files);
    case kernel::FileType::SymbolicLink:
    case kernel::FileType::BlockDevice:
      break;
    default:
      if (!is_empty_file(*there))
        return obstacle("NotEmpty",
                        "the driver left a " + std::string(to_string(there->type)) + " that is not empty",
                        path, "look at it, and remove it if nobody needs it");
  }
  MOORING_TRY(files.remove_file(path));
  return true;
}

}  // namespace

Result<kernel::DriverAnswer> call_csi(const CsiVolume& volume, const char* method, SecretBytes request,
                                      kernel::Drivers& drivers) {
  if (volume.socket.empty()) return csi::not_registered(volume.driver);
  return drivers.call({volume.socket, method, std::move(request), volume.deadline_ms, volume.driver});
}

Result<std::string> told_path(const std::string& relative, kernel::Mounts& mounts) {
  if (relative.empty()) return std::string();
  return mounts.listed_path(relative);
}

Result<bool> put_volume_data(const std::string& path, const std::string& text, kernel::Files& files) {
  const auto there = files.read_file(path, csi::volume_data_size_max);
  if (there && there.value() == text) return false;
  if (there || there.error().errno_value != ENOENT) {
    MOORING_TRY(files.remove_file(path));
  }
  // On disk before any driver is asked: after a power cut it is all that names a volume whose pod is gone.
  MOORING_TRY(const bool is_made, files.create_file(path, text, data_mode));
  MOORING_TRY(files.flush(path));
  MOORING_TRY(files.flush(parent_of(path)));
  return is_made;
}

csi::VolumeData read_volume_data(const std::string& path, kernel::Files& files) {
  if (path.empty()) return {};
  const auto bytes = files.read_file(path, csi::volume_data_size_max);
  if (!bytes) return {};
  return csi::decode_volume_data(bytes.value()).value_or(csi::VolumeData());
}

Result<void> check_not_mounted(const CsiPlace& place, const std::string& said, kernel::Mounts& mounts) {
  MOORING_TRY(const auto left, mounts.listed_at(place.path));
  if (!left) return success();
  return obstacle("StillMounted", said + ", and a " + left->type + " (" + left->source + ") is still mounted",
                  place.path, "see the driver's log, and unmount it if nobody needs it; Mooring tries again");
}

Result<bool> remove_place(const CsiPlace& place, kernel::Files& files) {
  MOORING_TRY(bool is_changed, remove_target(place.path, files));
  if (!place.data.empty()) {
    const std::string directory = parent_of(place.data);
    MOORING_TRY(remove_leftovers(directory, files));
    MOORING_TRY(const auto there, files.status(place.data));
    is_changed = is_changed || there.has_value();
    MOORING_TRY(files.remove_file(place.data));
    if (directory != place.directory) {
      MOORING_TRY(const bool is_removed, remove_if_empty(directory, files));
      is_changed = is_changed || is_removed;
    }
  }
  if (place.directory.empty()) return is_changed;
  // Without data of its own it is a directory of several pods'.
  MOORING_TRY(const bool is_removed, place.data.empty() ? remove_unless_shared(place.directory, files)
                                                        : remove_if_empty(place.directory, files));
  return is_changed || is_removed;
}

void clean_up(const CsiPlace& place, kernel::Kernel kernel) {
  const auto listed = kernel.mounts.listed_at(place.path);
  if (!listed || listed.value()) return;
  static_cast<void>(remove_place(place, kernel.files));
}

}  // namespace mooring
