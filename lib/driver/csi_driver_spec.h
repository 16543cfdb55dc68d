#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace mooring {

/// When a driver's volumes get the pod's group (CSIDriver.spec.fsGroupPolicy; kubelet-behaviours 15.6).
enum class CsiGroupPolicy : std::uint8_t { ReadWriteOnceWithFsType, File, None };

/// What a driver wants of whoever calls it: its CSIDriver object. The values here are those of an object that
/// says nothing. Of a driver without such an object nothing is known: its volumes are persistent ones, get
/// the group by the default policy, and it is told nothing of pods.
struct CsiDriverSpec {
  bool attach_required = true;
  bool pod_info_on_mount = false;
  bool allows_persistent = true;  ///< volumeLifecycleModes.
  bool allows_ephemeral = false;
  CsiGroupPolicy group_policy = CsiGroupPolicy::ReadWriteOnceWithFsType;
  bool requires_republish = false;
  bool wants_tokens = false;       ///< tokenRequests names some.
  bool tokens_in_secrets = false;  ///< serviceAccountTokenInSecrets: not in the volume's context.
  bool selinux_mount = false;
  friend bool operator==(const CsiDriverSpec&, const CsiDriverSpec&) = default;
};

}  // namespace mooring
