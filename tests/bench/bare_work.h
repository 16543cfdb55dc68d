#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace mooring::bench {

/// Where the bare work happens; all directories exist.
struct BareDirs {
  std::string manifests;  ///< Holds pod-<n>.yaml, which are read as the daemon reads them.
  std::string root;       ///< Plays the root directory.
  std::string run;        ///< Plays the run directory; a tmpfs.
  std::string host;       ///< The directory that hostPath volumes name.
};

struct BareTimes {
  std::chrono::nanoseconds set_up{0};
  std::chrono::nanoseconds tear_down{0};
};

/// The kernel's part of making and removing `pods` pods, each with two emptyDir (one in memory) and two
/// hostPath volumes, by nothing but system calls from one thread: what no program that does this work can
/// avoid.
BareTimes run_bare_work(const BareDirs& dirs, int pods);

/// A new content of one volume after the other, in directories that exist: each version is written beside,
/// swapped by one rename and the one before it removed, as the kubelet's atomic writer does. What each round
/// took.
std::vector<std::chrono::nanoseconds> run_bare_publishing(const std::vector<std::string>& volumes,
                                                          const std::vector<std::string>& names,
                                                          const std::string& content, int rounds);

}  // namespace mooring::bench
