#include "claims_storm.h"

#include <signal.h>
#include <sqlite3.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

constexpr int claim_count = 100;
constexpr int volume_count = 60;
constexpr int pod_count = 12;
const std::array<std::string, 3> static_classes{"", "slow", "fast"};

std::uint64_t seed() {
  const char* given = std::getenv("MOORING_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
}

std::string numbered(const std::string& prefix, int number) {
  return prefix + (number < 10 ? "0" : "") + std::to_string(number);
}

/// Who wrote into a volume; empty: nobody.
std::string mark_of(const std::string& directory) {
  const std::string mark = read_file(directory + "/mark");
  return mark == "(none)" ? "" : mark;
}

/// In mebibytes, of the sizes that are drawn here.
int size_of(const Json& quantity) {
  const std::string text = quantity;
  return std::stoi(text) * (text.ends_with("Gi") ? 1024 : 1);
}

bool has_all(const Json& modes, const Json& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const Json& mode) {
    return std::find(modes.begin(), modes.end(), mode) != modes.end();
  });
}

/// True if the claim could have the volume.
bool fits(const Json& claim, const Json& volume, const std::string& named) {
  const std::string name = "default/" + claim.at("metadata").at("name").get<std::string>();
  if (volume.at("phase") != "Available" || size_of(volume.at("capacity")) < size_of(claim.at("request")) ||
      !has_all(volume.at("accessModes"), claim.at("accessModes")))
    return false;
  if (!named.empty() && volume.at("metadata").at("name") != named) return false;
  if (volume.at("claim") != "") return volume.at("claim") == name;
  return volume.at("storageClass") == claim.value("storageClass", "");
}

}  // namespace

ClaimsStorm::ClaimsStorm()
    : seed_(seed()), trace_(__FILE__, __LINE__, "MOORING_SEED=" + std::to_string(seed_)), random_(seed_) {
  ::testing::Test::RecordProperty("seed", std::to_string(seed_));
}

// ---- What is asked for.

/// Sizes, modes, classes and policies are drawn; one of ten names the claim that it is for.
std::string ClaimsStorm::volume_text(int number) {
  static const std::array<std::string, 3> sizes{"1Gi", "2Gi", "5Gi"};
  static const std::array<std::string, 3> modes{"ReadWriteOnce", "ReadWriteOnce, ReadOnlyMany",
                                                "ReadWriteMany, ReadWriteOnce"};
  static const std::array<std::string, 3> policies{"Retain", "Recycle", "Delete"};
  const std::string name = numbered("pv-", number);
  fs::create_directories(host() + name);
  const std::string claim =
      number % 10 == 0 ? ", claimRef: {namespace: default, name: " + numbered("c-", number) + "}" : "";
  return "---\n{apiVersion: v1, kind: PersistentVolume, metadata: {name: " + name +
         "}, spec: {capacity: {storage: " + one_of(sizes) + "}, accessModes: [" + one_of(modes) +
         "], persistentVolumeReclaimPolicy: " + one_of(policies) + ", storageClassName: '" +
         one_of(static_classes) + "', hostPath: {path: " + host() + name + "}" + claim + "}}\n";
}

/// Of ten claims six are for volumes of manifests, one of which says which, and four for directories.
std::string ClaimsStorm::draw_claim(int number) {
  static const std::array<std::string, 3> sizes{"100Mi", "1Gi", "2Gi"};
  static const std::array<std::string, 3> modes{"ReadWriteOnce", "ReadWriteOnce", "ReadWriteMany"};
  const int kind = number % 10;
  ClaimWish wish;
  if (kind < 6) {
    wish = of_class(one_of(static_classes),
                    kind == 5 ? "volumeName: " + numbered("pv-", number % volume_count) : "");
    wish.access = one_of(modes);
  } else if (kind < 9) {
    wish = of_class(kind == 6 ? "kept" : "gone");
  }
  wish.size = one_of(sizes);
  return claim_text(numbered("c-", number), wish);
}

