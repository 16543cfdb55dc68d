#include "step/step.h"

#include "base/quote.h"
#include "step/layout.h"

namespace mooring {
namespace {

std::string size_text(const std::optional<std::uint64_t>& bytes) {
  return bytes ? " size=" + std::to_string(*bytes) : std::string();
}

std::string mode_text(std::uint32_t mode) {
  char text[16];
  std::snprintf(text, sizeof text, " mode %04o", mode & 07777);
  return text;
}

std::string confinement_text(const std::optional<std::string>& confined_to) {
  return confined_to ? " (within the mount at " + quoted_if_needed(*confined_to) + ")" : std::string();
}

std::string options_text(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& option : options)
    text += (text.empty() ? " -o " : ",") + option;
  return text;
}

std::string driver_text(const FlexProgram& program) {
  return "the FlexVolume driver " + quoted_if_needed(program.driver.str());
}

/// A directory of a volume below its base.
std::string place_text(const std::string& base, const std::string& directory) {
  return quoted_if_needed(base.empty() ? directory : base + "/" + directory);
}

std::string csi_text(const CsiVolume& volume) {
  if (volume.driver.empty()) return "the CSI volume";
  return "volume " + quoted_if_needed(volume.handle) + " of driver " + volume.driver.str();
}

struct Describer {
  std::string operator()(const MakePodDirectory& s) const {
    return "make the pod's directory " + layout::pod(s.uid) + " for " + s.name_space.str() + "/" +
           s.name.str();
  }
  std::string operator()(const MakeDirectory& s) const {
    return "make directory " + quoted_if_needed(s.path) + mode_text(s.mode);
  }
  std::string operator()(const MountTmpfs& s) const {
    return "mount tmpfs" + size_text(s.size_bytes) + (s.is_secret ? " noswap" : "") + " on " +
           quoted_if_needed(s.path);
  }
  std::string operator()(const MountHugetlbfs& s) const {
    return "mount hugetlbfs pagesize=" + std::to_string(s.page_size_bytes) + " on " +
           quoted_if_needed(s.path);
  }
  std::string operator()(const BindMount& s) const {
    return std::string(s.read_only ? "bind read-only " : "bind ") + quoted_if_needed(s.source) + " on " +
           quoted_if_needed(s.target);
  }
  std::string operator()(const Unmount& s) const { return "unmount " + quoted_if_needed(s.path); }
  std::string operator()(const DiscardDirectory& s) const {
    return "discard directory " + quoted_if_needed(s.path);
  }
  std::string operator()(const EmptyTrash& s) const {
    return "remove " + quoted_if_needed(layout::trash_entry(s.name));
  }
  std::string operator()(const RemovePodDirectory& s) const {
    return "remove the pod's directory " + layout::pod(s.uid);
  }
  std::string operator()(const CheckHostPath& s) const {
    return "check that " + quoted_if_needed(s.path) + " is a " + std::string(to_string(s.type)) +
           confinement_text(s.confined_to);
  }
  std::string operator()(const WatchHostPath& s) const { return "watch for " + quoted_if_needed(s.path); }
  std::string operator()(const PublishFiles& s) const {
    return "publish " + std::to_string(s.files.size()) + (s.files.size() == 1 ? " file in " : " files in ") +
           quoted_if_needed(s.path);
  }
  std::string operator()(const BindSubPath& s) const {
    return "bind the subPath " + quoted_if_needed(s.path) + " on " + quoted_if_needed(s.target);
  }
  std::string operator()(const ReleaseSubPaths& s) const {
    return "release the subPaths of volume " + s.volume.str();
  }
  std::string operator()(const UnmountLeftovers& s) const {
    return "unmount what containers left mounted in " + quoted_if_needed(s.path);
  }
  std::string operator()(const ChangeGroup& s) const {
    return "give " + quoted_if_needed(s.path) + " to group " + std::to_string(s.group) +
           (s.read_only ? " for reading" : "") + (s.only_on_root_mismatch ? " unless its root is" : "");
  }
  std::string operator()(const MapGroup& s) const {
    return "show " + quoted_if_needed(s.path) + " as of group " + std::to_string(s.group) +
           (s.bind_only ? " and change nothing in it" : "");
  }
  std::string operator()(const AttachDevice& s) const {
    return "attach " + s.device.text() + size_text(s.image_size_bytes) + (s.read_only ? " read-only" : "");
  }
  std::string operator()(const DetachDevice& s) const { return "detach " + s.device.text(); }
  std::string operator()(const FormatDevice& s) const {
    return (s.policy == FormatPolicy::IfBlank ? "make sure that there is " : "expect ") + s.type + " on " +
           s.device.text() + (s.policy == FormatPolicy::IfBlank ? ", and make it if it is blank" : "");
  }
  std::string operator()(const CheckFileSystem& s) const {
    return "check the " + s.type + " on " + s.device.text();
  }
  std::string operator()(const MountDevice& s) const {
    return "mount " + s.type + (s.read_only ? " read-only" : "") + options_text(s.options) + " from " +
           s.device.text() + " on " + quoted_if_needed(s.path);
  }
  std::string operator()(const GrowFileSystem& s) const {
    return "grow the " + s.type + " on " + s.device.text() + size_text(s.image_size_bytes);
  }
  std::string operator()(const ProveStaged& s) const {
    return "see whether " + s.device.text() + " is still mounted at " + quoted_if_needed(s.path);
  }
  std::string operator()(const UnmountDevice& s) const {
    return "unmount the device at " + quoted_if_needed(s.path);
  }
  std::string operator()(const MapDevice& s) const {
    return std::string(s.read_only ? "map read-only " : "map ") + s.device.text() + " at " +
           quoted_if_needed(s.link);
  }
  std::string operator()(const UnmapDevice& s) const {
    return "unmap the device at " + quoted_if_needed(s.link);
  }
  std::string operator()(const MountNetwork& s) const {
    return "mount " + s.type + (s.read_only ? " read-only" : "") + options_text(s.options) + " from " +
           quoted_if_needed(s.source) + " on " + quoted_if_needed(s.path);
  }
  std::string operator()(const UnmountNetwork& s) const {
    return "unmount " + quoted_if_needed(s.path) + " (" + std::string(to_string(s.policy)) + ")";
  }
  std::string operator()(const RemoveDirectory& s) const {
    return "remove the empty directory " + quoted_if_needed(s.path);
  }
  std::string operator()(const MeasureUsage& s) const {
    return "tell how full " + quoted_if_needed(s.path) + " is";
  }
  std::string operator()(const LimitDirectory& s) const {
    return "limit " + place_text(s.base, s.path) + " to " + std::to_string(s.size_bytes) + " bytes";
  }
  std::string operator()(const UnlimitDirectory& s) const {
    return "lift the limit of " + quoted_if_needed(s.path);
  }
  std::string operator()(const MeasureDirectory& s) const {
    return "tell how much " + quoted_if_needed(s.path) + " holds";
  }
  std::string operator()(const MakeVolumeDirectory& s) const {
    return "make the directory " + place_text(s.base, s.directory) + " of volume " +
           quoted_if_needed(s.volume.str()) + mode_text(s.mode);
  }
  std::string operator()(const RemoveVolumeDirectory& s) const {
    return "remove the directory " + place_text(s.base, s.directory) + " of volume " +
           quoted_if_needed(s.volume.str());
  }
  std::string operator()(const SetAsideVolumeDirectory& s) const {
    return "rename the directory " + place_text(s.base, s.directory) + " of volume " +
           quoted_if_needed(s.volume.str()) + " to " + quoted_if_needed(s.to);
  }
  std::string operator()(const EmptyDirectory& s) const {
    return "remove all that is in " + quoted_if_needed(s.path);
  }
  std::string operator()(const PrepareImage& s) const {
    return "make sure that the image " + quoted_if_needed(s.path) + " can be made";
  }
  std::string operator()(const RemoveImage& s) const {
    return "remove the image " + quoted_if_needed(s.path);
  }
  std::string operator()(const ProbeFlexDriver& s) const {
    return "ask " + driver_text(s.program) + " what it can do";
  }
  std::string operator()(const StageFlexVolume& s) const {
    return "have " + driver_text(s.program) + " attach volume " + quoted_if_needed(s.volume.name) +
           (s.volume.read_only ? " read-only" : "") + " and mount it on " + quoted_if_needed(s.path);
  }
  std::string operator()(const UnstageFlexVolume& s) const {
    return "have " + driver_text(s.program) + " unmount " + quoted_if_needed(s.path) + " and detach volume " +
           quoted_if_needed(s.volume_name);
  }
  std::string operator()(const GrowFlexVolume& s) const {
    return "have " + driver_text(s.program) + " grow volume " + quoted_if_needed(s.volume.name) + " to " +
           std::to_string(s.size_bytes) + " bytes";
  }
  std::string operator()(const PublishFlexVolume& s) const {
    return "have " + driver_text(s.program) + " mount volume " + quoted_if_needed(s.volume.name) +
           (s.volume.read_only ? " read-only" : "") + " on " + quoted_if_needed(s.path);
  }
  std::string operator()(const UnpublishFlexVolume& s) const {
    return "have " + driver_text(s.program) + " unmount " + quoted_if_needed(s.path);
  }
  std::string operator()(const ProbeCsiDriver& s) const {
    return std::string(s.is_registration ? "ask who registers at " : "ask which driver listens at ") +
           quoted_if_needed(s.socket);
  }
  std::string operator()(const NotifyRegistration& s) const {
    return "tell " + quoted_if_needed(s.socket) +
           (s.is_registered ? " that it is registered" : " that it is refused");
  }
  std::string operator()(const ScanTree&) const { return "read the tree below the root directory"; }
  std::string operator()(const StageCsiVolume& s) const {
    return (s.calls_driver ? "have " : "make the place of ") + csi_text(s.volume) +
           (s.calls_driver ? " staged at " : " at ") + quoted_if_needed(s.path);
  }
  std::string operator()(const UnstageCsiVolume& s) const {
    return (s.calls_driver ? "have " : "remove the place of ") + csi_text(s.volume) +
           (s.calls_driver ? " unstaged at " : " at ") + quoted_if_needed(s.path);
  }
  std::string operator()(const PublishCsiVolume& s) const {
    return "have " + csi_text(s.volume) + " published" + (s.read_only ? " read-only" : "") + " at " +
           quoted_if_needed(s.path);
  }
  std::string operator()(const UnpublishCsiVolume& s) const {
    return "have " + csi_text(s.volume) + " unpublished at " + quoted_if_needed(s.path);
  }
  std::string operator()(const ExpandCsiVolume& s) const {
    return "have " + csi_text(s.volume) + " expanded to " + std::to_string(s.required_bytes) + " bytes";
  }
  std::string operator()(const MeasureCsiVolume& s) const {
    return "ask how full " + csi_text(s.volume) + " is";
  }
  std::string operator()(const CreateCsiVolume& s) const {
    return "have volume " + quoted_if_needed(s.request.name) + " made by driver " + s.volume.driver.str();
  }
  std::string operator()(const DeleteCsiVolume& s) const {
    if (!s.volume.handle.empty()) return "have " + csi_text(s.volume) + " deleted";
    return "have volume " + quoted_if_needed(s.request.name) + " deleted by driver " + s.volume.driver.str();
  }
  std::string operator()(const PublishCsiController& s) const {
    return "have " + csi_text(s.volume) + " attached to node " + quoted_if_needed(s.node_id);
  }
  std::string operator()(const UnpublishCsiController& s) const {
    return "have " + csi_text(s.volume) + " detached from node " + quoted_if_needed(s.node_id);
  }
  std::string operator()(const ExpandCsiController& s) const {
    return "have " + csi_text(s.volume) + " grown to " + std::to_string(s.required_bytes) +
           " bytes where its driver keeps it";
  }
  std::string operator()(const CreateCsiSnapshot& s) const {
    return "have snapshot " + quoted_if_needed(s.request.name) + " made of " + csi_text(s.volume);
  }
  std::string operator()(const DeleteCsiSnapshot& s) const {
    return "have snapshot " + quoted_if_needed(s.snapshot_id.empty() ? s.request.name : s.snapshot_id) +
           " deleted by driver " + s.volume.driver.str();
  }
};

}  // namespace

