#include "daemon/metrics.h"

#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <charconv>

namespace mooring {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr int sessions_max = 16;
constexpr std::size_t request_bytes_max = 8192;
constexpr auto session_deadline = std::chrono::seconds(10);

/// Where to listen. (A struct, because an endpoint can be made from anything, an Error too.)
struct Address {
  asio::generic::stream_protocol::endpoint endpoint;
};

Result<Address> parse_address(const std::string& listen) {
  const auto usage = [&](const char* why) {
    Error error;
    error.reason = "Usage";
    error.message = "--metrics-listen " + listen + " " + why;
    return error;
  };
  if (listen.starts_with("unix:")) {
    const std::string path = listen.substr(5);
    if (path.empty() || path.size() > 100) return usage("is not unix:PATH with a path of at most 100 bytes");
    return Address{asio::local::stream_protocol::endpoint(path)};
  }
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return usage("is not unix:PATH or HOST:PORT");
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  std::uint16_t port = 0;
  const char* end = listen.data() + listen.size();
  const auto parsed = std::from_chars(listen.data() + colon + 1, end, port);
  error_code failed;
  const auto address = asio::ip::make_address(host, failed);
  if (failed || parsed.ec != std::errc() || parsed.ptr != end) return usage("is not an address and a port");
  return Address{asio::ip::tcp::endpoint(address, port)};
}

}  // namespace

std::string label_value(const std::string& value) {
  std::string text = "\"";
  for (const char c : value) {
    if (c == '\\' || c == '"') text += '\\';
    text += c == '\n' ? std::string("\\n") : std::string(1, c);
  }
  return text + "\"";
}

/// One connection: one request, one answer.
struct MetricsServer::Session : std::enable_shared_from_this<Session> {
  Session(asio::generic::stream_protocol::socket socket, MetricsServer& server)
      : stream(std::move(socket)), owner(server) {
    ++owner.sessions_;
    parser.header_limit(request_bytes_max);
    parser.body_limit(request_bytes_max);
  }
  ~Session() { --owner.sessions_; }

  void run() {
    stream.expires_after(session_deadline);
    http::async_read(stream, buffer, parser, [self = shared_from_this()](error_code failed, std::size_t) {
      if (!failed) self->answer();
    });
  }

  void answer() {
    const auto& request = parser.get();
    const bool is_found = request.target() == "/metrics";
    const bool is_get = request.method() == http::verb::get;
    response.version(request.version());
    response.keep_alive(false);
    response.result(!is_get    ? http::status::method_not_allowed
                    : is_found ? http::status::ok
                               : http::status::not_found);
    response.set(http::field::content_type, "text/plain; version=0.0.4");
    response.body() = is_get && is_found ? owner.text_() : "GET /metrics\n";
    response.prepare_payload();
    http::async_write(stream, response, [self = shared_from_this()](error_code, std::size_t) {});
  }

  beast::basic_stream<asio::generic::stream_protocol> stream;
  MetricsServer& owner;
  beast::flat_buffer buffer{request_bytes_max * 2};
  http::request_parser<http::string_body> parser;
  http::response<http::string_body> response;
};

MetricsServer::MetricsServer(asio::io_context& loop, std::function<std::string()> text)
    : text_(std::move(text)), acceptor_(loop) {}

MetricsServer::~MetricsServer() {
  if (!unlink_path_.empty()) unlink(unlink_path_.c_str());
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::listen(asio::io_context& loop,
                                                             const std::string& listen,
                                                             std::function<std::string()> text) {
  MOORING_TRY(const Address address, parse_address(listen));
  auto server = std::unique_ptr<MetricsServer>(new MetricsServer(loop, std::move(text)));
  if (listen.starts_with("unix:")) {
    server->unlink_path_ = listen.substr(5);
    unlink(server->unlink_path_.c_str());
  }
  error_code failed;
  server->acceptor_.open(address.endpoint.protocol(), failed);
  if (!failed && !listen.starts_with("unix:"))
    server->acceptor_.set_option(asio::socket_base::reuse_address(true), failed);
  if (!failed) server->acceptor_.bind(address.endpoint, failed);
  if (!failed) server->acceptor_.listen(asio::socket_base::max_listen_connections, failed);
  if (failed) {
    return system_error(ErrorKind::Transient, "ListenFailed", "cannot serve metrics on", listen,
                        failed.value());
  }
  server->accept();
  return server;
}

void MetricsServer::accept() {
  acceptor_.async_accept([this](error_code failed, asio::generic::stream_protocol::socket socket) {
    if (failed == asio::error::operation_aborted) return;
    if (!failed && sessions_ < sessions_max) std::make_shared<Session>(std::move(socket), *this)->run();
    accept();
  });
}

}  // namespace mooring
