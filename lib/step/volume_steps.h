#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"

namespace mooring {

// Steps that make and remove the volumes of claims. Each volume is a directory below a base, or an image in
// it. The base is an absolute path of the node, whose links are followed, or a mounted export: a path
// relative to the root directory, where something must be mounted ("NotMounted"). Below the base no link is
// followed and no mount is crossed, whatever the ledger says the directory is called.
//
// What Mooring keeps for itself lies in the base beside the volumes, where no pod can see it:
//
//   <base>/.mooring/                                0700
//     owners/<directory>/.mooring.json              the owner's stamp: whose the directory or image is
//     trash/<volume>                                renamed aside, is being removed
//
// A volume may be made again under a name that it had before (the ledger was lost, and the manifest of the
// claim gives its uid). `token` tells the makings apart: what bears the stamp of another making is not this
// volume's, neither to be taken nor to be removed. A stamp of another making with nothing beside it keeps
// nobody away.
//
// `base_memory` is a file, relative to the root directory, that remembers that the base was made one: when it
// is there and <base>/.mooring is not, the file system of the base is not mounted, here or on its server.
// Nothing is made or found missing there then ("BaseMissing", Transient). Empty: nothing is remembered.
//
// All may wait for a server or a large tree: Lane::Own.

/// Makes the directory of a volume, with the base if it is missing (0750) and the directories between (0755).
/// Its stamp comes first. A directory that is there already must be this volume's by its stamp, and empty, as
/// no pod had it yet ("DirectoryTaken"); one that is below or above another volume's is refused likewise.
/// Inverse: RemoveVolumeDirectory.
struct MakeVolumeDirectory {
  std::string base;
  std::string directory;  ///< Below the base: relative, clean, not empty.
  ObjectName volume;      ///< Whose it is.
  std::uint32_t mode = 0777;
  /// A file, relative to the root directory, that remembers that the volume was made, once: a base that is
  /// missing later is not one that never was ("BaseMissing"). Empty: nothing is remembered.
  std::string memory;
  std::string token = {};  ///< Of this making; empty: of one before there were tokens.
  std::string base_memory = {};
  friend bool operator==(const MakeVolumeDirectory&, const MakeVolumeDirectory&) = default;
};

/// Removes the directory of a volume and all that is in it, and then its stamp and its memory: it is renamed
/// to the base's trash first, so that a half removed one is never seen as whole. Refused while anything is
/// mounted at or below it ("MountedBelow") or it is mounted elsewhere ("StillMounted"), both by the mount
/// table, and if its stamp is another volume's or missing ("NotMooringsDirectory"). One of another making
/// stays, with its stamp and its memory: success, with a warning. Absent is success; a base that is missing,
/// though the volume was made, is not ("BaseMissing").
struct RemoveVolumeDirectory {
  std::string base;
  std::string directory;
  ObjectName volume;
  std::string memory;      ///< As MakeVolumeDirectory's.
  std::string token = {};  ///< As MakeVolumeDirectory's.
  std::string base_memory = {};
  friend bool operator==(const RemoveVolumeDirectory&, const RemoveVolumeDirectory&) = default;
};

/// Renames the directory of a volume to `to`, right below the base, and takes its stamp away: its data stays
/// and is nobody's any more. A name that is taken gets a number ("archived-a.2"); nothing is overwritten.
/// Refused, and left alone, as by RemoveVolumeDirectory. Absent is success.
struct SetAsideVolumeDirectory {
  std::string base;
  std::string directory;
  ObjectName volume;
  std::string to;          ///< One path element.
  std::string token = {};  ///< As MakeVolumeDirectory's.
  std::string base_memory = {};
  friend bool operator==(const SetAsideVolumeDirectory&, const SetAsideVolumeDirectory&) = default;
};

/// Removes all that is in a directory, which stays itself (reclaim policy Recycle, kubelet-behaviours 18.5).
/// It is renamed aside first, and what comes there meanwhile stays: a worker that is left over from an
/// earlier core removes nothing of the next claim. Refused for the system's own directories
/// ("SystemDirectory", step/reserved_paths.h), also by another name of theirs, for all that has to do with
/// the root directory, for a base that holds volumes of claims
/// ("HoldsVolumes"), and while anything is mounted below ("MountedBelow"). Absent is success.
struct EmptyDirectory {
  std::string path;  ///< Absolute, links are followed; or relative: a mounted export.
  friend bool operator==(const EmptyDirectory&, const EmptyDirectory&) = default;
};

/// Makes sure that the image of a new volume can be made when it is attached: its directory is there (0750),
/// and nothing has its name already ("ImageExists"). Makes its owner's stamp. Inverse: RemoveImage.
struct PrepareImage {
  std::string path;        ///< Absolute.
  ObjectName volume = {};  ///< Whose it is.
  std::string token = {};  ///< As MakeVolumeDirectory's.
  std::string base_memory = {};
  friend bool operator==(const PrepareImage&, const PrepareImage&) = default;
};

/// Removes an image with what is remembered of it. Never anything but a regular file ("NotAnImage"), and not
/// while a loop device has it ("DeviceBusy") or it is mounted ("StillMounted"). One without this making's
/// stamp stays, with all that is remembered of it: success, with a warning; but where there were no tokens
/// there were no stamps of images. Absent is success; a base that is missing, though the image was made, is
/// not
/// ("BaseMissing").
struct RemoveImage {
  std::string path;          ///< Absolute; its last element is not followed.
  std::string image_stamp;   ///< layout::image_stamp()
  std::string format_stamp;  ///< layout::format_stamp()
  ObjectName volume = {};    ///< As PrepareImage's.
  std::string token = {};    ///< As MakeVolumeDirectory's.
  friend bool operator==(const RemoveImage&, const RemoveImage&) = default;
};

}  // namespace mooring
