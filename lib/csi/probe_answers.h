#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "driver/drivers.h"
#include "driver/registration.h"

namespace mooring::csi {

// What a driver says when it is asked what it is, as JSON with the names of the .proto (CSI 1.9,
// pluginregistration v1). A driver may answer anything: what is of another type than it should be counts as
// absent, lists and texts have bounds, and fields and values of later versions are passed over. An answer
// that is no JSON object, or longer than 1 MiB, is Transient, "BadAnswer".

/// pluginregistration.Registration/GetInfo.
Result<RegistrationInfo> read_registration(std::string_view response);

/// csi.v1.Identity/GetPluginInfo.
struct PluginIdentity {
  std::string name;
  std::string vendor_version;
};
Result<PluginIdentity> read_plugin_info(std::string_view response);

/// csi.v1.Identity/GetPluginCapabilities.
struct PluginCapabilities {
  bool controller_service = false;
  bool expands_online = false;
};
Result<PluginCapabilities> read_plugin_capabilities(std::string_view response);

/// csi.v1.Node/NodeGetInfo. Transient, "NoNodeId", without a node_id: the driver may not know it yet.
struct NodeIdentity {
  std::string node_id;
  std::int64_t volumes_max = 0;  ///< 0: no limit; what is below zero is none.
  std::map<std::string, std::string> topology;
};
Result<NodeIdentity> read_node_info(std::string_view response);

/// csi.v1.Node/NodeGetCapabilities and csi.v1.Controller/ControllerGetCapabilities.
Result<CsiNodeCapabilities> read_node_capabilities(std::string_view response);
Result<CsiControllerCapabilities> read_controller_capabilities(std::string_view response);

/// The request NotifyRegistrationStatus: {"plugin_registered": ..., "error": ...}.
std::string registration_status(bool is_registered, std::string_view error);

}  // namespace mooring::csi
