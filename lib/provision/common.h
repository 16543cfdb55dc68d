#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "provision/provisioner.h"

namespace mooring {

// What all provisioners have in common.

/// "InvalidParameters", which names the class.
Error invalid_parameters(const manifest::StorageClass& storage_class, const std::string& what,
                         std::string remedy);

/// The value of a parameter of the class; empty: it is not there.
std::string parameter(const manifest::StorageClass& storage_class, std::string_view name);

/// Refuses what no new volume can do: a claim with a selector, a request of nothing, a volume's name that is
/// no path element (the uid of a claim is whatever its manifest says), and a parameter that is not one of
/// `known`, which a typing error would make mean nothing.
Result<void> check_request(const ProvisionRequest& request, const std::vector<std::string_view>& known);

/// The volume without its source: name, claim, capacity, class, reclaim policy, mount options, and the
/// annotation pv.kubernetes.io/provisioned-by.
manifest::PersistentVolume new_volume(const ProvisionRequest& request, const std::string& provisioner);

/// An affinity that fits this node alone, by its name: its labels may say otherwise.
manifest::NodeAffinity only_on(const NodeName& node);

/// Where volumes of the class lie on this node: the parameter `path`, or `<root_dir>/volumes`. "InvalidPath"
/// for one that is not absolute and clean, is the system's own, or has to do with the root directory.
Result<std::string> base_of(const ProvisionRequest& request);

/// What is remembered under this name in `parameters`; empty: nothing.
std::string remembered(const ProvisionedVolume& volume, const std::string& name);

/// The ProvisionedVolume, with the parameters and the token of the request.
ProvisionedVolume provisioned(manifest::PersistentVolume volume, const ProvisionRequest& request,
                              std::map<std::string, std::string> parameters);
/// Of which making it is; empty: of one that had no token.
std::string token_of(const ProvisionedVolume& volume);

/// The capacity in bytes; 0 at least.
std::uint64_t bytes_of(const Quantity& capacity);

/// "server:/path"; an IPv6 address in brackets, which mount.nfs needs to tell it from the path.
std::string nfs_source(const std::string& server, const std::string& path);

/// Sorted, each once, and `retry=0` unless something else is said: Mooring itself tries again.
std::vector<std::string> nfs_options(const std::vector<std::string>& options);

/// What remembers that volumes were made in the directory `base` of this node, by whichever provisioner.
std::string base_memory(const std::string& base);
/// The same of an export, by its nfs_source().
std::string export_memory(const std::string& source);

/// Where an export is mounted while work is done on the volume, relative to the root directory.
std::string nfs_mount_place(const ObjectName& volume);

}  // namespace mooring
