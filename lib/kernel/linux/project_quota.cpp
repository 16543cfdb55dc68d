#include "kernel/linux/project_quota.h"

#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "kernel/errors.h"
#include "kernel/linux/directory_walk.h"
#include "kernel/project_ids.h"

namespace mooring::kernel {
namespace {

int quota_call(int directory, unsigned command, std::uint32_t project, void* address) {
  return static_cast<int>(syscall(SYS_quotactl_fd, directory, QCMD(command, PRJQUOTA), project, address));
}

/// What kernels and file systems without project quotas say, and a worker that may not ask.
bool is_no_quota(int errno_value) {
  return errno_value == ENOSYS || errno_value == EINVAL || errno_value == ESRCH ||
         errno_value == EOPNOTSUPP || errno_value == ENOTTY || errno_value == EPERM;
}

Result<bool> is_enforcing(int directory, const std::string& path) {
  fs_quota_statv state{};
  state.qs_version = FS_QSTATV_VERSION1;
  if (quota_call(directory, Q_XGETQSTATV, 0, &state) == 0) return (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
  if (is_no_quota(errno)) return false;
  return file_error("cannot read the state of the quotas at", path, errno);
}

Result<std::optional<fsxattr>> attributes_of(int directory, const std::string& path) {
  fsxattr attributes{};
  if (ioctl(directory, FS_IOC_FSGETXATTR, &attributes) == 0) return std::optional(attributes);
  if (is_no_quota(errno)) return std::optional<fsxattr>();
  return file_error("cannot read the project of", path, errno);
}

bool has_own_project(const fsxattr& attributes) {
  return is_own_project(attributes.fsx_projid) && (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT) != 0;
}

/// nullopt: nobody counts. A project that was never used has nothing.
Result<std::optional<if_dqblk>> quota_of(int directory, const std::string& path, std::uint32_t project) {
  if_dqblk quota{};
  if (quota_call(directory, Q_GETQUOTA, project, &quota) == 0) return std::optional(quota);
  if (errno == ENOENT) return std::optional(if_dqblk{});
  if (is_no_quota(errno)) return std::optional<if_dqblk>();
  return file_error("cannot read the quota of", path, errno);
}

bool is_unused(const if_dqblk& quota) {
  return quota.dqb_curspace == 0 && quota.dqb_curinodes == 0 && quota.dqb_bhardlimit == 0 &&
         quota.dqb_bsoftlimit == 0 && quota.dqb_ihardlimit == 0 && quota.dqb_isoftlimit == 0;
}

constexpr std::uint64_t limit_unit_bytes = 1024;  // QIF_DQBLKSIZE

std::uint64_t in_units(std::uint64_t bytes) {
  return bytes / limit_unit_bytes + (bytes % limit_unit_bytes != 0 ? 1 : 0);
}

Result<void> set_limit(int directory, const std::string& path, std::uint32_t project, std::uint64_t units) {
  if_dqblk quota{};
  quota.dqb_bhardlimit = units;
  quota.dqb_valid = QIF_BLIMITS;
  if (quota_call(directory, Q_SETQUOTA, project, &quota) == 0) return success();
  return file_error("cannot set the quota of", path, errno);
}

/// Gives the new directory a project that nobody has. False: the file system cannot.
Result<bool> take_project(int directory, const std::string& path, fsxattr& attributes) {
  attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
  for (std::uint32_t attempt = 0; attempt < project_attempts_max; ++attempt) {
    attributes.fsx_projid = project_candidate(path, attempt);
    MOORING_TRY(const auto before, quota_of(directory, path, attributes.fsx_projid));
    if (!before) return false;
    if (!is_unused(*before)) continue;
    if (ioctl(directory, FS_IOC_FSSETXATTR, &attributes) != 0) {
      if (is_no_quota(errno)) return false;
      return file_error("cannot set the project of", path, errno);
    }
    // From now on the project has one inode, this directory; with more another worker took it meanwhile.
    MOORING_TRY(const auto after, quota_of(directory, path, attributes.fsx_projid));
    if (after && after->dqb_curinodes <= 1) return true;
  }
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "NoFreeProject";
  error.message = "no project is free for the quota of " + path;
  error.path = path;
  error.remedy = "see what uses projects from " + std::to_string(own_project_first) +
                 " up (repquota -P, xfs_quota -x -c 'report -p'); Mooring tries others then";
  return error;
}

}  // namespace

Result<bool> limit_project(int directory, const std::string& path, std::uint64_t size_bytes) {
  MOORING_TRY(const bool is_on, is_enforcing(directory, path));
  if (!is_on) return false;
  MOORING_TRY(auto attributes, attributes_of(directory, path));
  if (!attributes) return false;
  if (!has_own_project(*attributes)) {
    // Somebody's project on all that Mooring makes is a limit too, which would not count this directory.
    if (attributes->fsx_projid != 0) return false;
    // Files that are there already would not count, and one could not be renamed to another.
    MOORING_TRY(const bool is_empty, is_empty_directory(directory, path));
    if (!is_empty) return false;
    MOORING_TRY(const bool is_taken, take_project(directory, path, *attributes));
    if (!is_taken) return false;
  }
  MOORING_TRY(const auto quota, quota_of(directory, path, attributes->fsx_projid));
  if (!quota || quota->dqb_bhardlimit == in_units(size_bytes)) return false;
  MOORING_TRY(set_limit(directory, path, attributes->fsx_projid, in_units(size_bytes)));
  return true;
}

Result<bool> unlimit_project(int directory, const std::string& path) {
  MOORING_TRY(const auto attributes, attributes_of(directory, path));
  if (!attributes || !has_own_project(*attributes)) return false;
  MOORING_TRY(const auto quota, quota_of(directory, path, attributes->fsx_projid));
  if (!quota || quota->dqb_bhardlimit == 0) return false;
  MOORING_TRY(set_limit(directory, path, attributes->fsx_projid, 0));
  return true;
}

Result<std::optional<DirectoryUsage>> project_usage(int directory, const std::string& path) {
  using Answer = std::optional<DirectoryUsage>;
  MOORING_TRY(const auto attributes, attributes_of(directory, path));
  if (!attributes || !has_own_project(*attributes)) return Answer();
  MOORING_TRY(const auto quota, quota_of(directory, path, attributes->fsx_projid));
  if (!quota) return Answer();
  MOORING_TRY(const bool is_on, is_enforcing(directory, path));
  return Answer({quota->dqb_curspace, quota->dqb_curinodes, is_on && quota->dqb_bhardlimit != 0});
}

}  // namespace mooring::kernel
