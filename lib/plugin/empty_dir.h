#pragma once

#include "plugin/plugin.h"

namespace mooring {

/// emptyDir: a directory of the pod's own, on disk, in memory (tmpfs) or in huge pages (hugetlbfs). It lives
/// as long as the pod, over restarts of containers, of Mooring and, on disk, of the node
/// (kubelet-behaviours 13.1).
///
///     medium ""             pods/<uid>/volumes/kubernetes.io~empty-dir/<name>, mode 0777
///       with a limit        and a project quota on it, where its file system has that
///     medium Memory         a tmpfs on it, root mode 01777, size = least of sizeLimit, the pod's memory
///     limit and the
///                           node's allocatable memory
///     medium HugePages[-2Mi] a hugetlbfs on it, of the page size named or, if the pod requests just one, of
///     that
class EmptyDirPlugin final : public Plugin {
 public:
  PluginName name() const override;
  PluginSupport support() const override;
  bool takes(const manifest::VolumeSource& source) const override;
  Result<Recipe> recipe(const RecipeRequest& request) const override;
  std::vector<Step> removal(const Remains& remains) const override;
};

/// The memory that a pod can use at most: the greater of the sum over its regular containers and the largest
/// of its init containers; nullopt if any container has no limit.
std::optional<Quantity> pod_memory_limit(const manifest::Pod& pod);

/// The local storage that a pod may use at most: the greater of the sum over its regular containers and the
/// largest of its init containers, of those with a limit; nullopt if none has one (kubelet-behaviours 2.4).
std::optional<Quantity> pod_storage_limit(const manifest::Pod& pod);

}  // namespace mooring
