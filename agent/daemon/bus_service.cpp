#include "daemon/bus_service.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <utility>

#include "daemon/bus_objects.h"
#include "daemon/bus_values.h"

namespace mooring {
namespace {

using boost::system::error_code;

constexpr auto reconnect_first = std::chrono::seconds(1);
constexpr int reconnect_doublings_max = 6;
constexpr auto connect_limit = std::chrono::seconds(5);
/// A bus that takes nothing must not make this process grow.
constexpr std::uint64_t unsent_messages_max = 50'000;
constexpr std::size_t waiters_max = 4096;
constexpr std::uint64_t wait_ms_max = std::uint64_t{365} * 24 * 3600 * 1000;

int answer_error(sd_bus_message* call, const char* name, const std::string& message) {
  return sd_bus_reply_method_errorf(call, (std::string(bus_name) + ".Error." + name).c_str(), "%s",
                                    message.c_str());
}

}  // namespace

BusService::BusService(boost::asio::io_context& loop, const Core& core, std::string address,
                       std::string root_dir, Callbacks callbacks)
    : loop_(loop),
      core_(core),
      address_(std::move(address)),
      root_dir_(std::move(root_dir)),
      callbacks_(std::move(callbacks)),
      connect_timer_(loop),
      reconnect_timer_(loop),
      details_timer_(loop) {}

BusService::~BusService() = default;

BusService::Waiter::~Waiter() {
  sd_bus_track_unref(caller);
  sd_bus_message_unref(call);
}

void BusService::start() {
  if (address_ == "none") return settle();
  connect();
}

void BusService::connect() {
  Result<BusHandle> bus = open_bus(address_);
  if (!bus) return lose(bus.error().text());
  int failed = add_bus_objects(bus.value().get(), *this);
  // In a queue, because the bus may not have noticed yet that an earlier mooringd is gone. What is told until
  // the answer comes goes out behind the request.
  if (failed >= 0) {
    failed =
        sd_bus_request_name_async(bus.value().get(), nullptr, bus_name, SD_BUS_NAME_QUEUE, on_name, this);
  }
  if (failed < 0) return lose(std::string("cannot take the name ") + bus_name + ": " + errno_text(-failed));
  is_lost_ = false;
  connection_ = std::make_unique<BusConnection>(loop_, std::move(bus).value(),
                                                [this] { lose("the connection to the bus broke"); });
  connect_timer_.expires_after(connect_limit);
  connect_timer_.async_wait([this](error_code cancelled) {
    if (!cancelled) lose("the bus " + address_ + " does not answer");
  });
}

int BusService::on_name(sd_bus_message* answer, void* data, sd_bus_error*) {
  auto& self = *static_cast<BusService*>(data);
  const int failed = sd_bus_message_get_errno(answer);
  if (failed != 0) {
    std::string why = std::string("cannot take the name ") + bus_name + ": " + errno_text(failed);
    if (failed == EPERM || failed == EACCES) why += " (the bus needs Mooring's policy: see systemd/)";
    self.lose(why);
    return 0;
  }
  std::uint32_t result = 0;
  constexpr std::uint32_t in_queue = 2;  // DBUS_REQUEST_NAME_REPLY_IN_QUEUE of the D-Bus specification.
  if (sd_bus_message_read(answer, "u", &result) >= 0 && result == in_queue)
    spdlog::warn("another mooringd has the name {} on this bus; waiting for it", bus_name);
  self.connect_timer_.cancel();
  self.failed_connects_ = 0;
  spdlog::info("serving {} on the bus {}", bus_name, self.address_);
  self.announce_all();
  self.settle();
  return 0;
}

void BusService::settle() {
  if (!std::exchange(is_settled_, true)) callbacks_.settled();
}

/// Goes on without a bus, and looks for one again, ever less often.
void BusService::lose(const std::string& why) {
  if (failed_connects_ == 0) spdlog::error("{}; trying again until it is there", why);
  waiters_.clear();
  forget_announced();
  is_lost_ = true;
  connect_timer_.cancel();
  const auto pause = reconnect_first * (1 << std::min(failed_connects_++, reconnect_doublings_max));
  reconnect_timer_.expires_after(pause);
  reconnect_timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    connection_.reset();
    connect();
  });
  settle();
}

