#include <algorithm>
#include <cerrno>

#include "operation/device_checks.h"
#include "operation/device_links.h"
#include "operation/device_steps.h"
#include "operation/format_stamp.h"
#include "step/layout.h"

// Raw devices of pods (kubelet-behaviours 14):
//
//     <directory>/<pod uid>                      the device's node, bound; stays that device, whatever its
//     name
//                                                comes to mean
//     /dev/loopN                                 a loop device on the device, read-only, for all its pods: it
//                                                keeps the device open, so that it is not let go unseen
//     pods/<uid>/volumeDevices/<plugin>/<name>   a link to the first, for the runtime

namespace mooring {
namespace {

using kernel::FileStatus;
using kernel::FileType;

constexpr std::uint32_t place_mode = 0640;

std::string place_of(const std::string& directory, const PodUid& pod) {
  return directory + "/" + pod.str();
}

/// The node that a bind is of, as it was called when it was bound: the loop device on it was attached by that
/// name, whatever has the name now. In the table it is a path inside devtmpfs, or whatever /dev is.
std::string node_of_bind(const MountFact& bind) {
  constexpr std::string_view deleted = "//deleted";
  std::string node = bind.root;
  if (node.ends_with(deleted)) node.resize(node.size() - deleted.size());
  return node.starts_with("/dev/") ? node : "/dev" + node;
}

/// Keeps the device open. By the node and not by a bind of it: that would be busy as long as any pod has the
/// device. True if it was held already, for this pod or another one.
Result<bool> hold(const std::string& node, kernel::Devices& devices) {
  const DeviceName name{DeviceName::Kind::Image, node};
  const auto is_held = [&] {
    const auto held = devices.find(name);
    return held || held.error().reason == "DeviceAmbiguous";
  };
  if (is_held()) return true;
  const auto held = devices.attach_image(node, true);
  if (held || is_held()) return false;
  return held.error();
}

/// A bind of a device's node for a pod.
struct Bound {
  std::string place;
  std::string node;
};

Result<std::vector<Bound>> binds_in(const std::string& directory, kernel::Kernel kernel) {
  std::vector<Bound> binds;
  const auto entries = kernel.files.list(directory);
  if (!entries && entries.error().errno_value == ENOENT) return binds;
  if (!entries) return entries.error();
  for (const auto& entry : entries.value()) {
    const std::string place = directory + "/" + entry.name;
    MOORING_TRY(const auto mounted, kernel.mounts.listed_at(place));
    if (mounted) binds.push_back({place, node_of_bind(*mounted)});
  }
  return binds;
}

/// True if the node is still the one that was bound: another device that has its name is not to be held.
bool is_still(const Bound& bind, kernel::Files& files) {
  const auto node = files.host_status({bind.node, std::nullopt});
  const auto there = files.status(bind.place);
  return node && there && node.value() && there.value() && node.value()->device == there.value()->device &&
         node.value()->inode == there.value()->inode;
}

/// The loop device that keeps a device open is for all its pods: with the last bind of `node` (empty: of
/// none) it ends. Pods that have the volume by another node, because it came back under another name, are
/// kept by another one. Two workers may be at this at once: who ends it looks for binds once more, and who
/// binds holds once more, so that one of them sees the other.
Result<void> settle_hold(const std::string& directory, const std::string& node, kernel::Kernel kernel) {
  MOORING_TRY(auto binds, binds_in(directory, kernel));
  const bool is_used =
      std::any_of(binds.begin(), binds.end(), [&](const Bound& bind) { return bind.node == node; });
  if (!node.empty() && !is_used) {
    if (!kernel.devices.detach_image(node)) {
      // The return code is a hint: a second try finds nothing if the first one did it.
      MOORING_TRY(kernel.devices.detach_image(node));
    }
    MOORING_TRY(binds, binds_in(directory, kernel));
  }
  for (const Bound& bind : binds) {
    // A device that is gone cannot be held any more, and its pods are to go all the same.
    if (is_still(bind, kernel.files)) (void)hold(bind.node, kernel.devices);
  }
  return success();
}

class Mapper {
 public:
  Mapper(const MapDevice& step, kernel::Kernel kernel)
      : step_(step), kernel_(kernel), place_(place_of(step.directory, step.pod)) {}

