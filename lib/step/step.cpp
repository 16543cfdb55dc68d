#include "step/step.h"

#include "base/quote.h"
#include "step/layout.h"

namespace mooring {
namespace {

std::string size_text(const std::optional<std::uint64_t>& bytes) {
  return bytes ? " size=" + std::to_string(*bytes) : std::string();
}

std::string confinement_text(const std::optional<std::string>& confined_to) {
  return confined_to ? " (within the mount at " + quoted_if_needed(*confined_to) + ")" : std::string();
}

struct Describer {
  std::string operator()(const MakePodDirectory& s) const {
    return "make the pod's directory " + layout::pod(s.uid) + " for " + s.name_space.str() + "/" +
           s.name.str();
  }
  std::string operator()(const MakeDirectory& s) const {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", s.mode & 07777);
    return "make directory " + quoted_if_needed(s.path) + " mode " + mode;
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
  std::string operator()(const ScanTree&) const { return "read the tree below the root directory"; }
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

std::string describe(const Step& step) {
  return std::visit(Describer{}, step);
}

}  // namespace mooring
