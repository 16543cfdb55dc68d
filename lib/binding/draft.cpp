#include "binding/draft.h"

#include <algorithm>

#include "binding/resolve.h"
#include "binding/words.h"
#include "manifest/names.h"

namespace mooring {
namespace {

using State = LedgerVolume::State;

template <class Key, class Row>
std::vector<Key> keys_of(const std::map<Key, Row>& rows, const std::map<Key, std::optional<Row>>& changes) {
  std::vector<Key> keys;
  keys.reserve(rows.size() + changes.size());
  for (const auto& [key, row] : rows) {
    const auto change = changes.find(key);
    if (change == changes.end() || change->second) keys.push_back(key);
  }
  for (const auto& [key, row] : changes) {
    if (row && !rows.contains(key)) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

template <class Key, class Row>
const Row* find_row(const Key& key, const std::map<Key, std::optional<Row>>& changes, const Row* before) {
  const auto change = changes.find(key);
  if (change == changes.end()) return before;
  return change->second ? &*change->second : nullptr;
}

template <class Key, class Row>
Row& row_to_change(const Key& key, std::map<Key, std::optional<Row>>& changes, const Row* before) {
  const auto [change, is_new] = changes.try_emplace(key);
  if (is_new && before != nullptr) change->second = *before;
  if (!change->second) change->second.emplace();
  return *change->second;
}

template <class Key, class Row>
void remove_idle(std::map<Key, std::optional<Row>>& changes, const Ledger& ledger) {
  std::erase_if(changes, [&](const auto& change) {
    const Row* before = ledger.find(change.first);
    return change.second ? before != nullptr && *before == *change.second : before == nullptr;
  });
}

}  // namespace

const LedgerClaim* Draft::find(const ObjectKey& claim) const {
  return find_row(claim, plan_.changes.claims, ledger_.find(claim));
}
const LedgerVolume* Draft::find(const ObjectName& volume) const {
  return find_row(volume, plan_.changes.volumes, ledger_.find(volume));
}

LedgerClaim& Draft::change(const ObjectKey& claim) {
  return row_to_change(claim, plan_.changes.claims, ledger_.find(claim));
}
LedgerVolume& Draft::change(const ObjectName& volume) {
  return row_to_change(volume, plan_.changes.volumes, ledger_.find(volume));
}

void Draft::put(const ObjectKey& claim, LedgerClaim row) {
  plan_.changes.claims[claim] = std::move(row);
}
void Draft::put(const ObjectName& volume, LedgerVolume row) {
  plan_.changes.volumes[volume] = std::move(row);
}

std::vector<ObjectKey> Draft::claims() const {
  return keys_of(ledger_.claims, plan_.changes.claims);
}
std::vector<ObjectName> Draft::volumes() const {
  return keys_of(ledger_.volumes, plan_.changes.volumes);
}

void Draft::say(const ObjectKey& claim, BindingCondition condition) {
  plan_.claims.try_emplace(claim, std::move(condition));
}
void Draft::say(const ObjectName& volume, BindingCondition condition) {
  plan_.volumes.try_emplace(volume, std::move(condition));
}

void Draft::tell(bool warning, std::string reason, std::string object, std::string message) {
  plan_.events.push_back({warning, std::move(reason), std::move(object), std::move(message)});
}

BindingPlan Draft::finish() && {
  remove_idle(plan_.changes.claims, ledger_);
  remove_idle(plan_.changes.volumes, ledger_);
  return std::move(plan_);
}

ClaimUsers::ClaimUsers(const std::vector<const manifest::Pod*>& pods) {
  for (const manifest::Pod* pod : pods) {
    for (const manifest::Volume& volume : pod->volumes) {
      const auto key = claim_of(*pod, volume);
      if (!key) continue;
      auto& users = pods_[*key];
      if (users.empty() || users.back() != pod) users.push_back(pod);
    }
  }
}

const std::vector<const manifest::Pod*>& ClaimUsers::of(const ObjectKey& claim) const {
  static const std::vector<const manifest::Pod*> none;
  const auto found = pods_.find(claim);
  return found == pods_.end() ? none : found->second;
}

bool ClaimUsers::may_use(const manifest::Pod& pod, const manifest::PersistentVolumeClaim& claim) {
  const bool is_its_own =
      claim.owner.kind == manifest::ClaimOwner::Kind::Pod && claim.owner.uid == pod.uid.str();
  return std::any_of(pod.volumes.begin(), pod.volumes.end(), [&](const auto& volume) {
    if (std::holds_alternative<manifest::EphemeralSource>(volume.source) && !is_its_own) return false;
    return claim_of(pod, volume) == claim.key;
  });
}

std::vector<const manifest::Pod*> ClaimUsers::that_may_use(
    const manifest::PersistentVolumeClaim& claim) const {
  std::vector<const manifest::Pod*> users;
  for (const manifest::Pod* pod : of(claim.key)) {
    if (may_use(*pod, claim)) users.push_back(pod);
  }
  return users;
}

void bind(Draft& draft, const ObjectKey& claim, const manifest::PersistentVolume& volume) {
  LedgerClaim& row = draft.change(claim);
  row.volume = volume.name;
  row.is_bound = true;
  row.is_lost = false;
  row.was_chosen = row.claim.volume_name.empty();
  row.capacity = volume.capacity;
  // A volume may call its class what no class and no claim can.
  if (!row.claim.storage_class && manifest::is_dns_subdomain(volume.storage_class))
    row.claim.storage_class = volume.storage_class;
  auto copy = std::make_shared<manifest::PersistentVolume>(volume);
  copy->claim = manifest::ClaimReference{claim, row.claim.uid};
  const LedgerVolume* given_free = draft.find(volume.name);
  LedgerVolume bound = given_free == nullptr ? LedgerVolume() : *given_free;
  bound.volume = std::move(copy);
  bound.state = State::Bound;
  bound.was_chosen = !volume.claim;
  draft.put(volume.name, std::move(bound));
  draft.tell(false, "Bound", event_object(claim), "it has the volume " + volume.name.str());
}

void release(Draft& draft, const ObjectName& volume) {
  const LedgerVolume* row = draft.find(volume);
  if (row == nullptr) return;
  if (row->state == State::Bound) {
    LedgerVolume& released = draft.change(volume);
    released.state = State::Released;
    released.message.clear();
  } else if (row->state == State::Provisioning) {
    LedgerVolume& unwanted = draft.change(volume);
    unwanted.state = State::Deleting;
    unwanted.message.clear();
  }
}

BindingPlan plan_bindings(const Ledger& ledger, const BindingWorld& world, Random& random) {
  Draft draft(ledger, world, random);
  take_ends(draft);
  const ClaimUsers users(world.pods);
  if (world.is_complete) {
    follow_claims(draft, users, random);
    follow_volumes(draft);
    find_volumes(draft, users);
    grow_claims(draft);
  }
  describe_claims(draft, users);
  describe_volumes(draft);
  return std::move(draft).finish();
}

}  // namespace mooring
