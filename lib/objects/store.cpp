#include "objects/store.h"

#include <algorithm>

#include "objects/expand.h"
#include "objects/identity.h"

namespace mooring {
namespace {

using namespace manifest;  // NOLINT(google-build-using-namespace): the whole file walks the types of that
                           // room.

std::string identity_of_value(const Pod& pod) {
  return identity_text("Pod", pod.key.name_space.str(), pod.key.name.str());
}
std::string identity_of_value(const ConfigMap& o) {
  return identity_text("ConfigMap", o.key.name_space.str(), o.key.name.str());
}
std::string identity_of_value(const Secret& o) {
  return identity_text("Secret", o.key.name_space.str(), o.key.name.str());
}
std::string identity_of_value(const PersistentVolume& o) {
  return identity_text("PersistentVolume", "", o.name.str());
}
std::string identity_of_value(const PersistentVolumeClaim& o) {
  return identity_text("PersistentVolumeClaim", o.key.name_space.str(), o.key.name.str());
}
std::string identity_of_value(const StorageClass& o) {
  return identity_text("StorageClass", "", o.name.str());
}
std::string identity_of_value(const CsiDriverObject& o) {
  return identity_text("CSIDriver", "", o.name.str());
}
std::string identity_of_value(const VolumeAttachment& o) {
  return identity_text("VolumeAttachment", "", o.name.str());
}
std::string identity_of_value(const VolumeSnapshot& o) {
  return identity_text("VolumeSnapshot", o.key.name_space.str(), o.key.name.str());
}
std::string identity_of_value(const VolumeSnapshotClass& o) {
  return identity_text("VolumeSnapshotClass", "", o.name.str());
}
std::string identity_of_value(const VolumeSnapshotContent& o) {
  return identity_text("VolumeSnapshotContent", "", o.name.str());
}
std::string identity_of_value(const Workload& o) {
  constexpr std::string_view kinds[] = {"Deployment", "StatefulSet", "DaemonSet", "Job"};
  return identity_text(kinds[static_cast<std::size_t>(o.kind)], o.key.name_space.str(), o.key.name.str());
}

/// The inverse of identity_text() for the objects that volumes come from.
std::optional<ObjectReference> reference_of(std::string_view identity) {
  using Kind = ObjectReference::Kind;
  constexpr std::pair<std::string_view, Kind> prefixes[] = {
      {"ConfigMap/", Kind::ConfigMap}, {"Secret/", Kind::Secret}, {"PersistentVolumeClaim/", Kind::Claim}};
  for (const auto& [prefix, kind] : prefixes) {
    if (!identity.starts_with(prefix)) continue;
    identity.remove_prefix(prefix.size());
    const std::size_t slash = identity.find('/');
    return ObjectReference{kind,
                           {Namespace(identity.substr(0, slash)), ObjectName(identity.substr(slash + 1))}};
  }
  return std::nullopt;
}

/// True if `after` is a change of what must not be changed (`immutable: true`).
bool is_forbidden_change(const Object& before, const Object& after) {
  const auto* map = std::get_if<std::shared_ptr<const ConfigMap>>(&before);
  if (map != nullptr && (*map)->immutable) {
    const ConfigMap& next = *std::get<std::shared_ptr<const ConfigMap>>(after);
    return !next.immutable || next.data != (*map)->data;
  }
  const auto* secret = std::get_if<std::shared_ptr<const Secret>>(&before);
  if (secret != nullptr && (*secret)->immutable) {
    const Secret& next = *std::get<std::shared_ptr<const Secret>>(after);
    return !next.immutable || next.data != (*secret)->data;
  }
  return false;
}

void add_claims_of(const Pod& pod, std::vector<std::shared_ptr<const PersistentVolumeClaim>>& claims) {
  for (auto& claim : ephemeral_claims(pod))
    claims.push_back(std::move(claim));
}

bool is_cluster_scoped(std::string_view kind) {
  return kind == "PersistentVolume" || kind == "StorageClass" || kind == "CSIDriver" ||
         kind == "VolumeAttachment" || kind == "VolumeSnapshotClass" || kind == "VolumeSnapshotContent";
}

}  // namespace

ObjectStore::Identity ObjectStore::identity_of(const Object& object) {
  return std::visit([](const auto& pointer) { return identity_of_value(*pointer); }, object);
}

ObjectStore::Identity ObjectStore::identity_of(const BrokenIdentity& broken) {
  const std::string name_space = is_cluster_scoped(broken.kind) ? "" : broken.key.name_space.str();
  return identity_text(broken.kind, name_space, broken.key.name.str());
}

StoreChanges ObjectStore::apply(ParsedFile file) {
  StoreChanges changes;
  File next;
  take_objects(file, next);
  const auto found = files_.find(file.file);
  const File* before = found == files_.end() ? nullptr : &found->second;
  const bool is_certain = is_all_identified(file, before, next);
  for (const Diagnostic& diagnostic : file.diagnostics) {
    auto& lines = diagnostic.severity == Diagnostic::Severity::Error ? next.problems : next.warnings;
    lines.push_back(diagnostic.text());
  }
  for (const std::string& kind : file.ignored_kinds) {
    next.warnings.push_back(file.file + ": " + kind + " is ignored: Mooring has no use for it");
  }
  find_hidden(file, before, is_certain, next);
  if (before != nullptr) keep_objects(file, *before, is_certain, next);
  if (!is_certain && next.problems.empty()) {
    next.problems.push_back(file.file + ": the file is empty; what it held before is kept");
  }
  set_file(file.file, std::move(next), changes);
  return changes;
}

void ObjectStore::take_objects(ParsedFile& file, File& next) {
  for (Object& object : file.objects) {
    Identity identity = identity_of(object);
    if (next.objects.contains(identity)) {
      next.problems.push_back(file.file + ": " + identity + " is in this file twice; the first one counts");
      continue;
    }
    Held held{std::move(object), {}, {}, {}};
    if (const auto* workload = std::get_if<std::shared_ptr<const Workload>>(&held.object)) {
      held.expanded = expand(**workload);
      held.claims = expand_claims(**workload);
      for (const auto& pod : held.expanded)
        add_claims_of(*pod, held.claims);
    } else if (const auto* pod = std::get_if<std::shared_ptr<const Pod>>(&held.object)) {
      add_claims_of(**pod, held.claims);
    }
    next.objects.emplace(std::move(identity), std::move(held));
  }
}

bool ObjectStore::is_each_named(const ParsedFile& file, const File& next) {
  if (!file.is_whole) return false;
  std::set<Identity> seen;
  return std::all_of(file.broken.begin(), file.broken.end(), [&](const BrokenDocument& broken) {
    if (!broken.key) return false;
    Identity identity = identity_of(BrokenIdentity{broken.kind, *broken.key});
    return !next.objects.contains(identity) && seen.insert(std::move(identity)).second;
  });
}

bool ObjectStore::is_all_identified(const ParsedFile& file, const File* before, const File& next) {
  if (file.is_only_comments) return before == nullptr || before->objects.empty();
  if (!is_each_named(file, next)) return false;
  if (before == nullptr || (before->objects.empty() && before->hidden.empty())) return true;
  return std::all_of(file.broken.begin(), file.broken.end(), [&](const BrokenDocument& broken) {
    const BrokenIdentity identity{broken.kind, *broken.key};
    if (before->objects.contains(identity_of(identity))) return true;
    // Else its name may be what is wrong: it may be any that was here before.
    const auto& hidden = before->hidden;
    return before->is_certain && std::find(hidden.begin(), hidden.end(), identity) != hidden.end();
  });
}

void ObjectStore::find_hidden(const ParsedFile& file, const File* before, bool is_certain, File& next) {
  next.is_certain = is_certain;
  next.hides_anything = !is_certain && !is_each_named(file, next);
  // What the file held before stays in the store, as it was. All else is new here, however well the file was
  // known: it may have come from another file.
  for (const BrokenDocument& broken : file.broken) {
    if (!broken.key) continue;
    BrokenIdentity identity{broken.kind, *broken.key};
    if (before == nullptr || !before->objects.contains(identity_of(identity)))
      next.hidden.push_back(std::move(identity));
  }
  if (is_certain || before == nullptr) return;
  next.hides_anything = next.hides_anything || before->hides_anything;
  for (const BrokenIdentity& identity : before->hidden) {
    const bool is_hidden = std::find(next.hidden.begin(), next.hidden.end(), identity) != next.hidden.end();
    if (!is_hidden && !next.objects.contains(identity_of(identity))) next.hidden.push_back(identity);
  }
}

void ObjectStore::keep_objects(const ParsedFile& file, const File& before, bool is_certain, File& next) {
  std::map<Identity, std::string> broken_now;
  for (const BrokenDocument& broken : file.broken) {
    if (broken.key) broken_now.emplace(identity_of(BrokenIdentity{broken.kind, *broken.key}), broken.message);
  }
  std::size_t count = 0;
  for (const auto& [identity, held] : before.objects) {
    const auto broken = broken_now.find(identity);
    const auto now = next.objects.find(identity);
    if (now != next.objects.end() && is_forbidden_change(held.object, now->second.object)) {
      now->second = held;
      next.problems.push_back(file.file + ": " + identity +
                              " is immutable: its change is ignored until it is removed and put back");
    }
    if (now != next.objects.end() || (broken == broken_now.end() && is_certain)) continue;
    Held copy = held;
    copy.note = broken != broken_now.end() ? "manifest unreadable: " + broken->second
                                           : "manifest " + file.file + " could not be read whole";
    next.objects.emplace(identity, std::move(copy));
    if (broken == broken_now.end()) ++count;
  }
  if (count == 0) return;
  if (file.is_only_comments) {
    next.problems.push_back(file.file +
                            ": the file has only comments now; what it held before is kept: delete the file "
                            "to remove it");
  } else if (!next.problems.empty()) {
    next.problems.push_back(
        file.file +
        ": nobody can tell which objects the errors in this file hide, or it was cut off; "
        "all that it held before is kept: correct it, or delete it to remove them");
  }
}

StoreChanges ObjectStore::mark_unreadable(const std::string& file, const std::string& message) {
  StoreChanges changes;
  File next;
  const auto before = files_.find(file);
  if (before != files_.end()) next = before->second;
  next.unreadable = message;
  next.problems = {file + ": " + message + "; what it held before is kept"};
  for (auto& [identity, held] : next.objects)
    held.note = "manifest unreadable: " + message;
  set_file(file, std::move(next), changes);
  return changes;
}

StoreChanges ObjectStore::remove(const std::string& file) {
  StoreChanges changes;
  if (files_.contains(file)) {
    set_file(file, File{}, changes);
    files_.erase(file);
  }
  return changes;
}

StoreChanges ObjectStore::keep_only(const std::vector<std::string>& files) {
  StoreChanges changes;
  std::vector<std::string> gone;
  for (const auto& [name, file] : files_) {
    if (!std::binary_search(files.begin(), files.end(), name)) gone.push_back(name);
  }
  for (const std::string& name : gone) {
    StoreChanges more = remove(name);
    changes.pods.merge(more.pods);
    changes.objects.merge(more.objects);
    changes.storage = changes.storage || more.storage;
    changes.drivers = changes.drivers || more.drivers;
    changes.problems_changed.insert(changes.problems_changed.end(), more.problems_changed.begin(),
                                    more.problems_changed.end());
  }
  return changes;
}

void ObjectStore::set_file(const std::string& name, File next, StoreChanges& changes) {
  File& file = files_[name];
  std::set<Identity> touched;
  for (const auto& [identity, held] : file.objects) {
    touched.insert(identity);
    const auto holders = holders_.find(identity);
    holders->second.erase(name);
    if (holders->second.empty()) holders_.erase(holders);
  }
  for (const auto& [identity, held] : next.objects) {
    touched.insert(identity);
    holders_[identity].insert(name);
  }
  if (file.problems != next.problems || file.warnings != next.warnings)
    changes.problems_changed.push_back(name);
  if (file.may_be_anything() != next.may_be_anything() || file.hidden != next.hidden)
    changes.storage = changes.drivers = true;
  file = std::move(next);
  for (const Identity& identity : touched)
    elect(identity, changes);
}

const ObjectStore::Held* ObjectStore::elected(const Identity& identity) const {
  const auto holders = holders_.find(identity);
  return holders == holders_.end() ? nullptr : &files_.at(*holders->second.begin()).objects.at(identity);
}

void ObjectStore::elect(const Identity& identity, StoreChanges& changes) {
  const Held* held = elected(identity);
  if (identity.starts_with("Pod/") || (held != nullptr && !held->expanded.empty()) ||
      pods_of_.contains(identity)) {
    put_pods(held, identity, changes);
  }
  put_storage(held, identity, changes);
  if ((held != nullptr && !held->claims.empty()) || claims_of_.contains(identity))
    put_made_claims(held, identity, changes);
  const std::optional<ObjectReference> object = reference_of(identity);
  if (!object) return;
  changes.objects.insert(*object);
}

void ObjectStore::put_pods(const Held* held, const Identity& identity, StoreChanges& changes) {
  std::vector<std::shared_ptr<const Pod>> pods;
  if (held != nullptr) {
    pods = held->expanded;
    if (const auto* pod = std::get_if<std::shared_ptr<const Pod>>(&held->object)) pods = {*pod};
  }
  for (const PodUid& uid : pods_of_[identity]) {
    changes.pods.insert(uid);
    const auto found = pods_.find(uid);
    if (found == pods_.end()) continue;
    found->second.erase(identity);
    if (found->second.empty()) pods_.erase(found);
  }
  std::vector<PodUid> uids;
  for (auto& pod : pods) {
    changes.pods.insert(pod->uid);
    // Two pods of one uid, which only a clash of hashes could make: the first one counts.
    if (pods_[pod->uid].try_emplace(identity, StoredPod{pod, held->note}).second) uids.push_back(pod->uid);
  }
  if (uids.empty()) {
    pods_of_.erase(identity);
  } else {
    pods_of_[identity] = std::move(uids);
  }
}

}  // namespace mooring
