#pragma once

#include "plugin/csi_volume.h"

namespace mooring {

/// What the object store says of the volume's driver and of its attachment to the node.
CsiSetting csi_setting_of(const RecipeRequest& request, const DriverName& driver);

/// The secrets of a call. Transient, "SecretNotFound": `fetching NodePublishSecretRef ns/name failed`, with
/// `field` for its name. Final, "SecretNotText": a value that the protocol cannot carry. nullopt: none.
Result<std::map<std::string, SecretBytes>> csi_secrets_of(const std::optional<ObjectKey>& secret,
                                                          const std::string& field,
                                                          const ObjectStore& objects);
/// Errors: "SecretNotText", if a value of the Secret is no UTF-8, which is all that the protocol can carry.
Result<void> check_is_text(const ObjectKey& secret, const std::map<std::string, SecretBytes>& data);

/// True if a driver was asked to make a volume larger on the node...
bool was_asked_to_grow(const Outcome& outcome);
/// ...and said that it is in use (FailedPrecondition of NodeExpandVolume, kubelet-behaviours 15.7).
bool was_too_busy_to_grow(const Outcome& outcome);

/// Under which a Secret holds tokens (csi::tokens_key cannot be the key of one).
inline constexpr const char* token_secret_key = "serviceAccount.tokens";

/// The tokens of the pod's service account, for a driver that asks for them (CSIDriver tokenRequests). Only
/// an API server signs such tokens, and there is none: who has some puts them into the Secret that the driver
/// is told when it publishes, under `token_secret_key`. They are taken out of `secrets`, for the volume's
/// context; for a driver that wants them among its secrets (serviceAccountTokenInSecrets) they stay there
/// under the name by which it looks for them, and the answer is empty. Transient, "TokensUnavailable": there
/// are none.
Result<SecretBytes> csi_tokens_of(const DriverName& driver, const CsiDriverSpec& spec,
                                  std::map<std::string, SecretBytes>& secrets);

}  // namespace mooring
