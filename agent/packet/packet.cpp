#include "packet/packet.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "wire/message.h"

namespace mooring {
namespace {

/// Room for one descriptor.
union ControlBuffer {
  cmsghdr aligned;
  std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

/// No message of lib/wire starts with this byte: what follows is the size of the memory file that came along.
constexpr char large_mark = '\xff';

std::string large_notice(std::uint64_t size) {
  std::string notice(1 + sizeof size, large_mark);
  std::memcpy(notice.data() + 1, &size, sizeof size);
  return notice;
}

bool is_large_notice(const std::string& bytes) {
  return bytes.size() == 1 + sizeof(std::uint64_t) && bytes.front() == large_mark;
}

/// A memory file that holds `bytes` and can never change again.
Result<kernel::Descriptor> memory_file(const std::string& bytes) {
  const auto failure = [] {
    return system_error(ErrorKind::Transient, "SendFailed", "cannot make a memory file for a message", {},
                        errno);
  };
  kernel::Descriptor file(memfd_create("mooring-message", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file) return failure();
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t written = write(file.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure();
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (fcntl(file.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return failure();
  return file;
}

Result<std::string> read_large(const Packet& packet) {
  std::uint64_t size = 0;
  std::memcpy(&size, packet.bytes.data() + 1, sizeof size);
  struct stat status {};
  const bool is_right = packet.descriptor && size <= wire::large_message_size_max &&
                        fstat(packet.descriptor.get(), &status) == 0 &&
                        static_cast<std::uint64_t>(status.st_size) == size;
  if (!is_right)
    return system_error(ErrorKind::Final, "BadMessage", "a large message came without its memory file", {},
                        EBADMSG);
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        pread(packet.descriptor.get(), bytes.data() + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      return system_error(ErrorKind::Transient, "ReceiveFailed", "cannot read a large message", {}, errno);
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

Result<Packet> receive_one(int socket) {
  Packet packet;
  packet.bytes.resize(wire::message_size_max + 1);
  iovec part{packet.bytes.data(), packet.bytes.size()};
  ControlBuffer control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = &control;
  header.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return system_error(ErrorKind::Transient, "ReceiveFailed", "cannot receive from the other end", {},
                        errno);
  }
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_RIGHTS) continue;
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(item), sizeof fd);
    packet.descriptor.reset(fd);
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return system_error(ErrorKind::Final, "BadMessage", "a message was cut short", {}, EMSGSIZE);
  }
  packet.bytes.resize(static_cast<std::size_t>(got));
  return packet;
}

Result<void> send_one(int socket, const std::string& bytes, int descriptor) {
  iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  ControlBuffer control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (descriptor >= 0) {
    header.msg_control = &control;
    header.msg_controllen = sizeof control;
    cmsghdr* item = CMSG_FIRSTHDR(&header);
    item->cmsg_level = SOL_SOCKET;
    item->cmsg_type = SCM_RIGHTS;
    item->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(item), &descriptor, sizeof descriptor);
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    return system_error(ErrorKind::Transient, "SendFailed", "cannot send to the other end", {}, errno);
  }
  return success();
}

}  // namespace

Result<Packet> receive_packet(int socket) {
  MOORING_TRY(Packet packet, receive_one(socket));
  if (!is_large_notice(packet.bytes)) return packet;
  Packet large;
  MOORING_TRY(large.bytes, read_large(packet));
  return large;
}

Result<void> send_packet(int socket, const std::string& bytes, int descriptor) {
  if (bytes.size() <= wire::message_size_max) return send_one(socket, bytes, descriptor);
  MOORING_TRY(const kernel::Descriptor file, memory_file(bytes));
  return send_one(socket, large_notice(bytes.size()), file.get());
}

}  // namespace mooring
