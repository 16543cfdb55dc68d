#include "csi/names.h"

#include "base/sha256.h"

namespace mooring::csi {

std::string inline_handle(const PodUid& pod, const VolumeName& volume) {
  return "csi-" + sha256_hex(pod.str() + volume.str());
}

std::string attachment_id(std::string_view handle, const DriverName& driver, const NodeName& node) {
  return "csi-" + sha256_hex(std::string(handle) + driver.str() + node.str());
}

std::string_view to_string(CsiAccessMode mode) {
  switch (mode) {
    case CsiAccessMode::SingleNodeWriter:
      return "SINGLE_NODE_WRITER";
    case CsiAccessMode::SingleNodeReaderOnly:
      return "SINGLE_NODE_READER_ONLY";
    case CsiAccessMode::MultiNodeReaderOnly:
      return "MULTI_NODE_READER_ONLY";
    case CsiAccessMode::MultiNodeSingleWriter:
      return "MULTI_NODE_SINGLE_WRITER";
    case CsiAccessMode::MultiNodeMultiWriter:
      return "MULTI_NODE_MULTI_WRITER";
    case CsiAccessMode::SingleNodeSingleWriter:
      return "SINGLE_NODE_SINGLE_WRITER";
    case CsiAccessMode::SingleNodeMultiWriter:
      return "SINGLE_NODE_MULTI_WRITER";
  }
  return "UNKNOWN";
}

CsiAccessMode access_mode(ClaimedAccess access, bool has_multi_writer) {
  switch (access) {
    case ClaimedAccess::ReadWriteOnce:
      return has_multi_writer ? CsiAccessMode::SingleNodeMultiWriter : CsiAccessMode::SingleNodeWriter;
    case ClaimedAccess::ReadWriteOncePod:
      return has_multi_writer ? CsiAccessMode::SingleNodeSingleWriter : CsiAccessMode::SingleNodeWriter;
    case ClaimedAccess::ReadOnlyMany:
      return CsiAccessMode::MultiNodeReaderOnly;
    case ClaimedAccess::ReadWriteMany:
      return CsiAccessMode::MultiNodeMultiWriter;
  }
  return CsiAccessMode::SingleNodeWriter;
}

}  // namespace mooring::csi
