#include "plugin/csi_objects.h"

#include "base/quote.h"

namespace mooring {
namespace {

CsiGroupPolicy group_policy_of(manifest::FsGroupPolicy policy) {
  switch (policy) {
    case manifest::FsGroupPolicy::None:
      return CsiGroupPolicy::None;
    case manifest::FsGroupPolicy::File:
      return CsiGroupPolicy::File;
    case manifest::FsGroupPolicy::ReadWriteOnceWithFsType:
      break;
  }
  return CsiGroupPolicy::ReadWriteOnceWithFsType;
}

}  // namespace

CsiSetting csi_setting_of(const RecipeRequest& request, const DriverName& driver) {
  CsiSetting setting;
  if (const auto object = request.objects.find_csi_driver(ObjectName(driver.str()))) {
    CsiDriverSpec spec;
    spec.attach_required = object->attach_required;
    spec.pod_info_on_mount = object->pod_info_on_mount;
    spec.allows_persistent = object->lifecycles.contains(manifest::VolumeLifecycle::Persistent);
    spec.allows_ephemeral = object->lifecycles.contains(manifest::VolumeLifecycle::Ephemeral);
    spec.group_policy = group_policy_of(object->fs_group_policy);
    spec.requires_republish = object->requires_republish;
    spec.selinux_mount = object->selinux_mount;
    setting.spec = spec;
  }
  if (request.persistent == nullptr) return setting;
  const auto attachment =
      request.objects.find_attachment(driver.str(), request.node.name, request.persistent->name);
  if (attachment && attachment->is_attached) setting.publish_context = attachment->metadata;
  return setting;
}

Result<std::map<std::string, SecretBytes>> csi_secrets_of(const std::optional<ObjectKey>& secret,
                                                          const std::string& field,
                                                          const ObjectStore& objects) {
  using Secrets = std::map<std::string, SecretBytes>;
  if (!secret) return Secrets();
  const auto found = objects.find_secret(*secret);
  if (!found) {
    Error error =
        refusal("SecretNotFound", "fetching " + field + " " + secret->text() + " failed: no manifest has it",
                "put a manifest of the Secret beside the pod's; Mooring goes on by itself then");
    error.kind = ErrorKind::Transient;
    return error;
  }
  for (const auto& [key, value] : found->data) {
    if (is_valid_utf8(value.expose_secret())) continue;
    return refusal("SecretNotText",
                   "the value of " + mooring::quoted(key) + " in Secret " + secret->text() +
                       " is no text, and drivers are given secrets as text",
                   "write it as the driver's manual says, in base64 for one");
  }
  return found->data;
}

}  // namespace mooring
