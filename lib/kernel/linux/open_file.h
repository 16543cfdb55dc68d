#pragma once

#include "kernel/files.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {

class LinuxOpenFile final : public OpenFile {
 public:
  LinuxOpenFile(Descriptor descriptor, const FileStatus& status)
      : descriptor_(std::move(descriptor)), status_(status) {}
  const FileStatus& status() const override { return status_; }
  int descriptor() const { return descriptor_.get(); }

 private:
  Descriptor descriptor_;
  FileStatus status_;
};

}  // namespace mooring::kernel
