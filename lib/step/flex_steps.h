#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/secret_bytes.h"
#include "facts/driver_name.h"

namespace mooring {

// Steps that a FlexVolume driver does: a program that is called with a command and its arguments
// (kubelet-behaviours 16). What the driver cannot do ("Not supported") is done by default, and the outcome
// says so. All wait for the driver, each call for `deadline_ms` at most; a driver that was killed may have
// done anything (Uncertain). What the driver answers is a hint: what the mount table shows afterwards
// decides, but for drivers that mount nothing and write into the directory.

/// How a driver is called.
struct FlexProgram {
  DriverName driver;
  std::string program;                   ///< Absolute.
  std::vector<std::string> unsupported;  ///< Commands that it is known not to support: they are not called.
  std::uint32_t deadline_ms = 120'000;   ///< Of each call.
  friend bool operator==(const FlexProgram&, const FlexProgram&) = default;
};

struct FlexOption {
  std::string key;
  std::string value;
  friend bool operator==(const FlexOption&, const FlexOption&) = default;
};

/// What a driver is told of a volume by each call with options.
struct FlexVolume {
  std::string name;  ///< The PersistentVolume's, or the one in the pod.
  std::string file_system_type;
  bool read_only = false;
  std::vector<FlexOption> options;  ///< Sorted by key.
  friend bool operator==(const FlexVolume&, const FlexVolume&) = default;
};

struct FlexSecret {
  std::string key;
  SecretBytes value;
  friend bool operator==(const FlexSecret&, const FlexSecret&) = default;
};

/// What `mount` tells it besides.
struct FlexPod {
  PodUid uid;
  Namespace name_space;
  ObjectName name;
  std::string service_account;
  std::optional<std::int64_t> fs_group;
  std::vector<FlexSecret> secrets;  ///< Sorted by key; plain, they are encoded for the driver.
  friend bool operator==(const FlexPod&, const FlexPod&) = default;
};

/// Asks a driver what it can do (`init`). The outcome carries the answer. Nothing to undo.
struct ProbeFlexDriver {
  FlexProgram program;
  friend bool operator==(const ProbeFlexDriver&, const ProbeFlexDriver&) = default;
};

/// Attaches a volume and mounts it for the node (`getvolumename`, `attach`, `waitforattach`, `mountdevice`):
/// for drivers with the capability attach. Mounted there already: nothing to do, unless the driver says that
/// it is not attached any more (`isattached`). By default a device that the driver found is mounted at
/// `path`, with a new file system only if it is proven blank (FormatDevice). Inverse: UnstageFlexVolume.
struct StageFlexVolume {
  FlexProgram program;
  FlexVolume volume;
  NodeName node;
  std::string path;          ///< layout::flex_staged(). Made before `attach` and left whatever fails: a mark.
  std::string format_stamp;  ///< layout::flex_format_stamp().
  friend bool operator==(const StageFlexVolume&, const StageFlexVolume&) = default;
};

/// Undoes it (`unmountdevice` if something is mounted there, `detach`), and removes the directory, which must
/// be empty before (else "NotEmpty", and no `detach`). By default what is mounted is unmounted.
struct UnstageFlexVolume {
  FlexProgram program;
  std::string volume_name;
  NodeName node;
  std::string path;
  friend bool operator==(const UnstageFlexVolume&, const UnstageFlexVolume&) = default;
};

/// Makes what a staged volume has grow (`expandvolume`, `expandfs`). No inverse.
struct GrowFlexVolume {
  FlexProgram program;
  FlexVolume volume;
  std::string path;
  std::uint64_t size_bytes = 0;  ///< What it is to have.
  bool has_file_system = true;   ///< The capability requiresFSResize.
  friend bool operator==(const GrowFlexVolume&, const GrowFlexVolume&) = default;
};

/// Makes the directory `path` with 0750 and has the driver mount the volume there (`mount`), unless something
/// is mounted there already. By default what is staged is bound. A call that fails leaves nothing: what it
/// mounted is unmounted, and the directory removed if it is empty. Inverse: UnpublishFlexVolume.
struct PublishFlexVolume {
  FlexProgram program;
  FlexVolume volume;
  FlexPod pod;
  std::string path;
  std::string staged_path;  ///< Empty: the driver attaches nothing.
  friend bool operator==(const PublishFlexVolume&, const PublishFlexVolume&) = default;
};

/// Undoes it (`unmount`, whether something is mounted or not), and removes the directory if it is empty.
/// Absent is success, without a call. By default what is mounted is unmounted.
struct UnpublishFlexVolume {
  FlexProgram program;
  std::string path;
  friend bool operator==(const UnpublishFlexVolume&, const UnpublishFlexVolume&) = default;
};

/// A driver's answer to `init`.
struct FlexProbe {
  bool attach = true;
  bool selinux_relabel = true;
  bool supports_metrics = false;
  bool fs_group = true;
  bool requires_fs_resize = true;
  friend bool operator==(const FlexProbe&, const FlexProbe&) = default;
};

/// A command that a driver turned out not to support.
struct FlexUnsupported {
  DriverName driver;
  std::string command;
  friend bool operator==(const FlexUnsupported&, const FlexUnsupported&) = default;
};

}  // namespace mooring
