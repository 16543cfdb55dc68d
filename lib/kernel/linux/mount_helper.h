#pragma once

#include <string>
#include <vector>

namespace mooring::kernel {

/// The program that mounts file systems of a type ("/sbin/mount.nfs"); empty if there is none.
std::string helper_of(const std::string& type);

struct HelperAnswer {
  bool is_done = false;
  std::string words;  ///< What it said, or how it ended if it said nothing.
};

/// Runs a mount helper and waits for it, as long as that takes. It ends with this process: a helper that
/// outlived a worker which was killed at its deadline would go on to ask the server for minutes, and mount at
/// a moment when nobody expects it any more. libmount's own way to run one cannot promise that.
HelperAnswer run_helper(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace mooring::kernel
