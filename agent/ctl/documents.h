#pragma once

#include <vector>

#include "client/client.h"
#include "output.h"
#include "plugin/registry.h"
#include "status/status.h"

namespace mooring::ctl {

// What -o json and -o yaml print. Part of the contract: fields are only ever added.

Json volume_json(const VolumeStatus& volume);
Json pod_json(const PodStatus& pod);
/// As pod_json(), with all that is known: origin, message, and what to do for each volume.
Json full_pod_json(const PodStatus& pod);
Json event_json(const StatusEvent& event);
Json plugin_json(const Plugin& plugin);
Json node_json(const NodeStatus& node);

/// A volume as an object of its own, in a VolumeList.
Json volume_object_json(const PodStatus& pod, const VolumeStatus& volume);

/// {"apiVersion": ..., "kind": KIND, "items": [...]}.
Json list_json(const std::string& kind, Json items);
/// True for -o json and -o yaml.
bool is_document(const Options& options);
/// Prints a list, or the one object that was asked for by name.
void print_items(const Options& options, const std::string& kind, Json items, bool is_one);
/// The object with apiVersion and kind before its own fields.
Json object_json(const std::string& kind, const Json& fields);

}  // namespace mooring::ctl
