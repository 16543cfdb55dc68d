#include <algorithm>

#include "objects/identity.h"
#include "objects/store.h"

// What can be asked of the store; how it changes is in store.cpp, what is of claims, volumes and classes in
// store_claims.cpp.

namespace mooring {

using namespace manifest;  // NOLINT(google-build-using-namespace): the whole file walks the types of that
                           // room.

const StoredPod* ObjectStore::find_pod(const PodUid& uid) const {
  const auto found = pods_.find(uid);
  return found == pods_.end() ? nullptr : &found->second.begin()->second;
}

bool ObjectStore::may_ask_for(const ObjectKey& pod) const {
  return is_named_by_broken(pod) || std::any_of(files_.begin(), files_.end(), [](const auto& entry) {
           return entry.second.may_be_anything();
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
  const Held* held = elected(identity_text(kind, name_space, name));
  return held == nullptr ? nullptr : std::get<std::shared_ptr<const T>>(held->object);
}

std::shared_ptr<const ConfigMap> ObjectStore::find_config_map(const ObjectKey& key) const {
  return find<ConfigMap>("ConfigMap", key.name_space.str(), key.name.str());
}
std::shared_ptr<const Secret> ObjectStore::find_secret(const ObjectKey& key) const {
  return find<Secret>("Secret", key.name_space.str(), key.name.str());
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
