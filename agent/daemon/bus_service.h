#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/core.h"
#include "daemon/bus_connection.h"

namespace mooring {

/// The D-Bus face (contract: DESIGN 5.4; systemd/io.mooring.VolumeManager1.xml). Objects are virtual: nothing
/// is kept for a pod or volume but what was announced of it; every answer is made from the core's state when
/// it is asked for.
class BusService {
 public:
  struct Callbacks {
    std::function<void(Event)> event;  ///< RetryRequested, ContainerAsked, UsageAsked.
    std::function<void()> reload;
    std::function<bool()> is_busy;  ///< There is work: details may wait, so that it is done first.
    std::function<void()> settled;  ///< See is_settled().
    std::function<Result<void>(const ObjectKey&)> delete_claim = {};           ///< See Core.
    std::function<Result<void>(const ObjectName&, bool)> release_volume = {};  ///< Likewise.
    std::function<Result<void>(const ObjectKey&)> forget_snapshots = {};       ///< Likewise.
  };

  BusService(boost::asio::io_context& loop, const Core& core, std::string address, std::string root_dir,
             Callbacks callbacks);
  ~BusService();

  /// Connects, and does so again whenever the bus was lost. Neither fails nor waits: what is wrong is logged.
  void start();
  /// The bus is served, or it is known that it cannot be for now.
  bool is_settled() const { return is_settled_; }
  /// Tells the world: ready and gone pods at once, details when there is nothing better to do.
  void publish(const Effects& effects);

 private:
  friend struct BusObjects;
  friend struct BusClaims;
  enum class Awaited : std::uint8_t { PodReady, PodGone, ClaimBound, ClaimGone };
  struct Waiter {
    BusService* service = nullptr;
    std::uint64_t number = 0;
    sd_bus_message* call = nullptr;
    sd_bus_track* caller = nullptr;  ///< Tells when whoever waits has gone.
    ObjectKey key;                   ///< Of the pod or claim.
    Awaited awaited = Awaited::PodReady;
    std::optional<ContainerName> container;  ///< It waits for the mounts of this container.
    bool for_usage = false;                  ///< It waits until volumes are measured.
    std::unique_ptr<boost::asio::steady_timer> timer;

    Waiter() = default;
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter();
  };

  void connect();
  void lose(const std::string& why);
  static int on_name(sd_bus_message* answer, void* data, sd_bus_error* error);
  void settle();
  const PodStatus* status_of(const PodUid& uid);
  /// nullptr: there is none such. Valid until the next publish() or the next call.
  const ClaimStatus* claim_at(const ObjectKey& key);
  const PersistentVolumeStatus* persistent_volume_at(const ObjectName& name);
  const NodeStatus& node();
  bool is_met(const ObjectKey& key, Awaited awaited) const;
  void wait_for(sd_bus_message* call, ObjectKey key, Awaited awaited, std::uint64_t timeout_ms);
  /// Answers GetContainerMounts; parts of volumes are looked at first if the caller may ask for that.
  void answer_mounts(sd_bus_message* call, const ObjectKey& pod, ContainerName container, bool may_ask);
  /// False if the mounts are being looked at just now: nothing was answered then.
  bool try_answer_mounts(sd_bus_message* call, const ObjectKey& pod, const ContainerName& container) const;
  /// Answers MeasureUsage: at once, when all is measured, or when its time is over.
  void measure_usage(sd_bus_message* call, const std::optional<PodUid>& pod, std::uint64_t timeout_ms);
  Waiter* add_waiter(sd_bus_message* call, ObjectKey key, std::uint64_t timeout_ms);
  static int on_caller_gone(sd_bus_track* caller, void* data);
  void end_wait(std::uint64_t number);
  void answer_waiters();
  void send_event(const StatusEvent& event);
  // bus_details.cpp
  void announce_all();
  void forget_announced();
  bool has_details() const;
  void schedule_details();
  void send_details();
  void send_details_of(const PodUid& uid);
  void send_claim(const ObjectKey& key);
  void send_volume(const ObjectName& name);
  std::string waiting_reason(const ObjectKey& key, Awaited awaited) const;
  std::string claim_reason(const ObjectKey& key) const;
  static bool is_privileged(sd_bus_message* call);
  bool may_change(sd_bus_message* call, sd_bus_error* error) const;

  boost::asio::io_context& loop_;
  const Core& core_;
  std::string address_;
  std::string root_dir_;
  Callbacks callbacks_;
  boost::asio::steady_timer connect_timer_;
  boost::asio::steady_timer reconnect_timer_;
  boost::asio::steady_timer details_timer_;
  std::unique_ptr<BusConnection> connection_;
  int failed_connects_ = 0;
  bool is_lost_ = false;  ///< Of connection_, which is let go of before the next try.
  bool is_settled_ = false;
  bool is_details_set_ = false;
  std::vector<StatusEvent> later_events_;
  std::set<PodUid> undetailed_;                       ///< Changed since it was last told of.
  std::map<PodUid, std::set<VolumeName>> announced_;  ///< Objects that the bus knows.
  std::set<ObjectKey> undetailed_claims_;
  std::set<ObjectName> undetailed_volumes_;
  std::set<ObjectKey> announced_claims_;
  std::set<ObjectName> announced_volumes_;
  std::list<Waiter> waiters_;
  std::uint64_t last_waiter_ = 0;
  PodUid cached_uid_;  ///< Of cached_pod_; empty: none.
  std::optional<PodStatus> cached_pod_;
  std::optional<NodeStatus> cached_node_;
  ObjectKey cached_claim_key_;  ///< Of cached_claim_.
  std::optional<ClaimStatus> cached_claim_;
  std::optional<std::vector<PersistentVolumeStatus>> cached_volumes_;
};

}  // namespace mooring
