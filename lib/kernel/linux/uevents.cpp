#include "kernel/linux/uevents.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace mooring::kernel {
namespace {

constexpr unsigned kernel_group = 1;
constexpr unsigned udev_group = 2;
/// Many disks may come at once; the kernel gives a socket so much room only if it is asked to.
constexpr int queue_bytes = 1024 * 1024;

/// What udev puts before the properties (systemd, sd-device/device-monitor.c).
struct UdevHeader {
  std::array<char, 8> prefix;  ///< "libudev".
  std::uint32_t magic;         ///< In network order.
  std::uint32_t header_bytes;
  std::uint32_t properties_offset;
  std::uint32_t properties_bytes;
};
constexpr std::uint32_t udev_magic = 0xfeedcafe;

/// The "KEY=value" words of a message, each with a zero byte behind it.
Uevent from_properties(std::string_view words) {
  Uevent event;
  while (!words.empty()) {
    const std::size_t end = std::min(words.find('\0'), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    event.properties[std::string(word.substr(0, equals))] = std::string(word.substr(equals + 1));
  }
  const auto value = [&](const char* key) {
    const auto found = event.properties.find(key);
    return found == event.properties.end() ? std::string() : found->second;
  };
  event.action = value("ACTION");
  event.subsystem = value("SUBSYSTEM");
  event.node = value("DEVNAME");
  // The kernel says "loop3", and udev "/dev/loop3".
  if (!event.node.empty() && !event.node.starts_with('/')) event.node.insert(0, "/dev/");
  return event;
}

std::optional<Uevent> parse_udev(std::string_view message) {
  UdevHeader header{};
  if (message.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, message.data(), sizeof header);
  const std::uint64_t end = static_cast<std::uint64_t>(header.properties_offset) + header.properties_bytes;
  if (ntohl(header.magic) != udev_magic || header.properties_offset < sizeof header || end > message.size())
    return std::nullopt;
  Uevent event = from_properties(message.substr(header.properties_offset, header.properties_bytes));
  event.is_of_udev = true;
  return event;
}

/// Whether the message, from this address, is the kernel's own or root's.
bool is_trusted(msghdr& message, const sockaddr_nl& sender) {
  // To this socket alone: nobody but a group is told of devices.
  if (sender.nl_groups == 0) return false;
  if (sender.nl_pid == 0) return true;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_CREDENTIALS) continue;
    ucred sent_by{};
    std::memcpy(&sent_by, CMSG_DATA(part), sizeof sent_by);
    return sent_by.uid == 0;
  }
  return false;
}

}  // namespace

std::optional<Uevent> parse_uevent(std::string_view message) {
  constexpr std::string_view of_udev("libudev\0", 8);
  std::optional<Uevent> event;
  if (message.starts_with(of_udev)) {
    event = parse_udev(message);
  } else {
    const std::size_t end = message.find('\0');
    const std::size_t at = message.find('@');
    if (end == std::string_view::npos || at > end) return std::nullopt;
    event = from_properties(message.substr(end + 1));
  }
  if (!event || event->action.empty() || event->subsystem.empty()) return std::nullopt;
  return event;
}

Result<Descriptor> open_uevents() {
  const auto fail = [](const char* what) {
    return system_error(ErrorKind::Transient, "UeventsUnavailable", what, {}, errno);
  };
  Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT));
  if (!socket) return fail("cannot listen to the kernel's device events");
  const int yes = 1;
  if (setsockopt(socket.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
    return fail("cannot see who sends device events");
  // More than the limit needs a privilege; with less, more is dropped, which is_incomplete tells.
  if (setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &queue_bytes, sizeof queue_bytes) != 0)
    static_cast<void>(setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &queue_bytes, sizeof queue_bytes));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = kernel_group | udev_group;
  const auto* generic = static_cast<const sockaddr*>(static_cast<const void*>(&address));
  if (bind(socket.get(), generic, sizeof address) != 0) return fail("cannot listen to device events");
  return socket;
}

UeventBatch read_uevents(int socket) {
  UeventBatch batch;
  std::array<char, 64 * 1024> buffer{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred))> control{};
  while (true) {
    iovec part{buffer.data(), buffer.size()};
    sockaddr_nl sender{};
    msghdr message{};
    message.msg_name = &sender;
    message.msg_namelen = sizeof sender;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ENOBUFS) {
      batch.is_incomplete = true;
      continue;
    }
    if (got <= 0) return batch;
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      batch.is_incomplete = true;
      continue;
    }
    if (!is_trusted(message, sender)) continue;
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
    if (auto event = parse_uevent(bytes)) batch.events.push_back(std::move(*event));
  }
}

}  // namespace mooring::kernel
