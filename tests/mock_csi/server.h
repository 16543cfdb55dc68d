#pragma once

#include <functional>
#include <memory>
#include <string>

#include "driver.h"
#include "script.h"

namespace grpc {
class Server;
}

namespace mooring::mock_csi {

/// Speaks gRPC on Unix sockets, and makes each call go as the script wants it.
class Server {
 public:
  explicit Server(const Options& options);
  ~Server();

  /// Listens on a path, in place of what is there, and serves whoever connects, until the process ends.
  /// Exits with a message if it cannot.
  void listen(const std::string& path);

 private:
  class Calls;
  std::unique_ptr<Calls> calls_;
};

}  // namespace mooring::mock_csi
