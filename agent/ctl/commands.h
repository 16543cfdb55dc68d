#pragma once

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
ExitStatus run_render(const Options& options);
ExitStatus run_retry(const Options& options);

// tree.cpp
ExitStatus run_tree(const Options& options);

// offline.cpp
ExitStatus run_plan(const Options& options);
ExitStatus run_verify(const Options& options);

// completion.cpp
ExitStatus run_completion(const Options& options);

/// Says what is wrong on stderr and gives the exit status for it.
ExitStatus fail(const Error& error);

}  // namespace mooring::ctl
