#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "status/status.h"

namespace mooring {

// A container's mounts and raw devices, and what the pod asks of its process for the sake of its volumes, in
// the words of each runtime. Pure: text from values; nothing is looked up. Each function gives all the mounts
// that it is handed, in their order, and ends with a newline unless it gives nothing.
//
// What a runtime has no words for is left out, and the function of the same name with `_leaves_out` tells it,
// a line each, for a person. What must not be left out is an error.

/// "user:role:type:level" if the pod gives all four; nullopt otherwise: the rest is up to the node's policy.
std::optional<std::string> selinux_label(const ContainerSecurity& security);

/// The `mounts` array of an OCI runtime-spec config.json, as JSON:
/// `[{"destination": ..., "type": "bind", "source": ..., "options": ["rbind", "ro", "rslave"]}]`; "rro" in
/// the place of "ro" where what is mounted below is read-only too, which every kernel can that Mooring runs
/// on. OCI mounts are not relabelled: that is for who runs the runtime.
std::string render_oci(const std::vector<ContainerMount>& mounts);

/// The members of an OCI config.json that are not mounts, to be merged into it:
/// `{"process": {"user": {"additionalGids": [...]}, "selinuxLabel": ...}}`, only what is asked for. No
/// `linux.mountLabel`: that is a label of files, its type is the node's policy's and in no pod.
std::string render_oci_process(const ContainerSecurity& security);
std::vector<std::string> render_oci_process_leaves_out(const ContainerSecurity& security);

/// Podman's flags, one on each line, quoted for a POSIX shell:
/// `--mount type=bind,source=/a,destination=/b,ro=true,bind-propagation=rslave`, `--group-add 2000`,
/// `--security-opt label=level:s0:c1,c2`. A field with a comma or a quote is quoted as CSV (RFC 4180), which
/// is how Podman reads them. Volumes are relabelled only if the pod says something of SELinux; `private`
/// needs a level, since Podman gives each container one of its own otherwise and the pod's others could not
/// read them.
///
/// Podman cannot make a mount read-only with what is mounted below: an error where that is required.
Result<std::string> render_podman(const std::vector<ContainerMount>& mounts,
                                  const ContainerSecurity& security);
std::vector<std::string> render_podman_leaves_out(const std::vector<ContainerMount>& mounts);

/// systemd-nspawn's flags, one on each line, quoted for a POSIX shell: `--bind-ro=/a:/b` with `\:` for a
/// colon and `\\` for a backslash in a path, `--selinux-context=` if the label is whole. What is mounted
/// below a `--bind-ro` is always read-only too. No `--selinux-apifs-context`: that is a label of files, as
/// with OCI.
std::string render_nspawn(const std::vector<ContainerMount>& mounts, const ContainerSecurity& security);
std::vector<std::string> render_nspawn_leaves_out(const std::vector<ContainerMount>& mounts,
                                                  const ContainerSecurity& security);

/// The `mounts` of a CRI ContainerConfig, as JSON: container_path, host_path, readonly and, by the names of
/// the protocol's enum, propagation; recursive_read_only and selinux_relabel where they are true.
std::string render_cri(const std::vector<ContainerMount>& mounts);

/// A raw device as it was found on the node, by its link. What is rendered was looked at: so a device that is
/// missing is never left out unseen.
struct FoundDevice {
  ContainerDevice device;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint32_t mode = 0;  ///< Permission bits of its node...
  std::uint32_t user = 0;  ///< ...and whose it is.
  std::uint32_t group = 0;
};

/// The members of an OCI config.json that give a container its raw devices, with the owner and mode of their
/// nodes: `{"linux": {"devices": [{"path": "/dev/xvda", "type": "b", "major": 7, "minor": 3, ...}],
/// "resources": {"devices": [{"allow": true, ..., "access": "rwm"}]}}}`. Both lists are to be put behind
/// those that are there: the first of the others forbids all that no later one allows.
std::string render_oci_devices(const std::vector<FoundDevice>& devices);

/// Podman's flags, as above: `--device /link:/dev/xvda:rwm`; Podman follows the link. It knows no way to
/// write a path with a colon: an error.
Result<std::string> render_podman_devices(const std::vector<FoundDevice>& devices);

/// systemd-nspawn's flags, as above: `--bind=/link:/dev/xvda` and `'--property=DeviceAllow=/dev/block/7:3
/// rwm'`, which systemd takes for the numbers whether or not that path is there. It is the second that keeps
/// a container from writing to what is read-only.
std::string render_nspawn_devices(const std::vector<FoundDevice>& devices);

/// The `devices` of a CRI ContainerConfig, as JSON: container_path, host_path and permissions.
std::string render_cri_devices(const std::vector<FoundDevice>& devices);

/// The members of the `linux` of a CRI ContainerConfig that the pod asks for, to be merged into it:
/// `{"security_context": {"supplemental_groups": [...], "selinux_options": {"level": ...}}}`.
std::string render_cri_security(const ContainerSecurity& security);

}  // namespace mooring
