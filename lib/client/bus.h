#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace mooring::bus {

inline constexpr const char* service = "io.mooring.VolumeManager1";
inline constexpr const char* root_path = "/io/mooring/VolumeManager1";
inline constexpr const char* manager_interface = "io.mooring.VolumeManager1.Manager";
inline constexpr const char* pod_interface = "io.mooring.VolumeManager1.Pod";
inline constexpr const char* volume_interface = "io.mooring.VolumeManager1.Volume";

struct CloseBus {
  void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
struct DropMessage {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
struct DropSlot {
  void operator()(sd_bus_slot* slot) const { sd_bus_slot_unref(slot); }
};
using BusPointer = std::unique_ptr<sd_bus, CloseBus>;
using Message = std::unique_ptr<sd_bus_message, DropMessage>;
using Slot = std::unique_ptr<sd_bus_slot, DropSlot>;

/// How long an answer may take, in microseconds: long for a daemon that answers at once, and no limit.
inline constexpr std::uint64_t usual_patience = 10'000'000;
inline constexpr std::uint64_t endless_patience = UINT64_MAX;

/// Opens the bus at "system", "session" or a D-Bus address.
Result<BusPointer> open(const std::string& address);

/// A method call to the daemon, to be filled with its arguments.
Result<Message> new_call(sd_bus* bus, const char* interface, const char* method);

/// Sends it and waits for the answer.
Result<Message> call(sd_bus* bus, const Message& request, std::uint64_t patience_us = usual_patience);

/// The error for a D-Bus error's name and message.
Error error_from_name(const std::string& name, const std::string& message);

/// The error for a negative errno of an sd-bus function.
Error error_from_errno(int result, const std::string& what);

/// The error for a daemon that is not there.
Error no_daemon(const std::string& message);

}  // namespace mooring::bus
