// Opening a part of a volume: the race between who prepares a mount and who owns the volume's content
// (CVE-2017-1002101, CVE-2021-25741) cannot be won by the latter, because every step goes on from a
// descriptor of the one before it and the kernel itself refuses to leave the volume.

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "kernel/errors.h"
#include "kernel/linux/host_lookup.h"
#include "kernel/linux/linux_files.h"
#include "kernel/linux/lookup.h"
#include "kernel/linux/open_file.h"
#include "kernel/linux/uapi.h"

namespace mooring::kernel {
namespace {

/// Inside the volume: links are followed as long as they stay in it.
constexpr std::uint64_t within = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
constexpr std::uint32_t others_may_write = 0022;

class Opener {
 public:
  Opener(Descriptor volume, const SubPathLocation& location)
      : volume_(std::move(volume)), location_(location) {
    if (location.host && location.host->confined_to) resolve_ |= RESOLVE_NO_XDEV;
  }

  Result<std::unique_ptr<OpenFile>> run();

 private:
  Descriptor open_part(const std::string& path, int flags) const;
  Result<Descriptor> create();
  Error failure(const std::string& path, int errno_value) const;

  Descriptor volume_;
  const SubPathLocation& location_;
  std::uint64_t resolve_ = within;
};

Descriptor Opener::open_part(const std::string& path, int flags) const {
  return Descriptor(uapi::openat2(volume_.get(), path.empty() ? "." : path.c_str(),
                                  static_cast<std::uint64_t>(flags) | O_PATH | O_CLOEXEC, 0, resolve_));
}

Error Opener::failure(const std::string& path, int errno_value) const {
  return sub_path_error(path, errno_value, (resolve_ & RESOLVE_NO_XDEV) != 0);
}

Result<std::unique_ptr<OpenFile>> Opener::run() {
  Descriptor found = open_part(location_.path, 0);
  if (!found && errno == ENOENT && location_.may_create) {
    MOORING_TRY(found, create());
  }
  if (!found) return failure(location_.path, errno);
  FileStatus status;
  if (!read_status(found.get(), "", status)) return failure(location_.path, errno);
  return std::unique_ptr<OpenFile>(std::make_unique<LinuxOpenFile>(std::move(found), status));
}

std::string random_name() {
  std::uint64_t number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return {};
  return ".mooring-" + std::to_string(number);
}

/// Makes the directory `name` with a mode that mkdir does not give: inside one that nobody else may enter,
/// and moves it from there. In its own place it could not be told from another one that was put there in the
/// meantime. errno, or 0.
int make_inside(int parent, const std::string& inside, const std::string& name, mode_t mode) {
  const Descriptor closed = open_beneath(parent, inside, O_PATH | O_DIRECTORY);
  struct stat status {};
  if (!closed || fstat(closed.get(), &status) != 0) return errno;
  if (status.st_uid != geteuid() || (status.st_mode & 0077U) != 0) return EPERM;
  if (mkdirat(closed.get(), name.c_str(), 0700) != 0) return EPERM;
  const Descriptor made = open_beneath(closed.get(), name, O_RDONLY | O_DIRECTORY);
  if (made && fchmod(made.get(), mode) == 0 &&
      renameat2(closed.get(), name.c_str(), parent, name.c_str(), RENAME_NOREPLACE) == 0) {
    return 0;
  }
  const int errno_value = errno;
  unlinkat(closed.get(), name.c_str(), AT_REMOVEDIR);
  return errno_value;
}

/// Makes a directory of this mode. Never changes the mode by the name: another directory may bear it by then,
/// one that is nobody's business. errno, or 0.
int make_with_mode(int parent, const std::string& name, mode_t mode) {
  struct stat status {};
  if (fstat(parent, &status) != 0) return errno;
  const mode_t given = (mode & 01777U) | (status.st_mode & S_ISGID);  // What mkdir makes of it.
  const std::string inside = given == mode ? std::string() : random_name();
  if (!inside.empty() && mkdirat(parent, inside.c_str(), 0700) == 0) {
    const int errno_value = make_inside(parent, inside, name, mode);
    unlinkat(parent, inside.c_str(), AT_REMOVEDIR);
    if (errno_value == 0 || errno_value == EEXIST) return errno_value;
  }
  // Where that cannot be done (a server with other users, a file system without RENAME_NOREPLACE) the set-id
  // bits are as the parent hands them on.
  return mkdirat(parent, name.c_str(), mode) == 0 ? 0 : errno;
}

/// Makes what is missing: from the longest part that is there, element by element, each opened without
/// following anything before the next is made in it.
Result<Descriptor> Opener::create() {
  std::string there = location_.path;
  Descriptor at;
  while (!at) {
    const std::size_t slash = there.rfind('/');
    there = slash == std::string::npos ? std::string() : there.substr(0, slash);
    at = open_part(there, O_DIRECTORY);
    if (!at && errno != ENOENT) return failure(there, errno);
    if (!at && there.empty()) return failure(there, ENOENT);
  }
  struct stat root {};
  if (fstat(volume_.get(), &root) != 0) return failure("", errno);
  std::string_view rest = std::string_view(location_.path).substr(there.empty() ? 0 : there.size() + 1);
  while (!rest.empty()) {
    const std::size_t slash = rest.find('/');
    const std::string name(rest.substr(0, slash));
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    there += (there.empty() ? "" : "/") + name;
    const mode_t mode = root.st_mode & 07777U;
    int made = 0;
    if (rest.empty()) {
      made = make_with_mode(at.get(), name, mode);
    } else if (mkdirat(at.get(), name.c_str(), (mode & 0777U) & ~mode_t{others_may_write}) != 0) {
      made = errno;
    }
    if (made != 0 && made != EEXIST) return failure(there, made);
    Descriptor next = open_beneath(at.get(), name, O_PATH | O_DIRECTORY);
    if (!next) return failure(there, errno);
    at = std::move(next);
  }
  return at;
}

}  // namespace

Result<std::unique_ptr<OpenFile>> LinuxFiles::open_sub_path(const SubPathLocation& location) {
  if (location.host) {
    MOORING_TRY(const HostLookup lookup, start_host_lookup(*location.host));
    Descriptor volume = open_host(lookup, lookup.relative, O_PATH);
    if (!volume) return host_error("cannot open", location.host->path, errno, lookup.is_confined);
    return Opener(std::move(volume), location).run();
  }
  MOORING_TRY(const Place place, place_of(root_, location.volume));
  Descriptor volume(openat(place.directory, place.name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!volume) return file_error("cannot open", location.volume, errno);
  return Opener(std::move(volume), location).run();
}

}  // namespace mooring::kernel
