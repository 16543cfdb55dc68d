#pragma once

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/fake/fake_kernel.h"
#include "operation/executor.h"
#include "step/layout.h"

namespace mooring {

using kernel::FakeKernel;
using kernel::Fault;

inline const PodUid uid("u1");
inline const PluginName empty_dir("kubernetes.io/empty-dir");
/// The place of a volume, relative to the root directory.
inline const std::string volume_path = layout::volume(uid, empty_dir, VolumeDirectory("v"));
inline const MakePodDirectory make_pod{uid, Namespace("default"), ObjectName("web")};
inline const std::string stamp_text = R"({"version":1,"uid":"u1","namespace":"default","name":"web"})"
                                      "\n";

/// A fake node on which operations run.
class Node {
 public:
  Node() : fake("/var/lib/mooring") {}

  /// The absolute path of something below the root directory.
  std::string root(const std::string& relative) const { return fake.root_dir() + "/" + relative; }

  Outcome run(std::vector<Step> steps) {
    Operation operation;
    operation.id = OperationId{++last_id};
    operation.steps = std::move(steps);
    Outcome outcome = execute(operation, fake.ports());
    EXPECT_EQ(outcome.id, operation.id);
    if (outcome.error) {
      EXPECT_FALSE(outcome.error->reason.empty());
      EXPECT_FALSE(outcome.error->message.empty());
      EXPECT_FALSE(outcome.error->step.empty());
      EXPECT_LT(outcome.steps_done, operation.steps.size());
    } else {
      EXPECT_EQ(outcome.steps_done, operation.steps.size());
    }
    return outcome;
  }
  /// Runs what must succeed.
  Outcome run_well(std::vector<Step> steps) {
    Outcome outcome = run(std::move(steps));
    if (outcome.error) ADD_FAILURE() << outcome.error->text();
    return outcome;
  }
  /// Runs what must fail; why it did.
  Error run_badly(std::vector<Step> steps) {
    const Outcome outcome = run(std::move(steps));
    if (!outcome.error) ADD_FAILURE() << "it succeeded";
    return outcome.error.value_or(Error());
  }
  /// From now on each call of this name fails, before it did anything or after all was done.
  void fail_call(const std::string& name, int errno_value, bool before) {
    fake.set_hook([=](std::string_view call, const std::string&, bool is_before) {
      return call == name && is_before == before ? Fault::error(errno_value) : Fault::none();
    });
  }
  void heal() { fake.set_hook({}); }

  /// All that is on the node: files with type and mode, and mounts.
  std::vector<std::string> picture() const {
    std::vector<std::string> lines = fake.tree_listing("/");
    for (const MountFact& fact : fake.mount_facts())
      lines.push_back(fact.mount_point + " " + fact.type + " " + fact.options + " " + fact.super_options);
    return lines;
  }
  /// The types mounted exactly at an absolute path, the uppermost last.
  std::vector<std::string> mounted_at(const std::string& path) const {
    std::vector<std::string> types;
    for (const MountFact& fact : fake.mount_facts()) {
      if (fact.mount_point == path) types.push_back(fact.type);
    }
    return types;
  }

  FakeKernel fake;
  const std::string volume = fake.root_dir() + "/" + volume_path;
  std::uint64_t last_id = 0;
};

}  // namespace mooring
