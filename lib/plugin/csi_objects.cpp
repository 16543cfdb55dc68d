#include "plugin/csi_objects.h"

#include <algorithm>
#include <utility>

#include "base/quote.h"
#include "csi/requests.h"
#include "driver/registration.h"

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

/// What keeps a volume from being used that somebody else attaches; nullopt: it is attached.
std::optional<Error> why_not_attached(const manifest::VolumeAttachment* attachment, const DriverName& driver,
                                      const ObjectName& volume, const NodeInfo& node) {
  const bool is_there = attachment != nullptr;
  if (is_there && attachment->is_attached && !attachment->is_being_deleted) return std::nullopt;
  const std::string what = "PersistentVolume " + mooring::quoted(volume.str());
  const std::string named = is_there ? "VolumeAttachment " + mooring::quoted(attachment->name.str()) : "";
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "WaitingForAttachment";
  error.remedy = "see whoever attaches volumes for this node (enableControllerAttachDetach is true)";
  if (!is_there) {
    error.message = what + " is not attached: no VolumeAttachment says that driver " + driver.str() +
                    " attached it to node " + node.name.str();
  } else if (attachment->is_being_deleted) {
    error.message = what + " is being detached: " + named + " is being deleted";
  } else if (!attachment->attach_error.empty()) {
    error.reason = "AttachFailed";
    error.message = "AttachVolume.Attach failed for " + what + " (" + named +
                    "): " + driver_words(attachment->attach_error);
  } else {
    error.message = what + " is not attached yet: " + named + " does not say status.attached: true";
  }
  return error;
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
    spec.wants_tokens = !object->token_requests.empty();
    spec.tokens_in_secrets = object->token_in_secrets;
    setting.spec = spec;
  }
  if (request.persistent == nullptr) return setting;
  const auto attachment =
      request.objects.find_attachment(driver.str(), request.node.name, request.persistent->name);
  if (setting.spec && !setting.spec->attach_required) return setting;
  if (attachment && attachment->is_attached) setting.publish_context = attachment->metadata;
  if (request.node.others_attach)
    setting.waits_for = why_not_attached(attachment.get(), driver, request.persistent->name, request.node);
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
  MOORING_TRY(check_is_text(*secret, found->data));
  return found->data;
}

Result<void> check_is_text(const ObjectKey& secret, const std::map<std::string, SecretBytes>& data) {
  for (const auto& [key, value] : data) {
    if (is_valid_utf8(value.expose_secret())) continue;
    return refusal("SecretNotText",
                   "the value of " + mooring::quoted(key) + " in Secret " + secret.text() +
                       " is no text, and drivers are given secrets as text",
                   "write it as the driver's manual says, in base64 for one");
  }
  return success();
}

bool was_asked_to_grow(const Outcome& outcome) {
  return std::any_of(outcome.csi_calls.begin(), outcome.csi_calls.end(),
                     [](const CsiCallFact& call) { return call.method == csi::expand_method; });
}

bool was_too_busy_to_grow(const Outcome& outcome) {
  return std::any_of(outcome.csi_calls.begin(), outcome.csi_calls.end(), [](const CsiCallFact& call) {
    return call.method == csi::expand_method && call.code == CallCode::FailedPrecondition;
  });
}

Result<SecretBytes> csi_tokens_of(const DriverName& driver, const CsiDriverSpec& spec,
                                  std::map<std::string, SecretBytes>& secrets) {
  const auto found = secrets.find(token_secret_key);
  if (found == secrets.end() || found->second.expose_secret().empty()) {
    Error error = refusal(
        "TokensUnavailable",
        "driver " + driver.str() +
            " asks for tokens of the pod's service account (tokenRequests of its CSIDriver); they are issued "
            "by a "
            "Kubernetes API server, and there is none",
        std::string("take tokenRequests out of the CSIDriver; or put tokens that you have into the Secret of "
                    "nodePublishSecretRef, under ") +
            token_secret_key);
    error.kind = ErrorKind::Transient;
    return error;
  }
  SecretBytes tokens = std::move(found->second);
  secrets.erase(found);
  if (spec.tokens_in_secrets) {
    secrets.insert_or_assign(csi::tokens_key, std::move(tokens));
    return SecretBytes();
  }
  return tokens;
}

}  // namespace mooring
