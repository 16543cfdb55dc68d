#pragma once

#include <memory>
#include <string>

#include "manifest/objects.h"
#include "objects/store.h"

namespace mooring {

/// The class that counts for a claim (kubelet-behaviours 1.1, 18.1, 18.7).
struct ClaimClass {
  std::string name;  ///< By which volumes that are there are chosen; empty: those without a class.
  /// By which a volume is made, and when one is chosen; nullptr: there is none of that name, or the claim
  /// wants none.
  std::shared_ptr<const manifest::StorageClass> storage_class;
  bool is_built_in = false;  ///< Nobody named it: the claim says none, and no manifest marks one as default.

  bool waits_for_consumer() const {
    return storage_class != nullptr &&
           storage_class->binding_mode == manifest::BindingMode::WaitForFirstConsumer;
  }
};

/// The manifest's class that is the default: of several the first by name; nullptr: none is marked.
std::shared_ptr<const manifest::StorageClass> find_default_class(const ObjectStore& objects);

/// Tells the classes of claims; looks for the default once.
class ClaimClasses {
 public:
  explicit ClaimClasses(const ObjectStore& objects)
      : objects_(objects), default_(find_default_class(objects)) {}

  ClaimClass of(const manifest::PersistentVolumeClaim& claim) const;

 private:
  const ObjectStore& objects_;
  std::shared_ptr<const manifest::StorageClass> default_;
};

}  // namespace mooring
