#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "status/status.h"

namespace mooring::ctl {

/// The kinds that get and describe know.
enum class Kind : std::uint8_t {
  Pods,
  Volumes,
  Events,
  Plugins,
  PersistentVolumes,
  Claims,
  Classes,
  Devices,
  Drivers,
  Snapshots
};

/// By its name, in the singular, the plural or short; nullopt for any other word.
std::optional<Kind> kind_of(const std::string& word);
/// The names of all kinds, for a message.
std::string kinds_text();

std::string pod_table(const std::vector<PodStatus>& pods, bool with_namespace, bool is_wide);
std::string volume_table(const std::vector<PodStatus>& pods, bool with_namespace, bool is_wide);
/// The volumes that are not ready, with their causes; empty if all are.
std::string trouble_table(const std::vector<PodStatus>& pods);
std::string event_table(const std::vector<StatusEvent>& events);
/// One event as one line, as `events -f` prints it.
std::string event_line(const StatusEvent& event);

}  // namespace mooring::ctl
