#include "status/status.h"

namespace mooring {

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::Pending:
      return "Pending";
    case Phase::Attaching:
      return "Attaching";
    case Phase::Staging:
      return "Staging";
    case Phase::Publishing:
      return "Publishing";
    case Phase::Ready:
      return "Ready";
    case Phase::Unpublishing:
      return "Unpublishing";
    case Phase::Unstaging:
      return "Unstaging";
    case Phase::Detaching:
      return "Detaching";
    case Phase::Stuck:
      return "Stuck";
  }
  return "Pending";
}

}  // namespace mooring
