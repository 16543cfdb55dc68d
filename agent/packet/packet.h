#pragma once

#include <string>

#include "base/result.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// One message of a SOCK_SEQPACKET socket, with the descriptor that came with it, if one did. A message that
/// is too large for a socket (wire::message_size_max) travels in a sealed memory file (memfd_create(2)) whose
/// descriptor is sent; neither end sees a difference, but that such a one cannot carry another descriptor.
struct Packet {
  std::string bytes;  ///< Empty: the other end is gone.
  kernel::Descriptor descriptor;
};

/// Receives one message. Transient with EAGAIN on a non-blocking socket that has none; a message that was cut
/// short is an error. Received descriptors are closed on exec (recvmsg(2), unix(7)).
Result<Packet> receive_packet(int socket);

/// Sends one message, with `descriptor` attached if it is not -1. Never raises SIGPIPE. Transient with EAGAIN
/// on a non-blocking socket that is full.
Result<void> send_packet(int socket, const std::string& bytes, int descriptor = -1);

}  // namespace mooring
