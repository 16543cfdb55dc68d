// mooring-csi: makes one call of a CSI driver, or of whoever registers one, and ends. Started by
// mooring-worker, which says on standard input what to call (see lib/kernel/linux/linux_drivers.h), and reads
// the answer.

#include <google/protobuf/stubs/logging.h>
#include <grpc/support/log.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>

#include "base/secret_bytes.h"
#include "csi_call/session.h"
#include "kernel/linux/linux_process.h"

namespace {

constexpr std::size_t input_bytes_max = 16UL * 1024 * 1024;

/// Standard input to its end. False: it cannot be read, or is too long.
bool read_input(std::string& input) {
  std::array<char, 16384> buffer{};
  while (input.size() <= input_bytes_max) {
    const ssize_t got = read(STDIN_FILENO, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      explicit_bzero(buffer.data(), buffer.size());
      return got == 0;
    }
    input.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return false;
}

bool write_output(const std::string& output) {
  std::size_t done = 0;
  while (done < output.size()) {
    const ssize_t got = write(STDOUT_FILENO, output.data() + done, output.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

/// Libraries may quote what they cannot read.
void say_nothing() {
  gpr_set_log_function([](gpr_log_func_args*) {});
  google::protobuf::SetLogHandler(nullptr);
}

int run() {
  mooring::kernel::keep_memory_out_of_cores();
  std::signal(SIGPIPE, SIG_IGN);  // A driver may end in the middle of a call.
  say_nothing();
  std::string input;
  input.reserve(64UL * 1024);
  const bool is_read = read_input(input);
  if (!is_read) return 2;
  std::string output = mooring::csi_call::serve_one(input, mooring::csi_call::call);
  mooring::wipe(input);
  const bool is_written = write_output(output);
  mooring::wipe(output);
  return is_written ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "--version") == 0) {
    std::puts("mooring-csi " MOORING_VERSION);
    return 0;
  }
  if (argc != 1) {
    std::fputs("usage: mooring-csi\nStarted by mooring-worker for each call of a driver.\n", stderr);
    return 2;
  }
  int status = 1;
  try {
    status = run();
  } catch (const std::exception&) {  // Only memory that ran out.
  }
  _exit(status);  // What gRPC's threads hold needs no end in order.
}
