#pragma once

#include <string>
#include <vector>

#include "actual/record.h"
#include "base/result.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// The run records, one small file for each pod, in `<run dir>/pods`. Written whole by rename.
class RecordStore {
 public:
  /// Makes `<run dir>/pods` (0700) if need be, and locks it: "AlreadyRunning" if another process has.
  static Result<RecordStore> open(const std::string& run_dir);

  struct Contents {
    std::vector<PodRecord> records;
    std::vector<std::string> unreadable;  ///< A line each: a file that is no record.
  };
  Result<Contents> read_all() const;

  Result<void> write(const PodRecord& record);
  /// Absent is success.
  Result<void> remove(const PodUid& uid);

 private:
  RecordStore(std::string path, kernel::Descriptor directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}
  std::string path_;
  kernel::Descriptor directory_;
};

}  // namespace mooring