  Result<bool> run() {
    MOORING_TRY(device_, kernel_.devices.find(step_.device));
    if (device_.is_read_only && !step_.read_only) return read_only_device(step_.device, device_);
    MOORING_TRY(const bool is_there, is_bound());
    // Held before it is bound: else the node could come to be another device's between the two.
    MOORING_TRY(const bool was_held, hold(device_.node, kernel_.devices));
    if (!is_there) {
      if (const Result<void> bound = bind_held(); !bound) {
        undo();
        return bound.error();
      }
    }
    MOORING_TRY(const bool is_new_link, link_device(step_.link, place_, kernel_.files));
    return !is_there || !was_held || is_new_link;
  }

 private:
  /// True if the node is bound there already; whatever else is mounted there is left alone.
  Result<bool> is_bound() {
    MOORING_TRY(const auto mounted, kernel_.mounts.listed_at(place_));
    if (!mounted) return false;
    MOORING_TRY(const auto node, kernel_.files.host_status({device_.node, std::nullopt}));
    MOORING_TRY(const auto there, kernel_.files.status(place_));
    // The node itself and not one of its name: a device that came later has a new one.
    if (node && there && node->type == FileType::BlockDevice && node->device == there->device &&
        node->inode == there->inode) {
      return true;
    }
    Error error = refusal("ForeignMount", "something else is bound where " + step_.device.text() + " belongs",
                          "end the pod, and unmount what is left there");
    error.path = place_;
    return error;
  }

  Result<void> bind() {
    MOORING_TRY(kernel_.files.make_directory(step_.directory, layout::private_mode));
    MOORING_TRY(const auto there, kernel_.files.status(place_));
    if (there && !is_empty_file(*there)) return something_else(place_, "the device of the pod");
    if (!there) {
      MOORING_TRY(kernel_.files.write_file(place_, "", place_mode));
    }
    // Never a read-only mount: it would keep nobody from writing to the device, only from changing its node's
    // mode. That is for the runtime (the permissions of the device).
    const Result<void> bound = kernel_.mounts.bind({device_.node, place_, false, false});
    // The return code is a hint: what is there now decides.
    MOORING_TRY(const bool is_there, is_bound());
    if (!is_there) return bound ? Result<void>(not_there()) : bound;
    // The node may have become another device's between the look and the bind, which changed nothing on it.
    const Result<void> same = check_unchanged(step_.device, device_, kernel_.devices);
    if (!same) {
      MOORING_TRY(kernel_.mounts.unmount(place_));
    }
    return same;
  }

  Error not_there() const {
    Error error = obstacle("MountFailed", "binding " + device_.node + " succeeded, and it is not bound",
                           place_, "see if something on the node unmounts it");
    error.kind = ErrorKind::Uncertain;
    return error;
  }

  Result<void> bind_held() {
    MOORING_TRY(check_unchanged(step_.device, device_, kernel_.devices));
    MOORING_TRY(bind());
    // Who let it go meanwhile as the last that had it did not see this one.
    MOORING_TRY(hold(device_.node, kernel_.devices));
    return success();
  }

  /// A bind that nothing holds would be in the way of the next try. What cannot be undone is found by that.
  void undo() {
    const auto left = is_bound();
    if (left && left.value()) (void)kernel_.mounts.unmount(place_);
    (void)settle_hold(step_.directory, device_.node, kernel_);
  }

  const MapDevice& step_;
  kernel::Kernel kernel_;
  const std::string place_;
  DeviceFacts device_;
};

class Unmapper {
 public:
  Unmapper(const UnmapDevice& step, kernel::Kernel kernel)
      : step_(step), kernel_(kernel), place_(place_of(step.directory, step.pod)) {}

