#include "kernel/file_system_mount.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include "kernel/errors.h"

namespace mooring::kernel {
namespace {

using Names = std::initializer_list<std::string_view>;

bool is_one_of(std::string_view option, Names names) {
  return std::find(names.begin(), names.end(), option.substr(0, option.find('='))) != names.end();
}

bool changes_the_request(std::string_view option) {
  return is_one_of(option, {"bind", "rbind", "move", "remount", "loop", "offset", "sizelimit"});
}

/// What mount(8) reads itself and neither the kernel nor a helper understands.
bool is_for_fstab(std::string_view option) {
  return option.starts_with("x-") || option.starts_with("X-") ||
         is_one_of(option, {"auto", "noauto", "nofail", "_netdev", "user", "nouser", "users", "owner",
                            "group", "comment", "defaults"});
}

std::string what_of(const FileSystemMount& request) {
  return "cannot mount " + request.source + " (" + request.type + ")";
}

}  // namespace

Result<void> check_mount_options(const FileSystemMount& request) {
  for (const std::string& option : request.options) {
    if (!changes_the_request(option)) continue;
    Error error = refusal(
        "InvalidMountOptions",
        what_of(request) + ": the mount option " + option + " asks for something else than to mount it",
        "leave it out of spec.mountOptions");
    error.path = request.target;
    return error;
  }
  return success();
}

std::vector<std::string> mount_options_of(const FileSystemMount& request) {
  std::vector<std::string> options;
  std::copy_if(request.options.begin(), request.options.end(), std::back_inserter(options),
               [](const std::string& option) { return !option.empty() && !is_for_fstab(option); });
  if (!request.is_read_only) return options;
  std::erase_if(options, [](const std::string& option) { return option == "ro" || option == "rw"; });
  options.emplace_back("ro");
  return options;
}

std::string_view package_of_helper(std::string_view type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> packages{{{"nfs", "nfs-common"},
                                                                                   {"nfs4", "nfs-common"},
                                                                                   {"cifs", "cifs-utils"},
                                                                                   {"smb3", "cifs-utils"},
                                                                                   {"ceph", "ceph-common"}}};
  for (const auto& [helped, package] : packages) {
    if (helped == type) return package;
  }
  return {};
}

Error helper_missing(const FileSystemMount& request) {
  const std::string package(package_of_helper(request.type));
  Error error = refusal("MountHelperMissing",
                        what_of(request) + ": Required binary /sbin/mount." + request.type + " is missing",
                        "install the package " + package + ", with `apt install " + package + "`");
  error.path = request.target;
  return error;
}

Error helper_failed(const FileSystemMount& request, std::string words) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "MountFailed";
  error.message = what_of(request) + ": " + std::move(words);
  error.path = request.target;
  return error;
}

Error mount_refused(const FileSystemMount& request, int errno_value) {
  Error error = mount_error(what_of(request) + " on", request.target, errno_value);
  if (errno_value == EINVAL) {
    error.remedy = "wrong fs type, bad option or bad superblock: the kernel's log says which (dmesg)";
  } else if (errno_value == ENOENT || errno_value == ENOTBLK) {
    error.remedy = "see whether " + request.source + " is there and is a block device";
  } else if (errno_value == EBUSY) {
    error.remedy = "it is mounted already, or another program holds it";
  }
  return error;
}

}  // namespace mooring::kernel
