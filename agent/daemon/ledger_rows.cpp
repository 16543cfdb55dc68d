#include "daemon/ledger_rows.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/quote.h"
#include "manifest/encode.h"
#include "manifest/parse.h"

namespace mooring {
namespace {

using manifest::ClaimOwner;

constexpr std::array<std::string_view, 3> owner_kinds{"", "StatefulSet", "Pod"};
/// In the order of LedgerVolume::State.
constexpr std::array<std::string_view, 7> states{"Provisioning", "Available", "Bound", "Released",
                                                 "Deleting",     "Recycling", "Failed"};
/// In the order of LedgerSnapshot::State.
constexpr std::array<std::string_view, 4> snapshot_states{"Making", "Ready", "Released", "Deleting"};

Error damaged(const std::string& row, const std::string& why) {
  return refusal("LedgerDamaged", "the row of " + row + " cannot be read: " + why);
}

Error unwritable(const std::string& row, const std::string& why) {
  return refusal("LedgerUnwritable",
                 "the row of " + row + " could not be read again if it was written: " + why,
                 "this is a mistake in Mooring: report it with the manifest of that object");
}

/// The place of a name in a table; nullopt: it is not there.
template <class E, std::size_t N>
std::optional<E> value_of(const std::array<std::string_view, N>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<E>(found - names.begin());
}

/// The one object of a document, without the place where it stands: the ledger is no manifest.
template <class T>
Result<T> parse_object(const std::string& json, const std::string& row) {
  const manifest::ParsedFile file = manifest::parse_file(json, "claims.db");
  for (const manifest::Diagnostic& diagnostic : file.diagnostics) {
    if (diagnostic.severity == manifest::Diagnostic::Severity::Error) return damaged(row, diagnostic.text());
  }
  if (file.objects.size() != 1) return damaged(row, "it holds no object");
  const auto* object = std::get_if<std::shared_ptr<const T>>(&file.objects.front());
  if (object == nullptr) return damaged(row, "it holds an object of another kind");
  T found = **object;
  found.origin = {};
  return found;
}

Result<Quantity> parse_quantity(const std::string& text, const std::string& row) {
  Result<Quantity> quantity = Quantity::parse(text);
  if (!quantity) return damaged(row, quantity.error().message);
  return quantity;
}

std::string encode_texts(const std::map<std::string, std::string>& texts) {
  std::string out;
  for (const auto& [key, value] : texts)
    out.append(out.empty() ? "" : ",").append(json_string(key)).append(":").append(json_string(value));
  return "{" + out + "}";
}

Result<std::map<std::string, std::string>> parse_texts(const std::string& json, const std::string& row) {
  const nlohmann::json document = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return damaged(row, "the parameters are no JSON object");
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : document.items()) {
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr) return damaged(row, "the parameter " + mooring::quoted(key) + " is no string");
    texts.emplace(key, *text);
  }
  return texts;
}

/// The row, if it says what it was made of.
template <class Row, class Entry>
Result<Row> checked(Row row, const Entry& entry, const std::string& name) {
  const auto read = decode_row(row);
  if (!read) return unwritable(name, read.error().message);
  if (!(read.value() == entry)) return unwritable(name, "it would say something else");
  return row;
}

}  // namespace

Result<ClaimRow> encode_row(const ObjectKey& key, const LedgerClaim& claim) {
  const std::string name = "claim " + key.text();
  const ClaimOwner& owner = claim.claim.owner;
  if (claim.claim.key != key) return unwritable(name, "it holds the claim " + claim.claim.key.text());
  ClaimRow row;
  row.name_space = key.name_space.str();
  row.name = key.name.str();
  row.uid = claim.claim.uid;
  row.volume = claim.volume.str();
  row.is_bound = claim.is_bound;
  row.was_chosen = claim.was_chosen;
  row.capacity = claim.capacity.text();
  row.is_being_deleted = claim.is_being_deleted;
  row.is_lost = claim.is_lost;
  row.owner_kind = owner_kinds.at(static_cast<std::size_t>(owner.kind));
  row.owner_namespace = owner.key.name_space.str();
  row.owner_name = owner.key.name.str();
  row.owner_uid = owner.uid;
  row.delete_when_deleted = owner.delete_when_deleted;
  row.delete_when_scaled = owner.delete_when_scaled;
  row.claim = manifest::encode(claim.claim);
  return checked(std::move(row), claim, name);
}

Result<LedgerClaim> decode_row(const ClaimRow& row) {
  const std::string name = "claim " + row.name_space + "/" + row.name;
  MOORING_TRY(manifest::PersistentVolumeClaim claim,
              parse_object<manifest::PersistentVolumeClaim>(row.claim, name));
  if (claim.key.name_space.str() != row.name_space || claim.key.name.str() != row.name)
    return damaged(name, "it holds the claim " + claim.key.text());
  if (claim.uid != row.uid) return damaged(name, "its column uid says another uid than its claim");
  if (claim.uid.empty()) return damaged(name, "it has no uid");
  const auto kind = value_of<ClaimOwner::Kind>(owner_kinds, row.owner_kind);
  if (!kind) return damaged(name, "there are no claims of a " + mooring::quoted(row.owner_kind));
  claim.owner = {*kind,
                 {Namespace(row.owner_namespace), ObjectName(row.owner_name)},
                 row.owner_uid,
                 row.delete_when_deleted,
                 row.delete_when_scaled};
  LedgerClaim out;
  out.claim = std::move(claim);
  out.volume = ObjectName(row.volume);
  out.is_bound = row.is_bound;
  out.was_chosen = row.was_chosen;
  MOORING_TRY(out.capacity, parse_quantity(row.capacity, name));
  out.is_being_deleted = row.is_being_deleted;
  out.is_lost = row.is_lost;
  return out;
}

