#include "flex_driver.h"

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

namespace mooring::sim {
namespace {

using kernel::ProgramAnswer;
using nlohmann::json;

std::string argument(const kernel::ProgramCall& call, std::size_t number) {
  return number < call.arguments.size() ? std::string(call.arguments[number].expose_secret()) : std::string();
}

ProgramAnswer said(const json& answer, int status = 0) {
  ProgramAnswer ended;
  ended.status = status;
  ended.output = answer.dump();
  return ended;
}

/// Where the options stand among the arguments; 0: nowhere.
std::size_t place_of_options(const std::string& command) {
  if (command == "waitforattach" || command == "mount") return 2;
  if (command == "mountdevice") return 3;
  const bool has_options = command == "getvolumename" || command == "attach" || command == "isattached" ||
                           command == "expandvolume" || command == "expandfs";
  return has_options ? 1 : 0;
}

}  // namespace

FlexDriverTruth::FlexDriverTruth(std::string name, Kind kind, kernel::FakeKernel& kernel, Random& random,
                                 std::function<void(const std::string&)> trace)
    : name_(std::move(name)),
      kind_(kind),
      kernel_(kernel),
      random_(random),
      trace_(std::move(trace)),
      mounts_(kernel) {
  const std::string last = name_.substr(name_.find('/') + 1);
  program_ = "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/sim~" + last + "/" + last;
  replace();
}

FlexProgramFact FlexDriverTruth::fact() const {
  return {DriverName(name_), program_, 1, inode_, 100, static_cast<std::int64_t>(inode_)};
}

void FlexDriverTruth::replace() {
  ++inode_;
  unsupported_.clear();
  for (const char* command : {"getvolumename", "isattached", "waitforattach", "expandvolume", "expandfs"}) {
    if (random_.chance(2)) unsupported_.insert(command);
  }
  // What mounts has to be able to unmount; for the rest there are defaults.
  if (kind_ == Kind::Attaches && inode_ == 2 && random_.chance(2)) unsupported_.insert("mount");
}

std::string FlexDriverTruth::volume_of(const std::string& command, const kernel::ProgramCall& call) const {
  if (const std::size_t place = place_of_options(command); place != 0) {
    const json options = json::parse(argument(call, place), nullptr, false);
    return options.is_object() ? options.value("kubernetes.io/pvOrVolumeName", std::string()) : std::string();
  }
  if (command == "detach") return argument(call, 1);
  for (const auto& [name, volume] : volumes_) {
    const std::string path = argument(call, 1);
    if (volume.staged.contains(path) || volume.published.contains(path)) return name;
  }
  return {};
}

/// True if anything of the volume is mounted where pods are, whoever did that.
bool FlexDriverTruth::has_mounts_for_pods(const std::string& name) const {
  const std::vector<MountFact> facts = kernel_.mount_facts();
  return std::any_of(facts.begin(), facts.end(), [&](const MountFact& fact) {
    return fact.type == DriverMounts::type && fact.source == source(name) &&
           fact.mount_point.starts_with(kernel_.root_dir() + "/pods/");
  });
}

void FlexDriverTruth::accuse(const std::string& command, const std::string& name, const std::string& what) {
  if (broken_.empty()) broken_ = name_ + " is told to " + command + " volume " + name + ", " + what;
}

void FlexDriverTruth::check_order(const std::string& command, const kernel::ProgramCall& call) {
  if (command == "init") return;
  const std::string name = volume_of(command, call);
  if (name.empty()) return;  // It knows nothing of the path: unmount comes also for what is not there.
  if (!volumes_known.contains(name)) accuse(command, name, "which nobody asked for");
  const Volume& volume = volumes_[name];
  const bool is_needed = !volume.published.empty() || has_mounts_for_pods(name);
  if (command == "mount" && kind_ == Kind::Attaches) {
    if (!volume.is_attached) accuse(command, name, "which is not attached");
    if (volume.staged.empty()) accuse(command, name, "which is not mounted for the node");
  }
  if (command == "mountdevice" && !volume.is_attached) accuse(command, name, "which is not attached");
  if (command == "unmountdevice" && is_needed) accuse(command, name, "which a pod has");
  if (command == "detach" && is_needed) accuse(command, name, "which a pod has");
  const bool is_staged = std::any_of(volume.staged.begin(), volume.staged.end(),
                                     [&](const std::string& path) { return mounts_.is_mounted(path); });
  if (command == "detach" && is_staged) accuse(command, name, "which is mounted for the node");
  if (kind_ == Kind::Attaches) return;
  if (command != "mount" && command != "unmount") accuse(command, name, "and attaches nothing");
}

Result<ProgramAnswer> FlexDriverTruth::run(const kernel::ProgramCall& call) {
  ++calls;
  if (!is_there) {
    Error error;
    error.kind = ErrorKind::Transient;
    error.reason = "SpawnFailed";
    error.message = "no such program";
    error.path = call.program;
    error.errno_value = ENOENT;
    return error;
  }
  const std::string command = argument(call, 0);
  check_order(command, call);
  const auto late = [] {
    ProgramAnswer ended;
    ended.status = -1;
    ended.signal = 9;
    ended.is_late = true;
    return ended;
  };
  if (is_hung_) {
    if (random_.chance(2)) throw kernel::FakeHang{};
    return late();
  }
  if (happens(mood.hang_one_in)) throw kernel::FakeHang{};
  if (happens(mood.crash_one_in)) {
    if (random_.chance(2)) perform(command, call);
    throw kernel::FakeCrash{};
  }
  if (unsupported_.contains(command)) return said({{"status", "Not supported"}});
  if (happens(mood.lost_before_one_in)) return late();
  // A driver may say again what it was told.
  if (happens(mood.error_one_in))
    return said({{"status", "Failure"}, {"message", "no: " + argument(call, call.arguments.size() - 1)}},
                random_.chance(2) ? 1 : 0);
  ProgramAnswer answer = perform(command, call);
  if (happens(mood.lost_after_one_in)) return late();
  if (happens(mood.garbage_one_in)) {
    answer.output = random_.chance(2) ? "\x01 no answer" : "";
    answer.is_too_long = random_.chance(4);
  } else if (happens(mood.late_one_in)) {
    answer.status = 1;  // It did it, says so, and fails.
  }
  return answer;
}

bool FlexDriverTruth::publish(const std::string& path, Volume& volume, const std::string& name) {
  const bool is_done = kind_ == Kind::Writes ? kernel_.put_file(path + "/" + file_name, name) == 0
                                             : mounts_.mount(path, source(name));
  if (is_done) volume.published.insert(path);
  return is_done;
}

bool FlexDriverTruth::unpublish(const std::string& path) {
  const bool removes_place = !random_.chance(4);
  if (kind_ == Kind::Writes && mounts_.is_directory(path)) {
    kernel_.remove_all(path + "/" + file_name);
    if (removes_place && kernel_.tree_listing(path).empty()) kernel_.remove_all(path);
  } else if (!mounts_.unmount(path, removes_place)) {
    return false;
  }
  for (auto& [name, volume] : volumes_)
    volume.published.erase(path);
  return true;
}

ProgramAnswer FlexDriverTruth::perform(const std::string& command, const kernel::ProgramCall& call) {
  const std::string name = volume_of(command, call);
  Volume& volume = volumes_[name];
  const std::string path = argument(call, 1);
  if (command != "init") trace_("  " + name_ + ": " + command + " " + name);
  const ProgramAnswer failure = said({{"status", "Failure"}, {"message", "it is busy"}});
  const ProgramAnswer success = said({{"status", "Success"}});
  if (command == "init")
    return said({{"status", "Success"},
                 {"capabilities", {{"attach", kind_ == Kind::Attaches}, {"supportsMetrics", true}}}});
  if (command == "attach") volume.is_attached = true;
  if (command == "detach") volume = {false, {}, volume.published};
  if (command == "isattached") return said({{"status", "Success"}, {"attached", volume.is_attached}});
  if (command == "mountdevice") {
    if (!mounts_.mount(path, source(name))) return failure;
    volume.staged.insert(path);
  } else if (command == "unmountdevice") {
    if (!mounts_.unmount(path, !random_.chance(4))) return failure;
    volume.staged.erase(path);
  } else if (command == "mount") {
    if (!publish(path, volume, name)) return failure;
  } else if (command == "unmount") {
    if (!unpublish(path)) return failure;
  }
  return success;
}

void FlexDriverTruth::hang(bool is_hung) {
  is_hung_ = is_hung;
  for (const std::string& name : volumes_known)
    kernel_.set_server_answers(source(name), !is_hung);
}

void FlexDriverTruth::node_rebooted() {
  hang(false);
  for (auto& [name, volume] : volumes_) {
    // What it wrote is on the disk.
    volume.is_attached = false;
    volume.staged.clear();
    if (kind_ != Kind::Writes) volume.published.clear();
  }
}

const FlexDriverTruth::Volume* FlexDriverTruth::find(const std::string& name) const {
  const auto found = volumes_.find(name);
  return found == volumes_.end() ? nullptr : &found->second;
}

bool FlexDriverTruth::is_published(const std::string& path) const {
  if (kind_ == Kind::Writes) return kernel_.exists(path + "/" + file_name);
  return mounts_.is_mounted(path);
}

std::string FlexDriverTruth::leftover() const {
  for (const auto& [name, volume] : volumes_) {
    if (!volume.published.empty()) return name + " is still published at " + *volume.published.begin();
    if (!volume.staged.empty()) return name + " is still mounted at " + *volume.staged.begin();
    if (volume.is_attached) return name + " is still attached";
  }
  return {};
}

}  // namespace mooring::sim
