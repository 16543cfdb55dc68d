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

}  // namespace mooring
