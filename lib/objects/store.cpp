#include "objects/store.h"

#include <algorithm>

#include "objects/expand.h"

namespace mooring {
namespace {

using namespace manifest;  // NOLINT(google-build-using-namespace): the whole file walks the types of that
                           // room.

std::string identity_text(std::string_view kind, const std::string& name_space, const std::string& name) {
  return std::string(kind) + "/" + name_space + "/" + name;
}

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
std::string identity_of_value(const Workload& o) {
  constexpr std::string_view kinds[] = {"Deployment", "StatefulSet", "DaemonSet", "Job"};
  return identity_text(kinds[static_cast<std::size_t>(o.kind)], o.key.name_space.str(), o.key.name.str());
}

/// The inverse of identity_text() for the objects that volumes' content comes from.
std::optional<ObjectReference> content_object(std::string_view identity) {
  ObjectReference object;
  std::string_view prefix = "ConfigMap/";
  if (!identity.starts_with(prefix)) {
    prefix = "Secret/";
    object.kind = ObjectReference::Kind::Secret;
  }
  if (!identity.starts_with(prefix)) return std::nullopt;
  identity.remove_prefix(prefix.size());
  const std::size_t slash = identity.find('/');
  object.key = {Namespace(identity.substr(0, slash)), ObjectName(identity.substr(slash + 1))};
  return object;
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

bool is_cluster_scoped(std::string_view kind) {
  return kind == "PersistentVolume" || kind == "StorageClass";
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
  if (before != nullptr) keep_objects(file, *before, is_certain, next);
  if (!is_certain && next.problems.empty()) {
    next.problems.push_back(file.file + ": the file is empty; what it held before is kept");
  }
  // What was read whole once is known; a break after that hides nothing that was there before.
  if (before == nullptr || !before->is_known()) {
    next.hides_anything = !is_certain;
    for (const BrokenDocument& broken : file.broken) {
      if (broken.key) next.hidden.push_back({broken.kind, *broken.key});
    }
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
    Held held{std::move(object), {}, {}};
    if (const auto* workload = std::get_if<std::shared_ptr<const Workload>>(&held.object)) {
      held.expanded = expand(**workload);
    }
    next.objects.emplace(std::move(identity), std::move(held));
  }
}

bool ObjectStore::is_all_identified(const ParsedFile& file, const File* before, const File& next) {
  const bool held_something = before != nullptr && !before->objects.empty();
  if (file.is_only_comments) return !held_something;
  if (!file.is_whole) return false;
  std::set<Identity> seen;
  for (const BrokenDocument& broken : file.broken) {
    if (!broken.key) return false;
    const Identity identity = identity_of(BrokenIdentity{broken.kind, *broken.key});
    if (next.objects.contains(identity) || !seen.insert(identity).second) return false;
    if (!held_something || before->objects.contains(identity)) continue;
    const bool was_hidden = std::any_of(before->hidden.begin(), before->hidden.end(),
                                        [&](const auto& hidden) { return identity_of(hidden) == identity; });
    if (!was_hidden) return false;  // Its name may be what is wrong: it may be any that was here before.
  }
  return true;
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
  if (before == files_.end()) next.hides_anything = true;
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
  file = std::move(next);
  for (const Identity& identity : touched)
    elect(identity, changes);
}

void ObjectStore::elect(const Identity& identity, StoreChanges& changes) {
  const auto holders = holders_.find(identity);
  const Held* held = nullptr;
  if (holders != holders_.end()) held = &files_.at(*holders->second.begin()).objects.at(identity);
  if (identity.starts_with("Pod/") || (held != nullptr && !held->expanded.empty()) ||
      pods_of_.contains(identity)) {
    put_pods(held, identity, changes);
  }
  if (const auto object = content_object(identity)) changes.objects.insert(*object);
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

const StoredPod* ObjectStore::find_pod(const PodUid& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second.begin()->second;
}

bool ObjectStore::may_ask_for(const ObjectKey& pod) const {
  return is_named_by_broken(pod) || std::any_of(files_.begin(), files_.end(), [](const auto& entry) {
           return entry.second.hides_anything;
         });
}

bool ObjectStore::is_named_by_broken(const ObjectKey& pod) const {
  const auto names_it = [&](const BrokenIdentity& broken) {
    if (broken.key.name_space != pod.name_space) return false;
    if (broken.kind == "Pod") return broken.key.name == pod.name;
    return pod.name.str().starts_with(broken.key.name.str() + "-");  // A workload's pods.
  };
  return std::any_of(files_.begin(), files_.end(), [&](const auto& entry) {
    const std::vector<BrokenIdentity>& hidden = entry.second.hidden;
    return std::any_of(hidden.begin(), hidden.end(), names_it);
  });
}

bool ObjectStore::may_hold(const ObjectReference& object) const {
  const std::string kind = object.kind == ObjectReference::Kind::ConfigMap ? "ConfigMap" : "Secret";
  if (holders_.contains(identity_text(kind, object.key.name_space.str(), object.key.name.str())))
    return false;
  return std::any_of(files_.begin(), files_.end(), [&](const auto& entry) {
    const File& file = entry.second;
    return file.hides_anything ||
           std::any_of(file.hidden.begin(), file.hidden.end(),
                       [&](const auto& broken) { return broken.kind == kind && broken.key == object.key; });
  });
}

std::vector<PodUid> ObjectStore::pods() const {
  std::vector<PodUid> uids;
  uids.reserve(pods_.size());
  for (const auto& [uid, pods] : pods_)
    uids.push_back(uid);
  return uids;
}

template <class T>
std::shared_ptr<const T> ObjectStore::find(const char* kind, const std::string& name_space,
                                           const std::string& name) const {
  const Identity identity = identity_text(kind, name_space, name);
  const auto holders = holders_.find(identity);
  if (holders == holders_.end()) return nullptr;
  return std::get<std::shared_ptr<const T>>(files_.at(*holders->second.begin()).objects.at(identity).object);
}

std::shared_ptr<const ConfigMap> ObjectStore::find_config_map(const ObjectKey& key) const {
  return find<ConfigMap>("ConfigMap", key.name_space.str(), key.name.str());
}
std::shared_ptr<const Secret> ObjectStore::find_secret(const ObjectKey& key) const {
  return find<Secret>("Secret", key.name_space.str(), key.name.str());
}
std::shared_ptr<const PersistentVolume> ObjectStore::find_persistent_volume(const ObjectName& name) const {
  return find<PersistentVolume>("PersistentVolume", "", name.str());
}
std::shared_ptr<const PersistentVolumeClaim> ObjectStore::find_claim(const ObjectKey& key) const {
  return find<PersistentVolumeClaim>("PersistentVolumeClaim", key.name_space.str(), key.name.str());
}
std::shared_ptr<const StorageClass> ObjectStore::find_storage_class(const ObjectName& name) const {
  return find<StorageClass>("StorageClass", "", name.str());
}

std::vector<std::string> ObjectStore::problems() const {
  std::vector<std::string> lines;
  for (const auto& [name, file] : files_) {
    lines.insert(lines.end(), file.problems.begin(), file.problems.end());
    for (const auto& [identity, held] : file.objects) {
      const std::string& first = *holders_.at(identity).begin();
      if (first != name)
        lines.push_back(name + ": " + identity + " is already in " + first + ", which counts");
    }
  }
  for (const auto& [uid, claims] : pods_) {
    for (auto claim = std::next(claims.begin()); claim != claims.end(); ++claim) {
      const StoredPod& counts = claims.begin()->second;
      const Pod& other = *claim->second.pod;
      std::string line = other.origin.text() + ": pod " + other.key.text();
      line.append(" has the uid ").append(uid.str()).append(" of pod ").append(counts.pod->key.text());
      line.append(" (")
          .append(counts.pod->origin.text())
          .append("), which counts; give one of them another name or uid");
      lines.push_back(std::move(line));
    }
  }
  return lines;
}

std::vector<std::string> ObjectStore::problems_of(const std::string& file) const {
  const auto found = files_.find(file);
  return found == files_.end() ? std::vector<std::string>{} : found->second.problems;
}

std::vector<std::string> ObjectStore::warnings_of(const std::string& file) const {
  const auto found = files_.find(file);
  return found == files_.end() ? std::vector<std::string>{} : found->second.warnings;
}

}  // namespace mooring