Result<VolumeRow> encode_row(const ObjectName& name, const LedgerVolume& volume) {
  const std::string row_name = "volume " + name.str();
  if (volume.volume == nullptr) return unwritable(row_name, "it holds no volume");
  if (volume.volume->name != name)
    return unwritable(row_name, "it holds the volume " + volume.volume->name.str());
  VolumeRow row;
  row.name = name.str();
  row.state = states.at(static_cast<std::size_t>(volume.state));
  if (const auto& claim = volume.volume->claim) {
    row.claim_namespace = claim->key.name_space.str();
    row.claim_name = claim->key.name.str();
    row.claim_uid = claim->uid;
  }
  row.was_chosen = volume.was_chosen;
  row.provisioner = volume.provisioner;
  row.parameters = encode_texts(volume.parameters);
  row.made_capacity = volume.made_capacity.text();
  row.message = volume.message;
  row.volume = manifest::encode(*volume.volume);
  return checked(std::move(row), volume, row_name);
}

Result<LedgerVolume> decode_row(const VolumeRow& row) {
  const std::string name = "volume " + row.name;
  MOORING_TRY(manifest::PersistentVolume volume, parse_object<manifest::PersistentVolume>(row.volume, name));
  if (volume.name.str() != row.name) return damaged(name, "it holds the volume " + volume.name.str());
  const manifest::ClaimReference claim = volume.claim.value_or(manifest::ClaimReference{});
  if (claim.key.name_space.str() != row.claim_namespace || claim.key.name.str() != row.claim_name ||
      claim.uid != row.claim_uid)
    return damaged(name, "its columns say another claim than its volume");
  const auto state = value_of<LedgerVolume::State>(states, row.state);
  if (!state) return damaged(name, "there is no state " + mooring::quoted(row.state));
  LedgerVolume out;
  out.volume = std::make_shared<const manifest::PersistentVolume>(std::move(volume));
  out.state = *state;
  out.was_chosen = row.was_chosen;
  out.provisioner = row.provisioner;
  MOORING_TRY(out.parameters, parse_texts(row.parameters, name));
  MOORING_TRY(out.made_capacity, parse_quantity(row.made_capacity, name));
  out.message = row.message;
  return out;
}

Result<SnapshotRow> encode_row(const ObjectName& name, const LedgerSnapshot& snapshot) {
  const std::string row_name = "snapshot " + name.str();
  SnapshotRow row;
  row.name = name.str();
  row.name_space = snapshot.snapshot.name_space.str();
  row.snapshot = snapshot.snapshot.name.str();
  row.uid = snapshot.uid;
  row.state = to_string(snapshot.state);
  row.driver = snapshot.driver.str();
  row.volume = snapshot.volume.str();
  row.volume_handle = snapshot.volume_handle;
  row.snapshot_class = snapshot.snapshot_class;
  row.is_retained = snapshot.is_retained;
  row.parameters = encode_texts(snapshot.parameters);
  if (snapshot.secret) {
    row.secret_namespace = snapshot.secret->name_space.str();
    row.secret_name = snapshot.secret->name.str();
  }
  row.handle = snapshot.handle;
  row.restore_size = snapshot.restore_size.text();
  row.creation_time = snapshot.creation_time;
  row.message = snapshot.message;
  return checked(std::move(row), snapshot, row_name);
}

Result<LedgerSnapshot> decode_row(const SnapshotRow& row) {
  const std::string name = "snapshot " + row.name;
  const auto state = value_of<LedgerSnapshot::State>(snapshot_states, row.state);
  if (!state) return damaged(name, "there is no state " + mooring::quoted(row.state));
  LedgerSnapshot out;
  out.snapshot = {Namespace(row.name_space), ObjectName(row.snapshot)};
  out.uid = row.uid;
  if (out.uid.empty() || content_name(out).str() != row.name)
    return damaged(name, "its column uid says another uid than its name");
  if (row.name_space.empty() || row.snapshot.empty()) return damaged(name, "it is no VolumeSnapshot's");
  out.state = *state;
  if (row.driver.empty() || row.volume_handle.empty())
    return damaged(name, "it says no driver, or no volume of it");
  out.driver = DriverName(row.driver);
  out.volume = ObjectName(row.volume);
  out.volume_handle = row.volume_handle;
  out.snapshot_class = row.snapshot_class;
  out.is_retained = row.is_retained;
  MOORING_TRY(out.parameters, parse_texts(row.parameters, name));
  if (row.secret_namespace.empty() != row.secret_name.empty())
    return damaged(name, "it says only one of its secret's name and namespace");
  if (!row.secret_name.empty())
    out.secret = ObjectKey{Namespace(row.secret_namespace), ObjectName(row.secret_name)};
  out.handle = row.handle;
  MOORING_TRY(out.restore_size, parse_quantity(row.restore_size, name));
  out.creation_time = row.creation_time;
  out.message = row.message;
  return out;
}

}  // namespace mooring