const PodStatus* BusService::status_of(const PodUid& uid) {
  if (cached_uid_ != uid || uid.empty()) {
    cached_pod_ = core_.pod_status(uid);
    cached_uid_ = uid;
  }
  return cached_pod_ ? &*cached_pod_ : nullptr;
}

const ClaimStatus* BusService::claim_at(const ObjectKey& key) {
  if (!cached_claim_ || cached_claim_key_ != key) {
    cached_claim_ = core_.claim_status(key);
    cached_claim_key_ = key;
  }
  return cached_claim_ ? &*cached_claim_ : nullptr;
}

const PersistentVolumeStatus* BusService::persistent_volume_at(const ObjectName& name) {
  if (!cached_volumes_) cached_volumes_ = core_.persistent_volumes();
  const auto found =
      std::lower_bound(cached_volumes_->begin(), cached_volumes_->end(), name,
                       [](const PersistentVolumeStatus& volume, const auto& n) { return volume.name < n; });
  return found == cached_volumes_->end() || found->name != name ? nullptr : &*found;
}

const NodeStatus& BusService::node() {
  if (!cached_node_) cached_node_ = core_.node_status();
  return *cached_node_;
}

bool BusService::is_privileged(sd_bus_message* call) {
  sd_bus_creds* credentials = nullptr;
  uid_t uid = static_cast<uid_t>(-1);
  const bool is_known = sd_bus_query_sender_creds(call, SD_BUS_CREDS_EUID, &credentials) >= 0 &&
                        sd_bus_creds_get_euid(credentials, &uid) >= 0;
  sd_bus_creds_unref(credentials);
  return is_known && (uid == 0 || uid == geteuid());
}

bool BusService::may_change(sd_bus_message* call, sd_bus_error* error) const {
  if (is_privileged(call)) return true;
  sd_bus_error_set(error, (std::string(bus_name) + ".Error.NotPermitted").c_str(),
                   "only root and the user that mooringd runs as may do that");
  return false;
}

void BusService::publish(const Effects& effects) {
  cached_uid_ = PodUid();
  cached_node_.reset();
  cached_claim_.reset();
  cached_volumes_.reset();
  if (!connection_ || is_lost_) return;
  sd_bus* bus = connection_->get();
  std::uint64_t unsent = 0;
  if (sd_bus_get_n_queued_write(bus, &unsent) >= 0 && unsent > unsent_messages_max)
    return lose("the bus " + address_ + " takes no messages");
  const auto tell = [&](const char* signal, const PodIdentity& pod) {
    sd_bus_emit_signal(bus, bus_root, manager_interface, signal, "sss", pod.key.name_space.str().c_str(),
                       pod.key.name.str().c_str(), pod.uid.str().c_str());
  };
  for (const PodIdentity& pod : effects.pods_ready)
    tell("PodReady", pod);
  for (const PodIdentity& pod : effects.pods_gone)
    tell("PodGone", pod);
  if (effects.devices_changed)
    sd_bus_emit_signal(bus, bus_root, manager_interface, "DevicesChanged", nullptr);
  if (effects.drivers_changed)
    sd_bus_emit_signal(bus, bus_root, manager_interface, "DriversChanged", nullptr);
  if (effects.snapshots_changed)
    sd_bus_emit_signal(bus, bus_root, manager_interface, "VolumeSnapshotsChanged", nullptr);
  // That a pod is ready or gone was told above; as events for those who follow them all it may wait.
  for (const StatusEvent& event : effects.events) {
    if (event.reason == "PodReady" || event.reason == "PodGone") {
      later_events_.push_back(event);
    } else {
      send_event(event);
    }
  }
  answer_waiters();
  for (const PodUid& uid : effects.changed_pods)
    undetailed_.insert(uid);
  for (const PodIdentity& pod : effects.pods_gone)
    undetailed_.insert(pod.uid);
  undetailed_claims_.insert(effects.changed_claims.begin(), effects.changed_claims.end());
  undetailed_volumes_.insert(effects.changed_volumes.begin(), effects.changed_volumes.end());
  if (has_details() || !later_events_.empty()) schedule_details();
  connection_->kick();
}

