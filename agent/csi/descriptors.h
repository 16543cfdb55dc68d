#pragma once

#include <cstddef>

namespace mooring::csi_call {

/// A serialized google.protobuf.FileDescriptorSet of the files in agent/csi/proto and all that they import,
/// made by protoc when this is built.
extern const unsigned char descriptor_set[];
extern const std::size_t descriptor_set_size;

}  // namespace mooring::csi_call
