#pragma once

#include <systemd/sd-bus.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/decode.h"

namespace mooring::bus {

/// Reads a message; the first thing that is not as expected makes all later reading empty.
class Reader {
 public:
  explicit Reader(sd_bus_message* message) : message_(message) {}

  bool is_good() const { return result_ >= 0; }
  /// True if there was another container of this kind to enter.
  bool enter(char type, const char* contents) {
    return keep(sd_bus_message_enter_container(message_, type, contents));
  }
  void leave() { keep(sd_bus_message_exit_container(message_)); }
  template <class T>
  T number(char type) {
    T value{};
    keep(sd_bus_message_read_basic(message_, type, &value));
    return value;
  }
  bool boolean() { return number<int>('b') != 0; }
  std::string text(char type = 's') {
    const char* value = nullptr;
    return keep(sd_bus_message_read_basic(message_, type, &value)) ? std::string(value) : std::string();
  }
  Value variant();
  Properties properties();
  StatusEvent event_fields();
  Error error() const;

 private:
  bool keep(int result) {
    if (result_ < 0) return false;
    if (result < 0) result_ = result;
    return result > 0;
  }
  Value contents(std::string_view type);
  std::vector<std::string> list(char type);
  std::vector<std::int64_t> numbers();

  sd_bus_message* message_;
  int result_ = 0;
};

/// The value of a property; an empty one if it is not there or of another type.
template <class T>
T get(const Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return {};
  const T* value = std::get_if<T>(&found->second);
  return value == nullptr ? T{} : *value;
}
std::string text_of(const Properties& properties, std::string_view name);
/// Microseconds since 1970, as all times on the bus.
WallTime wall_time(std::uint64_t microseconds);
/// The same of a property; nullopt: 0, or it is not there.
std::optional<WallTime> time_of(const Properties& properties, std::string_view name);

/// aa{sv} → what `from` makes of each dictionary.
template <class Item>
Result<std::vector<Item>> decode_list(sd_bus_message* message, Item (*from)(const Properties&)) {
  Reader reader(message);
  std::vector<Item> items;
  if (reader.enter('a', "a{sv}")) {
    while (reader.is_good() && sd_bus_message_at_end(message, 0) == 0)
      items.push_back(from(reader.properties()));
    reader.leave();
  }
  if (!reader.is_good()) return reader.error();
  return items;
}

}  // namespace mooring::bus
