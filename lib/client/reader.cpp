#include "client/reader.h"

#include <cerrno>

#include "client/bus.h"

namespace mooring::bus {

Error Reader::error() const {
  return error_from_errno(result_, "the daemon's answer cannot be understood");
}

Value Reader::variant() {
  char type = 0;
  const char* inside = nullptr;
  if (!keep(sd_bus_message_peek_type(message_, &type, &inside)) || type != 'v') {
    keep(-EBADMSG);
    return {};
  }
  const std::string signature = inside;
  if (!enter('v', signature.c_str())) return {};
  Value value = contents(signature);
  leave();
  return value;
}

Value Reader::contents(std::string_view type) {
  if (type == "s" || type == "o") return text(type[0]);
  if (type == "b") return boolean();
  if (type == "u") return number<std::uint32_t>('u');
  if (type == "t") return number<std::uint64_t>('t');
  if (type == "x") return number<std::int64_t>('x');
  if (type == "as" || type == "ao") return list(type[1]);
  if (type == "ax") return numbers();
  keep(sd_bus_message_skip(message_, std::string(type).c_str()));
  return {};
}

std::vector<std::string> Reader::list(char type) {
  std::vector<std::string> items;
  const char contents[] = {type, '\0'};
  if (!enter('a', contents)) return items;
  const char* item = nullptr;
  while (keep(sd_bus_message_read_basic(message_, type, &item)))
    items.emplace_back(item);
  leave();
  return items;
}

std::vector<std::int64_t> Reader::numbers() {
  std::vector<std::int64_t> items;
  if (!enter('a', "x")) return items;
  std::int64_t item = 0;
  while (keep(sd_bus_message_read_basic(message_, 'x', &item)))
    items.push_back(item);
  leave();
  return items;
}

Properties Reader::properties() {
  Properties properties;
  if (!enter('a', "{sv}")) return properties;
  while (enter('e', "sv")) {
    std::string name = text();
    const char* inside = nullptr;
    const bool is_known = keep(sd_bus_message_peek_type(message_, nullptr, &inside));
    if (is_known && inside != nullptr && std::string_view(inside) == "a{sv}" && enter('v', "a{sv}")) {
      for (auto& [key, value] : this->properties())
        properties.insert_or_assign(name + "." + key, std::move(value));
      leave();
    } else {
      properties.insert_or_assign(std::move(name), variant());
    }
    leave();
  }
  leave();
  return properties;
}

StatusEvent Reader::event_fields() {
  StatusEvent event;
  event.sequence = number<std::uint64_t>('t');
  event.time = wall_time(number<std::uint64_t>('t'));
  event.warning = boolean();
  event.reason = text();
  event.object = text();
  event.message = text();
  return event;
}

std::string text_of(const Properties& properties, std::string_view name) {
  return get<std::string>(properties, name);
}

WallTime wall_time(std::uint64_t microseconds) {
  return {std::chrono::microseconds(static_cast<std::int64_t>(microseconds))};
}

std::optional<WallTime> time_of(const Properties& properties, std::string_view name) {
  const auto time = get<std::uint64_t>(properties, name);
  return time == 0 ? std::nullopt : std::optional(wall_time(time));
}

}  // namespace mooring::bus
