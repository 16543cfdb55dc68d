#include <optional>

#include "base/quote.h"
#include "details.h"
#include "documents.h"
#include "storage.h"

namespace mooring::ctl {
namespace {

template <class Status>
Result<Status> find_named(Result<std::vector<Status>> asked, const char* kind, const std::string& name) {
  MOORING_TRY(std::vector<Status> all, std::move(asked));
  for (Status& one : all) {
    if (one.name.str() == name) return std::move(one);
  }
  return no_such(kind, name);
}

/// nullopt: there is none, or the daemon does not tell.
template <class Status>
std::optional<Status> find_if_there(Result<std::vector<Status>> asked, const std::string& name) {
  if (name.empty()) return std::nullopt;
  Result<Status> found = find_named(std::move(asked), "", name);
  return found ? std::optional(std::move(found).value()) : std::nullopt;
}

/// Prints one object: as a document, or as text with its last events.
ExitStatus print_one(Client& client, const Options& options, const char* kind, const Json& json,
                     const std::string& text, const std::string& object) {
  constexpr std::size_t events_shown = 20;
  if (is_document(options)) {
    print_document(object_json(kind, json), options.format);
    return ExitStatus::Ok;
  }
  const auto events = client.events_since(0);
  if (!events) return fail(events.error());
  const std::string log = event_details(events.value(), object, events_shown);
  answer(text + (log.empty() ? "" : "\nevents:\n" + log));
  return ExitStatus::Ok;
}

Result<ClaimStatus> ask_claim(Client& client, const Options& options, const std::string& name) {
  Options one = options;
  one.all_namespaces = false;
  Result<ClaimStatus> found = find_named(ask_claims(client, one, Scope::One), "claim", name);
  if (found || found.error().reason != "NoSuchObject") return found;
  Error error = found.error();
  const auto all = client.claims();
  if (!all) return error;
  for (const ClaimStatus& claim : all.value()) {
    if (claim.name.str() == name) error.remedy = "there is one in the namespace " + claim.name_space.str();
  }
  return error;
}

/// The claim with all that it hangs on: its volume, its class, and while it is pending what was looked at.
ExitStatus explain_claim(Client& client, const Options& options, const std::string& name) {
  const Result<ClaimStatus> found = ask_claim(client, options, name);
  if (!found) return fail(found.error());
  const ClaimStatus& claim = found.value();
  const auto volume = find_if_there(client.persistent_volumes(), claim.volume);
  const auto its_class = find_if_there(client.storage_classes(), claim.storage_class.value_or(std::string()));
  Json json = claim_json(claim);
  std::string text = claim_details(claim);
  if (volume) {
    json["persistentVolume"] = persistent_volume_json(*volume);
    text += "\n" + persistent_volume_details(*volume);
  }
  if (its_class) {
    json["class"] = storage_class_json(*its_class);
    text += "\n" + storage_class_details(*its_class);
  } else if (!claim.storage_class.value_or(std::string()).empty()) {
    text += "\nthere is no StorageClass " + clean(*claim.storage_class) +
            ": it counts for PersistentVolumes of that name of class alone\n";
  }
  if (claim.phase == "Pending") {
    const auto candidates = client.explain_claim(claim.name_space, claim.name);
    if (!candidates) return fail(candidates.error());
    json["candidates"] = candidates_json(candidates.value());
    text += candidates.value().empty()
                ? "\nthere are no PersistentVolumes\n"
                : "\nPersistentVolumes that were looked at:\n" + candidate_table(candidates.value());
  }
  return print_one(client, options, "PersistentVolumeClaim", json, text,
                   "persistentvolumeclaim/" + claim.name_space.str() + "/" + claim.name.str());
}

ExitStatus describe_claim(Client& client, const Options& options, const std::string& name) {
  const Result<ClaimStatus> claim = ask_claim(client, options, name);
  if (!claim) return fail(claim.error());
  return print_one(client, options, "PersistentVolumeClaim", claim_json(claim.value()),
                   claim_details(claim.value()),
                   "persistentvolumeclaim/" + claim.value().name_space.str() + "/" + name);
}

ExitStatus describe_volume(Client& client, const Options& options, const std::string& name) {
  const auto volume = find_named(client.persistent_volumes(), "PersistentVolume", name);
  if (!volume) return fail(volume.error());
  return print_one(client, options, "PersistentVolume", persistent_volume_json(volume.value()),
                   persistent_volume_details(volume.value()), "persistentvolume/" + name);
}

ExitStatus describe_class(Client& client, const Options& options, const std::string& name) {
  const auto found = find_named(client.storage_classes(), "StorageClass", name);
  if (!found) return fail(found.error());
  return print_one(client, options, "StorageClass", storage_class_json(found.value()),
                   storage_class_details(found.value()), "storageclass/" + name);
}

/// There may be several of one name: what is there, and what is left of earlier ones.
ExitStatus describe_snapshot(Client& client, const Options& options, const std::string& name) {
  Options one = options;
  one.all_namespaces = false;
  Result<std::vector<VolumeSnapshotStatus>> asked = ask_snapshots(client, one, Scope::One);
  if (!asked) return fail(asked.error());
  std::string text;
  std::optional<VolumeSnapshotStatus> shown;
  for (VolumeSnapshotStatus& each : asked.value()) {
    if (each.name.str() != name) continue;
    text += (text.empty() ? "" : "\n") + snapshot_details(each);
    if (!shown || shown->origin.empty()) shown = std::move(each);
  }
  if (!shown) return fail(no_such("VolumeSnapshot", name));
  return print_one(client, options, "VolumeSnapshot", snapshot_json(*shown), text,
                   "volumesnapshot/" + shown->name_space.str() + "/" + name);
}

}  // namespace

ExitStatus describe_storage(const Options& options, Kind kind) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  if (kind == Kind::Claims) return describe_claim(*client.value(), options, options.name);
  if (kind == Kind::Snapshots) return describe_snapshot(*client.value(), options, options.name);
  if (kind == Kind::Classes) return describe_class(*client.value(), options, options.name);
  return describe_volume(*client.value(), options, options.name);
}

ExitStatus explain_storage(const Options& options, const ObjectReference& object) {
  Options named = options;
  named.name = object.name;
  if (object.kind != Kind::Claims) return describe_storage(named, object.kind);
  const auto client = connect(options);
  if (!client) return fail(client.error());
  return explain_claim(*client.value(), options, object.name);
}

}  // namespace mooring::ctl
