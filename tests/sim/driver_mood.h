#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"
#include "kernel/fake/fake_kernel.h"

namespace mooring::sim {

/// How unkind a driver is to the next calls: one in so many; 0: never.
struct DriverMood {
  std::uint64_t error_one_in = 0;         ///< It refuses, and did nothing.
  std::uint64_t lost_after_one_in = 0;    ///< It did it, and nobody hears so.
  std::uint64_t lost_before_one_in = 0;   ///< It was not even asked.
  std::uint64_t late_one_in = 0;          ///< It does it when the caller has given up.
  std::uint64_t garbage_one_in = 0;       ///< It answers what is no answer.
  std::uint64_t hang_one_in = 0;          ///< The caller never comes back.
  std::uint64_t crash_one_in = 0;         ///< The caller ends, before or after the deed.
  std::uint64_t no_unpublish_one_in = 0;  ///< It begins to refuse to unpublish, some times in a row.
};

inline DriverMood random_mood(Random& random) {
  DriverMood mood;
  if (random.chance(2)) mood.error_one_in = 3 + random.below(10);
  if (random.chance(2)) mood.lost_after_one_in = 4 + random.below(20);
  if (random.chance(3)) mood.lost_before_one_in = 4 + random.below(20);
  if (random.chance(2)) mood.late_one_in = 4 + random.below(20);
  if (random.chance(3)) mood.garbage_one_in = 5 + random.below(20);
  if (random.chance(3)) mood.hang_one_in = 10 + random.below(40);
  if (random.chance(3)) mood.crash_one_in = 8 + random.below(40);
  if (random.chance(3)) mood.no_unpublish_one_in = 2 + random.below(8);
  return mood;
}

/// What drivers do to the node: mounts of a file system of their own, that hang with them.
class DriverMounts {
 public:
  explicit DriverMounts(kernel::FakeKernel& kernel) : kernel_(kernel) {}

  bool is_mounted(const std::string& path) const;
  /// True if it is mounted anywhere.
  bool is_source_mounted(const std::string& source) const;
  bool is_directory(const std::string& path) const;
  /// Makes the directory, and mounts `source` there unless something is mounted there.
  bool mount(const std::string& path, const std::string& source);
  /// Makes the file, and binds the node of a device there.
  bool bind_node(const std::string& path, const std::string& node);
  /// Unmounts what is there, and removes the place if it is empty and `removes_place`. False: it is busy.
  bool unmount(const std::string& path, bool removes_place);

  static constexpr const char* type = "fuse.sim";

 private:
  kernel::FakeKernel& kernel_;
};

}  // namespace mooring::sim
