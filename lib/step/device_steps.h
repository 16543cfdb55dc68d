#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "facts/device.h"

namespace mooring {

// Steps on block devices and on file systems that are mounted once for the node. None of them hands a device
// to the next one: each finds it anew by its name and compares, because the kernel alone knows what a name
// means now. All may wait for a disk.

enum class FormatPolicy : std::uint8_t { Never, IfBlank };

/// Finds the device of a volume. An image is attached by a loop device, and made first (sparse) if it is not
/// there and has a size here. Inverse: DetachDevice.
struct AttachDevice {
  DeviceName device;
  std::optional<std::uint64_t> image_size_bytes;  ///< nullopt: the image must be there.
  bool read_only = false;
  /// Of an image that may be made: the file that remembers that it was, once. One that is missing later is
  /// not made again: the file system that it lies on may not be mounted.
  std::string stamp = {};
  friend bool operator==(const AttachDevice&, const AttachDevice&) = default;
};

/// Lets the device of a volume go: detaches the loop device of an image, and of any other only makes sure
/// that nobody uses it. Refused while anything holds it ("DeviceBusy", which says who). Gone already is
/// success.
struct DetachDevice {
  DeviceName device;
  friend bool operator==(const DetachDevice&, const DetachDevice&) = default;
};

/// Makes a file system on the device if it is proven blank and may be formatted; leaves alone one that has
/// the file system that is asked for; refuses everything else (operation/format_guard.h). Mounted at `path`
/// already: nothing to do. No inverse.
struct FormatDevice {
  DeviceName device;
  std::string path;   ///< Where it is to be mounted.
  std::string stamp;  ///< The file that remembers for ever that this volume was formatted once.
  std::string type;   ///< "ext4".
  FormatPolicy policy = FormatPolicy::Never;
  bool read_only = false;
  friend bool operator==(const FormatDevice&, const FormatDevice&) = default;
};

/// Checks the file system on the device and repairs what needs no answers (fsck -a). Mounted at `path`
/// already: nothing to do.
struct CheckFileSystem {
  DeviceName device;
  std::string path;
  std::string type;
  friend bool operator==(const CheckFileSystem&, const CheckFileSystem&) = default;
};

/// Mounts the device at `path`, once for the node. Inverse: UnmountDevice.
struct MountDevice {
  DeviceName device;
  std::string path;
  std::string type;
  std::vector<std::string> options;  ///< spec.mountOptions.
  bool read_only = false;
  friend bool operator==(const MountDevice&, const MountDevice&) = default;
};

/// Brings an image to its size, and the file system that is mounted at `path` to that of its device. Never
/// makes anything smaller. No inverse.
struct GrowFileSystem {
  DeviceName device;
  std::string path;
  std::string type;
  std::optional<std::uint64_t> image_size_bytes;
  friend bool operator==(const GrowFileSystem&, const GrowFileSystem&) = default;
};

/// Looks whether what MountDevice mounted at `path` is still there and of the device: "DeviceVanished" if the
/// node has no such device any more, "ForeignMount" if another device is mounted there than the name means.
/// That the name means none now says nothing: what is mounted works without it. Changes nothing. No inverse.
struct ProveStaged {
  DeviceName device;
  std::string path;
  friend bool operator==(const ProveStaged&, const ProveStaged&) = default;
};

/// Unmounts what MountDevice mounted and removes its directory. Refused while the file system is mounted
/// anywhere else or in use ("StillMounted", "Busy"; they say by whom). What others mounted there stays
/// ("ForeignMount"): another living device than the name means, or if that means none now, what lies on top
/// of another device's. Nothing there is success.
struct UnmountDevice {
  std::string path;
  DeviceName device = {};  ///< Without a value: nobody knows.
  friend bool operator==(const UnmountDevice&, const UnmountDevice&) = default;
};

/// Gives a pod a raw device: the node bound to `<directory>/<pod uid>`, kept open by a loop device on it so
/// that it can neither vanish nor become another unseen, and the link that a runtime is told of
/// (kubelet-behaviours 14). Inverse: UnmapDevice.
struct MapDevice {
  DeviceName device;
  std::string directory;
  PodUid pod;
  std::string link;  ///< layout::device().
  bool read_only = false;
  friend bool operator==(const MapDevice&, const MapDevice&) = default;
};

/// Undoes a MapDevice, in its reverse order; what is gone already is no error.
struct UnmapDevice {
  std::string directory;
  PodUid pod;
  std::string link;
  friend bool operator==(const UnmapDevice&, const UnmapDevice&) = default;
};

/// Mounts a file system of a server on the directory `path`, which is made if it is missing, unless just that
/// is mounted there; then nothing mounted is asked. Inverse: UnmountNetwork.
struct MountNetwork {
  std::string path;
  std::string type;    ///< "nfs".
  std::string source;  ///< "server:/path".
  std::vector<std::string> options;
  bool read_only = false;
  friend bool operator==(const MountNetwork&, const MountNetwork&) = default;
};

/// What may be done to unmount a file system whose server does not answer (mooring.io/unmount-policy).
enum class UnmountPolicy : std::uint8_t {
  Wait,   ///< Nothing: it waits for the server.
  Force,  ///< MNT_FORCE: what waits for the server fails.
  Lazy,   ///< And if that does not help MNT_DETACH: it is gone from the tree while somebody may still use it.
};
std::string_view to_string(UnmountPolicy policy);

/// Unmounts a file system of a server, without asking it anything first. Nothing there is success. Waits as
/// long as it takes: it is ended from outside, and tried again with a higher `attempt`, when the policy may
/// do more.
struct UnmountNetwork {
  std::string path;
  UnmountPolicy policy = UnmountPolicy::Force;
  std::uint32_t attempt = 0;  ///< How often it was ended at its deadline before.
  friend bool operator==(const UnmountNetwork&, const UnmountNetwork&) = default;
};

/// Removes the directory `path` if it is empty ("NotEmpty" else: what is in it is nobody's to remove). Absent
/// is success.
struct RemoveDirectory {
  std::string path;
  friend bool operator==(const RemoveDirectory&, const RemoveDirectory&) = default;
};

/// Limits what the directory `path`, which was just made, may come to hold, where its file system can do that
/// (project quota); else nothing is done, and whoever wants the limit kept measures it. Inverse:
/// UnlimitDirectory.
struct LimitDirectory {
  std::string path;
  std::uint64_t size_bytes = 0;
  /// Absolute: `path` lies below this directory of the node (see MakeVolumeDirectory), and may hold files if
  /// it was limited before: it gets another size then.
  std::string base = {};
  friend bool operator==(const LimitDirectory&, const LimitDirectory&) = default;
};

/// Gives back what LimitDirectory took. No limit, and no directory, is success.
struct UnlimitDirectory {
  std::string path;
  friend bool operator==(const UnlimitDirectory&, const UnlimitDirectory&) = default;
};

/// Tells how much a directory holds that shares its file system with others. The outcome carries the usage,
/// and whether the kernel keeps it to a limit.
struct MeasureDirectory {
  std::string path;
  friend bool operator==(const MeasureDirectory&, const MeasureDirectory&) = default;
};

/// Tells how full the file system of a volume is. The outcome carries the usage.
struct MeasureUsage {
  std::string path;
  friend bool operator==(const MeasureUsage&, const MeasureUsage&) = default;
};

}  // namespace mooring
