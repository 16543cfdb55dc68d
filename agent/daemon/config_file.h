#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/options.h"

namespace mooring {

/// The configuration files that count, in the order in which they are read, later ones winning: `file` and
/// then the drop-ins `<name>.d/*.yaml`, each name once (below /etc wins over /run over /usr/lib; by name
/// otherwise). `file` empty: /etc/mooring/mooringd.yaml, which may be absent.
Result<std::vector<std::string>> find_config_files(const std::string& file);

/// Applies one file's settings to `options`. Unknown keys are errors: a setting that is misspelt must not be
/// ignored.
///
///     manifestDirs: [/etc/mooring/manifests]     rootDir, runDir, stateDir: paths
///     nodeName: name                             nodeLabels: {zone: a}
///     allocatable: {cpu: 4, memory: 2Gi}         bus: system
///     metricsListen: none                        flexvolumeDir: path
///     logLevel: info                             workerSocket: path
///     nfsProvisioners: [{name: k8s-sigs.io/nfs-subdir-external-provisioner, server: 10.0.0.1, path: /export,
///                        mountOptions: [hard]}]
///     csiDrivers: [{name: hostpath.csi.k8s.io, socket: /run/csi-hostpath/csi.sock,
///                  controllerSocket: /run/csi-hostpath/controller.sock}]
///     enableControllerAttachDetach: false
Result<void> apply_config_file(const std::string& file, Options& options);

/// "Debug", "info", ... → true if it is a level.
bool is_log_level(const std::string& level);

}  // namespace mooring
