#include "server.h"

#include <fcntl.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>
#include <grpcpp/server_posix.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "csi_call/messages.h"

namespace mooring::mock_csi {
namespace {

using nlohmann::json;

/// So many calls may hang at a time.
constexpr int threads = 16;

[[noreturn]] void give_up(const std::string& what) {
  std::fprintf(stderr, "mock_csi: %s: %s\n", what.c_str(), std::strerror(errno));
  std::_Exit(3);
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

/// The connection of a call. A server that was given its connections names them by their descriptor ("fd:7").
int descriptor_of(const grpc::ServerContext& context) {
  const std::string peer = context.peer();
  return peer.starts_with("fd:") ? std::atoi(peer.c_str() + 3) : -1;
}

}  // namespace

class Server::Calls {
 public:
  explicit Calls(const Options& options) : driver_(options), script_(options.script) {
    if (!options.log.empty())
      log_ = open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    grpc::ServerBuilder builder;
    builder.RegisterAsyncGenericService(&service_);
    builder.SetMaxReceiveMessageSize(-1);
    builder.SetMaxSendMessageSize(-1);
    for (int i = 0; i < threads; ++i)
      queues_.push_back(builder.AddCompletionQueue());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) give_up("cannot start");
    for (const auto& queue : queues_)
      std::thread([this, &queue] { serve(*queue); }).detach();
  }

  void take(int connection) { grpc::AddInsecureChannelFromFd(server_.get(), connection); }

 private:
  /// One call after the other.
  void serve(grpc::ServerCompletionQueue& queue) {
    while (true) {
      grpc::GenericServerContext context;
      grpc::GenericServerAsyncReaderWriter stream(&context);
      service_.RequestCall(&context, &stream, &queue, &queue, this);
      if (!wait(queue)) return;
      grpc::ByteBuffer request;
      stream.Read(&request, this);
      if (!wait(queue)) {
        stream.Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no request"), this);
        wait(queue);
        continue;
      }
      answer(context, bytes_of(request), stream);
      wait(queue);
    }
  }

  /// True if what was asked for happened.
  static bool wait(grpc::ServerCompletionQueue& queue) {
    void* tag = nullptr;
    bool is_ok = false;
    return queue.Next(&tag, &is_ok) && is_ok;
  }

  void answer(const grpc::GenericServerContext& context, const std::string& bytes,
              grpc::GenericServerAsyncReaderWriter& stream) {
    const std::string name = context.method().substr(1);
    const auto method = csi_call::find_method(name);
    const auto text = method ? csi_call::to_json(*method->request, bytes) : std::nullopt;
    if (!text) {
      stream.Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, "no such method, or no such message"),
                    this);
      return;
    }
    const json request = json::parse(*text);
    log(name, request);
    const Instruction instruction = script_.next(name.substr(name.find('/') + 1));
    if (instruction.crash == Instruction::Crash::Before) std::_Exit(42);
    std::this_thread::sleep_for(std::chrono::milliseconds(instruction.delay_ms));
    Reply reply;
    if (instruction.does_it) reply = driver_.handle(name, request);
    if (instruction.crash == Instruction::Crash::After) std::_Exit(42);
    if (instruction.loses_reply) {
      shutdown(descriptor_of(context), SHUT_RDWR);
      stream.Finish(grpc::Status::CANCELLED, this);
      return;
    }
    if (instruction.code != CallCode::Ok) {
      reply.code = instruction.code;
      reply.message = instruction.message;
    }
    if (reply.code != CallCode::Ok) {
      stream.Finish(grpc::Status(static_cast<grpc::StatusCode>(reply.code), reply.message), this);
      return;
    }
    if (!instruction.response.is_null()) reply.response.merge_patch(instruction.response);
    std::string out(instruction.garbage_bytes, '\xff');
    if (out.empty()) {
      const auto wire = csi_call::to_wire(*method->response, reply.response.dump());
      if (!wire) give_up("no such response of " + name + ": " + reply.response.dump());
      out = wire->expose_secret();
    }
    const grpc::Slice slice(out);
    stream.WriteAndFinish(grpc::ByteBuffer(&slice, 1), grpc::WriteOptions(), grpc::Status::OK, this);
  }

  void log(const std::string& method, const json& request) {
    if (log_ < 0) return;
    const std::string line = json{{"method", method}, {"request", request}}.dump() + "\n";
    const std::lock_guard lock(log_mutex_);
    static_cast<void>(!write(log_, line.data(), line.size()));
  }

  Driver driver_;
  Script script_;
  int log_ = -1;
  std::mutex log_mutex_;
  grpc::AsyncGenericService service_;
  std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues_;
  std::unique_ptr<grpc::Server> server_;
};

Server::Server(const Options& options) : calls_(std::make_unique<Calls>(options)) {}

Server::~Server() = default;

void Server::listen(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  errno = ENAMETOOLONG;
  if (path.size() >= sizeof address.sun_path) give_up(path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  unlink(path.c_str());
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 64) != 0)
    give_up("cannot listen on " + path);
  std::thread([this, fd] {
    while (true) {
      const int connection = accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (connection >= 0) calls_->take(connection);
    }
  }).detach();
}

}  // namespace mooring::mock_csi
