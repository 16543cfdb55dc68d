#include "manifest/words.h"

namespace mooring::manifest {

std::string_view to_string(VolumeMode mode) {
  return mode == VolumeMode::Block ? "Block" : "Filesystem";
}

std::string_view to_string(AccessMode mode) {
  switch (mode) {
    case AccessMode::ReadWriteOnce:
      return "ReadWriteOnce";
    case AccessMode::ReadOnlyMany:
      return "ReadOnlyMany";
    case AccessMode::ReadWriteMany:
      return "ReadWriteMany";
    case AccessMode::ReadWriteOncePod:
      break;
  }
  return "ReadWriteOncePod";
}

std::string_view to_string(ReclaimPolicy policy) {
  switch (policy) {
    case ReclaimPolicy::Retain:
      return "Retain";
    case ReclaimPolicy::Delete:
      return "Delete";
    case ReclaimPolicy::Recycle:
      break;
  }
  return "Recycle";
}

std::string_view to_string(BindingMode mode) {
  return mode == BindingMode::Immediate ? "Immediate" : "WaitForFirstConsumer";
}

}  // namespace mooring::manifest