void BusService::send_event(const StatusEvent& event) {
  sd_bus* bus = connection_->get();
  sd_bus_message* message = nullptr;
  if (sd_bus_message_new_signal(bus, &message, bus_root, manager_interface, "Event") >= 0 &&
      append_bus_event(message, event) >= 0) {
    sd_bus_send(bus, message, nullptr);
  }
  sd_bus_message_unref(message);
}

bool BusService::is_met(const ObjectKey& key, Awaited awaited) const {
  if (awaited == Awaited::ClaimBound || awaited == Awaited::ClaimGone) {
    const auto claim = core_.claim_status(key);
    return awaited == Awaited::ClaimBound ? claim && claim->phase == "Bound" : !claim && core_.knows_all();
  }
  const auto uid = core_.find_pod(key);
  if (awaited == Awaited::PodGone) return !uid && core_.knows_all();
  if (!uid) return false;
  const auto status = core_.pod_status(*uid);
  return status && status->ready;
}

void BusService::wait_for(sd_bus_message* call, ObjectKey key, Awaited awaited, std::uint64_t timeout_ms) {
  if (is_met(key, awaited)) {
    sd_bus_reply_method_return(call, "");
    return;
  }
  if (Waiter* waiter = add_waiter(call, std::move(key), timeout_ms)) waiter->awaited = awaited;
}

/// nullptr if too many wait already; the caller was told then. `timeout_ms` 0: it waits for ever.
BusService::Waiter* BusService::add_waiter(sd_bus_message* call, ObjectKey key, std::uint64_t timeout_ms) {
  if (waiters_.size() >= waiters_max) {
    answer_error(call, "LimitExceeded", "too many are waiting already");
    return nullptr;
  }
  Waiter& waiter = waiters_.emplace_back();
  waiter.service = this;
  waiter.number = ++last_waiter_;
  waiter.call = sd_bus_message_ref(call);
  waiter.key = std::move(key);
  if (sd_bus_track_new(connection_->get(), &waiter.caller, on_caller_gone, &waiter) >= 0)
    sd_bus_track_add_sender(waiter.caller, call);
  if (timeout_ms == 0) return &waiter;
  const auto timeout = std::chrono::milliseconds(std::min(timeout_ms, wait_ms_max));
  waiter.timer = std::make_unique<boost::asio::steady_timer>(loop_, timeout);
  waiter.timer->async_wait([this, waiting = &waiter](error_code cancelled) {
    if (cancelled) return;
    if (waiting->for_usage) {
      sd_bus_reply_method_return(waiting->call, "b", 0);
    } else {
      answer_error(waiting->call, "TimedOut", waiting_reason(waiting->key, waiting->awaited));
    }
    end_wait(waiting->number);
    if (connection_) connection_->kick();
  });
  return &waiter;
}

void BusService::answer_mounts(sd_bus_message* call, const ObjectKey& pod, ContainerName container,
                               bool may_ask) {
  constexpr std::uint64_t limit_ms = 120'000;
  const auto uid = core_.find_pod(pod);
  if (uid && may_ask && core_.has_parts(*uid, container)) callbacks_.event(ContainerAsked{*uid, container});
  if (try_answer_mounts(call, pod, container)) return;
  if (Waiter* waiter = add_waiter(call, pod, limit_ms)) waiter->container = std::move(container);
}

