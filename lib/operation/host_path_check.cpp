#include "operation/host_path_check.h"

#include <cerrno>

namespace mooring {
namespace {

using kernel::FileType;

FileType wanted_type(HostPathType type) {
  switch (type) {
    case HostPathType::DirectoryOrCreate:
    case HostPathType::Directory:
      return FileType::Directory;
    case HostPathType::FileOrCreate:
    case HostPathType::File:
      return FileType::Regular;
    case HostPathType::Socket:
      return FileType::Socket;
    case HostPathType::CharDevice:
      return FileType::CharDevice;
    case HostPathType::BlockDevice:
      return FileType::BlockDevice;
    case HostPathType::Unset:
      break;
  }
  return FileType::Unknown;
}

Error refusal(const CheckHostPath& step, const std::string& what, std::string remedy) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "HostPathCheckFailed";
  error.message = "hostPath type check failed: " + what + ", and type " + std::string(to_string(step.type)) +
                  " asks for a " + std::string(kernel::to_string(wanted_type(step.type)));
  error.path = step.path;
  error.remedy = std::move(remedy);
  return error;
}

}  // namespace

Result<bool> check_host_path(const CheckHostPath& step, kernel::Files& files) {
  if (step.type == HostPathType::Unset) return false;
  const kernel::HostLocation location{step.path, step.confined_to};
  MOORING_TRY(const auto status, files.host_status(location));
  const FileType wanted = wanted_type(step.type);
  if (status) {
    if (status->type == wanted) return false;
    return refusal(step, "a " + std::string(kernel::to_string(status->type)) + " is there",
                   "correct hostPath.type or what is at the path");
  }
  if (step.type == HostPathType::DirectoryOrCreate) {
    MOORING_TRY(files.make_host_directory(location));
    return true;
  }
  if (step.type == HostPathType::FileOrCreate) {
    const Result<void> made = files.make_host_file(location);
    if (made) return true;
    if (made.error().errno_value != ENOENT) return made.error();
    return refusal(step, "nothing is there, nor is its directory, which FileOrCreate does not make",
                   "make the directory; Mooring goes on by itself then");
  }
  return refusal(step, "nothing is there", "make it; Mooring goes on by itself then");
}

}  // namespace mooring
