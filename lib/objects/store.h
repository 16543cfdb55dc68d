#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/objects.h"

namespace mooring {

/// A pod that the manifests ask for.
struct StoredPod {
  std::shared_ptr<const manifest::Pod> pod;
  std::string note;  ///< Why what is stored is not what the file says now; empty: it is.
};

/// An object that a volume may come from, there or not.
struct ObjectReference {
  enum class Kind : std::uint8_t { ConfigMap, Secret, Claim };
  Kind kind = Kind::ConfigMap;
  ObjectKey key;
  friend bool operator==(const ObjectReference&, const ObjectReference&) = default;
  friend auto operator<=>(const ObjectReference&, const ObjectReference&) = default;
};

/// What a change to the store changed.
struct StoreChanges {
  std::set<PodUid> pods;  ///< Added, changed or gone: ask find_pod().
  /// Read again, added or gone: ask find_config_map(), find_secret(), find_claim().
  std::set<ObjectReference> objects;
  /// A claim, PersistentVolume or StorageClass is another now, a StatefulSet came, went or has another
  /// retention policy, or something that could not be read may be one of them, or may be no more.
  bool storage = false;
  /// A CSIDriver, VolumeAttachment or an object of snapshots is another now, came or went.
  bool drivers = false;
  std::vector<std::string> problems_changed;  ///< Files whose problems() differ now.
};

/// All objects that the manifest files hold, by file. Knows nothing of directories or time.
///
/// What is gone is decided here, and the rule is one: an object is gone only if a file that was read whole
/// does not hold it any more. A document that broke keeps the object that it was; a file that may be
/// incomplete keeps all that it held, and so does one with a broken document that it did not hold before: its
/// name may be what is wrong. A file that came to be only comments is removed by deleting it.
///
/// What is in the file instead of what it held before may also have come from another file, which does not
/// hold it any more: a broken document that the file did not hold, and all that a file may hold which cannot
/// be read, is taken for hidden there and not for gone (may_hold...()), also if the file was read well once.
///
/// If several files hold one object, the first by file name (then by line) counts and the others are a
/// problem of theirs: independent of the order of reading, so that a restart decides the same.
class ObjectStore {
 public:
  StoreChanges apply(manifest::ParsedFile file);
  /// The file is there but could not be read: everything it held stays, with a note.
  StoreChanges mark_unreadable(const std::string& file, const std::string& message);
  /// The file is gone for certain.
  StoreChanges remove(const std::string& file);
  /// Removes every file that is not in `files`, which is sorted.
  StoreChanges keep_only(const std::vector<std::string>& files);

  /// nullptr if no manifest asks for it.
  const StoredPod* find_pod(const PodUid& uid) const;
  std::vector<PodUid> pods() const;
  /// True if something that was never read well where it stands now may ask for the pod: a document
  /// that is broken and is that pod's, or its workload's, or nobody can tell whose.
  bool may_ask_for(const ObjectKey& pod) const;
  /// As may_ask_for(), but of documents that are known to be the pod's or its workload's only.
  bool is_named_by_broken(const ObjectKey& pod) const;

  std::shared_ptr<const manifest::ConfigMap> find_config_map(const ObjectKey& key) const;
  std::shared_ptr<const manifest::Secret> find_secret(const ObjectKey& key) const;
  /// True if the object is not there, but something that was never read well since this store was made may be
  /// it.
  bool may_hold(const ObjectReference& object) const;
  /// True if the object is there, and nothing that is still to be read can change what it stands for. Never
  /// of a claim: what it stands for, the ledger says.
  bool is_settled(const ObjectReference& object) const;