void ClaimsStorm::write_all() {
  write_class("kept", "directory.mooring.io", "", "reclaimPolicy: Retain");
  write_class("gone", "directory.mooring.io");
  std::string volumes;
  for (int i = 0; i < volume_count; ++i)
    volumes += volume_text(i);
  node_.write("volumes.yaml", volumes);
  for (int i = 0; i < claim_count; ++i) {
    claim_texts_[numbered("c-", i)] = draw_claim(i);
    want(numbered("c-", i));
  }
}

void ClaimsStorm::want(const std::string& claim) {
  node_.write(claim + ".yaml", claim_texts_.at(claim));
  wanted_.insert(claim);
}

void ClaimsStorm::drop(const std::string& claim) {
  node_.remove(claim + ".yaml");
  wanted_.erase(claim);
  std::erase_if(untouched_, [&](const std::string& uid) { return bound_.at(uid).name == claim; });
}

void ClaimsStorm::change_something() {
  for (int i = pick(8); i >= 0; --i) {
    const std::string claim = numbered("c-", pick(claim_count));
    if (wanted_.contains(claim)) {
      drop(claim);
    } else {
      want(claim);
    }
  }
  for (int i = pick(3); i >= 0; --i) {
    const std::string pod = numbered("pod-", pick(pod_count));
    if (pods_.erase(pod) != 0) {
      node_.remove(pod + ".yaml");
    } else {
      pods_[pod] = numbered("c-", pick(claim_count));
      write_pod(pod, pods_.at(pod));
    }
  }
}

void ClaimsStorm::drop_everything() {
  for (const auto& pod : pods_)
    node_.remove(pod.first + ".yaml");
  pods_.clear();
  const std::set<std::string> claims = wanted_;
  for (const std::string& claim : claims)
    drop(claim);
}

/// Ends when something was done just now, or just so.
void ClaimsStorm::wait_for_a_moment() {
  const std::size_t log_size = node_.log().size();
  if (pick(2) == 0) node_.eventually([&] { return node_.log().size() != log_size; }, Millis(pick(500)));
  node_.let_pass(Millis(pick(300)));
}

void ClaimsStorm::kill_workers() {
  for (const pid_t worker : children_of(node_.daemon().pid())) {
    if (pick(2) == 0) ::kill(worker, SIGKILL);
  }
}

// ---- What is there.

std::map<std::string, Json> ClaimsStorm::all(const char* kind) {
  std::map<std::string, Json> items;
  Json list;
  EXPECT_TRUE(node_.eventually([&] {
    list = node_.ctl().json({"get", kind});
    return list.is_object();
  })) << "nobody answers";
  if (!list.is_object()) return items;
  for (const Json& item : list.at("items"))
    items.emplace(item.at("metadata").at("name"), item);
  return items;
}

std::string ClaimsStorm::base_of(const std::string& storage_class) const {
  return (storage_class == "mooring" ? node_.root() + "/volumes" : disks_.path(storage_class)) + "/";
}

void ClaimsStorm::look() {
  const auto claims = all("pvc");
  const auto volumes = all("pv");
  std::map<std::string, std::string> owners;
  for (const auto& [name, claim] : claims) {
    const std::string volume = claim.at("volume");
    if (volume.empty()) continue;
    const bool is_first = owners.emplace(volume, name).second;
    EXPECT_TRUE(is_first) << volume << " is that of " << name << " and " << owners.at(volume);
    if (claim.at("phase") != "Bound" || !wanted_.contains(name)) continue;
    const auto found = volumes.find(volume);
    if (found == volumes.end()) {
      ADD_FAILURE() << name << " has " << volume << ", which is not there";
      continue;
    }
    EXPECT_EQ(found->second.at("claim"), "default/" + name) << volume;
    const bool was_made = !found->second.value("provisioner", "").empty();
    const std::string base = was_made ? base_of(found->second.at("storageClass")) : host();
    note_bound(claim.at("metadata").at("uid"), {name, volume, base + volume});
  }
}