std::string_view to_string(HostPathType type) {
  switch (type) {
    case HostPathType::Unset:
      return "";
    case HostPathType::DirectoryOrCreate:
      return "DirectoryOrCreate";
    case HostPathType::Directory:
      return "Directory";
    case HostPathType::FileOrCreate:
      return "FileOrCreate";
    case HostPathType::File:
      return "File";
    case HostPathType::Socket:
      return "Socket";
    case HostPathType::CharDevice:
      return "CharDevice";
    case HostPathType::BlockDevice:
      return "BlockDevice";
  }
  return "";
}

std::string_view to_string(Lane lane) {
  switch (lane) {
    case Lane::Local:
      return "local";
    case Lane::Teardown:
      return "teardown";
    case Lane::Own:
      return "own";
  }
  return "local";
}

std::string_view to_string(UnmountPolicy policy) {
  switch (policy) {
    case UnmountPolicy::Wait:
      return "Wait";
    case UnmountPolicy::Force:
      return "Force";
    case UnmountPolicy::Lazy:
      return "Lazy";
  }
  return "Wait";
}

std::string describe(const Step& step) {
  return std::visit(Describer{}, step);
}

Step::Step() = default;
Step::Step(const Step& other) = default;
Step::Step(Step&& other) noexcept = default;
Step& Step::operator=(const Step& other) = default;
Step& Step::operator=(Step&& other) noexcept = default;
Step::~Step() = default;

bool operator==(const Step& one, const Step& other) {
  return static_cast<const AnyStep&>(one) == static_cast<const AnyStep&>(other);
}

}  // namespace mooring
