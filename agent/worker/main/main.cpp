// mooring-worker: does the steps that the core asks for. Started by the core with a socket as descriptor 3,
// or by systemd for each connection to mooring-worker.socket (Accept=yes).

#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include "kernel/linux/linux_process.h"
#include "worker/serve.h"

namespace {

/// Under systemd a worker serves the node's namespace, which is that of process 1. With sandboxing options in
/// its unit it would have one of its own, and what it mounts there nobody else would ever see.
std::string namespace_problem() {
  struct stat own {};
  struct stat first {};
  if (stat("/proc/self/ns/mnt", &own) != 0 || stat("/proc/1/ns/mnt", &first) != 0) {
    return "cannot compare this worker's mount namespace with that of process 1";
  }
  if (own.st_ino == first.st_ino && own.st_dev == first.st_dev) return {};
  return "this worker has a mount namespace of its own, so the node would not see its mounts: remove the "
         "sandboxing "
         "options that mooring-worker@.service must not have (see its comments), and systemctl daemon-reload";
}

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
  if (argc != 1) {
    std::fputs("usage: mooring-worker\nStarted by mooringd or systemd, with a socket as descriptor 3.\n",
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
  mooring::ServeOptions options;
  if (is_activated) options.problem = namespace_problem();
  return mooring::serve(SD_LISTEN_FDS_START, options);
}
