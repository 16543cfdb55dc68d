#include "client/bus.h"

#include <cerrno>
#include <chrono>
#include <string_view>

namespace mooring::bus {
namespace {

constexpr auto greeting_limit = std::chrono::seconds(5);

/// Closes an error's texts.
class ErrorGuard {
 public:
  ErrorGuard() = default;
  ErrorGuard(const ErrorGuard&) = delete;
  ErrorGuard& operator=(const ErrorGuard&) = delete;
  ~ErrorGuard() { sd_bus_error_free(&error_); }
  sd_bus_error* get() { return &error_; }
  bool is_set() const { return sd_bus_error_is_set(&error_) > 0; }
  std::string name() const { return error_.name == nullptr ? "" : error_.name; }
  std::string message() const { return error_.message == nullptr ? name() : error_.message; }

 private:
  sd_bus_error error_{};
};

Error make_error(ErrorKind kind, std::string reason, std::string message, std::string remedy) {
  Error error;
  error.kind = kind;
  error.reason = std::move(reason);
  error.message = std::move(message);
  error.remedy = std::move(remedy);
  return error;
}

bool is_connection_error(int error) {
  return error == ENOENT || error == ECONNREFUSED || error == ENOTCONN || error == ECONNRESET ||
         error == EPIPE || error == ENOMEDIUM || error == EHOSTDOWN || error == ESHUTDOWN ||
         error == ECONNABORTED;
}

Error wrong_address(const std::string& address) {
  return make_error(ErrorKind::Final, "InvalidArgument", "\"" + address + "\" is not a D-Bus address",
                    "use system, session or unix:path=PATH");
}

Result<BusPointer> open_address(const std::string& address) {
  if (address.find(':') == std::string::npos) return wrong_address(address);
  sd_bus* raw = nullptr;
  int result = sd_bus_new(&raw);
  if (result < 0) return error_from_errno(result, "cannot make a bus connection");
  BusPointer bus(raw);
  result = sd_bus_set_address(raw, address.c_str());
  if (result >= 0) result = sd_bus_set_bus_client(raw, 1);
  if (result >= 0) result = sd_bus_start(raw);
  if (result == -EINVAL) return wrong_address(address);
  if (result < 0) return error_from_errno(result, "cannot connect to the bus at " + address);
  return bus;
}

/// Drives the greeting with the bus to its end; a bus that is stuck does not keep us for the library's 90
/// seconds.
Result<void> greet(sd_bus* bus, const std::string& address) {
  const auto limit = std::chrono::steady_clock::now() + greeting_limit;
  while (true) {
    int result = sd_bus_is_ready(bus);
    if (result > 0) return success();
    if (result >= 0) result = sd_bus_process(bus, nullptr);
    if (result > 0) continue;
    const auto left =
        std::chrono::duration_cast<std::chrono::microseconds>(limit - std::chrono::steady_clock::now())
            .count();
    if (result >= 0 && left > 0) result = sd_bus_wait(bus, static_cast<std::uint64_t>(left));
    if (result < 0 && result != -EINTR)
      return error_from_errno(result, "cannot connect to the bus at " + address);
    if (left <= 0) return no_daemon("the bus at " + address + " does not answer");
  }
}

}  // namespace

Error no_daemon(const std::string& message) {
  return make_error(ErrorKind::Transient, "NoDaemon", message,
                    "start mooringd, or name its bus with --bus or MOORING_BUS");
}

Error error_from_errno(int result, const std::string& what) {
  const int number = -result;
  const std::string text = what + ": " + errno_text(number);
  if (number == EACCES || number == EPERM) {
    return make_error(ErrorKind::Final, "NotPermitted", text, "");
  }
  if (number == ETIMEDOUT) return make_error(ErrorKind::Transient, "TimedOut", text, "");
  if (is_connection_error(number)) return no_daemon(text);
  Error error = make_error(ErrorKind::Uncertain, "Failed", text, "");
  error.errno_value = number;
  return error;
}

Error error_from_name(const std::string& name, const std::string& message) {
  const std::string_view bus_prefix = "org.freedesktop.DBus.Error.";
  const std::string last = name.substr(name.rfind('.') + 1);
  if (!name.starts_with(bus_prefix)) {
    const bool may_change = last == "NotReady" || last == "TimedOut" || last == "NoSuchPod" ||
                            last == "NoSuchClaim" || last == "NoSuchVolume";
    return make_error(may_change ? ErrorKind::Transient : ErrorKind::Final, last, message, "");
  }
  if (last == "ServiceUnknown" || last == "NameHasNoOwner" || last == "NoServer" || last == "Disconnected") {
    return no_daemon(std::string("no ") + service + " on the bus: " + message);
  }
  // What the bus itself says when a peer goes away with a question unanswered.
  if (last == "NoReply") return no_daemon("the daemon went away without an answer: " + message);
  if (last == "Timeout" || last == "TimedOut")
    return make_error(ErrorKind::Transient, "TimedOut", message, "");
  if (last == "AccessDenied" || last == "AuthFailed" || last == "InteractiveAuthorizationRequired") {
    return make_error(ErrorKind::Final, "NotPermitted", message, "");
  }
  return make_error(ErrorKind::Final, last == "InvalidArgs" ? "InvalidArgument" : "Failed", message, "");
}

Result<BusPointer> open(const std::string& address) {
  sd_bus* raw = nullptr;
  int result = 0;
  BusPointer bus;
  if (address != "system" && address != "session") {
    MOORING_TRY(BusPointer opened, open_address(address));
    bus = std::move(opened);
  } else {
    result = address == "system" ? sd_bus_open_system(&raw) : sd_bus_open_user(&raw);
    if (result < 0) return error_from_errno(result, "cannot connect to the " + address + " bus");
    bus.reset(raw);
  }
  if (Result<void> greeted = greet(bus.get(), address); !greeted) {
    sd_bus_close(bus.get());  // Else its end would wait for what was not sent.
    return greeted.error();
  }
  return bus;
}

Result<Message> new_call(sd_bus* bus, const char* interface, const char* method) {
  sd_bus_message* raw = nullptr;
  const int result = sd_bus_message_new_method_call(bus, &raw, service, root_path, interface, method);
  if (result < 0) return error_from_errno(result, "cannot make a call");
  Message message(raw);
  return message;
}

Result<Message> call(sd_bus* bus, const Message& request, std::uint64_t patience_us) {
  ErrorGuard error;
  sd_bus_message* raw = nullptr;
  const int result = sd_bus_call(bus, request.get(), patience_us, error.get(), &raw);
  Message answer(raw);
  if (result >= 0) return answer;
  const char* method = sd_bus_message_get_member(request.get());
  const std::string what = std::string("calling ") + (method == nullptr ? "the daemon" : method);
  // An errno of the library's own comes with a synthetic name; the errno says more.
  const bool is_own = !error.is_set() || error.name().starts_with("System.Error.");
  if (is_own || result == -ETIMEDOUT) {
    if (error.name().ends_with(".NoReply")) return error_from_name(error.name(), error.message());
    if (is_own || error.name().starts_with("org.freedesktop.DBus.Error.Timeout"))
      return error_from_errno(result, what);
  }
  return error_from_name(error.name(), error.message());
}

}  // namespace mooring::bus
