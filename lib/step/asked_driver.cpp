#include "step/asked_driver.h"

#include <variant>

namespace mooring {

std::optional<DriverName> asked_driver(const std::vector<Step>& steps) {
  for (const Step& step : steps) {
    const auto* driver = std::visit(
        [](const auto& one) -> const DriverName* {
          // How steps say whom they ask: CSI ones by their CsiVolume, FlexVolume ones by their FlexProgram.
          if constexpr (requires { one.volume.driver; }) {
            return &one.volume.driver;
          } else if constexpr (requires { one.program.driver; }) {
            return &one.program.driver;
          } else {
            return nullptr;
          }
        },
        static_cast<const AnyStep&>(step));
    if (driver != nullptr) return *driver;
  }
  return std::nullopt;
}

}  // namespace mooring
