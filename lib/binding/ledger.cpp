#include "binding/ledger.h"

#include <set>

namespace mooring {
namespace {

using State = LedgerVolume::State;

bool is_held(const LedgerVolume& volume) {
  return volume.state == State::Provisioning || volume.state == State::Bound;
}

template <class Key, class Row>
const Row* find_in(const std::map<Key, Row>& rows, const Key& key) {
  const auto found = rows.find(key);
  return found == rows.end() ? nullptr : &found->second;
}

template <class Key, class Row>
void apply_to(std::map<Key, Row>& rows, const std::map<Key, std::optional<Row>>& changes) {
  for (const auto& [key, row] : changes) {
    if (row) {
      rows.insert_or_assign(key, *row);
    } else {
      rows.erase(key);
    }
  }
}

/// What is wrong between a claim and the volume that it says it has; empty: nothing.
std::string broken_of_claim(const LedgerClaim& row, const Ledger& ledger) {
  const std::string claim = "claim " + row.claim.key.text();
  if (row.claim.uid.empty()) return claim + " has no uid";
  if (row.is_bound && row.volume.empty()) return claim + " is bound to nothing";
  if (row.volume.empty() || row.is_lost) return {};
  const std::string volume = "volume " + row.volume.str();
  const LedgerVolume* found = ledger.find(row.volume);
  if (found == nullptr) return claim + " has " + volume + ", which is not there";
  const State expected = row.is_bound ? State::Bound : State::Provisioning;
  if (found->state != expected) return claim + " and " + volume + " are not in the same state";
  if (!found->volume->claim || found->volume->claim->key != row.claim.key ||
      found->volume->claim->uid != row.claim.uid)
    return claim + " has " + volume + ", which is another claim's";
  return {};
}

/// Likewise of a volume.
std::string broken_of_volume(const ObjectName& name, const LedgerVolume& row, const Ledger& ledger) {
  const std::string volume = "volume " + name.str();
  if (row.volume == nullptr || row.volume->name != name) return volume + " is not what its row says";
  if (row.state == State::Available) return row.volume->claim ? volume + " is free, and is a claim's" : "";
  if (!row.volume->claim || row.volume->claim->uid.empty()) return volume + " is no claim's";
  if (!is_held(row)) return {};
  const std::string claim = "claim " + row.volume->claim->key.text();
  const LedgerClaim* found = ledger.find(row.volume->claim->key);
  if (found == nullptr) return volume + " is of " + claim + ", which is not there";
  if (found->claim.uid != row.volume->claim->uid)
    return volume + " is of " + claim + ", which is another of that name";
  if (found->volume != name) return volume + " is of " + claim + ", which has another";
  return {};
}

}  // namespace

bool operator==(const LedgerVolume& one, const LedgerVolume& other) {
  const bool is_same_volume =
      one.volume == other.volume ||
      (one.volume != nullptr && other.volume != nullptr && *one.volume == *other.volume);
  return is_same_volume && one.state == other.state && one.was_chosen == other.was_chosen &&
         one.provisioner == other.provisioner && one.parameters == other.parameters &&
         one.made_capacity == other.made_capacity && one.message == other.message;
}

bool is_of_driver(const LedgerVolume& row) {
  const auto* csi = row.volume == nullptr ? nullptr : std::get_if<manifest::CsiSource>(&row.volume->source);
  return csi != nullptr && csi->driver == row.provisioner && csi->driver != manifest::block_driver;
}

const LedgerClaim* Ledger::find(const ObjectKey& claim) const {
  return find_in(claims, claim);
}

const LedgerVolume* Ledger::find(const ObjectName& volume) const {
  return find_in(volumes, volume);
}

void apply(Ledger& ledger, const LedgerChanges& changes) {
  apply_to(ledger.claims, changes.claims);
  apply_to(ledger.volumes, changes.volumes);
  apply_to(ledger.snapshots, changes.snapshots);
}

std::vector<std::string> broken_rules(const Ledger& ledger) {
  std::vector<std::string> broken;
  const auto add = [&](std::string what) {
    if (!what.empty()) broken.push_back(std::move(what));
  };
  std::set<std::string> uids;
  for (const auto& [key, row] : ledger.claims) {
    if (key != row.claim.key) add("the row " + key.text() + " is of claim " + row.claim.key.text());
    if (!uids.insert(row.claim.uid).second) add("claim " + key.text() + " has another claim's uid");
    add(broken_of_claim(row, ledger));
  }
  for (const auto& [name, row] : ledger.volumes)
    add(broken_of_volume(name, row, ledger));
  for (const auto& [name, row] : ledger.snapshots) {
    if (name != content_name(row))
      add("the row " + name.str() + " is of snapshot " + content_name(row).str());
    if (row.state == LedgerSnapshot::State::Ready && row.handle.empty())
      add("snapshot " + name.str() + " is ready, and nobody knows what its driver calls it");
  }
  return broken;
}

}  // namespace mooring
