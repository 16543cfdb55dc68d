#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "kernel/files.h"
#include "step/step.h"

namespace mooring {

// How the files of a configuration volume come to be; who publishes them decides where and when.

inline constexpr std::uint32_t content_directory_mode = 0755;
inline constexpr std::uint32_t group_file_bits = 0440;  ///< Configuration is only read.
inline constexpr std::uint32_t group_directory_bits = 02550;

/// Writes into one volume, for the group that the step names. Paths are relative to the volume.
class VolumeWriter {
 public:
  VolumeWriter(const PublishFiles& step, kernel::Files& volume) : step_(step), volume_(volume) {}

  Result<void> make_directory(const std::string& path);
  /// Makes a new file with its last mode and group.
  Result<void> write(const std::string& path, const PublishedFile& file);
  /// Gives a file that is there the content, mode and group of `file`, and leaves it the same file.
  Result<void> rewrite(const std::string& path, const PublishedFile& file);
  /// True if the regular file at `path` is just as `file` says.
  Result<bool> is_there(const std::string& path, const PublishedFile& file);

 private:
  std::uint32_t mode_of(const PublishedFile& file) const {
    return step_.group ? file.mode | group_file_bits : file.mode;
  }

  const PublishFiles& step_;
  kernel::Files& volume_;
};

/// All directories that the files need, relative to the version.
std::set<std::string> directories_of(const std::vector<PublishedFile>& files);

/// Brings `..live/` to what the step asks for. True if something was changed.
Result<bool> update_live_parts(const PublishFiles& step, kernel::Files& volume);

}  // namespace mooring
