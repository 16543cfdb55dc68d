// mooringd: the core of Mooring as a service.

#include <csignal>
#include <cstdio>
#include <exception>

#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/options.h"
#include "kernel/linux/linux_process.h"

namespace {

int complain(const mooring::Error& error, int status) {
  std::fprintf(stderr, "mooringd: %s\n", error.text().c_str());
  return status;
}

int run(int argc, char** argv) {
  const auto line = mooring::parse_command_line(argc, argv);
  if (!line) return complain(line.error(), 2);
  if (line.value().is_done) return line.value().status;
  if (line.value().options.check_config) {
    std::puts("the configuration is well");
    return 0;
  }
  mooring::kernel::keep_memory_out_of_cores();
  mooring::set_up_log(line.value().options.log_level);
  const auto daemon = mooring::Daemon::make(line.value().options);
  if (!daemon) return complain(daemon.error(), 1);
  return daemon.value()->run();
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // Whoever reads the log may end first.
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // Only memory that ran out, and programmers' errors in libraries.
    std::fprintf(stderr, "mooringd: %s\n", error.what());
    return 1;
  }
}
