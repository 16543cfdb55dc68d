#pragma once

#include <map>
#include <string>

#include "manifest/objects.h"

namespace mooring {

/// True if one of the affinity's terms fits the node. A requirement that no node can meet (Gt of a text, say)
/// is met by none, and a term without requirements fits none, as in Kubernetes.
bool fits_node(const manifest::NodeAffinity& affinity, const NodeName& node,
               const std::map<std::string, std::string>& labels);

}  // namespace mooring
