#pragma once

#include <string>
#include <vector>

#include "node.h"

namespace mooring::integration {

/// How a container differs from one that crun makes by itself.
struct ContainerOptions {
  int user = 0;                       ///< Of its processes; also their first group.
  bool may_mount = false;             ///< Whether they have CAP_SYS_ADMIN.
  std::string root_propagation = {};  ///< linux.rootfsPropagation; empty: not said.
};

/// Containers of a node's pods, made as the manual says: a bundle that is completed with what mooringctl
/// renders. Each sleeps until this object ends. Needs crun, busybox and jq.
class Crun {
 public:
  explicit Crun(const Node& node);
  ~Crun();
  Crun(const Crun&) = delete;
  Crun& operator=(const Crun&) = delete;

  /// Starts a container of a pod; `name` sets it apart from others of the same.
  void start(const std::string& pod, const std::string& container, const ContainerOptions& options = {},
             const std::string& name = "");
  /// Runs a script in a container, by the name that it was started with or its own, as its user and in its
  /// groups.
  Ran inside(const std::string& name, const std::string& script) const;
  /// What the script prints; its errors if it fails.
  std::string output(const std::string& name, const std::string& script) const;
  /// Fails the test unless the script ends well.
  void expect_done(const std::string& name, const std::string& script) const;
  /// Fails the test unless the script fails, and says this.
  void expect_refused(const std::string& name, const std::string& script, const std::string& why) const;
  void end(const std::string& name);

 private:
  std::string bundle_of(const std::string& name) const { return node_.dir() + "/bundles/" + name; }
  void complete(const std::string& bundle, const std::string& pod, const std::string& container) const;
  std::vector<std::string> words(const std::vector<std::string>& more) const;

  const Node& node_;
  std::vector<std::string> started_;
};

}  // namespace mooring::integration