  std::shared_ptr<const manifest::PersistentVolume> find_persistent_volume(const ObjectName& name) const;
  /// The claim of a manifest, or else of a StatefulSet's template, or else of a pod's ephemeral volume; its
  /// owner says which.
  std::shared_ptr<const manifest::PersistentVolumeClaim> find_claim(const ObjectKey& key) const;
  std::shared_ptr<const manifest::StorageClass> find_storage_class(const ObjectName& name) const;
  /// The owner that the StatefulSet is of its templates' claims, with the retention policy that it has now;
  /// nullptr: there is no such StatefulSet.
  const manifest::ClaimOwner* find_stateful_set(const ObjectKey& key) const;
  /// All that find_...() finds, sorted.
  std::vector<ObjectKey> claims() const;
  std::vector<ObjectName> persistent_volumes() const;
  std::vector<ObjectName> storage_classes() const;
  /// True if something that was never read well where it stands now may be it, whether one is there or
  /// not. For a claim: or may be its StatefulSet, or the pod or workload whose ephemeral volume it is of.
  bool may_hold_claim(const ObjectKey& key) const;
  bool may_hold_volume(const ObjectName& name) const;
  /// Likewise of any PersistentVolume: nobody can tell whom one that cannot be read is meant for.
  bool may_hold_some_volume() const;
  bool may_hold_class(const ObjectName& name) const;
  bool may_hold_stateful_set(const ObjectKey& key) const;

  /// The CSIDriver of a driver's name.
  std::shared_ptr<const manifest::CsiDriverObject> find_csi_driver(const ObjectName& name) const;
  std::shared_ptr<const manifest::VolumeSnapshot> find_snapshot(const ObjectKey& key) const;
  std::shared_ptr<const manifest::VolumeSnapshotClass> find_snapshot_class(const ObjectName& name) const;
  std::shared_ptr<const manifest::VolumeSnapshotContent> find_snapshot_content(const ObjectName& name) const;
  /// Who attaches the volume to the node by this driver says so; of several the first by name.
  std::shared_ptr<const manifest::VolumeAttachment> find_attachment(const std::string& driver,
                                                                    const NodeName& node,
                                                                    const ObjectName& volume) const;
  std::vector<ObjectName> csi_drivers() const;
  std::vector<ObjectKey> snapshots() const;
  std::vector<ObjectName> snapshot_classes() const;
  std::vector<ObjectName> snapshot_contents() const;
  /// True if something that was never read well where it stands now may be it: then nothing may be decided by
  /// its not being there.
  bool may_hold_csi_driver(const ObjectName& name) const;
  bool may_hold_attachment() const;
  bool may_hold_snapshot(const ObjectKey& key) const;

  /// The problems of all files, one line each, sorted by file.
  std::vector<std::string> problems() const;
  std::vector<std::string> problems_of(const std::string& file) const;
  /// What was said of ignored kinds and warnings in a file, one line each.
  std::vector<std::string> warnings_of(const std::string& file) const;

 private:
  /// A kind, namespace and name: one object over all files. The text is "kind/namespace/name".
  using Identity = std::string;
  struct Held {
    manifest::Object object;
    std::string note;  ///< Kept although the file does not hold it any more: why.
    std::vector<std::shared_ptr<const manifest::Pod>> expanded;  ///< Of a workload.
    /// Of its templates, and of its pods' ephemeral volumes.
    std::vector<std::shared_ptr<const manifest::PersistentVolumeClaim>> claims;
  };
  struct BrokenIdentity {
    std::string kind;
    ObjectKey key;
    friend bool operator==(const BrokenIdentity&, const BrokenIdentity&) = default;
  };
  struct File {
    std::map<Identity, Held> objects;
    std::vector<std::string> problems;
    std::vector<std::string> warnings;
    std::string unreadable;              ///< Not empty: the last reading failed, and why.
    bool is_certain = true;              ///< What it held before and does not hold now was let go of.
    bool hides_anything = false;         ///< Something in it was never read, and nobody can tell what it is.
    std::vector<BrokenIdentity> hidden;  ///< Documents in it that were never read well here.
    /// True if the file may hold any object that there is.
    bool may_be_anything() const { return hides_anything || !unreadable.empty(); }
  };

