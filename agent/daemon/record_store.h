#pragma once

#include <functional>
#include <string>
#include <vector>

#include "actual/record.h"
#include "base/result.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// Small files of one kind in one directory, each written whole by rename.
class RecordDirectory {
 public:
  /// Makes the directory (0700) if need be; its parent must be there.
  static Result<RecordDirectory> open(std::string path);

  /// Calls `take` with the name (without its suffix) and the content of each file; what could not be read is
  /// added to `unreadable`, a line each, and so is what `take` answers, if that is not empty.
  Result<void> read_all(const std::function<std::string(const std::string&, const std::string&)>& take,
                        std::vector<std::string>& unreadable) const;
  Result<void> write(const std::string& name, const std::string& bytes);
  /// Absent is success.
  Result<void> remove(const std::string& name);
  const std::string& path() const { return path_; }
  int descriptor() const { return directory_.get(); }

 private:
  RecordDirectory(std::string path, kernel::Descriptor directory)
      : path_(std::move(path)), directory_(std::move(directory)) {}
  std::string path_;
  kernel::Descriptor directory_;
};

/// The run records, one small file for each pod in `<run dir>/pods`, and one for each device in
/// `<run dir>/devices`.
class RecordStore {
 public:
  /// Makes the directories if need be, and locks them: "AlreadyRunning" if another process has.
  static Result<RecordStore> open(const std::string& run_dir);

  struct Contents {
    std::vector<PodRecord> records;
    std::vector<DeviceRecord> devices;
    std::vector<std::string> unreadable;  ///< A line each: a file that is no record.
  };
  Result<Contents> read_all() const;

  Result<void> write(const PodRecord& record);
  Result<void> write(const DeviceRecord& record);
  /// Absent is success.
  Result<void> remove(const PodUid& uid);
  Result<void> remove(const VolumeKey& device);

 private:
  RecordStore(RecordDirectory pods, RecordDirectory devices)
      : pods_(std::move(pods)), devices_(std::move(devices)) {}
  RecordDirectory pods_;
  RecordDirectory devices_;
};

}  // namespace mooring
