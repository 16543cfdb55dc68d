#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "binding/binder.h"
#include "binding/resolve.h"
#include "manifest/parse.h"

namespace mooring {

/// The manifest of a PersistentVolume of 1Gi, for one writer, without a class. `spec`: more of its spec.
inline std::string persistent(const std::string& name, const std::string& spec = "",
                              const std::string& metadata = "") {
  const bool has_source =
      spec.find("  csi:") != std::string::npos || spec.find("  local:") != std::string::npos ||
      spec.find("  nfs:") != std::string::npos || spec.find("  hostPath:") != std::string::npos;
  return "apiVersion: v1\nkind: PersistentVolume\nmetadata: {name: " + name + metadata +
         "}\nspec:\n  capacity: {storage: 1Gi}\n  accessModes: [ReadWriteOnce]\n" + spec +
         (has_source ? "" : "  nfs: {server: s, path: /" + name + "}\n") + "---\n";
}

/// The manifest of a claim of all that, with the empty class, so that nothing is made for it; `spec`
/// likewise.
inline std::string claim(const std::string& name, const std::string& spec = "",
                         const std::string& metadata = "") {
  const bool has_class = spec.find("storageClassName") != std::string::npos;
  return "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: " + name + metadata +
         "}\nspec:\n  accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n" +
         (has_class ? "" : "  storageClassName: ''\n") + spec + "---\n";
}

/// Likewise, without a class of its own.
inline std::string claim_of_default(const std::string& name, const std::string& metadata = "") {
  return claim(name, "  storageClassName: null\n", metadata);
}

inline std::string storage_class(const std::string& name, const std::string& more = "",
                                 const std::string& metadata = "") {
  const bool has_provisioner = more.find("provisioner:") != std::string::npos;
  return "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: " + name + metadata + "}\n" +
         (has_provisioner ? "" : "provisioner: directory.mooring.io\n") + more + "---\n";
}

inline const std::string is_default =
    ", annotations: {storageclass.kubernetes.io/is-default-class: \"true\"}";
inline const std::string waits = "volumeBindingMode: WaitForFirstConsumer\n";

/// A pod that names claims.
inline std::string pod_of(const std::string& name, const std::vector<std::string>& claims,
                          const std::string& metadata = "") {
  std::string text = "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + metadata +
                     "}\nspec:\n  containers:\n  - {name: c}\n  volumes:\n";
  for (const std::string& one : claims)
    text += "  - {name: v-" + one + ", persistentVolumeClaim: {claimName: " + one + "}}\n";
  return text + "---\n";
}

inline std::string text_replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// Of that many bytes or GiB ("2Gi"), as request or capacity.
inline std::string sized(const std::string& text, const std::string& size) {
  return text_replaced(text, "storage: 1Gi", "storage: " + size);
}

inline ObjectKey claim_key(const std::string& name) {
  return {Namespace("default"), ObjectName(name)};
}

inline Quantity quantity(const std::string& text) {
  return Quantity::parse(text).value();
}

/// A node with manifests, a ledger, and what is told of work on it.
struct Binding : testing::Test {
  void read(const std::string& text, const std::string& file = "f.yaml") {
    store.apply(manifest::parse_file(text, file));
    EXPECT_THAT(store.problems(), testing::IsEmpty());
  }

  BindingWorld world() {
    BindingWorld world{store, provisioners,  NodeName("n1"), labels, "/var/lib/mooring", is_complete,
                       {},    claims_in_use, volumes_in_use, ends,   staged_bytes};
    pods.clear();
    for (const PodUid& uid : store.pods())
      pods.push_back(store.find_pod(uid)->pod);
    std::sort(pods.begin(), pods.end(),
              [](const auto& one, const auto& other) { return one->key < other->key; });
    for (const auto& pod : pods)
      world.pods.push_back(pod.get());
    return world;
  }

  /// Plans, applies, and checks that this was all: there is nothing more to change, and no rule is broken.
  const BindingPlan& settle() {
    last = plan_bindings(ledger, world(), random);
    apply(ledger, last.changes);
    EXPECT_THAT(broken_rules(ledger), testing::IsEmpty());
    ends.clear();
    const BindingPlan again = plan_bindings(ledger, world(), random);
    EXPECT_TRUE(again.changes.empty()) << "a plan that is applied has nothing to add";
    EXPECT_THAT(again.events, testing::IsEmpty());
    last.claims = again.claims;
    last.volumes = again.volumes;
    return last;
  }
  /// What the work on the claim's volume ended with.
  void end_work(const ObjectName& volume, VolumeWorkEnd::Kind kind, const std::string& message = "",
                const std::string& capacity = "") {
    ends[volume] = {kind, capacity.empty() ? Quantity() : quantity(capacity), message};
  }
  /// Makes what is to be made for the claim, and settles.
  void make_volume_of(const std::string& claim_name) {
    const LedgerClaim* row = find(claim_name);
    ASSERT_NE(row, nullptr);
    end_work(row->volume, VolumeWorkEnd::Kind::Made);
    settle();
  }

  const LedgerClaim* find(const std::string& claim_name) const { return ledger.find(claim_key(claim_name)); }
  const LedgerVolume* find_volume(const std::string& name) const { return ledger.find(ObjectName(name)); }
  /// Settles; the volume that a claim has, or "making <name>", or the reason why it has none.
  std::string volume_of(const std::string& claim_name) {
    settle();
    const LedgerClaim* row = find(claim_name);
    if (row != nullptr && row->is_bound) return row->volume.str();
    if (row != nullptr && !row->volume.empty()) return "making " + row->volume.str();
    return condition(claim_name).reason;
  }
  BindingCondition condition(const std::string& claim_name) const {
    const auto found = last.claims.find(claim_key(claim_name));
    return found == last.claims.end() ? BindingCondition{} : found->second;
  }
  BindingCondition condition_of_volume(const std::string& name) const {
    const auto found = last.volumes.find(ObjectName(name));
    return found == last.volumes.end() ? BindingCondition{} : found->second;
  }
  /// The reasons of the events of the last plan, with what they are about.
  std::vector<std::string> events() const {
    std::vector<std::string> lines;
    for (const BindingEvent& event : last.events)
      lines.push_back((event.warning ? "Warning " : "Normal ") + event.reason + " " + event.object);
    return lines;
  }

  ObjectStore store;
  Ledger ledger;
  Provisioners provisioners;
  std::map<std::string, std::string> labels{{"kubernetes.io/hostname", "n1"}};
  bool is_complete = true;
  std::set<ObjectKey> claims_in_use;
  std::set<ObjectName> volumes_in_use;
  std::map<ObjectName, VolumeWorkEnd> ends;
  std::map<ObjectName, std::uint64_t> staged_bytes;
  std::vector<std::shared_ptr<const manifest::Pod>> pods;
  Random random{1};
  BindingPlan last;
};

}  // namespace mooring
