// mooring-worker: does the steps that the core asks for. Started by the core with a socket as descriptor 3,
// or by systemd for each connection to mooring-worker.socket (Accept=yes).

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include "kernel/linux/linux_process.h"
#include "worker/serve.h"

namespace {

bool is_packet_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::puts("mooring-worker " MOORING_VERSION);
    return 0;
  }
  mooring::ServeOptions options;
  const bool has_flex_socket = argc == 3 && std::strcmp(argv[1], "--flex-socket") == 0;
  if (has_flex_socket) options.flex_socket = argv[2];
  if (argc != 1 && !has_flex_socket) {
    std::fputs(
        "usage: mooring-worker [--flex-socket PATH]\n"
        "Started by mooringd or systemd, with a socket as descriptor 3.\n",
        stderr);
    return 2;
  }
  const bool is_activated = sd_listen_fds(/*unset_environment=*/1) == 1;
  if (!is_packet_socket(SD_LISTEN_FDS_START)) {
    std::fputs(
        "mooring-worker: descriptor 3 is no SOCK_SEQPACKET socket: it is started by mooringd or systemd\n",
        stderr);
    return 2;
  }
  mooring::kernel::keep_memory_out_of_cores();
  if (is_activated)
    options.problem = mooring::kernel::namespace_problem("this worker", "mooring-worker@.service");
  return mooring::serve(SD_LISTEN_FDS_START, options);
}
