#include "drivers.h"

#include <algorithm>

#include "ask.h"
#include "base/quote.h"
#include "details.h"
#include "documents.h"

namespace mooring::ctl {
namespace {

/// What `get drivers NAME` goes by: while nobody knows its name, a driver is called by its socket.
std::string called(const DriverStatus& driver) {
  return driver.name.empty() ? driver.socket : driver.name;
}

Phase phase_of(const DriverStatus& driver) {
  return driver.state == "Registered" ? Phase::Ready : Phase::Pending;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words)
    out += (out.empty() ? "" : ", ") + word;
  return out;
}

std::string topology_text(const DriverStatus& driver) {
  std::string out;
  for (const auto& [key, value] : driver.topology)
    out.append(out.empty() ? "" : ", ").append(key).append("=").append(value);
  return out;
}

std::string cause(const DriverStatus& driver) {
  return driver.reason.empty() ? driver.message : driver.reason + ": " + driver.message;
}

ExitStatus print_drivers(const Options& options, std::vector<DriverStatus> drivers) {
  if (!options.name.empty()) {
    std::erase_if(drivers, [&](const DriverStatus& driver) { return called(driver) != options.name; });
    if (drivers.empty()) return fail(no_such("driver", options.name));
  }
  if (is_document(options)) {
    Json items = Json::array();
    for (const DriverStatus& driver : drivers)
      items.push_back(driver_json(driver));
    print_items(options, "Driver", std::move(items), !options.name.empty() && drivers.size() == 1);
  } else if (options.format == Format::Name) {
    for (const DriverStatus& driver : drivers)
      answer("driver/" + clean(called(driver)) + "\n");
  } else if (drivers.empty()) {
    message("there are no drivers");
  } else {
    answer(driver_table(drivers, options.format == Format::Wide));
  }
  return ExitStatus::Ok;
}

}  // namespace

std::string driver_table(const std::vector<DriverStatus>& drivers, bool is_wide) {
  std::vector<std::string> head{"NAME", "KIND", "STATE", "PROTOCOL", "VERSION", "SOCKET"};
  if (is_wide) head.insert(head.end(), {"NODE ID", "REASON", "TRIES", "NEXT TRY", "MESSAGE"});
  constexpr std::size_t state_column = 2;
  Table table(head);
  for (const DriverStatus& driver : drivers) {
    std::vector<std::string> cells{
        called(driver), driver.kind,           driver.state,
        driver.version, driver.vendor_version, driver.endpoint.empty() ? driver.socket : driver.endpoint};
    if (is_wide) {
      cells.insert(cells.end(), {driver.node_id, driver.reason, std::to_string(driver.attempts),
                                 next_try(driver.next_retry), driver.message});
    }
    table.row(std::move(cells), state_column, phase_of(driver));
  }
  return table.text();
}

std::string driver_details(const DriverStatus& driver) {
  std::string out = "driver " + clean(called(driver)) + ": " + paint(phase_of(driver), driver.state) + "\n";
  if (const std::string why = cause(driver); !why.empty()) out += field("cause", why);
  if (driver.attempts > 0) out += field("tries", std::to_string(driver.attempts) + " failed");
  if (driver.next_retry)
    out += field("next try", next_try(driver.next_retry) + " (" + rfc3339(*driver.next_retry) + ")");
  if (!driver.action.empty()) out += field("what to do", driver.action);
  out += field("kind", driver.kind);
  out += field("registered at", driver.socket);
  if (driver.endpoint.empty()) return out;
  out += field("listens at", driver.endpoint);
  out += field("protocol", driver.version);
  if (!driver.vendor_version.empty()) out += field("version", driver.vendor_version);
  out += field("node id", driver.node_id);
  if (!driver.topology.empty()) out += field("topology", topology_text(driver));
  out += field("volumes at most", driver.volumes_max == 0 ? "no limit" : std::to_string(driver.volumes_max));
  out += field("capabilities", driver.capabilities.empty() ? "none" : joined(driver.capabilities));
  for (const std::string& note : driver.notes)
    out += field("note", note);
  return out;
}

Json driver_json(const DriverStatus& driver) {
  Json json;
  json["metadata"] = {{"name", called(driver)}};
  json["kind"] = driver.kind;
  json["state"] = driver.state;
  json["socket"] = driver.socket;
  if (!driver.endpoint.empty()) {
    json["endpoint"] = driver.endpoint;
    json["version"] = driver.version;
    json["vendorVersion"] = driver.vendor_version;
    json["nodeID"] = driver.node_id;
    json["topology"] = Json::object();
    for (const auto& [key, value] : driver.topology)
      json["topology"][key] = value;
    json["volumesMax"] = driver.volumes_max;
    json["capabilities"] = driver.capabilities;
    if (!driver.notes.empty()) json["notes"] = driver.notes;
  }
  if (!driver.reason.empty()) json["reason"] = driver.reason;
  if (!driver.message.empty()) json["message"] = driver.message;
  if (!driver.action.empty()) json["action"] = driver.action;
  json["attempts"] = driver.attempts;
  if (driver.next_retry) json["nextRetry"] = rfc3339(*driver.next_retry);
  return json;
}

ExitStatus get_drivers(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  return once_or_watch(*client.value(), options, [&] {
    Result<std::vector<DriverStatus>> drivers = client.value()->drivers();
    return drivers ? print_drivers(options, std::move(drivers).value()) : fail(drivers.error());
  });
}

ExitStatus describe_driver(const Options& options) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<std::vector<DriverStatus>> drivers = client.value()->drivers();
  if (!drivers) return fail(drivers.error());
  const auto& all = drivers.value();
  const auto is_it = [&](const DriverStatus& driver) { return called(driver) == options.name; };
  const auto found = std::find_if(all.begin(), all.end(), is_it);
  if (found == all.end()) return fail(no_such("driver", options.name));
  if (options.format == Format::Json || options.format == Format::Yaml) {
    print_document(object_json("Driver", driver_json(*found)), options.format);
    return ExitStatus::Ok;
  }
  const auto events = client.value()->events_since(0);
  if (!events) return fail(events.error());
  std::string text;
  for (auto driver = found; driver != all.end(); driver = std::find_if(driver + 1, all.end(), is_it))
    text += (text.empty() ? "" : "\n") + driver_details(*driver);
  const std::string log = event_details(events.value(), "driver/" + options.name, 20);
  answer(text + (log.empty() ? "" : "\nevents:\n" + log));
  return ExitStatus::Ok;
}

}  // namespace mooring::ctl
