#pragma once

#include <string>

#include "step/step.h"

namespace mooring {

struct ServeOptions {
  /// Not empty: this worker must not serve, and this is why; it is told to the core, which tells people.
  std::string problem;
  /// Where programs of drivers are run (mooring-flex); empty: here.
  std::string flex_socket;
};

/// A worker's whole life: greets the core at the other end of `socket` (SOCK_SEQPACKET), does the operations
/// of each batch in order, and ends with 0 when the core closes its end, with 1 when it sends nonsense.
///
/// Each operation runs under an alarm at its deadline: SIGALRM's default action ends the process, so that a
/// worker ends itself even where the core may not kill it, as soon as the kernel lets it.
int serve(int socket, const ServeOptions& options);

/// Cuts an outcome that holds a large tree into partial ones that each fit into a message.
std::vector<Outcome> split_outcome(Outcome outcome);

}  // namespace mooring
