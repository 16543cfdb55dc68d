// mooring-flex: runs one program of a driver (FlexVolume) for a worker, and ends. Started by systemd for each
// connection to mooring-flex.socket (Accept=yes); see lib/kernel/linux/program_service.h for what is said
// there.

#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/linux/linux_process.h"
#include "kernel/linux/program_service.h"

extern char** environ;

namespace {

/// What systemd tells this process and not the driver, and what makes the messages of programs English.
bool is_for_driver(std::string_view variable) {
  constexpr std::array<std::string_view, 7> others{
      "LISTEN_", "NOTIFY_SOCKET=", "INVOCATION_ID=", "JOURNAL_STREAM=", "SYSTEMD_EXEC_PID=", "REMOTE_",
      "LC_"};
  return std::none_of(others.begin(), others.end(),
                      [&](std::string_view other) { return variable.starts_with(other); });
}

/// That of the unit, so that people can give drivers what they ask for (a proxy, say) by a drop-in.
std::vector<std::string> environment_of_driver() {
  std::vector<std::string> all{"LC_ALL=C"};
  for (char** variable = environ; *variable != nullptr; ++variable)
    if (is_for_driver(*variable)) all.emplace_back(*variable);
  return all;
}

bool is_stream_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::puts("mooring-flex " MOORING_VERSION);
    return 0;
  }
  if (argc != 1 || sd_listen_fds(/*unset_environment=*/1) != 1 || !is_stream_socket(SD_LISTEN_FDS_START)) {
    std::fputs("usage: mooring-flex\nStarted by systemd, for each connection to mooring-flex.socket.\n",
               stderr);
    return 2;
  }
  mooring::kernel::keep_memory_out_of_cores();
  const std::string problem = mooring::kernel::namespace_problem("mooring-flex", "mooring-flex@.service");
  const bool is_served =
      mooring::kernel::serve_program(SD_LISTEN_FDS_START, environment_of_driver(), problem);
  return is_served && problem.empty() ? 0 : 1;
}
