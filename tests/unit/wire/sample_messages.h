#pragma once

#include <vector>

#include "wire/message.h"

namespace mooring::wire {

/// One of each kind of step, every field different from its default.
std::vector<Step> every_step();
Operation sample_operation();
std::vector<Outcome> sample_outcomes();
/// Messages of every kind, empty and full.
std::vector<Message> sample_messages();

}  // namespace mooring::wire