void ClaimsStorm::note_bound(const std::string& uid, const Bound& now) {
  const auto [known, is_new] = bound_.emplace(uid, now);
  EXPECT_EQ(known->second.volume, now.volume) << now.name << " has another volume than it had";
  untouched_.insert(uid);
  if (!is_new) return;
  EXPECT_TRUE(is_there(now.directory)) << now.directory;
  EXPECT_EQ(mark_of(now.directory), "") << now.name << " got another's data in " << now.volume;
  write_in_place(now.directory + "/mark", uid);
}

/// The rows of a query on a copy of the file: nothing of it is touched.
std::vector<Strings> ClaimsStorm::ask_ledger(const char* query) const {
  const std::string state = node_.root() + "/state/";
  const std::string copy = node_.dir() + "/copy/";
  fs::remove_all(copy);
  fs::create_directory(copy);
  for (const char* name : {"claims.db", "claims.db-wal"}) {
    if (is_there(state + name)) fs::copy_file(state + name, copy + name);
  }
  sqlite3* database = nullptr;
  sqlite3_stmt* statement = nullptr;
  std::vector<Strings> rows;
  EXPECT_EQ(sqlite3_open((copy + "claims.db").c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_prepare_v2(database, query, -1, &statement, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  while (sqlite3_step(statement) == SQLITE_ROW) {
    Strings& row = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      row.emplace_back(static_cast<const char*>(sqlite3_column_blob(statement, i)),
                       static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
    }
  }
  sqlite3_finalize(statement);
  sqlite3_close(database);
  return rows;
}

void ClaimsStorm::expect_sound() {
  if (!is_there(node_.root() + "/state/claims.db")) return;  // It was killed before it had made it.
  for (const Strings& row : ask_ledger("SELECT volume FROM claims WHERE volume IS NOT NULL AND NOT is_lost "
                                       "GROUP BY volume HAVING count(*) > 1"))
    ADD_FAILURE() << row[0] << " is that of two claims";
  for (const Strings& row :
       ask_ledger("SELECT c.name FROM claims c LEFT JOIN volumes v ON v.name = c.volume AND "
                  "v.claim_uid = c.uid AND v.state = 'Bound' WHERE c.is_bound AND v.name IS NULL"))
    ADD_FAILURE() << row[0] << " is bound to what is not its own";
  std::set<std::string> uids;
  for (const Strings& row : ask_ledger("SELECT uid, volume FROM claims WHERE is_bound")) {
    uids.insert(row[0]);
    const auto known = bound_.find(row[0]);
    if (known == bound_.end()) continue;
    EXPECT_EQ(known->second.volume, row[1]) << known->second.name << " has another volume than it had";
  }
  for (const std::string& uid : untouched_)
    EXPECT_TRUE(uids.contains(uid)) << bound_.at(uid).name << " was bound, and is not";
  expect_marks();
}

void ClaimsStorm::expect_marks() const {
  for (const std::string& uid : untouched_)
    EXPECT_EQ(mark_of(bound_.at(uid).directory), uid) << bound_.at(uid).name << " lost its data";
}

std::string ClaimsStorm::what_is_open() {
  const auto claims = all("pvc");
  const auto volumes = all("pv");
  std::string open;
  for (const std::string& name : wanted_) {
    if (!claims.contains(name)) open += name + " is not there\n";
  }
  for (const auto& [name, claim] : claims) {
    const bool is_used = !claim.at("users").empty();
    const std::string phase = claim.at("phase");
    if (!wanted_.contains(name) && !is_used) open += name + " is still there\n";
    if (!wanted_.contains(name) && is_used && phase != "Terminating") open += name + " does not end\n";
    if (!wanted_.contains(name) || phase == "Bound") continue;
    const std::string storage_class = claim.value("storageClass", "none");
    const bool is_static =
        std::find(static_classes.begin(), static_classes.end(), storage_class) != static_classes.end();
    if (phase != "Pending" || !is_static) open += name + " is " + phase + "\n";
    const int number = std::stoi(name.substr(2));
    const std::string named = number % 10 == 5 ? numbered("pv-", number % volume_count) : "";
    for (const auto& [volume_name, volume] : volumes) {
      if (fits(claim, volume, named)) open += name + " could have " + volume_name + "\n";
    }
  }
  for (const auto& [name, volume] : volumes) {
    const bool is_on_the_way = volume.at("phase") == "Provisioning" ||
                               (volume.at("phase") == "Released" && volume.at("reclaimPolicy") != "Retain");
    if (is_on_the_way) open += name + " is " + volume.at("phase").get<std::string>() + "\n";
  }
  return open;
}

std::string ClaimsStorm::what_pods_say() const {
  std::string text;
  for (const auto& [pod, name] : pods_) {
    text += pod + " names " + name + (wanted_.contains(name) ? "\n" : ", which is not wanted\n");
    if (!node_.ctl().is_ready(pod)) text += explained("pod/" + pod) + node_.ctl().pod(pod).dump(2) + "\n";
  }
  return text;
}

void ClaimsStorm::renew_pods() {
  for (const auto& [pod, name] : pods_) {
    if (node_.ctl().reason(pod, "v") != "SpecChangeIgnored") continue;
    node_.remove(pod + ".yaml");
    EXPECT_TRUE(node_.becomes_gone(pod)) << explained("pod/" + pod);
    write_pod(pod, name);
  }
}

void ClaimsStorm::expect_pods_see_their_claims() {
  for (const auto& [pod, name] : pods_) {
    const Json its_claim = claim(name);
    if (!its_claim.is_object() || its_claim.at("phase") != "Bound" || !wanted_.contains(name)) continue;
    EXPECT_TRUE(node_.becomes_ready(pod)) << explained("pod/" + pod);
    EXPECT_EQ(mark_of(node_.ctl().path(pod, "v")), its_claim.at("metadata").at("uid")) << pod << " " << name;
  }
}

void ClaimsStorm::expect_directories(const std::string& storage_class) {
  Strings volumes;
  for (const auto& [name, volume] : all("pv")) {
    if (volume.at("storageClass") == storage_class && volume.contains("provisioner")) volumes.push_back(name);
  }
  EXPECT_EQ(volumes_in(base_of(storage_class)), volumes) << storage_class;
}

void ClaimsStorm::expect_enough_was_seen() const {
  std::set<std::string> names;
  for (const auto& [uid, bound] : bound_)
    names.insert(bound.name);
  EXPECT_GT(names.size(), 60U) << "most claims were never bound";
  EXPECT_GT(bound_.size(), names.size()) << "no claim came again";
}

void ClaimsStorm::expect_only_what_is_kept() {
  EXPECT_TRUE(volumes_in(base_of("gone")).empty());
  EXPECT_TRUE(volumes_in(base_of("mooring")).empty());
  expect_directories("kept");
  const auto volumes = all("pv");
  for (const auto& [uid, bound] : bound_) {
    if (bound.directory.starts_with(base_of("kept"))) {
      EXPECT_EQ(mark_of(bound.directory), uid) << bound.name;
    }
    const auto volume = volumes.find(bound.volume);
    if (!bound.directory.starts_with(host()) || volume == volumes.end()) continue;
    const std::string policy = volume->second.at("reclaimPolicy");
    const bool is_emptied = policy == "Recycle";
    EXPECT_EQ(volume->second.at("phase"), is_emptied           ? "Available"
                                          : policy == "Retain" ? "Released"
                                                               : "Failed");
    if (is_emptied) {
      EXPECT_TRUE(names_in(bound.directory).empty()) << bound.volume;
    } else {
      EXPECT_EQ(mark_of(bound.directory), uid) << bound.volume;
    }
  }
}

}  // namespace mooring::integration
