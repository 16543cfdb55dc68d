#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/secret_bytes.h"
#include "driver/drivers.h"
#include "facts/csi.h"
#include "facts/csi_call.h"
#include "facts/tree_facts.h"
#include "step/csi_controller_steps.h"
#include "step/csi_steps.h"
#include "step/device_steps.h"
#include "step/driver_steps.h"
#include "step/flex_steps.h"
#include "step/volume_steps.h"

namespace mooring {

// A step is data: one effect on the node, safe to repeat, with a known inverse. Paths without a leading slash
// are relative to the root directory; no step follows a symbolic link or crosses a mount below it. "Safe to
// repeat" is the law that recovery stands on: a step that finds its effect already there succeeds and changes
// nothing; a step that finds something else there fails and changes nothing.

/// Makes `pods/<uid>` with its stamp, unless both are there. Inverse: RemovePodDirectory.
struct MakePodDirectory {
  PodUid uid;
  Namespace name_space;
  ObjectName name;
  friend bool operator==(const MakePodDirectory&, const MakePodDirectory&) = default;
};

/// Makes a directory with exactly `mode` (umask has no part in it), and missing parents with 0750. A
/// directory that is there already is left as it is, content and mode. Inverse: DiscardDirectory.
struct MakeDirectory {
  std::string path;
  std::uint32_t mode = 0750;
  friend bool operator==(const MakeDirectory&, const MakeDirectory&) = default;
};

/// A file of a volume's content.
struct PublishedFile {
  std::string path;  ///< Relative to the volume, clean.
  std::uint32_t mode = 0644;
  SecretBytes bytes;
  friend bool operator==(const PublishedFile&, const PublishedFile&) = default;
};

/// A part of a configuration volume that stands by itself.
struct LivePart {
  std::string name;  ///< Of its file or directory in `..live/`: one path element.
  std::string path;  ///< What it has the content of: a file, or a directory of files. Relative, clean.
  friend bool operator==(const LivePart&, const LivePart&) = default;
};

/// Gives the directory `path` (or what is mounted on it) just these files, all at once for whoever reads
/// `..data` (kubelet-behaviours 12):
///
///     ..2026_11_21_09_30_00.123456789/   a version: files and their directories
///     ..data -> ..2026_...               swapped by one rename
///     NAME -> ..data/NAME                one link for each first element of a path
///
/// The version that is there stays, and nothing is written, if it holds just that already; links that are
/// missing and leftovers of a crash are repaired in any case. A failure leaves the version that is there
/// alone. Inverse: DiscardDirectory.
struct PublishFiles {
  std::string path;
  std::string version;               ///< The name of a new version (layout::content_version).
  std::vector<PublishedFile> files;  ///< Sorted by path; no path is a directory of another.
  std::vector<std::string>
      mount_points;  ///< Directories that other mounts of a container need. Relative, clean.
  /// The group that reads it (fsGroup): given to all of it before it is seen, with 0440 for files and 02550
  /// for directories besides their modes.
  std::optional<std::uint32_t> group = std::nullopt;
  /// Parts that containers mount by themselves and that are to follow changes too
  /// (mooring.io/live-subpath): each stands under `..live/` as one file or directory that stays the same for
  /// ever, and whose content is changed in place.
  std::vector<LivePart> live_parts = {};
  friend bool operator==(const PublishFiles&, const PublishFiles&) = default;
};

/// Mounts a new tmpfs on the directory `path`, unless a tmpfs is mounted there. Inverse: Unmount.
struct MountTmpfs {
  std::string path;
  std::optional<std::uint64_t> size_bytes;  ///< nullopt: the kernel's default, half of the memory.
  std::uint32_t mode = 01777;               ///< Of its root.
  bool is_secret = false;  ///< Never swapped out, where the kernel can promise that (Linux 6.4).
  friend bool operator==(const MountTmpfs&, const MountTmpfs&) = default;
};

/// Mounts a new hugetlbfs on the directory `path`, unless one of this page size is mounted there. Inverse:
/// Unmount.
struct MountHugetlbfs {
  std::string path;
  std::uint64_t page_size_bytes = 0;
  friend bool operator==(const MountHugetlbfs&, const MountHugetlbfs&) = default;
};

/// Binds the absolute path `source` on `target`. A read-only bind is never writable at any moment. Inverse:
/// Unmount.
struct BindMount {
  std::string source;
  std::string target;
  bool read_only = false;
  bool recursive = true;
  friend bool operator==(const BindMount&, const BindMount&) = default;
};

/// What a bind has to do with what is mounted below its source later: nothing; it gets that; it gets that and
/// gives back what is mounted below itself.
enum class Propagation : std::uint8_t { Private, Slave, Shared };

/// Binds a part of a volume on `target`, for a container that mounts just that (volumeMounts[].subPath;
/// kubelet-behaviours 11.2, 11.3). The part is found by descriptors and never leaves the volume; what is
/// mounted on `target` stays if it is just that part, and is unmounted if it is another one (the file was
/// replaced). Inverse: ReleaseSubPaths.
struct BindSubPath {
  std::string volume;     ///< The volume, relative to the root directory; empty: `host_path` is it.
  std::string host_path;  ///< Absolute.
  std::optional<std::string> confined_to;  ///< Of `host_path`: see CheckHostPath.
  std::string path;                        ///< The part: relative, clean, not empty.
  std::string target;                      ///< layout::sub_path().
  bool may_create = false;                 ///< Make it as a directory if it is not there.
  std::string asked_by;                    ///< "container web, mount data", for messages.
  /// What the container asks for: with more, a mount of the node's would hold the pod, or go with it.
  Propagation propagation = Propagation::Private;
  friend bool operator==(const BindSubPath&, const BindSubPath&) = default;
};

/// Unmounts and removes the subPath mounts of one volume of a pod with all that is mounted below them, by
/// names alone and without looking at what is mounted (it may be on a server that is gone). None there is
/// success.
struct ReleaseSubPaths {
  PodUid uid;
  VolumeName volume;
  friend bool operator==(const ReleaseSubPaths&, const ReleaseSubPaths&) = default;
};

/// Unmounts what the containers of a pod left mounted in a volume that they share with the node
/// (mountPropagation: Bidirectional): all below `path`, and above the first `kept` mounts exactly on it.
struct UnmountLeftovers {
  std::string path;
  std::uint32_t kept = 0;
  friend bool operator==(const UnmountLeftovers&, const UnmountLeftovers&) = default;
};

/// Gives all that is in the volume at `path` to a group (fsGroup; kubelet-behaviours 10.1). Nothing to undo.
struct ChangeGroup {
  std::string path;
  std::uint32_t group = 0;
  bool read_only = false;
  bool only_on_root_mismatch = false;  ///< fsGroupChangePolicy: OnRootMismatch.
  std::uint64_t entries_max = 0;       ///< More end it with "NeedsOwnWorker"; 0: no limit.
  friend bool operator==(const ChangeGroup&, const ChangeGroup&) = default;
};

/// Shows the directory `path` through an idmapped mount on itself, in which the group that it has on disk is
/// seen as `group` (mooring.io/fs-group-strategy: Idmap), and gives its root that group's access. Where the
/// kernel or the file system cannot, it does what ChangeGroup does, but never again once the root is right.
/// Inverse: Unmount.
struct MapGroup {
  std::string path;
  std::uint32_t group = 0;
  /// For a volume that was published before: see to the mount, and change no file, not even the root.
  bool bind_only = false;
  std::uint64_t entries_max = 0;  ///< As ChangeGroup's, where the groups cannot be mapped.
  friend bool operator==(const MapGroup&, const MapGroup&) = default;
};

/// Unmounts what is mounted on `path` if its type is one of `types` ("bind": a bind of the directory on
/// itself; none: whatever it is, in a directory that nobody else may mount on); nothing mounted is success; a
/// mount of another type, or one that is busy, is an error. Never lazy, never forced.
struct Unmount {
  std::string path;
  std::vector<std::string> types;
  friend bool operator==(const Unmount&, const Unmount&) = default;
};

/// Removes the directory `path` and what is in it: at once if it is empty, else by moving it to
/// `trash/<trash_name>`, a name that is not there yet, which EmptyTrash removes later. Refused (reason
/// "MountedBelow") if it is a mount point. Absent is success.
struct DiscardDirectory {
  std::string path;
  std::string trash_name;
  friend bool operator==(const DiscardDirectory&, const DiscardDirectory&) = default;
};

/// Removes `trash/<name>` by descriptors, never across a mount. A mount below is named in the error
/// ("MountedBelow").
struct EmptyTrash {
  std::string name;
  friend bool operator==(const EmptyTrash&, const EmptyTrash&) = default;
};

/// Removes `pods/<uid>`: empty directories of the layout and the stamp, nothing else. Anything else in it is
/// named in the error ("NotEmpty") and stays. Absent is success.
struct RemovePodDirectory {
  PodUid uid;
  friend bool operator==(const RemovePodDirectory&, const RemovePodDirectory&) = default;
};

/// spec.volumes[].hostPath.type, named as in Kubernetes; Unset is the empty string: nothing is checked.
enum class HostPathType : std::uint8_t {
  Unset,
  DirectoryOrCreate,
  Directory,
  FileOrCreate,
  File,
  Socket,
  CharDevice,
  BlockDevice,
};
std::string_view to_string(HostPathType type);

/// Checks the type of an absolute path of the node, making it where the type says so. Nothing to undo.
struct CheckHostPath {
  std::string path;
  HostPathType type = HostPathType::Unset;
  /// The mount point whose mount the whole look-up must stay in (so that it cannot wait for a server); a
  /// look-up that leaves it fails with the reason "LeavesMount" and is done again, unconfined, by a worker of
  /// its own.
  std::optional<std::string> confined_to;
  friend bool operator==(const CheckHostPath&, const CheckHostPath&) = default;
};

/// Adds inotify watches to the instance that the core shares: on the nearest existing ancestor directory of
/// `path` for creation, arrival and deletion, on those above it for their own end. The outcome carries their
/// numbers.
struct WatchHostPath {
  std::string path;
  std::optional<std::string> confined_to;
  friend bool operator==(const WatchHostPath&, const WatchHostPath&) = default;
};

/// Reads the tree below the root directory. The outcome carries TreeFacts.
struct ScanTree {
  friend bool operator==(const ScanTree&, const ScanTree&) = default;
};

using AnyStep =
    std::variant<MakePodDirectory, MakeDirectory, MountTmpfs, MountHugetlbfs, BindMount, Unmount,
                 DiscardDirectory, EmptyTrash, RemovePodDirectory, CheckHostPath, WatchHostPath, PublishFiles,
                 BindSubPath, ReleaseSubPaths, UnmountLeftovers, ChangeGroup, MapGroup, AttachDevice,
                 DetachDevice, FormatDevice, CheckFileSystem, MountDevice, GrowFileSystem, UnmountDevice,
                 ProveStaged, MapDevice, UnmapDevice, MountNetwork, UnmountNetwork, RemoveDirectory,
                 MeasureUsage, LimitDirectory, UnlimitDirectory, MeasureDirectory, MakeVolumeDirectory,
                 RemoveVolumeDirectory, SetAsideVolumeDirectory, EmptyDirectory, PrepareImage, RemoveImage,
                 StageCsiVolume, UnstageCsiVolume, PublishCsiVolume, UnpublishCsiVolume, ExpandCsiVolume,
                 MeasureCsiVolume, ProbeFlexDriver, StageFlexVolume, UnstageFlexVolume, GrowFlexVolume,
                 PublishFlexVolume, UnpublishFlexVolume, ProbeCsiDriver, NotifyRegistration, CreateCsiVolume,
                 DeleteCsiVolume, PublishCsiController, UnpublishCsiController, ExpandCsiController,
                 CreateCsiSnapshot, DeleteCsiSnapshot, ScanTree>;

template <typename T, typename Variant>
inline constexpr bool is_alternative_of = false;
template <typename T, typename... Alternatives>
inline constexpr bool is_alternative_of<T, std::variant<Alternatives...>> =
    (std::is_same_v<T, Alternatives> || ...);

/// One of the steps. A variant in all but this: what copies, moves, destroys and compares it is made once, in
/// step.cpp. Made anew in every source that has an Operation to do with, for each of so many alternatives, it
/// was most of what the compiler had to do for the whole tree.
class Step : public AnyStep {
 public:
  template <typename T>
  requires is_alternative_of<std::remove_cvref_t<T>, AnyStep> Step(T&& step)
      : AnyStep(std::in_place_type<std::remove_cvref_t<T>>, std::forward<T>(step)) {}
  Step();
  Step(const Step& other);
  Step(Step&& other) noexcept;
  Step& operator=(const Step& other);
  Step& operator=(Step&& other) noexcept;
  ~Step();
  friend bool operator==(const Step& one, const Step& other);
};

/// The step as one line for people: `mount tmpfs size=64Mi on pods/…/cache`.
std::string describe(const Step& step);

/// A number that one run of the core never uses twice.
enum class OperationId : std::uint64_t {};

/// Which worker an operation may run on.
enum class Lane : std::uint8_t {
  Local,     ///< A warm worker, in a batch: the steps touch only local file systems.
  Teardown,  ///< As Local, but all on one worker: unmounting from two at once is slower
             ///< (docs/performance.md).
  Own,       ///< A worker for this operation alone, because a step may wait for a server, a driver or a large
             ///< tree.
};
std::string_view to_string(Lane lane);

/// Steps to do in order; the first that fails ends it.
struct Operation {
  OperationId id{};
  PodUid pod;        ///< Whose it is; empty: the node's (a scan, the trash).
  VolumeKey device;  ///< What pods share that it is about; empty: nothing.
  Lane lane = Lane::Local;
  std::uint32_t deadline_ms = 0;  ///< From the moment the worker starts on it.
  std::string what;               ///< "publish default/web/cache", for messages about the worker.
  std::vector<Step> steps;
  friend bool operator==(const Operation&, const Operation&) = default;
};

/// What the controller service of a driver made.
using CsiMade = std::variant<CsiCreatedVolume, CsiPublishContext, CsiExpansion, CsiSnapshot>;

/// What became of an operation. A worker that vanished gives an Uncertain error with the reason "WorkerLost".
struct Outcome {
  OperationId id{};
  std::uint32_t steps_done = 0;
  std::optional<Error> error;
  bool changed = false;               ///< False if every step found its effect already there.
  bool is_partial = false;            ///< More follows in another outcome of the same operation.
  std::string progress;               ///< Of a partial one without a tree: how far it is, for people.
  std::vector<std::string> warnings;  ///< What went wrong and does not keep the volume from being used.
  std::optional<TreeFacts> tree;      ///< Of ScanTree.
  std::string trash_entry;  ///< Of a DiscardDirectory that moved something aside: its name in `trash/`.
  std::vector<int>
      watches;  ///< Of WatchHostPath: the inotify watch descriptors, the nearest directory's first.
  std::optional<FileSystemUsage> usage;  ///< Of MeasureUsage, MeasureDirectory and MeasureCsiVolume.
  bool is_enforced = false;              ///< Of MeasureDirectory: the kernel keeps it to its limit.
  std::optional<CsiCondition> condition = std::nullopt;  ///< Of MeasureCsiVolume: how the volume is.
  std::optional<FlexProbe> flex_probe = std::nullopt;    ///< Of ProbeFlexDriver.
  /// Of any step of a FlexVolume driver, also of one that failed: what need not be called again.
  std::vector<FlexUnsupported> flex_unsupported = {};
  std::optional<CsiDriver> csi_driver = std::nullopt;  ///< Of ProbeCsiDriver.
  /// Of the calls of a controller service, also of one that failed after it: what the driver made.
  std::optional<CsiMade> csi_made = std::nullopt;
  std::vector<CsiCallFact> csi_calls = {};  ///< Of CSI drivers, in order, also of an operation that failed.
};

}  // namespace mooring
