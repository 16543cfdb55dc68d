#pragma once

#include <functional>

#include "options.h"

namespace mooring::ctl {

// One function a command. Answers go to stdout, messages to stderr.

// query.cpp
ExitStatus run_status(const Options& options);
ExitStatus run_get(const Options& options);
ExitStatus run_describe(const Options& options);
ExitStatus run_dump(const Options& options);
ExitStatus run_version(const Options& options);

// events.cpp
ExitStatus run_events(const Options& options);

// explain.cpp
ExitStatus run_explain(const Options& options);

// act.cpp
ExitStatus run_wait(const Options& options);
ExitStatus run_retry(const Options& options);

// storage_act.cpp
ExitStatus run_delete(const Options& options);
ExitStatus run_release(const Options& options);

// render.cpp
ExitStatus run_render(const Options& options);

// tree.cpp
ExitStatus run_tree(const Options& options);

// offline.cpp
ExitStatus run_plan(const Options& options);
ExitStatus run_verify(const Options& options);

// completion.cpp
ExitStatus run_completion(const Options& options);

/// Says what is wrong on stderr and gives the exit status for it.
ExitStatus fail(const Error& error);

/// The one command that was chosen.
using Command = std::function<ExitStatus(const Options&)>;

/// Runs the program: its exit status, as main() gives it.
int run(int argc, const char* const* argv);

/// What the command line says. Without a command there is nothing to run: help was asked for and printed, or
/// the usage is wrong, which was said; `status` is the exit status then.
struct CommandLine {
  Options options;
  Command command;
  int status = 0;
};
CommandLine parse_command_line(int argc, const char* const* argv);

}  // namespace mooring::ctl
