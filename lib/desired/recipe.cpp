#include "desired/recipe.h"

#include <algorithm>

namespace mooring {

Shape Recipe::shape() const {
  switch (presence) {
    case Presence::HostPath: {
      Shape shape = "path:" + path;
      for (const Step& step : publish.up) {
        if (const auto* check = std::get_if<CheckHostPath>(&step))
          shape += " " + std::string(to_string(check->type));
      }
      return shape;
    }
    case Presence::Directory:
      return "directory";
    case Presence::Bind:
      return "bind";
    case Presence::Bound:
      return "bound";
    case Presence::Device:
      return "device";
    case Presence::Driver:
    case Presence::DriverMount:
      return driver_shape;
    case Presence::Mount:
      return mount_types.empty() ? "mount" : "mount:" + mount_types.front();
  }
  return {};
}

bool Recipe::may_be_half_made() const {
  return std::any_of(publish.up.begin(), publish.up.end(), [](const Step& step) {
    return std::holds_alternative<ChangeGroup>(step) || std::holds_alternative<MapGroup>(step) ||
           std::holds_alternative<PublishFiles>(step) || std::holds_alternative<LimitDirectory>(step);
  });
}

}  // namespace mooring
