#include "desired/recipe.h"

namespace mooring {

Shape Recipe::shape() const {
  switch (presence) {
    case Presence::HostPath:
      return {};
    case Presence::Directory:
      return "directory";
    case Presence::Mount:
      return mount_types.empty() ? "mount" : "mount:" + mount_types.front();
  }
  return {};
}

}  // namespace mooring
