#include "operation/volume_directories.h"

#include <cerrno>

#include "base/quote.h"
#include "operation/device_checks.h"
#include "operation/place_guard.h"
#include "operation/volume_base.h"
#include "step/layout.h"
#include "step/reserved_paths.h"

namespace mooring {
namespace {

using kernel::Files;
using kernel::FileType;

constexpr std::uint32_t between_mode = 0755;

std::string absolute(const VolumeBase& base, const std::string& directory) {
  return base.path + "/" + directory;
}

Error taken(const VolumeBase& base, const std::string& directory, const std::string& why) {
  Error error =
      refusal("DirectoryTaken", absolute(base, directory) + " " + why,
              "give the claim or its StorageClass another name or pathPattern, or move what is there "
              "away; Mooring tries again when one of them changes");
  error.path = absolute(base, directory);
  return error;
}

/// Who has a directory that another has, for people.
std::string owner_text(const Owner& wanted, const std::optional<Owner>& owner) {
  if (!owner) return "is there already, and is not this volume's";
  if (owner->volume != wanted.volume) return "is volume " + owner->volume.str() + "'s";
  return "was made for an earlier claim with this uid, and may hold its data";
}

/// Makes the directory this making's. What is there must be its own already, and empty: no pod had it yet.
Result<bool> own_directory(const MakeVolumeDirectory& step, const VolumeBase& base) {
  Files& files = *base.files;
  const Owner wanted{step.volume, step.token};
  MOORING_TRY(auto owner, owner_of(step.directory, files));
  MOORING_TRY(const auto there, files.status(step.directory));
  const bool is_new = owner != wanted;
  if (there && is_new) return taken(base, step.directory, owner_text(wanted, owner));
  if (is_new) {
    // An earlier making whose data is gone, by whatever way, keeps nothing.
    if (owner && owner->volume == wanted.volume) {
      MOORING_TRY(let_go(step.directory, files));
    }
    MOORING_TRY(take(step.directory, wanted, files));
    MOORING_TRY(owner, owner_of(step.directory, files));
  }
  if (owner != wanted) return taken(base, step.directory, owner_text(wanted, owner));
  if (!there) {
    // After the stamp: of two that are made at one moment, one below the other, at least one sees the other.
    MOORING_TRY(const std::string relative, relative_with_owner(step.directory, files));
    if (relative.empty()) return is_new;
    MOORING_TRY(let_go(step.directory, files));
    return taken(base, step.directory, "would lie in or around " + relative + ", which is another volume's");
  }
  if (there->type != FileType::Directory) return taken(base, step.directory, "is no directory");
  MOORING_TRY(const auto entries, files.list(step.directory));
  if (entries.empty()) return is_new;
  return taken(base, step.directory, "holds data (" + quoted(entries.front().name) + ")");
}

Result<bool> make_path(const MakeVolumeDirectory& step, Files& files) {
  for (std::size_t slash = step.directory.find('/'); slash != std::string::npos;
       slash = step.directory.find('/', slash + 1)) {
    MOORING_TRY(files.make_directory(step.directory.substr(0, slash), between_mode));
  }
  MOORING_TRY(const bool is_made, files.make_directory(step.directory, step.mode));
  const std::size_t last = step.directory.rfind('/');
  MOORING_TRY(files.flush(last == std::string::npos ? "." : step.directory.substr(0, last)));
  return is_made;
}

/// True for a mount of a directory of the same export, or of what is below it.
bool is_of_directory(const MountFact& mount, const MountFact& server, const std::string& directory) {
  std::string source = server.source;
  while (source.ends_with('/'))
    source.pop_back();
  return mount.type.starts_with("nfs") && is_at_or_below(mount.source, source + "/" + directory);
}

/// The removal guard: nothing is mounted in the directory, and it is mounted nowhere.
Result<void> check_unused(const VolumeBase& base, const std::string& directory, kernel::Mounts& mounts) {
  const std::string path = absolute(base, directory);
  MOORING_TRY(const MountTable table, mounts.table());
  MOORING_TRY(check_nothing_mounted(table, path));
  MOORING_TRY(check_not_bound(table, path));
  if (!base.server) return success();
  for (const MountFact& mount : table.mounts()) {
    if (!is_of_directory(mount, *base.server, directory)) continue;
    return obstacle("StillMounted", mount.source + " is mounted at " + mount.mount_point, path,
                    "unmount it if nobody uses it; Mooring goes on by itself then");
  }
  return success();
}

/// What a removal finds.
enum class Found : std::uint8_t { Nothing, Own, OtherMaking };

/// Own: it is there, is this making's, and may be removed.
Result<Found> look_for(const VolumeBase& base, const std::string& directory, const Owner& wanted,
                       kernel::Mounts& mounts) {
  MOORING_TRY(const auto there, base.files->status(directory));
  if (!there) return Found::Nothing;
  MOORING_TRY(const auto owner, owner_of(directory, *base.files));
  if (owner && owner->volume == wanted.volume && owner != wanted) return Found::OtherMaking;
  if (there->type != FileType::Directory || owner != wanted) {
    Error error =
        refusal("NotMooringsDirectory",
                absolute(base, directory) + " is not what was made for volume " + wanted.volume.str() + ": " +
                    (owner == wanted ? "it is a " + std::string(to_string(there->type)) + " now"
                     : owner         ? "its stamp says volume " + owner->volume.str()
                                     : "it has no stamp"),
                "look at it, and remove it by hand if nobody needs it; Mooring goes on when it is gone");
    error.path = absolute(base, directory);
    return error;
  }
  MOORING_TRY(check_unused(base, directory, mounts));
  return Found::Own;
}

/// Renames a directory that is there. The return code is a hint: what is there no more was renamed.
Result<void> rename_away(const std::string& from, const std::string& to, Files& files) {
  const Result<void> moved = files.rename(from, to);
  if (moved) return moved;
  const auto there = files.status(from);
  return there && !there.value() ? Result<void>(success()) : moved;
}

Result<bool> clear_trash(const std::string& trash, Files& files) {
  MOORING_TRY(const auto there, files.status(trash));
  if (!there) return false;
  // First, so that the number of its project is free once its files are gone.
  MOORING_TRY(files.unlimit_directory(trash));
  MOORING_TRY(files.remove_tree(trash));
  return true;
}

Result<bool> forget(const std::string& memory, Files& files) {
  MOORING_TRY(const bool was_there, is_remembered(memory, files));
  if (was_there) {
    MOORING_TRY(files.remove_file(memory));
  }
  return was_there;
}

/// A name right below the base that nothing has.
Result<std::string> free_name(const std::string& wanted, Files& files) {
  constexpr int names_max = 10'000;
  for (int number = 1; number <= names_max; ++number) {
    std::string name = number == 1 ? wanted : wanted + "." + std::to_string(number);
    MOORING_TRY(const auto there, files.status(name));
    MOORING_TRY(const auto owner, files.status(layout::owners(name)));
    if (!there && !owner) return name;
  }
  return obstacle("NoFreeName", "there are too many directories called " + wanted, wanted,
                  "remove those that nobody needs");
}

}  // namespace

Result<bool> make_volume_directory(const MakeVolumeDirectory& step, kernel::Kernel kernel) {
  MOORING_TRY(check_names(step.base, step.directory, step.volume));
  MOORING_TRY(const bool was_made, is_remembered(step.memory, kernel.files));
  MOORING_TRY(const VolumeBase base, make_base(step.base, was_made, step.base_memory, kernel));
  MOORING_TRY(const bool is_owned, own_directory(step, base));
  // On disk before a pod writes anything.
  MOORING_TRY(const bool is_new, remember(step.memory, step.base, kernel.files));
  MOORING_TRY(const bool is_made, make_path(step, *base.files));
  return is_owned || is_new || is_made;
}

Result<bool> remove_volume_directory(const RemoveVolumeDirectory& step, kernel::Kernel kernel,
                                     Outcome& outcome) {
  MOORING_TRY(check_names(step.base, step.directory, step.volume));
  MOORING_TRY(const bool was_made, is_remembered(step.memory, kernel.files));
  MOORING_TRY(const bool is_known, is_remembered(step.base_memory, kernel.files));
  MOORING_TRY(const auto base, find_base(step.base, was_made || is_known, kernel));
  if (!base) return false;
  Files& files = *base->files;
  const Owner owner{step.volume, step.token};
  const std::string trash = layout::base_trash(step.volume);
  MOORING_TRY(const bool had_trash, clear_trash(trash, files));
  MOORING_TRY(const Found found, look_for(*base, step.directory, owner, kernel.mounts));
  if (found == Found::OtherMaking) {
    outcome.warnings.push_back(stays_text(absolute(*base, step.directory)));
    return had_trash;
  }
  if (found == Found::Own) {
    MOORING_TRY(files.make_directory(trash.substr(0, trash.rfind('/')), layout::private_mode));
    MOORING_TRY(rename_away(step.directory, trash, files));
    MOORING_TRY(clear_trash(trash, files));
  }
  MOORING_TRY(const bool had_stamp, let_go_own(step.directory, owner, files));
  MOORING_TRY(const bool had_memory, forget(step.memory, kernel.files));
  return had_trash || found == Found::Own || had_stamp || had_memory;
}

Result<bool> set_aside_volume_directory(const SetAsideVolumeDirectory& step, kernel::Kernel kernel,
                                        Outcome& outcome) {
  MOORING_TRY(check_names(step.base, step.directory, step.volume));
  MOORING_TRY(check_names(step.base, step.to, step.volume));
  if (step.to.find('/') != std::string::npos)
    return refusal("BadName", quoted(step.to) + " is not one name, and a directory is to be renamed to it");
  MOORING_TRY(const bool is_known, is_remembered(step.base_memory, kernel.files));
  MOORING_TRY(const auto base, find_base(step.base, is_known, kernel));
  if (!base) return false;
  const Owner owner{step.volume, step.token};
  MOORING_TRY(const Found found, look_for(*base, step.directory, owner, kernel.mounts));
  if (found == Found::OtherMaking) {
    outcome.warnings.push_back(stays_text(absolute(*base, step.directory)));
    return false;
  }
  if (found == Found::Own) {
    MOORING_TRY(const std::string to, free_name(step.to, *base->files));
    MOORING_TRY(rename_away(step.directory, to, *base->files));
  }
  MOORING_TRY(const bool had_stamp, let_go_own(step.directory, owner, *base->files));
  return found == Found::Own || had_stamp;
}

Result<bool> limit_volume_directory(const LimitDirectory& step, kernel::Kernel kernel) {
  MOORING_TRY(check_names(step.base, step.path, ObjectName("any")));
  MOORING_TRY(const VolumeBase base, open_base(step.base, kernel));
  return base.files->limit_directory(step.path, step.size_bytes);
}

}  // namespace mooring
