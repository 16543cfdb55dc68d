#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "disks.h"
#include "node.h"

namespace mooring::integration {

/// A CSI driver of tests (tests/mock_csi), a process of its own. It ends with this object; its volumes stay,
/// as long as `dir` does.
class MockCsi {
 public:
  /// Below `dir` lie its socket, volumes, script and log. `registry`: where it registers; empty: nowhere.
  MockCsi(std::string name, std::string dir, std::string registry = {}, std::vector<std::string> flags = {});

  /// Returns when it listens.
  void start();
  void kill() { process_.kill(); }

  const std::string& name() const { return name_; }
  std::string socket() const { return dir_ + "/driver.sock"; }
  std::string registration() const { return registry_ + "/" + name_ + "-reg.sock"; }
  /// What is in the volume, as the driver has it.
  std::string content(const std::string& handle, const std::string& file) const;
  /// How its next calls go: see tests/mock_csi/script.h.
  void set_script(const std::string& json) const;
  /// All requests so far.
  std::vector<Json> requests() const;
  /// Their methods without their service, but for those that only ask what the driver is.
  std::vector<std::string> calls() const;
  /// The requests of one method.
  std::vector<Json> calls_of(const std::string& method) const;

 private:
  std::string name_;
  std::string dir_;
  std::string registry_;
  std::vector<std::string> flags_;
  Process process_;
};

/// A node with the driver d.example.com, whose volumes have claims of their name.
class CsiNode : public ::testing::Test {
 protected:
  /// `flags`: more of the driver's.
  explicit CsiNode(NodeOptions options = {}, std::vector<std::string> flags = {});

  /// The node and the driver are there, and the driver is registered.
  void start();
  /// A PersistentVolume of the driver, and its claim.
  void write_volume(const std::string& name, const std::string& more = {}, const Storage& storage = {}) const;
  void write_pod(const std::string& pod, const std::string& claim) const;
  void make_ready(const std::string& pod, const std::string& claim);
  void expect_gone(const std::string& pod);
  /// Nothing of any pod, nothing staged, no record.
  void expect_all_gone();
  bool is_registered(const std::string& driver = "d.example.com") const;
  std::string explain(const std::string& pod) const { return node_.ctl()({"explain", "pod/" + pod}).out; }
  std::string registry() const { return node_.root() + "/plugins_registry"; }
  /// Where a driver may have its things.
  std::string make_dir(const std::string& name) const;

  Node node_;
  MockCsi driver_;
};

}  // namespace mooring::integration
