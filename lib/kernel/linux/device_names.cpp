// Which device a name means now.

#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>

#include "kernel/device_errors.h"
#include "kernel/linux/block_device.h"
#include "kernel/linux/linux_devices.h"
#include "kernel/linux/loop_device.h"
#include "kernel/linux/superblock.h"
#include "kernel/linux/udev_database.h"

namespace mooring::kernel {
namespace {

using Folder = std::unique_ptr<DIR, int (*)(DIR*)>;

/// The devices that stand on this one: "dm-3".
std::vector<std::string> devices_on(dev_t number) {
  std::vector<std::string> names;
  const Folder folder(opendir((sysfs_of(number) + "/holders").c_str()), &closedir);
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr) {
    const std::string name = static_cast<const char*>(entry->d_name);
    if (!name.starts_with('.')) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<dev_t> number_of(const std::string& name) {
  const std::string text = read_attribute("/sys/class/block/" + name + "/dev");
  unsigned number_major = 0;
  unsigned number_minor = 0;
  if (std::sscanf(text.c_str(), "%u:%u", &number_major, &number_minor) != 2) return std::nullopt;
  return makedev(number_major, number_minor);
}

/// The numbers of all block devices, partitions too, in the order of their names.
std::vector<dev_t> all_devices() {
  std::vector<std::string> names;
  const Folder folder(opendir("/sys/class/block"), &closedir);
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr)
    names.emplace_back(static_cast<const char*>(entry->d_name));
  std::sort(names.begin(), names.end());
  std::vector<dev_t> numbers;
  for (const std::string& name : names) {
    if (const std::optional<dev_t> number = number_of(name)) numbers.push_back(*number);
  }
  return numbers;
}

struct Candidate {
  DeviceFacts facts;
  Descriptor opened;
};

/// nullopt if it cannot be opened, or has no medium.
std::optional<Candidate> open_candidate(dev_t number) {
  Candidate candidate;
  const std::string node = node_of(number);
  if (node.empty() || read_attribute(sysfs_of(number) + "/size") == "0") return std::nullopt;
  // O_NONBLOCK: a drive with a tray would close it else, and one for floppy disks would start its motor.
  candidate.opened.reset(open(node.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!candidate.opened) return std::nullopt;
  Result<DeviceFacts> facts = facts_of(candidate.opened.get(), node);
  if (!facts || facts.value().size_bytes == 0 ||
      makedev(facts.value().device_major, facts.value().device_minor) != number) {
    return std::nullopt;
  }
  candidate.facts = std::move(facts).value();
  return candidate;
}

/// A loop device that shows another device, and not a file: that one is meant by what is on it.
bool shows_another(int device) {
  loop_info64 info{};
  return ioctl(device, LOOP_GET_STATUS64, &info) == 0 && info.lo_rdevice != 0;
}

/// `unreadable`: devices that may be meant and could not be looked at.
Result<DeviceFacts> the_only(const DeviceName& name, const std::vector<DeviceFacts>& found,
                             const std::string& unreadable) {
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    Error error = device_missing(name);
    if (!unreadable.empty()) error.message += ", but these could not be read:" + unreadable;
    return error;
  }
  std::vector<std::string> nodes;
  for (const DeviceFacts& facts : found)
    nodes.push_back(facts.node);
  return device_ambiguous(name, nodes);
}

Result<DeviceFacts> find_path(const DeviceName& name) {
  const std::string& path = name.value;
  if (!path.starts_with("/dev/")) return not_a_device(path, path);
  const Descriptor there(open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!there) {
    if (errno == ENOENT || errno == ENOTDIR) return device_missing(name);
    return device_error("cannot look for", path, errno);
  }
  std::array<char, 4096> buffer{};
  const ssize_t size =
      readlink(("/proc/self/fd/" + std::to_string(there.get())).c_str(), buffer.data(), buffer.size());
  const std::string leads_to(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  if (!leads_to.starts_with("/dev/")) return not_a_device(path, leads_to);
  struct stat status {};
  if (fstat(there.get(), &status) != 0) return device_error("cannot look at", path, errno);
  if (!S_ISBLK(status.st_mode)) return not_a_block_device(path);
  // The kernel's name from now on: links and other nodes may change.
  std::optional<Candidate> found = open_candidate(status.st_rdev);
  if (!found) return device_missing(name);
  return found->facts;
}

bool is_named(const DeviceName& name, const std::string& uuid, const std::string& label) {
  if (name.value.empty()) return false;
  return name.kind == DeviceName::Kind::Uuid ? is_same_uuid(uuid, name.value) : label == name.value;
}

/// Reads devices to see which of them has the file system of this name.
class ContentSearch {
 public:
  explicit ContentSearch(const DeviceName& name) : name_(name) {}

  void look_at(const std::vector<dev_t>& numbers) {
    for (const dev_t number : numbers)
      look_at(number);
  }
  bool has_found() const { return !found_.empty(); }
  Result<DeviceFacts> result() const { return the_only(name_, found_, unreadable_); }

 private:
  void look_at(dev_t number) {
    if (read_attribute(sysfs_of(number) + "/dm/suspended") == "1") {
      unreadable_ += " " + node_of(number);  // Reading it would wait until somebody resumes it.
      return;
    }
    const std::optional<Candidate> candidate = open_candidate(number);
    if (!candidate || shows_another(candidate->opened.get())) return;
    const Recognised recognised = recognise(candidate->opened.get(), false);
    if (recognised.read_errno != 0) unreadable_ += " " + candidate->facts.node;
    if (!recognised.signature || recognised.signature->usage != Signature::Usage::FileSystem) return;
    if (is_named(name_, recognised.signature->uuid, recognised.signature->label))
      found_.push_back(candidate->facts);
  }

  const DeviceName& name_;
  std::vector<DeviceFacts> found_;
  std::string unreadable_;
};

/// A disk that hangs, or that there are many, is not to hold up who names another one: udev tells which to
/// read. What it says of that is proven by reading; what it says of the others is believed once one was
/// found.
Result<DeviceFacts> find_content(const DeviceName& name) {
  std::vector<dev_t> named;
  std::vector<dev_t> unknown;
  std::vector<dev_t> others;
  for (const dev_t number : all_devices()) {
    // What another device stands on shows the content of that one: its own name is the other's.
    if (!devices_on(number).empty()) continue;
    const std::optional<UdevEntry> entry = udev_entry(number);
    const bool is_it = entry && is_named(name, entry->uuid, entry->label);
    (is_it ? named : entry ? others : unknown).push_back(number);
  }
  ContentSearch search(name);
  search.look_at(named);
  const bool is_known = search.has_found();
  search.look_at(unknown);
  if (!is_known) search.look_at(others);
  return search.result();
}

/// The paths of a multipath all have the WWID of the one disk behind them: the device on them is meant.
dev_t disk_behind(dev_t number) {
  for (const std::string& name : devices_on(number)) {
    const std::optional<dev_t> other = number_of(name);
    if (other && read_attribute("/sys/class/block/" + name + "/dm/uuid").starts_with("mpath-")) return *other;
  }
  return number;
}

Result<DeviceFacts> find_wwid(const DeviceName& name) {
  std::set<dev_t> meant;
  for (const dev_t number : all_devices()) {
    // A partition has the WWID of its disk.
    if (disk_of(number) != number || name.value.empty()) continue;
    if (wwid_of(number) == name.value) meant.insert(disk_behind(number));
  }
  std::vector<DeviceFacts> found;
  std::string unreadable;
  for (const dev_t number : meant) {
    const std::optional<Candidate> candidate = open_candidate(number);
    if (candidate) found.push_back(candidate->facts);
    if (!candidate) unreadable += " " + node_of(number);
  }
  return the_only(name, found, unreadable);
}

Result<DeviceFacts> find_image(const DeviceName& name) {
  struct stat status {};
  if (stat(name.value.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return device_missing(name);
    return image_error("cannot look at the image", name.value, errno);
  }
  std::vector<DeviceFacts> found;
  for (const LoopDevice& loop : loops_of_file(status.st_dev, status.st_ino)) {
    if (!loop.is_whole()) continue;
    const Descriptor device(open(loop.node.c_str(), O_RDONLY | O_CLOEXEC));
    if (!device) return device_error("cannot open", loop.node, errno);
    MOORING_TRY(const DeviceFacts facts, facts_of(device.get(), loop.node));
    found.push_back(facts);
  }
  return the_only(name, found, {});
}

}  // namespace

Result<DeviceFacts> LinuxDevices::find(const DeviceName& name) {
  switch (name.kind) {
    case DeviceName::Kind::Path:
      return find_path(name);
    case DeviceName::Kind::Uuid:
    case DeviceName::Kind::Label:
      return find_content(name);
    case DeviceName::Kind::Wwid:
      return find_wwid(name);
    case DeviceName::Kind::Csi:
      return device_missing(name);
    case DeviceName::Kind::Image:
      break;
  }
  return find_image(name);
}

}  // namespace mooring::kernel
