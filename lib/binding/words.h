#pragma once

#include <string>

#include "base/ids.h"
#include "manifest/words.h"

// Names of what claims and volumes say, for messages.

namespace mooring {

/// What an event is about.
inline std::string event_object(const ObjectKey& claim) {
  return "persistentvolumeclaim/" + claim.text();
}
inline std::string event_object(const ObjectName& volume) {
  return "persistentvolume/" + volume.str();
}

}  // namespace mooring
