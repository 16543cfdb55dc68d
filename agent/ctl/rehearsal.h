#pragma once

#include <map>
#include <vector>

#include "binding/binder.h"
#include "core/core.h"
#include "plugin/registry.h"

namespace mooring::ctl {

/// A node with nothing but a root file system.
MountTable bare_mounts();

/// What would be bound on a node that knows of no claim yet.
struct ImaginedClaims {
  Ledger ledger;
  std::map<ObjectKey, BindingCondition> conditions;
};
ImaginedClaims imagine_claims(const ObjectStore& objects, const NodeInfo& node);

/// Feeds a core as a daemon would that starts on an empty node, up to the moment when it starts its work for
/// pods. Volumes that are to be made for claims are taken for made.
class Rehearsal {
 public:
  Rehearsal(const NodeInfo& node, const PluginRegistry& plugins);

  Effects run(std::vector<manifest::ParsedFile> files);
  const Core& core() const { return core_; }

 private:
  void take(Effects& all);

  Core core_;
  Instant now_;
};

}  // namespace mooring::ctl
