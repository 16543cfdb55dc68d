#pragma once

#include <sys/types.h>

#include <string>

namespace mooring::kernel::contract {

/// A process that listens on a socket, as systemd does for mooring-flex, and another for each connection.
class ProgramServer {
 public:
  enum class Manner { Serves, Refuses, HangsUp };

  /// Makes the socket in a directory that is there, and listens when this is done.
  ProgramServer(std::string socket, Manner manner);
  ~ProgramServer();
  ProgramServer(const ProgramServer&) = delete;
  ProgramServer& operator=(const ProgramServer&) = delete;

  const std::string& socket() const { return socket_; }

 private:
  std::string socket_;
  pid_t pid_ = -1;
};

/// Refuses with this.
inline constexpr const char* problem_of_server = "mooring-flex has a namespace of its own";

}  // namespace mooring::kernel::contract
