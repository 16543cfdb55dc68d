#pragma once

#include <string>

#include "content/content.h"

namespace mooring {

/// The text of a field of the pod: "metadata.name", "metadata.labels['app']", "metadata.annotations"...
/// (kubelet-behaviours 13.7). Final, "InvalidReference", for one that a volume cannot have.
Result<std::string> field_text(const manifest::Pod& pod, const std::string& field_path);

/// The text of a container's limit or request, divided and rounded up. Final, "InvalidReference", if there is
/// no such container.
Result<std::string> resource_text(const ContentRequest& request,
                                  const manifest::ResourceReference& reference);

}  // namespace mooring
