#pragma once

#include <spdlog/spdlog.h>

#include <string>

#include "status/status.h"

namespace mooring {

/// Sets up the process's log: to the journal, with fields, if standard error is connected to it
/// (JOURNAL_STREAM, systemd.exec(5)); else as lines on standard error.
void set_up_log(const std::string& level);

/// Writes a line of the event log: in the journal with the fields MOORING_REASON and MOORING_OBJECT.
void log_event(const StatusEvent& event);

}  // namespace mooring
