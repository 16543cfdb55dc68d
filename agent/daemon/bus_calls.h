#pragma once

#include <systemd/sd-bus.h>

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "daemon/bus_objects.h"

namespace mooring {

// What the methods on the bus have in common. Each gives a negative errno if sd-bus refuses.

/// The answer is the error io.mooring.VolumeManager1.Error.NAME.
inline int fail_call(sd_bus_error* error, const char* name, const std::string& message) {
  return sd_bus_error_set(error, (std::string(bus_name) + ".Error." + name).c_str(), message.c_str());
}

/// The same for an error of the core: its reason is the name, and what can be done stands in the message.
inline int fail_call(sd_bus_error* error, const Error& why) {
  return fail_call(error, why.reason.c_str(), why.message + (why.remedy.empty() ? "" : "; " + why.remedy));
}

/// The namespace and name that a call begins with.
inline int read_key(sd_bus_message* call, ObjectKey& key) {
  const char* name_space = nullptr;
  const char* name = nullptr;
  const int read = sd_bus_message_read(call, "ss", &name_space, &name);
  if (read >= 0) key = {Namespace(name_space), ObjectName(name)};
  return read;
}

/// Answers with an aa{sv}: what `append` makes of each item.
template <class Item>
int answer_list(sd_bus_message* call, const std::vector<Item>& items,
                int (*append)(sd_bus_message*, const Item&)) {
  sd_bus_message* reply = nullptr;
  int failed = sd_bus_message_new_method_return(call, &reply);
  if (failed >= 0) failed = sd_bus_message_open_container(reply, 'a', "a{sv}");
  for (const Item& item : items) {
    if (failed >= 0) failed = append(reply, item);
  }
  if (failed >= 0) failed = sd_bus_message_close_container(reply);
  if (failed >= 0) failed = sd_bus_send(nullptr, reply, nullptr);
  sd_bus_message_unref(reply);
  return failed < 0 ? failed : 1;
}

}  // namespace mooring
