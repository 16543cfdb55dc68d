#pragma once

#include <memory>
#include <optional>
#include <string>

#include "facts/mount_table.h"
#include "kernel/kernel.h"
#include "step/step.h"

namespace mooring {

// Bases of volumes of claims, and the stamps in them (step/volume_steps.h).

/// A base that is open: all look-ups below it go by its descriptor.
struct VolumeBase {
  std::unique_ptr<kernel::Files> files;
  std::string path;                 ///< Absolute, as the mount table names it.
  std::optional<MountFact> server;  ///< Of a mounted export: what is mounted there.
};

/// "BadName" (Final) for names that the steps do not allow, wherever they come from.
Result<void> check_names(const std::string& base, const std::string& directory, const ObjectName& volume);
Result<void> check_base_name(const std::string& base);

/// "NotFound" with ENOENT for an absolute one that is missing, "NotMounted" for a relative one on which
/// nothing is mounted.
Result<VolumeBase> open_base(const std::string& base, kernel::Kernel kernel);
/// The same; an absolute one that is missing is made with 0750, unless `was_made` or `memory`
/// (step/volume_steps.h: base_memory) says that it was there: a file system is not mounted then
/// ("BaseMissing"). Marks it as a base, and remembers that. "SystemDirectory" for one that leads to the
/// system's own directories.
Result<VolumeBase> make_base(const std::string& base, bool was_made, const std::string& memory,
                             kernel::Kernel kernel);
/// For removals: nullopt if there is no base, or nothing that marks it as one, and nothing was made in it
/// (`was_made`); "BaseMissing" if something was.
Result<std::optional<VolumeBase>> find_base(const std::string& base, bool was_made, kernel::Kernel kernel);

/// Who made a directory or an image: a volume, and which of its makings.
struct Owner {
  ObjectName volume;
  std::string token;  ///< Empty: made before there were tokens.
  friend bool operator==(const Owner&, const Owner&) = default;
};

/// True if there is such a file in the root directory. An empty name: there is none.
Result<bool> is_remembered(const std::string& memory, kernel::Files& files);
/// Makes that file, on disk when this returns. True if it was not there.
Result<bool> remember(const std::string& memory, const std::string& what, kernel::Files& files);

/// Whose a directory or an image is by its stamp; nullopt: nobody's. "BadOwnerStamp" (Final) if that cannot
/// be read.
Result<std::optional<Owner>> owner_of(const std::string& directory, kernel::Files& files);
/// Makes the stamp of a directory that has none. False if somebody else was faster.
Result<bool> take(const std::string& directory, const Owner& owner, kernel::Files& files);
/// Takes the stamp away, with its directories as far as they are empty. Absent is success.
Result<void> let_go(const std::string& directory, kernel::Files& files);
/// A directory above or below this one that has an owner; empty: there is none.
Result<std::string> relative_with_owner(const std::string& directory, kernel::Files& files);

/// Takes the stamp away if it is this owner's. True if it was.
Result<bool> let_go_own(const std::string& directory, const Owner& owner, kernel::Files& files);

/// The warning that what another making has left under a volume's name is not removed.
std::string stays_text(const std::string& path);

std::string encode_owner(const Owner& owner, const std::string& directory);
/// nullopt for anything that encode_owner() did not write.
std::optional<Owner> decode_owner(std::string_view bytes);

}  // namespace mooring
