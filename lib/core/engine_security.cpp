#include <algorithm>

#include "core/engine.h"

namespace mooring {

Result<ContainerSecurity> Core::Engine::container_security(const PodUid& uid,
                                                           const ContainerName& container) const {
  const DesiredPod* desired = desired_of(uid);
  if (desired == nullptr) return status_error("NoSuchPod", "no manifest asks for this pod");
  const manifest::Pod& pod = *desired->pod;
  const auto named = std::find_if(pod.containers.begin(), pod.containers.end(), [&](const auto& one) {
    return one.name == container || (container.empty() && pod.containers.size() == 1);
  });
  if (named == pod.containers.end() && !container.empty()) {
    return status_error("NoSuchContainer", "pod " + pod.key.text() + " has no container " + container.str());
  }
  ContainerSecurity out;
  out.fs_group = pod.security.fs_group;
  const auto add = [&](std::int64_t group) {
    auto& groups = out.supplemental_groups;
    if (std::find(groups.begin(), groups.end(), group) == groups.end()) groups.push_back(group);
  };
  if (out.fs_group) add(*out.fs_group);
  for (const std::int64_t group : pod.security.supplemental_groups)
    add(group);
  const manifest::SelinuxOptions& of_pod = pod.security.selinux;
  const manifest::SelinuxOptions own =
      named == pod.containers.end() ? manifest::SelinuxOptions() : named->selinux;
  out.selinux_user = own.user.empty() ? of_pod.user : own.user;
  out.selinux_role = own.role.empty() ? of_pod.role : own.role;
  out.selinux_type = own.type.empty() ? of_pod.type : own.type;
  out.selinux_level = own.level.empty() ? of_pod.level : own.level;
  return out;
}

}  // namespace mooring
