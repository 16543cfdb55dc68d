#pragma once

#include <string>

#include "block_node.h"

namespace mooring::integration {

/// How a claim differs from one of 64Mi for one node that says no class.
struct ClaimWish {
  std::string size = "64Mi";
  std::string access = "ReadWriteOnce";
  std::string more = {};  ///< Further fields of its spec, as in "storageClassName: fast".
};
std::string claim_text(const std::string& name, const ClaimWish& wish = {});
/// One of a class, and with further fields of the spec.
ClaimWish of_class(const std::string& name, const std::string& more = "");
/// Fields of the class besides its provisioner are written as in "reclaimPolicy: Retain".
std::string class_text(const std::string& name, const std::string& provisioner, const std::string& more = "");

/// The node `k8s-node01` with disks, and what is asked of its claims and volumes.
class ClaimsNode : public BlockNode {
 protected:
  ClaimsNode() : BlockNode(NodeOptions{.name = "k8s-node01"}) {}

  /// As `get` gives them; null if there is none.
  Json claim(const std::string& name) const { return node_.ctl().json({"get", "pvc", name}); }
  Json volume(const std::string& name) const { return node_.ctl().json({"get", "pv", name}); }
  /// "" if there is no such claim or volume, or it says nothing there.
  std::string claim_field(const std::string& name, const char* field) const;
  std::string volume_field(const std::string& name, const char* field) const;
  bool has_volume(const std::string& name) const { return volume(name).is_object(); }

  bool gets_phase(const std::string& name, const std::string& phase);
  bool gets_reason(const std::string& name, const std::string& reason);
  bool volume_gets_phase(const std::string& name, const std::string& phase);
  /// What people are told of a pod, a volume of it, a claim or a PersistentVolume.
  std::string explained(const std::string& object) const {
    return node_.ctl()({object.starts_with("pv/") ? "describe" : "explain", object}).out;
  }
  /// Fails the test if the claim is not "bound", or "gone", in the end.
  void wait_for(const std::string& name, const std::string& condition);
  /// The directory on the node of a volume that the built-in class made for a claim.
  std::string directory_of(const std::string& name) const {
    return node_.root() + "/volumes/" + claim_field(name, "volume");
  }
  /// Makes a directory for a class' volumes, and the class.
  void write_class(const std::string& name, const std::string& provisioner,
                   const std::string& parameters = "", const std::string& more = "") const;
};

}  // namespace mooring::integration
