#include "operation/driver_probe.h"

#include <utility>

#include "base/quote.h"
#include "csi/probe_answers.h"
#include "driver/registration.h"

namespace mooring {
namespace {

// As the kubelet has them: 10 s to be connected and told who it is, 5 s to tell what became of it.
constexpr std::uint32_t probe_deadline_ms = 10'000;
constexpr std::uint32_t notify_deadline_ms = 5'000;

const char* text_of(CallCode code) {
  switch (code) {
    case CallCode::Unavailable:
      return "nobody answers there";
    case CallCode::DeadlineExceeded:
      return "no answer in time";
    case CallCode::Unimplemented:
      return "it does not know this call";
    default:
      return "it answered with an error";
  }
}

/// What a call that did not go well says of the driver. Only that it does not know a call is sure to stay.
Error error_of(const kernel::DriverCall& call, const kernel::DriverAnswer& answer) {
  Error error;
  const bool is_silent = answer.code == CallCode::Unavailable || answer.code == CallCode::DeadlineExceeded;
  error.kind = answer.code == CallCode::Unimplemented ? ErrorKind::Final : ErrorKind::Transient;
  error.reason = is_silent ? "DriverNotAnswering" : "DriverRefused";
  error.message = call.method + " at " + quoted_if_needed(call.socket) + ": " + text_of(answer.code) +
                  " (code " + std::to_string(static_cast<int>(answer.code)) + ")";
  if (!answer.message.empty()) error.message += ": " + driver_words(answer.message);
  error.path = call.socket;
  error.remedy =
      is_silent ? "see that the driver runs; Mooring tries again by itself" : "look at the driver's log";
  return error;
}

/// Calls a method with an empty request.
Result<kernel::DriverAnswer> ask(kernel::Drivers& drivers, const std::string& socket, const char* method) {
  return drivers.call({socket, method, SecretBytes("{}"), probe_deadline_ms});
}

/// The same of a method that the driver must know: anything but Ok is an error.
Result<std::string> ask_well(kernel::Drivers& drivers, const std::string& socket, const char* method) {
  MOORING_TRY(kernel::DriverAnswer answer, ask(drivers, socket, method));
  if (answer.code == CallCode::Ok) return std::move(answer.response);
  return error_of({socket, method, SecretBytes(), probe_deadline_ms}, answer);
}

/// The error with the method and the socket that it is about.
template <class T>
Result<T> about(Result<T> read, const std::string& socket, const char* method) {
  if (read) return read;
  Error error = std::move(read).error();
  error.message = std::string(method) + " at " + quoted_if_needed(socket) + ": " + error.message;
  error.path = socket;
  return error;
}

template <class T, class Read>
Result<T> ask_for(kernel::Drivers& drivers, const std::string& socket, const char* method, const Read& read) {
  MOORING_TRY(const std::string response, ask_well(drivers, socket, method));
  return about<T>(read(response), socket, method);
}

/// The facts of the driver that listens on `socket`, which calls itself `name` (empty: nobody said so).
Result<CsiDriver> ask_driver(const std::string& socket, DriverName name,
                             const std::map<std::string, std::string>& controllers,
                             kernel::Drivers& drivers) {
  CsiDriver driver;
  driver.socket = socket;
  MOORING_TRY(
      const csi::PluginIdentity identity,
      ask_for<csi::PluginIdentity>(drivers, socket, "csi.v1.Identity/GetPluginInfo", csi::read_plugin_info));
  MOORING_TRY(check_driver_name(identity.name));
  if (!name.empty() && name.str() != identity.name) {
    return refusal("OtherDriver",
                   "the driver at " + quoted_if_needed(socket) + " calls itself " + quoted(identity.name) +
                       ", and is to be " + quoted(name.str()),
                   "correct its socket, or the name that it is registered under");
  }
  driver.name = DriverName(identity.name);
  driver.vendor_version = identity.vendor_version;
  MOORING_TRY(const csi::PluginCapabilities plugin,
              ask_for<csi::PluginCapabilities>(drivers, socket, "csi.v1.Identity/GetPluginCapabilities",
                                               csi::read_plugin_capabilities));
  driver.expands_online = plugin.expands_online;
  MOORING_TRY(csi::NodeIdentity node,
              ask_for<csi::NodeIdentity>(drivers, socket, "csi.v1.Node/NodeGetInfo", csi::read_node_info));
  driver.node_id = std::move(node.node_id);
  driver.volumes_max = node.volumes_max;
  driver.topology = std::move(node.topology);
  MOORING_TRY(driver.node, ask_for<CsiNodeCapabilities>(drivers, socket, "csi.v1.Node/NodeGetCapabilities",
                                                        csi::read_node_capabilities));
  constexpr const char* method = "csi.v1.Controller/ControllerGetCapabilities";
  if (const auto elsewhere = controllers.find(driver.name.str()); elsewhere != controllers.end()) {
    // Without the controller nothing could be attached, and nobody would know why.
    driver.controller_socket = elsewhere->second;
    MOORING_TRY(driver.controller, ask_for<CsiControllerCapabilities>(drivers, elsewhere->second, method,
                                                                      csi::read_controller_capabilities));
    return driver;
  }
  if (!plugin.controller_service) return driver;
  // The controller may be elsewhere: it is a fact then, and no error, that there is none on this socket.
  MOORING_TRY(const kernel::DriverAnswer answer, ask(drivers, socket, method));
  if (answer.code == CallCode::Unimplemented) return driver;
  if (answer.code != CallCode::Ok)
    return error_of({socket, method, SecretBytes(), probe_deadline_ms}, answer);
  MOORING_TRY(driver.controller, about<CsiControllerCapabilities>(
                                     csi::read_controller_capabilities(answer.response), socket, method));
  return driver;
}

}  // namespace

Result<void> probe_csi_driver(const ProbeCsiDriver& step, kernel::Drivers& drivers, Outcome& outcome) {
  if (!step.is_registration) {
    MOORING_TRY(CsiDriver driver, ask_driver(step.socket, step.expected, step.controllers, drivers));
    driver.version = "1.0";  // Who answers in csi.v1 speaks that; nobody said more.
    outcome.csi_driver = std::move(driver);
    return success();
  }
  constexpr const char* method = "pluginregistration.Registration/GetInfo";
  MOORING_TRY(const RegistrationInfo info,
              ask_for<RegistrationInfo>(drivers, step.socket, method, csi::read_registration));
  MOORING_TRY(const Registration registration, check_registration(info, step.socket));
  MOORING_TRY(CsiDriver driver,
              ask_driver(registration.endpoint, registration.name, step.controllers, drivers));
  driver.version = registration.version.text();
  outcome.csi_driver = std::move(driver);
  return success();
}

Result<void> notify_registration(const NotifyRegistration& step, kernel::Drivers& drivers) {
  const kernel::DriverCall call{step.socket, "pluginregistration.Registration/NotifyRegistrationStatus",
                                SecretBytes(csi::registration_status(step.is_registered, step.error)),
                                notify_deadline_ms};
  MOORING_TRY(const kernel::DriverAnswer answer, drivers.call(call));
  if (answer.code == CallCode::Ok) return success();
  return error_of(call, answer);
}

}  // namespace mooring
