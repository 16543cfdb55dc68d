#pragma once

#include <string>
#include <vector>

#include "status/status.h"

namespace mooring {

// A pod's mounts in the words of each runtime. Pure: text from values; nothing is looked up. Each function
// gives all the mounts that it is handed, in their order, and ends with a newline unless it gives nothing.

/// The `mounts` array of an OCI runtime-spec config.json, as JSON:
/// `[{"destination": ..., "type": "bind", "source": ..., "options": ["rbind", "ro", "rslave"]}]`.
std::string render_oci(const std::vector<ContainerMount>& mounts);

/// Podman's flags, one on each line, quoted for a POSIX shell:
/// `--mount type=bind,source=/a,destination=/b,ro=true,bind-propagation=rslave`. A field with a comma or a
/// quote is quoted as CSV (RFC 4180), which is how Podman reads them.
std::string render_podman(const std::vector<ContainerMount>& mounts);

/// systemd-nspawn's flags, one on each line, quoted for a POSIX shell: `--bind-ro=/a:/b` with `\:` for a
/// colon and `\\` for a backslash in a path. systemd-nspawn has no propagation of a single mount: it is left
/// out (see nspawn_cannot_propagate()).
std::string render_nspawn(const std::vector<ContainerMount>& mounts);

/// True if the mount asks for a propagation that systemd-nspawn has no flag for.
bool nspawn_cannot_propagate(const ContainerMount& mount);

/// The `mounts` of a CRI ContainerConfig, as JSON: container_path, host_path, readonly and, by the names of
/// the protocol's enum, propagation.
std::string render_cri(const std::vector<ContainerMount>& mounts);

}  // namespace mooring
