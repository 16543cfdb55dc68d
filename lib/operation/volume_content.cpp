#include <algorithm>
#include <cerrno>

#include "base/quote.h"
#include "operation/device_checks.h"
#include "operation/place_guard.h"
#include "operation/volume_base.h"
#include "operation/volume_directories.h"
#include "step/layout.h"
#include "step/reserved_paths.h"

// What is emptied for another claim, and images.

namespace mooring {
namespace {

using kernel::Files;
using kernel::FileType;

Error at(std::string path, Error error) {
  error.path = std::move(path);
  return error;
}

/// Proves that what is there may be emptied: by all names that it has, and not by the one that was given.
Result<void> check_may_empty(const VolumeBase& place, kernel::Kernel kernel) {
  MOORING_TRY(const MountTable table, kernel.mounts.table());
  for (const std::string& name : names_of(table, place.path)) {
    if (const std::string_view why = why_reserved(name); !why.empty()) {
      return at(place.path, refusal("SystemDirectory", name + " " + std::string(why) + " and is not emptied",
                                    "give the PersistentVolume a directory of its own"));
    }
  }
  MOORING_TRY(const std::string root, kernel.files.own_path());
  if (!place.server && have_to_do(table, place.path, root)) {
    return at(place.path,
              refusal("SystemDirectory", place.path + " has to do with the root directory " + root,
                      "give the PersistentVolume a directory of its own"));
  }
  MOORING_TRY(check_nothing_below(table, place.path));
  return check_not_bound(table, place.path);
}

/// Volumes of claims are no content of another volume, though they may lie in it.
Result<void> check_no_volumes(const VolumeBase& place, const std::vector<kernel::DirectoryEntry>& entries) {
  for (const auto& entry : entries) {
    bool is_base = entry.name == layout::base_private;
    if (!is_base && entry.type == FileType::Directory) {
      MOORING_TRY(const auto below,
                  place.files->status(entry.name + "/" + std::string(layout::base_private)));
      is_base = below.has_value();
    }
    if (!is_base) continue;
    return at(place.path,
              refusal("HoldsVolumes", place.path + " holds volumes of claims (" + quoted(entry.name) + ")",
                      "move them elsewhere, or give the PersistentVolume a directory of its own"));
  }
  return success();
}

// A worker may be left over from a core that died, and go on at any time: when another one has emptied the
// volume, and even when the next claim has its data in it. So it removes nothing by the name that it has in
// the volume. What was there at the start is renamed into a directory of the worker's own, which the other
// worker takes for content like any other: renaming into it fails from then on. The other one cannot have
// begun before this worker's core was gone, so that directory comes first, and then the question whether the
// core is there.

constexpr std::string_view trash_prefix = ".mooring-trash-";

struct Content {
  std::string name;
  std::uint64_t inode = 0;
};

Result<std::vector<Content>> contents_of(const std::vector<kernel::DirectoryEntry>& entries, Files& files) {
  std::vector<Content> contents;
  for (const auto& entry : entries) {
    MOORING_TRY(const auto status, files.status(entry.name));
    if (status) contents.push_back({entry.name, status->inode});
  }
  return contents;
}

/// Makes a directory for what is to be removed, under a name that nothing has.
Result<std::string> make_trash(const std::vector<kernel::DirectoryEntry>& entries, Files& files) {
  for (std::uint64_t number = 1;; ++number) {
    const std::string name = std::string(trash_prefix) + std::to_string(number);
    const auto has_name = [&](const kernel::DirectoryEntry& entry) { return entry.name == name; };
    if (std::any_of(entries.begin(), entries.end(), has_name)) continue;
    MOORING_TRY(const bool is_made, files.make_directory(name, layout::private_mode));
    if (is_made) return name;
  }
}

/// Renames into the trash what is still what it was. The return code is a hint: what is there no more is
/// gone.
Result<void> discard(const Content& content, const std::string& trash, Files& files) {
  MOORING_TRY(const auto now, files.status(content.name));
  if (!now || now->inode != content.inode) return success();
  const Result<void> renamed = files.rename(content.name, trash + "/" + content.name);
  if (renamed) return success();
  const auto after = files.status(content.name);
  if (after && (!after.value() || after.value()->inode != content.inode)) return success();
  // Directories that cannot be renamed: those of a lower layer of an overlay, or of another project's quota.
  if (renamed.error().errno_value == EXDEV) return files.remove_tree(content.name);
  return renamed;
}

/// The next claim must not find what another worker has begun meanwhile.
Result<void> check_no_trash(const VolumeBase& place) {
  MOORING_TRY(const auto left, place.files->list("."));
  for (const auto& entry : left) {
    if (!entry.name.starts_with(trash_prefix)) continue;
    return obstacle("BeingEmptied", "another worker still empties " + place.path, place.path,
                    "nothing: Mooring goes on by itself");
  }
  return success();
}

struct ImagePlace {
  std::string base;
  std::string name;
};

Result<ImagePlace> image_place(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (path.starts_with('/') && slash != 0 && is_clean_absolute(path)) {
    ImagePlace place{path.substr(0, slash), path.substr(slash + 1)};
    if (layout::is_volume_directory(place.name)) return place;
  }
  return at(path, refusal("BadName", quoted(path) + " is no place for an image: it is not absolute and clean",
                          "see what the StorageClass says"));
}

/// Proves that nobody has the image: no loop device, and no mount of the file itself.
Result<void> check_image_unused(const std::string& path, kernel::Kernel kernel) {
  const auto device = kernel.devices.find({DeviceName::Kind::Image, path});
  if (device) {
    return with_holders(
        obstacle("DeviceBusy", path + " is still attached as " + device.value().node, path,
                 "see who uses it (`losetup -j " + path + "`); Mooring goes on when it is free"),
        device.value(), kernel.devices);
  }
  if (device.error().reason != "DeviceMissing") return device.error();
  MOORING_TRY(const MountTable table, kernel.mounts.table());
  MOORING_TRY(check_nothing_mounted(table, path));
  return check_not_bound(table, path);
}

Result<bool> remove_if_there(const std::string& path, Files& files) {
  if (path.empty()) return false;
  MOORING_TRY(const auto there, files.status(path));
  if (!there) return false;
  MOORING_TRY(files.remove_file(path));
  return true;
}

}  // namespace

Result<bool> empty_directory(const EmptyDirectory& step, kernel::Kernel kernel, const Waiting& waiting) {
  MOORING_TRY(check_base_name(step.path));
  Result<VolumeBase> opened = open_base(step.path, kernel);
  if (!opened && opened.error().errno_value == ENOENT) return false;
  MOORING_TRY(const VolumeBase place, std::move(opened));
  MOORING_TRY(check_may_empty(place, kernel));
  MOORING_TRY(const auto entries, place.files->list("."));
  MOORING_TRY(check_no_volumes(place, entries));
  if (entries.empty()) return false;
  MOORING_TRY(const std::vector<Content> contents, contents_of(entries, *place.files));
  MOORING_TRY(const std::string trash, make_trash(entries, *place.files));
  if (waiting.may_go_on && !waiting.may_go_on()) {
    MOORING_TRY(place.files->remove_directory(trash));
    return refusal("CoreGone", "the core that asked for it is gone");
  }
  for (const Content& content : contents) {
    MOORING_TRY(discard(content, trash, *place.files));
  }
  MOORING_TRY(place.files->remove_tree(trash));
  MOORING_TRY(check_no_trash(place));
  return true;
}

Result<bool> prepare_image(const PrepareImage& step, kernel::Kernel kernel) {
  MOORING_TRY(const ImagePlace image, image_place(step.path));
  MOORING_TRY(const auto before, kernel.files.host_status({image.base, std::nullopt}));
  MOORING_TRY(const VolumeBase base, make_base(image.base, false, step.base_memory, kernel));
  MOORING_TRY(const auto there, base.files->status(image.name));
  const Owner wanted{step.volume, step.token};
  MOORING_TRY(auto owner, owner_of(image.name, *base.files));
  const bool is_new = owner != wanted;
  if (!there && is_new) {
    if (owner && owner->volume == wanted.volume) {  // The image of an earlier making is gone.
      MOORING_TRY(let_go(image.name, *base.files));
    }
    MOORING_TRY(take(image.name, wanted, *base.files));
    MOORING_TRY(owner, owner_of(image.name, *base.files));
  }
  if (!there && owner == wanted) return !before || is_new;
  return at(step.path, refusal("ImageExists", step.path + " is there already, and is not this volume's",
                               "move it away if nobody needs it, or give the claim another metadata.uid"));
}

Result<bool> remove_image(const RemoveImage& step, kernel::Kernel kernel, Outcome& outcome) {
  MOORING_TRY(const ImagePlace image, image_place(step.path));
  bool was_made = false;
  if (!step.image_stamp.empty()) {
    MOORING_TRY(const auto stamp, kernel.files.status(step.image_stamp));
    was_made = stamp.has_value();
  }
  MOORING_TRY(const auto base, find_base(image.base, was_made, kernel));
  bool is_changed = false;
  if (base) {
    const Owner wanted{step.volume, step.token};
    MOORING_TRY(const auto there, base->files->status(image.name));
    MOORING_TRY(const auto owner, owner_of(image.name, *base->files));
    const bool is_own = owner ? owner == wanted : step.token.empty();
    const std::string path = base->path + "/" + image.name;
    if (there && !is_own) {
      outcome.warnings.push_back(stays_text(path));
      return false;
    }
    if (there && there->type != FileType::Regular) {
      return at(path,
                refusal("NotAnImage", path + " is a " + std::string(to_string(there->type)) + " and no image",
                        "look at it, and remove it by hand if nobody needs it"));
    }
    if (there) {
      MOORING_TRY(check_image_unused(path, kernel));
      MOORING_TRY(base->files->remove_file(image.name));
    }
    MOORING_TRY(const bool had_stamp, let_go_own(image.name, wanted, *base->files));
    is_changed = there || had_stamp;
  }
  MOORING_TRY(const bool was_formatted, remove_if_there(step.format_stamp, kernel.files));
  MOORING_TRY(const bool was_stamped, remove_if_there(step.image_stamp, kernel.files));
  return is_changed || was_formatted || was_stamped;
}

}  // namespace mooring
