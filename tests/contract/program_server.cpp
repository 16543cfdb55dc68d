#include "program_server.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "kernel/linux/child.h"
#include "kernel/linux/descriptor.h"
#include "kernel/linux/program_service.h"

namespace mooring::kernel::contract {
namespace {

/// In the server: until it is killed.
[[noreturn]] void serve_all(int listening, ProgramServer::Manner manner) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  while (true) {
    const Descriptor connection(accept(listening, nullptr, nullptr));
    if (!connection) _exit(1);
    if (manner == ProgramServer::Manner::HangsUp) continue;
    if (fork() == 0) {
      const bool refuses = manner == ProgramServer::Manner::Refuses;
      serve_program(connection.get(), clean_environment(), refuses ? problem_of_server : "");
      _exit(0);
    }
  }
}

}  // namespace

ProgramServer::ProgramServer(std::string socket, Manner manner) : socket_(std::move(socket)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket_.c_str(), sizeof address.sun_path - 1);
  const Descriptor listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(listening.get(), 8), 0);
  pid_ = fork();
  if (pid_ == 0) serve_all(listening.get(), manner);
}

ProgramServer::~ProgramServer() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  unlink(socket_.c_str());
}

}  // namespace mooring::kernel::contract