  static void take_objects(manifest::ParsedFile& file, File& next);
  /// True if all that is broken in the file says what it is, and nothing is cut off.
  static bool is_each_named(const manifest::ParsedFile& file, const File& next);
  /// True if what the file does not hold as `next` says, nor as a document that is broken, is gone.
  static bool is_all_identified(const manifest::ParsedFile& file, const File* before, const File& next);
  /// Notes in `next`, which has what was read well, what else may be in the file.
  static void find_hidden(const manifest::ParsedFile& file, const File* before, bool is_certain, File& next);
  /// Adds to `next` what `before` held and the file does not let go of.
  static void keep_objects(const manifest::ParsedFile& file, const File& before, bool is_certain, File& next);
  void set_file(const std::string& name, File next, StoreChanges& changes);
  void elect(const Identity& identity, StoreChanges& changes);
  void put_pods(const Held* held, const Identity& identity, StoreChanges& changes);
  /// Makes volumes_, classes_, stateful_sets_ and claims_ follow the elected object.
  void put_storage(const Held* held, const Identity& identity, StoreChanges& changes);
  void put_claim(const ObjectKey& key, StoreChanges& changes);
  /// The same for what tells of drivers outside; nullptr: no such object counts.
  void put_driver_object(const manifest::Object* object, const Identity& identity, StoreChanges& changes);
  void put_made_claims(const Held* held, const Identity& identity, StoreChanges& changes);
  /// True if a document that was never read well may be what `is_it` tells of a kind and key, or anything.
  template <class Test>
  bool may_hide(const Test& is_it) const {
    return std::any_of(files_.begin(), files_.end(), [&](const auto& entry) {
      const File& file = entry.second;
      return file.may_be_anything() || std::any_of(file.hidden.begin(), file.hidden.end(), is_it);
    });
  }
  /// The object that counts of those that have the identity; nullptr: there is none.
  const Held* elected(const Identity& identity) const;
  static Identity identity_of(const manifest::Object& object);
  static Identity identity_of(const BrokenIdentity& broken);
  template <class T>
  std::shared_ptr<const T> find(const char* kind, const std::string& name_space,
                                const std::string& name) const;

  std::map<std::string, File> files_;
  std::map<Identity, std::set<std::string>> holders_;     ///< Which files hold it.
  std::map<Identity, std::vector<PodUid>> pods_of_;       ///< Which pods an elected identity gives.
  std::map<PodUid, std::map<Identity, StoredPod>> pods_;  ///< The first identity counts.
  /// The claims that templates give, by what the template is of: the first counts, and a manifest's before
  /// it.
  std::map<ObjectKey, std::map<std::pair<manifest::ClaimOwner::Kind, Identity>,
                               std::shared_ptr<const manifest::PersistentVolumeClaim>>>
      made_claims_;
  std::map<Identity, std::vector<ObjectKey>> claims_of_;  ///< The way back.
  /// What counts of all files.
  std::map<ObjectKey, std::shared_ptr<const manifest::PersistentVolumeClaim>> claims_;
  std::map<ObjectName, std::shared_ptr<const manifest::PersistentVolume>> volumes_;
  std::map<ObjectName, std::shared_ptr<const manifest::StorageClass>> classes_;
  std::map<ObjectKey, manifest::ClaimOwner> stateful_sets_;
  std::map<ObjectName, std::shared_ptr<const manifest::CsiDriverObject>> csi_drivers_;
  std::map<ObjectName, std::shared_ptr<const manifest::VolumeAttachment>> attachments_;
  std::map<ObjectKey, std::shared_ptr<const manifest::VolumeSnapshot>> snapshots_;
  std::map<ObjectName, std::shared_ptr<const manifest::VolumeSnapshotClass>> snapshot_classes_;
  std::map<ObjectName, std::shared_ptr<const manifest::VolumeSnapshotContent>> snapshot_contents_;
};

}  // namespace mooring
