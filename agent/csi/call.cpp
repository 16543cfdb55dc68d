#include "csi_call/call.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/create_channel_posix.h>
#include <grpcpp/generic/generic_stub.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/quote.h"

namespace mooring::csi_call {
namespace {

using Clock = std::chrono::system_clock;

/// A driver's message may be all that a failed mkfs said; with the default of 8 KiB its code would be lost.
constexpr int metadata_bytes_max = 1024 * 1024;

/// A connected socket; negative: it is not, and `answer` says why.
int connect_to(const Call& call, Answer& answer) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (call.socket.size() >= sizeof address.sun_path) {
    answer = {CallCode::Unavailable,
              "the path " + mooring::quoted(call.socket) + " is longer than a socket's may be (107 bytes)",
              ""};
    return -1;
  }
  std::memcpy(address.sun_path, call.socket.data(), call.socket.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // A driver that accepts nobody lets callers wait once its queue is full.
  timeval wait{};
  wait.tv_sec = call.deadline.count() / 1000;
  wait.tv_usec = (call.deadline.count() % 1000) * 1000;
  if (wait.tv_sec == 0 && wait.tv_usec == 0) wait.tv_usec = 1;  // 0 is for ever.
  const bool is_connected = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
                            connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (is_connected) return fd;
  const int cause = errno;
  if (fd >= 0) close(fd);
  const bool is_late = cause == EAGAIN;
  answer.code = is_late ? CallCode::DeadlineExceeded : CallCode::Unavailable;
  answer.message = (is_late ? "whoever listens on " : "nobody listens on ") + mooring::quoted(call.socket) +
                   (is_late ? " accepts no connection" : ": " + errno_text(cause));
  return -1;
}

std::shared_ptr<grpc::Channel> channel_on(int fd) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(message_bytes_max));
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, metadata_bytes_max);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetString(GRPC_ARG_DEFAULT_AUTHORITY, "localhost");
  return grpc::CreateCustomInsecureChannelFromFd("localhost", fd, arguments);
}

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  bytes.reserve(buffer.Length());
  for (const grpc::Slice& slice : slices)
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  return bytes;
}

}  // namespace

Answer call(const Call& call) {
  const auto deadline = Clock::now() + call.deadline;
  Answer answer;
  const int fd = connect_to(call, answer);
  if (fd < 0) return answer;
  grpc::GenericStub stub(channel_on(fd));
  grpc::ClientContext context;
  context.set_deadline(deadline);
  grpc::CompletionQueue queue;
  // The bytes are not copied: they are wiped with the call.
  const std::string& bytes = call.request.expose_secret();
  const grpc::Slice slice(bytes.data(), bytes.size(), grpc::Slice::STATIC_SLICE);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::Status status;
  const auto pending = stub.PrepareUnaryCall(&context, "/" + call.method.name, request, &queue);
  pending->StartCall();
  pending->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool is_ok = false;
  queue.Next(&tag, &is_ok);
  answer.code = static_cast<CallCode>(status.error_code());
  answer.message = status.error_message();
  // A driver may say the same of its own calls, earlier.
  if (answer.code == CallCode::DeadlineExceeded && Clock::now() >= deadline)
    answer.message = "no answer in " + std::to_string(call.deadline.count()) + " ms";
  // gRPC's own words for a connection that it gave up, with the code Unknown. A driver's own Unknown means
  // that nothing is left to undo; here nobody knows what the driver did.
  if (answer.code == CallCode::Unknown && answer.message == "Stream removed") {
    answer.code = CallCode::Unavailable;
    answer.message = "the connection broke";
  }
  if (status.ok()) answer.response = bytes_of(response);
  return answer;
}

}  // namespace mooring::csi_call
