#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"

namespace mooring {

/// A label's value in Prometheus' text format, quoted, with what the format gives a meaning escaped.
std::string label_value(const std::string& value);

/// Serves GET /metrics in Prometheus' text format over HTTP, on a Unix socket or an address.
class MetricsServer {
 public:
  /// `listen`: "unix:PATH" or "HOST:PORT" (HOST an address; [..] for IPv6). `text` makes the answer. Final,
  /// "Usage" for a bad address; Transient, "ListenFailed".
  static Result<std::unique_ptr<MetricsServer>> listen(boost::asio::io_context& loop,
                                                       const std::string& listen,
                                                       std::function<std::string()> text);
  ~MetricsServer();

 private:
  struct Session;
  MetricsServer(boost::asio::io_context& loop, std::function<std::string()> text);
  void accept();

  std::function<std::string()> text_;
  boost::asio::basic_socket_acceptor<boost::asio::generic::stream_protocol> acceptor_;
  std::string unlink_path_;
  int sessions_ = 0;
};

}  // namespace mooring
