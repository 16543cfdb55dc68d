#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/quantity.h"
#include "base/result.h"
#include "driver/registration.h"
#include "provision/provisioner.h"

namespace mooring {

/// Everything that mooringd can be told (contract: DESIGN 5.1), defaults filled in.
struct Options {
  std::vector<std::string> manifest_dirs;
  std::string root_dir = "/var/lib/mooring";
  std::string run_dir = "/run/mooring";
  std::string state_dir;  ///< Default: `<root>/state`.
  std::string node_name;  ///< Default: the host's name.
  std::map<std::string, std::string> node_labels;
  std::map<std::string, Quantity> allocatable;  ///< cpu and memory default to the machine's.
  std::string bus = "system";                   ///< "system", "session", "none" or "unix:path=...".
  std::string metrics_listen = "none";          ///< "none", "unix:PATH" or "HOST:PORT".
  std::string flexvolume_dir = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec";
  std::string log_level = "info";
  std::string
      worker_socket;  ///< A socket of worker units to connect to; empty: workers are started as children.
  std::string worker_program;  ///< Default: mooring-worker beside mooringd, or where it is installed.
  std::uint32_t unmount_deadline_seconds = 30;  ///< Before an unmount of a server's file system uses force.
  std::uint32_t flexvolume_timeout_seconds = 120;  ///< Of each call of a FlexVolume driver.
  std::vector<NfsExport> nfs_provisioners;         ///< In the configuration files only.
  std::vector<NamedDriver> csi_drivers;            ///< Likewise: drivers that do not register themselves.
  bool others_attach = false;                      ///< enableControllerAttachDetach: see NodeInfo.
  bool check_config = false;
};

/// What the command line asks for besides running.
struct CommandLine {
  Options options;
  bool is_done = false;  ///< --help or --version was answered; exit with `status`.
  int status = 0;
};

/// Flags, then the configuration files, then defaults; a flag wins over a file. Bad usage and bad
/// configuration are errors (Final, "Usage" or "BadConfiguration") whose message names the flag, or the file
/// and line.
Result<CommandLine> parse_command_line(int argc, char** argv);

}  // namespace mooring
