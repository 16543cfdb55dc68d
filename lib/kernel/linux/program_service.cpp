#include "kernel/linux/program_service.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <nlohmann/json.hpp>

#include "kernel/linux/child.h"
#include "kernel/linux/descriptor.h"

namespace mooring::kernel {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// More than the arguments of a process (execve(2)) or the output that a driver may have can be.
constexpr std::uint64_t message_bytes_max = 16UL * 1024 * 1024;
/// How much longer than the call's own deadline its answer may take: systemd has a process to start.
constexpr milliseconds late_ms(10'000);
/// For the request to arrive, which whoever connects sends at once.
constexpr milliseconds request_ms(10'000);
constexpr std::uint32_t linger_ms = 500;

enum class Moved { Whole, Late, Lost };

/// Waits until the descriptor is ready for `events`; false: it is not by then.
bool wait_for(int fd, short events, Clock::time_point until) {
  pollfd waiting{fd, events, 0};
  while (true) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    if (left <= 0) return false;
    const int ready = poll(&waiting, 1, static_cast<int>(std::min<std::int64_t>(left, 3'600'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

Moved send_all(int fd, std::string_view bytes, Clock::time_point until) {
  while (!bytes.empty()) {
    const ssize_t got = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (got >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(got));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd, POLLOUT, until)) return Moved::Late;
    } else if (errno != EINTR) {
      return Moved::Lost;
    }
  }
  return Moved::Whole;
}

Moved receive_all(int fd, char* bytes, std::size_t size, Clock::time_point until) {
  while (size > 0) {
    const ssize_t got = recv(fd, bytes, size, MSG_DONTWAIT);
    if (got > 0) {
      bytes += got;
      size -= static_cast<std::size_t>(got);
    } else if (got < 0 && errno == EAGAIN) {
      if (!wait_for(fd, POLLIN, until)) return Moved::Late;
    } else if (got == 0 || errno != EINTR) {
      return Moved::Lost;
    }
  }
  return Moved::Whole;
}

Moved send_message(int fd, std::string_view message, Clock::time_point until) {
  const std::uint64_t size = message.size();
  std::array<char, sizeof size> head{};
  std::memcpy(head.data(), &size, sizeof size);
  const Moved begun = send_all(fd, {head.data(), head.size()}, until);
  return begun == Moved::Whole ? send_all(fd, message, until) : begun;
}

Moved receive_message(int fd, std::string& message, Clock::time_point until) {
  std::array<char, sizeof(std::uint64_t)> head{};
  const Moved begun = receive_all(fd, head.data(), head.size(), until);
  if (begun != Moved::Whole) return begun;
  std::uint64_t size = 0;
  std::memcpy(&size, head.data(), sizeof size);
  if (size > message_bytes_max) return Moved::Lost;
  message.resize(size);
  return receive_all(fd, message.data(), size, until);
}

Error unavailable(const std::string& socket, int errno_value) {
  // Not with the errno: one of the program's own means something else (Drivers::run).
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "DriverServiceUnavailable";
  error.message = "mooring-flex, which runs the programs of drivers, cannot be reached at " + socket + ": " +
                  errno_text(errno_value);
  error.path = socket;
  error.remedy = "systemctl start mooring-flex.socket; Mooring goes on by itself then";
  return error;
}

Error lost(const std::string& program) {
  Error error;
  error.kind = ErrorKind::Uncertain;
  error.reason = "DriverCallLost";
  error.message = "mooring-flex, which ran the program, ended without an answer";
  error.path = program;
  error.remedy = "the call is made again; see journalctl --unit='mooring-flex@*' if this goes on";
  return error;
}

/// The line before the bytes; discarded JSON if there is none.
json header_of(std::string_view message, std::string_view& rest) {
  const std::size_t newline = message.find('\n');
  if (newline == std::string_view::npos) return json(json::value_t::discarded);
  rest = message.substr(newline + 1);
  return json::parse(message.substr(0, newline), nullptr, /*allow_exceptions=*/false);
}

std::string line_of(const json& header) {
  return header.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

bool has_number(const json& header, const char* name) {
  return header.contains(name) && header[name].is_number_integer();
}
bool has_size(const json& header, const char* name) {
  return header.contains(name) && header[name].is_number_unsigned() &&
         header[name].get<std::uint64_t>() <= UINT32_MAX;
}
bool has_text(const json& header, const char* name) {
  return header.contains(name) && header[name].is_string();
}
bool has_flag(const json& header, const char* name) {
  return header.contains(name) && header[name].is_boolean();
}

Result<ProgramAnswer> run_here(const ProgramCall& call, const std::vector<std::string>& environment,
                               int caller) {
  ChildCommand command;
  command.words.emplace_back(call.program);
  command.words.insert(command.words.end(), call.arguments.begin(), call.arguments.end());
  command.environment = environment;
  command.output_bytes_max = call.output_bytes_max;
  command.deadline_ms = call.deadline_ms;
  command.linger_ms = linger_ms;
  command.caller = caller;
  MOORING_TRY(ChildEnd end, run_child(command));
  return ProgramAnswer{end.status, end.signal, end.is_late, end.is_too_long, std::move(end.output)};
}

}  // namespace

SecretBytes program_request(const ProgramCall& call) {
  json sizes = json::array();
  std::size_t bytes = 0;
  for (const SecretBytes& argument : call.arguments) {
    sizes.push_back(argument.expose_secret().size());
    bytes += argument.expose_secret().size();
  }
  std::string request = line_of({{"program", call.program},
                                 {"arguments", std::move(sizes)},
                                 {"deadline_ms", call.deadline_ms},
                                 {"output_bytes_max", call.output_bytes_max}});
  request.reserve(request.size() + bytes);  // It moves no more.
  for (const SecretBytes& argument : call.arguments)
    request += argument.expose_secret();
  return SecretBytes(std::move(request));
}

std::optional<ProgramCall> read_program_request(std::string_view request) {
  std::string_view rest;
  const json header = header_of(request, rest);
  if (!header.is_object() || !has_text(header, "program") || !has_size(header, "deadline_ms") ||
      !has_size(header, "output_bytes_max") || !header.contains("arguments") ||
      !header["arguments"].is_array())
    return std::nullopt;
  ProgramCall call;
  call.program = header["program"].get<std::string>();
  call.deadline_ms = header["deadline_ms"].get<std::uint32_t>();
  call.output_bytes_max = std::min(header["output_bytes_max"].get<std::uint64_t>(), message_bytes_max / 2);
  if (!call.program.starts_with('/')) return std::nullopt;
  for (const json& size : header["arguments"]) {
    if (!size.is_number_unsigned() || size.get<std::uint64_t>() > rest.size()) return std::nullopt;
    call.arguments.emplace_back(std::string(rest.substr(0, size.get<std::size_t>())));
    rest.remove_prefix(size.get<std::size_t>());
  }
  if (!rest.empty()) return std::nullopt;
  return call;
}

std::string program_reply(const Result<ProgramAnswer>& answer) {
  if (!answer) {
    const Error& error = answer.error();
    return line_of({{"reason", error.reason},
                    {"message", error.message},
                    {"errno", error.errno_value},
                    {"remedy", error.remedy}});
  }
  const ProgramAnswer& end = answer.value();
  return line_of({{"status", end.status},
                  {"signal", end.signal},
                  {"is_late", end.is_late},
                  {"is_too_long", end.is_too_long}}) +
         end.output;
}

Result<ProgramAnswer> read_program_reply(std::string_view reply) {
  std::string_view rest;
  const json header = header_of(reply, rest);
  if (!header.is_object()) return lost({});
  if (has_text(header, "reason") && has_text(header, "message") && has_text(header, "remedy") &&
      has_number(header, "errno")) {
    Error error;
    error.kind = ErrorKind::Transient;  // Nothing was run.
    error.reason = header["reason"].get<std::string>();
    error.message = header["message"].get<std::string>();
    error.remedy = header["remedy"].get<std::string>();
    error.errno_value = header["errno"].get<int>();
    return error;
  }
  if (!has_number(header, "status") || !has_number(header, "signal") || !has_flag(header, "is_late") ||
      !has_flag(header, "is_too_long"))
    return lost({});
  return ProgramAnswer{header["status"].get<int>(), header["signal"].get<int>(),
                       header["is_late"].get<bool>(), header["is_too_long"].get<bool>(), std::string(rest)};
}

Result<ProgramAnswer> run_by_service(const std::string& socket, const ProgramCall& call) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return unavailable(socket, ENAMETOOLONG);
  std::memcpy(address.sun_path, socket.data(), socket.size());
  // Not blocking: a queue that is full is told, and the call is made again later.
  const Descriptor connection(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!connection ||
      connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return unavailable(socket, errno);
  const auto until = Clock::now() + milliseconds(call.deadline_ms) + late_ms;
  const SecretBytes request = program_request(call);
  std::string reply;
  Moved moved = send_message(connection.get(), request.expose_secret(), until);
  if (moved == Moved::Whole) moved = receive_message(connection.get(), reply, until);
  // Whoever runs it kills it when this connection closes.
  if (moved == Moved::Late) return ProgramAnswer{-1, 0, /*is_late=*/true, /*is_too_long=*/false, {}};
  if (moved == Moved::Lost) return lost(call.program);
  Result<ProgramAnswer> answer = read_program_reply(reply);
  wipe(reply);
  if (answer) return answer;
  Error error = std::move(answer).error();
  error.path = call.program;
  return error;
}

bool serve_program(int connection, const std::vector<std::string>& environment, const std::string& problem) {
  std::string request;
  const Moved moved = receive_message(connection, request, Clock::now() + request_ms);
  const std::optional<ProgramCall> call =
      moved == Moved::Whole ? read_program_request(request) : std::nullopt;
  wipe(request);
  if (!call) return false;
  Error refused;
  refused.kind = ErrorKind::Transient;
  refused.reason = "DriverServiceUnavailable";
  refused.message = problem;
  const Result<ProgramAnswer> answer =
      problem.empty() ? run_here(*call, environment, connection) : Result<ProgramAnswer>(refused);
  const bool is_told =
      send_message(connection, program_reply(answer), Clock::now() + request_ms) == Moved::Whole;
  // systemd holds the connection too, as long as anything that the program started lives.
  shutdown(connection, SHUT_RDWR);
  return is_told;
}

}  // namespace mooring::kernel
