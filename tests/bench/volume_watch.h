#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace mooring::bench {

using Clock = std::chrono::steady_clock;

/// Sees the moment in which the content of a volume is swapped: `..data` moved onto its old self.
class VolumeWatch {
 public:
  /// `volumes` are their directories, which exist and have all been mounted.
  explicit VolumeWatch(const std::vector<std::string>& volumes);
  ~VolumeWatch();
  VolumeWatch(const VolumeWatch&) = delete;
  VolumeWatch& operator=(const VolumeWatch&) = delete;

  /// Waits until something can be taken, or until `other` (-1: nothing) can be read; at most a second.
  void wait(int other) const;

  /// Calls `swapped` with the index of each volume whose content was swapped since the last call, and with
  /// the time at which this was read. Does not wait.
  void take(const std::function<void(std::size_t, Clock::time_point)>& swapped);

 private:
  int inotify_;
  std::unordered_map<int, std::size_t> volumes_;
};

}  // namespace mooring::bench
