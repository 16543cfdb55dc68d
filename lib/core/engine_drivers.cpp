#include <algorithm>
#include <utility>

#include "core/engine.h"

namespace mooring {
namespace {

const PluginName csi_plugin("kubernetes.io/csi");

template <class Flags>
void name_capabilities(const Flags& flags, std::initializer_list<std::pair<bool Flags::*, const char*>> names,
                       std::vector<std::string>& out) {
  for (const auto& [flag, name] : names) {
    if (flags.*flag) out.emplace_back(name);
  }
}

std::vector<std::string> capabilities_of(const CsiDriver& driver) {
  using Node = CsiNodeCapabilities;
  using Controller = CsiControllerCapabilities;
  std::vector<std::string> out;
  name_capabilities<Node>(driver.node,
                          {{&Node::stage_unstage, "Node/STAGE_UNSTAGE_VOLUME"},
                           {&Node::volume_stats, "Node/GET_VOLUME_STATS"},
                           {&Node::expand, "Node/EXPAND_VOLUME"},
                           {&Node::volume_condition, "Node/VOLUME_CONDITION"},
                           {&Node::single_node_multi_writer, "Node/SINGLE_NODE_MULTI_WRITER"},
                           {&Node::volume_mount_group, "Node/VOLUME_MOUNT_GROUP"}},
                          out);
  if (driver.controller) {
    name_capabilities<Controller>(
        *driver.controller,
        {{&Controller::create_delete_volume, "Controller/CREATE_DELETE_VOLUME"},
         {&Controller::publish_unpublish_volume, "Controller/PUBLISH_UNPUBLISH_VOLUME"},
         {&Controller::publish_read_only, "Controller/PUBLISH_READONLY"},
         {&Controller::create_delete_snapshot, "Controller/CREATE_DELETE_SNAPSHOT"},
         {&Controller::clone_volume, "Controller/CLONE_VOLUME"},
         {&Controller::expand_volume, "Controller/EXPAND_VOLUME"},
         {&Controller::single_node_multi_writer, "Controller/SINGLE_NODE_MULTI_WRITER"}},
        out);
  }
  if (driver.expands_online) out.emplace_back("VolumeExpansion/ONLINE");
  return out;
}

/// What a CSIDriver object asks for that is not done as a kubelet does it, or has no effect here.
std::vector<std::string> notes_on(const manifest::CsiDriverObject& object, const MountTable& mounts) {
  std::vector<std::string> notes;
  if (object.selinux_mount) {
    // The kernel has it, and somebody has mounted what speaks to it, or no label means anything.
    const bool has_selinux = mounts.top_at("/sys/fs/selinux") != nullptr;
    notes.emplace_back(std::string("seLinuxMount has no effect: ") +
                       (has_selinux
                            ? "volumes are not mounted with a context; runtimes are told to label their "
                              "files (selinuxRelabel)"
                            : "this node has no SELinux"));
  }
  if (!object.token_requests.empty()) {
    notes.emplace_back(
        "tokenRequests: tokens are taken from the Secret of nodePublishSecretRef (serviceAccount.tokens), as "
        "there "
        "is no API server that issues any");
  }
  return notes;
}

std::string state_text(const Registrar::Entry& entry) {
  if (entry.is_registered()) return entry.failure ? "NotAnswering" : "Registered";
  return entry.state == Registrar::State::Refused ? "Refused" : "Waiting";
}

/// What an event of a driver is about: the driver, or while nobody knows it, its socket.
std::string object_of(const RegistrarChange& change) {
  return change.driver.empty() ? "driver/" + change.socket : "driver/" + change.driver.str();
}

/// The volume's PersistentVolume is for other nodes, as far as is known: a driver's topology may say more.
bool is_misplaced(const VolumeWork& work) {
  return work.is_refused && work.failure && work.failure->reason == "NodeAffinityMismatch";
}

}  // namespace

void Core::Engine::on(RegistrySockets& event, Instant now) {
  registrar_.list(event.sockets);
  take_driver_changes(now);
  effects_.drivers_changed = true;
}

/// A driver may hang: each is asked by a worker of its own. Nothing else waits for that.
void Core::Engine::start_driver_work(Instant now) {
  for (RegistrarWork& work : registrar_.take_work(now.monotonic)) {
    const bool is_probe = std::holds_alternative<ProbeCsiDriver>(work.step);
    Operation operation;
    operation.lane = Lane::Own;
    operation.deadline_ms = is_probe ? options_.driver_deadline_ms : options_.local_deadline_ms;
    operation.what = (is_probe ? "ask the driver at " : "answer the registration at ") + work.socket;
    std::visit([&](const auto& step) { operation.steps.emplace_back(step); }, work.step);
    InFlight what;
    what.doing = Doing::AskDriver;
    start(std::move(operation), std::move(what));
    asking_drivers_.emplace(last_operation_, std::move(work));
    effects_.drivers_changed = true;
  }
}

void Core::Engine::driver_work_ended(const InFlight&, Outcome& outcome, Instant now) {
  auto asked = asking_drivers_.extract(static_cast<std::uint64_t>(outcome.id));
  if (asked.empty()) return;
  const RegistrarWork& work = asked.mapped();
  effects_.drivers_changed = true;
  if (std::holds_alternative<NotifyRegistration>(work.step)) {
    if (outcome.error) log(now, true, "DriverNotTold", "driver/" + work.socket, outcome.error->text());
    return registrar_.notify_ended(work);
  }
  Result<CsiDriver> found = status_error("NoAnswer", "the worker told nothing of the driver");
  if (outcome.error) {
    found = std::move(*outcome.error);
  } else if (outcome.csi_driver) {
    found = std::move(*outcome.csi_driver);
  }
  registrar_.probe_ended(work, std::move(found), now.monotonic, random_);
  take_driver_changes(now);
}

void Core::Engine::take_driver_changes(Instant now) {
  bool is_other_set = false;
  for (const RegistrarChange& change : registrar_.take_changes()) {
    const std::string object = object_of(change);
    switch (change.kind) {
      case RegistrarChange::Kind::Registered:
        is_other_set = true;
        log(now, false, "DriverRegistered", object, change.message);
        break;
      case RegistrarChange::Kind::Gone:
        is_other_set = true;
        log(now, true, "DriverGone", object, change.message);
        break;
      case RegistrarChange::Kind::Refused:
        log(now, true, "DriverRefused", object, change.message);
        break;
      case RegistrarChange::Kind::NotAnswering:
        log(now, true, "DriverNotAnswering", object, change.message);
        break;
    }
  }
  if (!is_other_set) return;
  follow_drivers();
  drivers_changed();
}

/// Volumes of drivers are looked at again, at once: what could not be had may be had now.
void Core::Engine::drivers_changed() {
  for (auto& [uid, pod] : work_) {
    const ActualPod* actual = actual_.find(uid);
    if (actual == nullptr) continue;
    for (const ActualVolume& volume : actual->volumes) {
      VolumeWork* work = pod.find(volume.name);
      if (work == nullptr || (volume.plugin != csi_plugin && !is_misplaced(*work))) continue;
      work->wanted_shape.reset();
      work->is_content_stale = true;
      work->is_refused = false;
      work->backoff.hurry();
      if (work->refresh_failure) work->republish_at.reset();
      dirty_.insert(uid);
    }
  }
  for (const auto& [key, device] : actual_.devices()) {
    if (device.plugin != csi_plugin) continue;
    device_work_[key].backoff.hurry();
    dirty_devices_.insert(key);
  }
}

std::vector<DriverStatus> Core::Engine::drivers() const {
  std::vector<DriverStatus> out;
  for (const auto& [socket, entry] : registrar_.entries()) {
    if (entry.is_gone) continue;
    DriverStatus status;
    status.kind = "CSI";
    status.name = entry.driver.empty() ? entry.expected.str() : entry.driver.str();
    status.state = state_text(entry);
    status.socket = socket;
    if (const CsiDriver* driver = entry.is_registered() ? drivers_.find_csi(entry.driver) : nullptr) {
      status.endpoint = driver->socket;
      status.version = driver->version;
      status.vendor_version = driver->vendor_version;
      status.node_id = driver->node_id;
      status.topology = driver->topology;
      status.volumes_max = driver->volumes_max;
      status.capabilities = capabilities_of(*driver);
      if (const auto object = store_.find_csi_driver(ObjectName(driver->name.str())))
        status.notes = notes_on(*object, *mounts_);
    }
    if (entry.failure) {
      status.reason = entry.failure->reason;
      status.message = entry.failure->message;
      status.action = entry.failure->remedy;
      status.attempts = entry.backoff.attempts();
      if (const auto when = entry.backoff.not_before(); when && !entry.is_probing)
        status.next_retry = last_now_.wall + std::max(*when - last_now_.monotonic, Duration::zero());
    }
    out.push_back(std::move(status));
  }
  add_flex_drivers(out);
  return out;
}

}  // namespace mooring