void BusService::measure_usage(sd_bus_message* call, const std::optional<PodUid>& pod,
                               std::uint64_t timeout_ms) {
  callbacks_.event(UsageAsked{pod});
  if (timeout_ms == 0 || !core_.is_measuring()) {
    sd_bus_reply_method_return(call, "b", core_.is_measuring() ? 0 : 1);
  } else if (Waiter* waiter = add_waiter(call, {}, timeout_ms)) {
    waiter->for_usage = true;
  }
}

bool BusService::try_answer_mounts(sd_bus_message* call, const ObjectKey& pod,
                                   const ContainerName& container) const {
  const auto uid = core_.find_pod(pod);
  if (!uid) {
    answer_error(call, "NoSuchPod", "no pod " + pod.text() + " is known");
    return true;
  }
  const auto mounts = core_.container_mounts(*uid, container);
  if (!mounts) {
    const Error& error = mounts.error();
    if (error.reason == "Preparing") return false;
    answer_error(call, error.reason.c_str(),
                 error.message + (error.remedy.empty() ? "" : "; " + error.remedy));
    return true;
  }
  sd_bus_message* reply = nullptr;
  int failed = sd_bus_message_new_method_return(call, &reply);
  if (failed >= 0) failed = sd_bus_message_open_container(reply, 'a', "a{sv}");
  for (const ContainerMount& mount : mounts.value()) {
    if (failed >= 0) failed = append_mount(reply, mount);
  }
  if (failed >= 0) failed = sd_bus_message_close_container(reply);
  if (failed >= 0) sd_bus_send(nullptr, reply, nullptr);
  sd_bus_message_unref(reply);
  if (failed < 0) answer_error(call, "Failed", "the answer cannot be made");
  return true;
}

int BusService::on_caller_gone(sd_bus_track*, void* data) {
  const auto* waiter = static_cast<const Waiter*>(data);
  // Not here: the library still works with the tracker.
  boost::asio::post(waiter->service->loop_,
                    [service = waiter->service, number = waiter->number] { service->end_wait(number); });
  return 1;  // With 0 it would be asked again at once, and nothing else ever done (bus_track_dispatch()).
}

void BusService::end_wait(std::uint64_t number) {
  waiters_.remove_if([&](const Waiter& waiter) { return waiter.number == number; });
}

/// Why a pod or a claim is not what was waited for, in a line.
std::string BusService::waiting_reason(const ObjectKey& pod, Awaited awaited) const {
  if (awaited == Awaited::ClaimBound || awaited == Awaited::ClaimGone) return claim_reason(pod);
  const auto uid = core_.find_pod(pod);
  const auto status = uid ? core_.pod_status(*uid) : std::nullopt;
  if (!status) return "pod " + pod.text() + " is not known: no manifest names it";
  std::string text = "pod " + pod.text() + " is not there yet";
  for (const VolumeStatus& volume : status->volumes) {
    if (volume.phase == Phase::Ready) continue;
    text += "; volume " + volume.name.str() + " is " + std::string(to_string(volume.phase));
    if (!volume.message.empty()) text += ": " + volume.message;
  }
  return text;
}

std::string BusService::claim_reason(const ObjectKey& key) const {
  const auto claim = core_.claim_status(key);
  if (!claim) return "claim " + key.text() + " is not known: no manifest names it";
  std::string text = "claim " + key.text() + " is " + claim->phase;
  if (!claim->reason.empty()) text += ": " + claim->reason;
  return claim->message.empty() ? text : text + ": " + claim->message;
}

void BusService::answer_waiters() {
  waiters_.remove_if([&](const Waiter& waiter) {
    if (waiter.for_usage)
      return !core_.is_measuring() && sd_bus_reply_method_return(waiter.call, "b", 1) != 0;
    if (waiter.container) return try_answer_mounts(waiter.call, waiter.key, *waiter.container);
    if (!is_met(waiter.key, waiter.awaited)) return false;
    sd_bus_reply_method_return(waiter.call, "");
    return true;
  });
}

}  // namespace mooring
