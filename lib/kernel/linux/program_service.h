#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/drivers.h"

namespace mooring::kernel {

// A worker's sandbox is made for what workers do. Programs of drivers need more than that, and so they are
// run by a process of their own, mooring-flex, which systemd starts for each connection to a socket. What
// crosses the connection is one message in each direction: eight bytes, how long it is, and then a line of
// JSON, after which come the bytes that are not to be escaped and copied once more.

/// Has the program run by whoever listens at `socket`. As Drivers::run; besides:
/// Transient, "DriverServiceUnavailable": nobody takes the call, and nothing was run.
/// Uncertain, "DriverCallLost": it was taken, and nobody says what came of it.
Result<ProgramAnswer> run_by_service(const std::string& socket, const ProgramCall& call);

/// The other side: takes one call from `connection` (a stream), runs it with the environment given, and
/// answers. The program is killed, with its process group, if whoever asked for it goes away before it ends.
/// `problem`: not empty: nothing is run, and this is why. False: there was no call, or nobody to answer.
bool serve_program(int connection, const std::vector<std::string>& environment, const std::string& problem);

/// What is asked: {"program", "arguments" (how long each is), "deadline_ms", "output_bytes_max"}, and after
/// the line the arguments.
SecretBytes program_request(const ProgramCall& call);
/// Nothing: it is no request.
std::optional<ProgramCall> read_program_request(std::string_view request);

/// What is answered: {"status", "signal", "is_late", "is_too_long"} and after the line the output; or
/// {"reason", "message", "errno", "remedy"} of an error, with nothing after it.
std::string program_reply(const Result<ProgramAnswer>& answer);
/// The answer or the error in it. Uncertain, "DriverCallLost": it is no reply.
Result<ProgramAnswer> read_program_reply(std::string_view reply);

}  // namespace mooring::kernel