  Result<bool> run() {
    MOORING_TRY(is_changed_, unlink_device(step_.link, kernel_.files));
    MOORING_TRY(const auto mounted, kernel_.mounts.listed_at(place_));
    if (mounted) {
      MOORING_TRY(unmount());
    }
    MOORING_TRY(settle_hold(step_.directory, mounted ? node_of_bind(*mounted) : std::string(), kernel_));
    MOORING_TRY(remove_place());
    // Also if nothing was there: a run that was cut off may have left just these.
    for (const std::string& directory :
         {step_.directory, parent_of(step_.link), parent_of(parent_of(step_.link))}) {
      MOORING_TRY(const bool is_removed, remove_unless_shared(directory, kernel_.files));
      is_changed_ = is_changed_ || is_removed;
    }
    return is_changed_;
  }

 private:
  Result<void> unmount() {
    is_changed_ = true;
    const Result<void> unmounted = kernel_.mounts.unmount(place_);
    // The return code is a hint: what is there now decides.
    const auto now = kernel_.mounts.listed_at(place_);
    if (!unmounted && (!now || now.value())) return unmounted;
    MOORING_TRY(const auto left, now);
    if (!left) return success();
    return obstacle("MountedBelow", left->source + " lies under what was unmounted", place_,
                    "unmount it; Mooring goes on by itself then");
  }

  Result<void> remove_place() {
    MOORING_TRY(const auto there, kernel_.files.status(place_));
    if (!there) return success();
    if (!is_empty_file(*there)) return something_else(place_, "the device of the pod");
    is_changed_ = true;
    return kernel_.files.remove_file(place_);
  }

  const UnmapDevice& step_;
  kernel::Kernel kernel_;
  const std::string place_;
  bool is_changed_ = false;
};

}  // namespace

namespace {

/// A formatting of the volume that never ended may be done again, as nobody wrote to the device since. From
/// now on somebody may: it counts as ended.
Result<void> end_formatting(const MapDevice& step, kernel::Files& files) {
  const auto volume = layout::parse_device_map(step.directory);
  if (step.read_only || !volume) return success();
  const std::string path = layout::format_stamp(volume->plugin, volume->volume);
  MOORING_TRY(auto stamp, read_format_stamp(path, files));
  if (!stamp || stamp->is_complete) return success();
  stamp->is_complete = true;
  return write_format_stamp(path, *stamp, files);
}

}  // namespace

Result<bool> map_device(const MapDevice& step, kernel::Kernel kernel) {
  MOORING_TRY(end_formatting(step, kernel.files));
  return Mapper(step, kernel).run();
}

Result<bool> unmap_device(const UnmapDevice& step, kernel::Kernel kernel) {
  return Unmapper(step, kernel).run();
}

Result<bool> remove_left_device_links(const PodUid& pod, kernel::Kernel kernel) {
  const std::string devices = layout::devices(pod);
  const auto plugins = kernel.files.list(devices);
  if (!plugins && plugins.error().errno_value == ENOENT) return false;
  if (!plugins) return plugins.error();
  bool is_changed = false;
  for (const auto& plugin : plugins.value()) {
    if (plugin.type != FileType::Directory) continue;
    const std::string parent = devices + "/" + plugin.name;
    MOORING_TRY(const auto links, kernel.files.list(parent));
    for (const auto& entry : links) {
      const std::string link = parent + "/" + entry.name;
      if (entry.type != FileType::SymbolicLink) continue;
      MOORING_TRY(const auto target, kernel.files.read_link(link));
      const std::string place = target ? place_by_link(link, *target, pod) : std::string();
      if (place.empty()) continue;
      MOORING_TRY(const auto mounted, kernel.mounts.listed_at(place));
      if (mounted) continue;
      MOORING_TRY(kernel.files.remove_file(link));
      is_changed = true;
      MOORING_TRY(const auto there, kernel.files.status(place));
      if (!there || !is_empty_file(*there)) continue;
      MOORING_TRY(kernel.files.remove_file(place));
      MOORING_TRY(remove_unless_shared(parent_of(place), kernel.files));
    }
  }
  return is_changed;
}

}  // namespace mooring
