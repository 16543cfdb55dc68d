#pragma once

#include <cstdint>
#include <string>

#include "facts/call_code.h"
#include "facts/driver_name.h"

namespace mooring {

/// A call of a CSI driver that was made, for who counts them.
struct CsiCallFact {
  DriverName driver;   ///< Empty: nobody knew yet whom it would reach.
  std::string method;  ///< "csi.v1.Node/NodePublishVolume".
  CallCode code = CallCode::Ok;
  std::uint64_t duration_us = 0;  ///< Until the answer, or until nobody waited for it any more.
  friend bool operator==(const CsiCallFact&, const CsiCallFact&) = default;
};

}  // namespace mooring
