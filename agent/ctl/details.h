#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "status/status.h"

namespace mooring::ctl {

/// A line of a paragraph: "  name:     text".
std::string field(std::string_view name, std::string_view text);

/// A paragraph on a volume for a person: its phase, and unless it is ready why, since when, what comes next
/// and what to do.
std::string volume_details(const PodStatus& pod, const VolumeStatus& volume);

/// The paragraph's head line on the pod: ready or not, how much of it, where it was read.
std::string pod_details(const PodStatus& pod);

/// What a person can do about a volume that is not ready. Never empty.
std::string advice(const PodStatus& pod, const VolumeStatus& volume);

/// The pod's lines of the log, at most `most` of the latest, indented.
std::string event_details(const std::vector<StatusEvent>& events, const std::string& object,
                          std::size_t most);

}  // namespace mooring::ctl
