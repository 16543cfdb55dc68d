#include "kernel/files.h"

namespace mooring::kernel {

std::string_view to_string(FileType type) {
  switch (type) {
    case FileType::Regular:
      return "file";
    case FileType::Directory:
      return "directory";
    case FileType::SymbolicLink:
      return "symbolic link";
    case FileType::Socket:
      return "socket";
    case FileType::Fifo:
      return "fifo";
    case FileType::CharDevice:
      return "character device";
    case FileType::BlockDevice:
      return "block device";
    case FileType::Unknown:
      break;
  }
  return "file of an unknown kind";
}

}  // namespace mooring::kernel
