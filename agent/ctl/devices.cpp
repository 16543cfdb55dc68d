#include "devices.h"

#include <algorithm>

#include "base/quote.h"
#include "details.h"

namespace mooring::ctl {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string cause(const DeviceStatus& device) {
  return device.reason.empty() || device.message.empty() ? device.reason + device.message
                                                         : device.reason + ": " + device.message;
}

}  // namespace

std::string device_table(const std::vector<DeviceStatus>& devices, bool is_wide) {
  std::vector<std::string> head{"NAME", "PLUGIN", "DEVICE", "PHASE", "PATH", "USERS"};
  if (is_wide) head.insert(head.end(), {"IN USE", "REASON", "TRIES", "NEXT TRY", "MESSAGE"});
  constexpr std::size_t phase_column = 3;
  Table table(head);
  for (const DeviceStatus& device : devices) {
    std::vector<std::string> cells{device.key,    device.plugin,
                                   device.device, std::string(to_string(device.phase)),
                                   device.path,   joined(device.users)};
    if (is_wide) {
      cells.insert(cells.end(), {device.in_use ? "yes" : "no", device.reason, std::to_string(device.attempts),
                                 next_try(device.next_retry), device.message});
    }
    table.row(std::move(cells), phase_column, device.phase);
  }
  return table.text();
}

std::string device_details(const DeviceStatus& device) {
  std::string out =
      "device " + clean(device.key) + ": " + paint(device.phase, to_string(device.phase)) + "\n";
  if (const std::string why = cause(device); !why.empty()) out += field("cause", why);
  if (device.attempts > 0) out += field("tries", std::to_string(device.attempts) + " failed");
  if (device.next_retry)
    out += field("next try", next_try(device.next_retry) + " (" + rfc3339(*device.next_retry) + ")");
  if (!device.action.empty()) out += field("what to do", device.action);
  out += field("plugin", device.plugin);
  if (!device.device.empty()) out += field("device", device.device);
  out += field("path", device.path.empty() ? "none: it is used as a device" : device.path);
  if (device.in_use) out += field("in use", "yes: it must not be detached from this node");
  out += field("users", device.users.empty() ? "none" : joined(device.users));
  return out;
}

Json device_json(const DeviceStatus& device) {
  Json json;
  json["metadata"] = {{"name", device.key}};
  json["plugin"] = device.plugin;
  json["device"] = device.device;
  json["phase"] = std::string(to_string(device.phase));
  json["path"] = device.path;
  if (!device.reason.empty()) json["reason"] = device.reason;
  if (!device.message.empty()) json["message"] = device.message;
  if (!device.action.empty()) json["action"] = device.action;
  json["attempts"] = device.attempts;
  if (device.next_retry) json["nextRetry"] = rfc3339(*device.next_retry);
  json["users"] = device.users;
  json["inUse"] = device.in_use;
  return json;
}

std::vector<DeviceStatus> ask_volume_devices(Client& client) {
  Result<std::vector<DeviceStatus>> devices = client.devices();
  return devices ? std::move(devices).value() : std::vector<DeviceStatus>();
}

std::string device_field(const std::vector<DeviceStatus>& devices, const PodStatus& pod,
                         const VolumeStatus& volume) {
  const std::string user = pod.name_space.str() + "/" + pod.name.str() + "/" + volume.name.str();
  for (const DeviceStatus& device : devices) {
    if (std::find(device.users.begin(), device.users.end(), user) == device.users.end()) continue;
    return field("device", device.device.empty() ? device.key : device.device + " (" + device.key + ")");
  }
  return {};
}

}  // namespace mooring::ctl
