#include "facts/device.h"

namespace mooring {

std::string DeviceName::text() const {
  switch (kind) {
    case Kind::Path:
      return value;
    case Kind::Uuid:
      return "the file system with the UUID " + value;
    case Kind::Label:
      return "the file system with the label " + value;
    case Kind::Wwid:
      return "the device with the WWID " + value;
    case Kind::Image:
      return "image " + value;
    case Kind::Csi:
      return "CSI volume " + value;
  }
  return value;
}

}  // namespace mooring
