#include "provision/nfs_provisioner.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/quote.h"
#include "provision/common.h"
#include "provision/path_pattern.h"
#include "step/layout.h"
#include "step/reserved_paths.h"

namespace mooring {
namespace {

constexpr std::uint32_t directory_mode = 0777;

/// What becomes of a directory, as it is remembered.
constexpr const char* deleted = "delete";
constexpr const char* retained = "retain";
constexpr const char* archived = "archive";

/// "true" and "false" as Go's strconv.ParseBool knows them.
std::optional<bool> truth_of(std::string_view text) {
  constexpr std::array<std::string_view, 6> yes{"1", "t", "T", "TRUE", "true", "True"};
  constexpr std::array<std::string_view, 6> no{"0", "f", "F", "FALSE", "false", "False"};
  for (std::size_t i = 0; i < yes.size(); ++i) {
    if (text == yes[i]) return true;
    if (text == no[i]) return false;
  }
  return std::nullopt;
}

/// onDelete counts if it says `delete` or `retain`; else archiveOnDelete, which is true if it is left out.
Result<std::string> end_of(const manifest::StorageClass& storage_class) {
  const std::string on_delete = parameter(storage_class, "onDelete");
  if (on_delete == deleted || on_delete == retained) return on_delete;
  const auto archive = storage_class.parameters.find("archiveOnDelete");
  if (archive == storage_class.parameters.end()) return std::string(archived);
  const std::optional<bool> is_archived = truth_of(archive->second);
  if (is_archived) return std::string(*is_archived ? archived : deleted);
  return invalid_parameters(storage_class,
                            "archiveOnDelete " + quoted(archive->second) + " is neither true nor false",
                            "write \"true\" or \"false\", with quotes");
}

/// The helper must not take it for one of its options.
bool is_server(std::string_view server) {
  return !server.empty() && !server.starts_with('-') &&
         server.find_first_of("/ \t\n") == std::string_view::npos;
}

/// `<namespace>-<claim>-<volume>`, or what the pattern says.
Result<std::string> directory_of(const ProvisionRequest& request) {
  MOORING_TRY(const std::string asked,
              directory_of_pattern(parameter(request.storage_class, "pathPattern"), request.claim));
  if (!asked.empty()) return asked;
  const manifest::PersistentVolumeClaim& claim = request.claim;
  std::string name = claim.key.name_space.str() + "-" + claim.key.name.str() + "-" + request.volume.str();
  if (layout::is_volume_directory(name)) return name;
  return refusal("InvalidPath",
                 "claim " + claim.key.text() + ": " + quoted(name) + " cannot be the name of a directory",
                 "give the claim a shorter name, or its StorageClass a pathPattern");
}

/// The last element of a path.
std::string last_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

}  // namespace

Result<ProvisionedVolume> NfsProvisioner::provision(const ProvisionRequest& request) const {
  MOORING_TRY(check_request(request, {"pathPattern", "onDelete", "archiveOnDelete"}));
  if (request.claim.volume_mode == manifest::VolumeMode::Block) {
    return refusal("VolumeModeUnsupported",
                   "claim " + request.claim.key.text() + " wants a raw block device, and " + name() +
                       " makes directories on a server",
                   "use a StorageClass of the provisioner block.mooring.io");
  }
  if (!is_server(export_.server) || !is_clean_absolute(export_.path)) {
    return refusal("InvalidExport",
                   "the provisioner " + name() + " needs a server and a clean absolute path, not " +
                       quoted(export_.server) + " and " + quoted(export_.path),
                   "correct it in the configuration (nfsProvisioners)");
  }
  const std::vector<std::string>& options = request.storage_class.mount_options;
  if (std::find(options.begin(), options.end(), "bg") != options.end()) {
    return invalid_parameters(request.storage_class,
                              "with the mount option bg nobody knows when it is mounted",
                              "leave it out: Mooring itself tries again until the server answers");
  }
  MOORING_TRY(const std::string end, end_of(request.storage_class));
  MOORING_TRY(const std::string directory, directory_of(request));
  manifest::PersistentVolume volume = new_volume(request, name());
  const std::string parent = export_.path == "/" ? std::string() : export_.path;
  volume.source = manifest::NfsSource{export_.server, parent + "/" + directory, false};
  // The configuration may name another export when the volume is removed: its directory is on this one.
  return provisioned(
      std::move(volume), request,
      {{"server", export_.server}, {"path", export_.path}, {"directory", directory}, {"onDelete", end}});
}

namespace {

std::string source_of(const ProvisionedVolume& volume) {
  return nfs_source(remembered(volume, "server"), remembered(volume, "path"));
}

MountNetwork mount_export(const ProvisionedVolume& volume, const std::string& place,
                          const std::vector<std::string>& options) {
  return {place, "nfs", source_of(volume), nfs_options(options), false};
}

}  // namespace

ProvisionWork NfsProvisioner::make(const ProvisionedVolume& volume) const {
  const std::string place = nfs_mount_place(volume.volume.name);
  return {{mount_export(volume, place, export_.mount_options),
           MakeVolumeDirectory{place,
                               remembered(volume, "directory"),
                               volume.volume.name,
                               directory_mode,
                               {},
                               token_of(volume),
                               export_memory(source_of(volume))},
           UnmountNetwork{place}, RemoveDirectory{place}}};
}

ProvisionWork NfsProvisioner::remove(const ProvisionedVolume& volume) const {
  const std::string place = nfs_mount_place(volume.volume.name);
  const std::string directory = remembered(volume, "directory");
  const std::string end = remembered(volume, "onDelete");
  ProvisionWork work;
  // What is retained needs no server; a mount that a failed make left is taken away in any case.
  if (end == deleted || end == archived)
    work.steps.emplace_back(mount_export(volume, place, export_.mount_options));
  if (end == deleted)
    work.steps.emplace_back(RemoveVolumeDirectory{
        place, directory, volume.volume.name, {}, token_of(volume), export_memory(source_of(volume))});
  if (end == archived) {
    work.steps.emplace_back(SetAsideVolumeDirectory{place, directory, volume.volume.name,
                                                    "archived-" + last_of(directory), token_of(volume),
                                                    export_memory(source_of(volume))});
  }
  work.steps.emplace_back(UnmountNetwork{place});
  work.steps.emplace_back(RemoveDirectory{place});
  return work;
}

ProvisionWork NfsProvisioner::grow(const ProvisionedVolume&) const {
  return {};
}

}  // namespace mooring
