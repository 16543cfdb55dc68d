#include "daemon/device_watch.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "kernel/linux/uevents.h"

namespace mooring {
namespace {

std::optional<DeviceNumber> number_of(const kernel::Uevent& event) {
  const auto property = [&](const char* name) -> std::optional<std::uint32_t> {
    const auto found = event.properties.find(name);
    std::uint32_t value = 0;
    if (found == event.properties.end()) return std::nullopt;
    const std::string& text = found->second;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  const auto major_number = property("MAJOR");
  const auto minor_number = property("MINOR");
  if (!major_number || !minor_number) return std::nullopt;
  return DeviceNumber{*major_number, *minor_number};
}

}  // namespace

DeviceWatch::DeviceWatch(boost::asio::io_context& loop, std::function<void(DeviceNumber)> removed,
                         std::function<void()> changed)
    : stream_(loop), removed_(std::move(removed)), changed_(std::move(changed)) {
  auto uevents = kernel::open_uevents();
  if (!uevents) {
    spdlog::warn("{}", uevents.error().text());
    return;
  }
  uevents_ = std::move(uevents).value();
  stream_.assign(dup(uevents_.get()));
  wait();
}

void DeviceWatch::wait() {
  stream_.async_wait(
      boost::asio::posix::stream_descriptor::wait_read, [this](boost::system::error_code failed) {
        if (failed) return;
        const kernel::UeventBatch batch = kernel::read_uevents(uevents_.get());
        const auto is_block = [](const kernel::Uevent& event) { return event.subsystem == "block"; };
        for (const kernel::Uevent& event : batch.events) {
          if (!is_block(event) || event.action != "remove" || event.is_of_udev) continue;
          if (const auto number = number_of(event)) removed_(*number);
        }
        if (batch.is_incomplete || std::any_of(batch.events.begin(), batch.events.end(), is_block))
          changed_();
        wait();
      });
}

}  // namespace mooring
