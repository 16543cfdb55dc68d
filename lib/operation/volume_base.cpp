#include "operation/volume_base.h"

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/quote.h"
#include "operation/device_checks.h"
#include "step/layout.h"
#include "step/reserved_paths.h"

namespace mooring {
namespace {

constexpr std::uint32_t own_mode = 0700;
constexpr std::uint32_t stamp_mode = 0600;
constexpr std::uint32_t memory_mode = 0640;
constexpr std::size_t owner_stamp_size_max = 8192;

Error at(std::string path, Error error) {
  error.path = std::move(path);
  return error;
}

bool is_absent(const Error& error) {
  return error.errno_value == ENOENT;
}

Error base_missing(const std::string& base, const std::optional<MountFact>& server) {
  const std::string& place = server ? server->source : base;
  const std::string marker(layout::base_private);
  const std::string cause = server ? "see whether the server has mounted the file system of it"
                                   : "mount the file system that it lies on";
  return obstacle(
      "BaseMissing", "volumes were made in " + place + ", and now it is missing or holds no " + marker, base,
      cause + "; if that is gone for ever, or volumes are to be made without it, make the directory " +
          place + "/" + marker + " by hand");
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

/// An owner's stamp at or below a directory of stamps; empty: there is none. Crashes leave empty directories.
Result<std::string> owner_below(const std::string& directory, kernel::Files& files) {
  const auto entries = files.list(layout::owners(directory));
  if (!entries) {
    if (is_absent(entries.error())) return std::string();
    return entries.error();
  }
  for (const auto& entry : entries.value()) {
    if (entry.type != kernel::FileType::Directory) continue;
    const std::string below = directory + "/" + entry.name;
    MOORING_TRY(const auto stamp, files.status(layout::owner_stamp(below)));
    if (stamp) return below;
    MOORING_TRY(std::string deeper, owner_below(below, files));
    if (!deeper.empty()) return deeper;
  }
  return std::string();
}

}  // namespace

Result<void> check_base_name(const std::string& base) {
  const bool is_good =
      base.starts_with('/') ? is_clean_absolute(base) && base != "/" : is_clean_relative(base);
  if (is_good) return success();
  return at(base,
            refusal("BadName", mooring::quoted(base) + " is no place for volumes: it is not written cleanly",
                    "see what the StorageClass and the configuration say"));
}

Result<void> check_names(const std::string& base, const std::string& directory, const ObjectName& volume) {
  MOORING_TRY(check_base_name(base));
  if (!layout::is_volume_directory(directory)) {
    return at(
        base + "/" + directory,
        refusal("BadName",
                mooring::quoted(directory) + " is no directory that a volume may have: it leads elsewhere",
                "remove the volume by hand; what is remembered of it is not what Mooring wrote"));
  }
  if (layout::is_path_element(volume.str())) return success();
  return refusal("BadName", mooring::quoted(volume.str()) + " is not the name of a volume");
}

Result<VolumeBase> open_base(const std::string& base, kernel::Kernel kernel) {
  VolumeBase opened;
  if (base.starts_with('/')) {
    MOORING_TRY(opened.files, kernel.files.inside_host(base));
  } else {
    MOORING_TRY(opened.server, kernel.mounts.listed_at(base));
    if (!opened.server) {
      return obstacle("NotMounted", "the export that the volume lies in is not mounted", base,
                      "see whether somebody unmounts it; Mooring tries again");
    }
    MOORING_TRY(opened.files, kernel.files.inside(base));
  }
  MOORING_TRY(opened.path, opened.files->own_path());
  return opened;
}

Result<bool> is_remembered(const std::string& memory, kernel::Files& files) {
  if (memory.empty()) return false;
  MOORING_TRY(const auto status, files.status(memory));
  return status.has_value();
}

Result<bool> remember(const std::string& memory, const std::string& what, kernel::Files& files) {
  if (memory.empty()) return false;
  const std::string directory = parent_of(memory);
  MOORING_TRY(files.make_directory(directory, layout::private_mode));
  MOORING_TRY(const bool is_new, files.create_file(memory, what + "\n", memory_mode));
  if (!is_new) return false;
  MOORING_TRY(files.flush(memory));
  MOORING_TRY(files.flush(directory));
  return true;
}

Result<VolumeBase> make_base(const std::string& base, bool was_made, const std::string& memory,
                             kernel::Kernel kernel) {
  MOORING_TRY(const bool is_known, is_remembered(memory, kernel.files));
  const bool must_be_there = was_made || is_known;
  Result<VolumeBase> opened = open_base(base, kernel);
  if (!opened && !is_absent(opened.error())) return opened;
  if (!opened) {
    if (must_be_there) return base_missing(base, std::nullopt);
    const std::string parent = parent_of(base);
    if (!parent.empty()) {
      MOORING_TRY(kernel.files.make_host_directory({parent, std::nullopt}));
    }
    MOORING_TRY(const auto above, kernel.files.inside_host(parent.empty() ? "/" : parent));
    MOORING_TRY(above->make_directory(base.substr(parent.size() + 1), layout::private_mode));
    MOORING_TRY(above->flush("."));
    opened = open_base(base, kernel);
  }
  if (!opened) return opened;
  VolumeBase& there = opened.value();
  if (const std::string_view why = why_reserved(there.path); !why.empty()) {
    return at(base, refusal("SystemDirectory",
                            there.path + " " + std::string(why) + ": volumes have no place in it",
                            "name a directory of its own for the volumes"));
  }
  const std::string marker(layout::base_private);
  MOORING_TRY(const auto marked, there.files->status(marker));
  if (!marked && must_be_there) return base_missing(base, there.server);
  MOORING_TRY(there.files->make_directory(marker, own_mode));
  if (!is_known && !memory.empty()) {
    // After the marker, on disk: remembered without it the base would be missing for ever.
    MOORING_TRY(there.files->flush("."));
    MOORING_TRY(remember(memory, there.server ? there.server->source : base, kernel.files));
  }
  return opened;
}

Result<std::optional<VolumeBase>> find_base(const std::string& base, bool was_made, kernel::Kernel kernel) {
  using Answer = std::optional<VolumeBase>;
  Result<VolumeBase> opened = open_base(base, kernel);
  if (!opened && !is_absent(opened.error())) return std::move(opened).error();
  bool is_base = false;
  if (opened) {
    MOORING_TRY(const auto marked, opened.value().files->status(std::string(layout::base_private)));
    is_base = marked.has_value();
  }
  if (!is_base && was_made) return base_missing(base, opened ? opened.value().server : std::nullopt);
  if (!opened) return Answer();
  return Answer(std::move(opened).value());
}

std::string stays_text(const std::string& path) {
  return mooring::quoted_if_needed(path) +
         " was not made for this claim; it stays: see whose the data is, and remove it by hand if nobody "
         "needs "
         "it";
}

std::string encode_owner(const Owner& owner, const std::string& directory) {
  const std::string token = owner.token.empty() ? "" : R"(,"token":)" + json_string(owner.token);
  return R"({"version":1,"volume":)" + json_string(owner.volume.str()) + R"(,"directory":)" +
         json_string(directory) + token + "}\n";
}

std::optional<Owner> decode_owner(std::string_view bytes) {
  const nlohmann::json document = nlohmann::json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return std::nullopt;
  const auto version = document.find("version");
  const auto volume = document.find("volume");
  if (version == document.end() || !version->is_number_integer() || *version != 1) return std::nullopt;
  if (volume == document.end() || !volume->is_string()) return std::nullopt;
  const auto token = document.find("token");
  if (token == document.end()) return Owner{ObjectName(volume->get<std::string>()), {}};
  if (!token->is_string()) return std::nullopt;
  return Owner{ObjectName(volume->get<std::string>()), token->get<std::string>()};
}

Result<std::optional<Owner>> owner_of(const std::string& directory, kernel::Files& files) {
  const std::string path = layout::owner_stamp(directory);
  const Result<std::string> bytes = files.read_file(path, owner_stamp_size_max);
  if (!bytes && is_absent(bytes.error())) return std::optional<Owner>();
  if (!bytes && bytes.error().reason != "TooLarge") return bytes.error();
  std::optional<Owner> owner;
  if (bytes) owner = decode_owner(bytes.value());
  if (owner) return owner;
  return at(path, refusal("BadOwnerStamp",
                          "the stamp that says whose " + mooring::quoted(directory) + " is cannot be read",
                          "see whose the data is; if it is nobody's, remove it and the stamp"));
}

Result<bool> take(const std::string& directory, const Owner& owner, kernel::Files& files) {
  const std::string path = layout::owner_stamp(directory);
  MOORING_TRY(files.make_directory(layout::owners(directory), own_mode));
  MOORING_TRY(const bool is_made, files.create_file(path, encode_owner(owner, directory), stamp_mode));
  MOORING_TRY(files.flush(path));
  MOORING_TRY(files.flush(layout::owners(directory)));
  return is_made;
}

Result<void> let_go(const std::string& directory, kernel::Files& files) {
  const auto entries = files.list(layout::owners(directory));
  if (!entries && !is_absent(entries.error())) return entries.error();
  // Besides the stamp there may be one that was being written when its writer died.
  const std::string leftover = "." + std::string(layout::owner_stamp_name) + ".";
  for (std::size_t i = 0; entries && i < entries.value().size(); ++i) {
    const std::string& name = entries.value()[i].name;
    if (name != layout::owner_stamp_name && !(name.starts_with(leftover) && name.ends_with(".new"))) continue;
    MOORING_TRY(files.remove_file(layout::owners(directory) + "/" + name));
  }
  for (std::string path = directory; !path.empty(); path = parent_of(path)) {
    const Result<void> removed = files.remove_directory(layout::owners(path));
    if (!removed && removed.error().errno_value == ENOTEMPTY) return success();
    if (!removed) return removed;
  }
  return success();
}

Result<bool> let_go_own(const std::string& directory, const Owner& owner, kernel::Files& files) {
  MOORING_TRY(const auto found, owner_of(directory, files));
  if (found && found != owner) return false;
  MOORING_TRY(let_go(directory, files));
  return found.has_value();
}

Result<std::string> relative_with_owner(const std::string& directory, kernel::Files& files) {
  for (std::string above = parent_of(directory); !above.empty(); above = parent_of(above)) {
    MOORING_TRY(const auto stamp, files.status(layout::owner_stamp(above)));
    if (stamp) return above;
  }
  return owner_below(directory, files);
}

}  // namespace mooring
