#include "storage.h"

#include "base/quote.h"
#include "documents.h"

namespace mooring::ctl {
namespace {

/// How lists of a kind are called.
struct ListNames {
  const char* kind;    ///< "PersistentVolumeClaim".
  const char* prefix;  ///< Of -o name.
  const char* one;     ///< For messages.
  const char* many;
};
constexpr ListNames claim_names{"PersistentVolumeClaim", "persistentvolumeclaim/", "claim", "claims"};
constexpr ListNames volume_names{"PersistentVolume", "persistentvolume/", "PersistentVolume",
                                 "PersistentVolumes"};
constexpr ListNames class_names{"StorageClass", "storageclass/", "StorageClass", "StorageClasses"};
constexpr ListNames snapshot_names{"VolumeSnapshot", "volumesnapshot/", "VolumeSnapshot", "VolumeSnapshots"};

/// Prints what was asked for: all, or only that of NAME. `json` and `table` make the answers.
template <class Status, class MakeTable>
ExitStatus print_list(const Options& options, const ListNames& names, Result<std::vector<Status>> asked,
                      Json (*json)(const Status&), MakeTable table) {
  if (!asked) return fail(asked.error());
  std::vector<Status> all = std::move(asked).value();
  if (!options.name.empty()) {
    std::erase_if(all, [&](const Status& one) { return one.name.str() != options.name; });
    if (all.empty()) return fail(no_such(names.one, options.name));
  }
  if (is_document(options)) {
    Json items = Json::array();
    for (const Status& one : all)
      items.push_back(json(one));
    print_items(options, names.kind, std::move(items), !options.name.empty());
  } else if (options.format == Format::Name) {
    for (const Status& one : all)
      answer(names.prefix + clean(one.name.str()) + "\n");
  } else if (all.empty()) {
    const bool has_namespaces =
        std::is_same_v<Status, ClaimStatus> || std::is_same_v<Status, VolumeSnapshotStatus>;
    const bool is_of_namespace = has_namespaces && !is_about_all(options, Scope::One);
    message(std::string("there are no ") + names.many +
            (is_of_namespace ? " in the namespace " + options.name_space : ""));
  } else {
    answer(table(all, options.format == Format::Wide));
  }
  return ExitStatus::Ok;
}

ExitStatus print_kind(Client& client, const Options& options, Kind kind) {
  if (kind == Kind::PersistentVolumes)
    return print_list(options, volume_names, client.persistent_volumes(), persistent_volume_json,
                      persistent_volume_table);
  if (kind == Kind::Classes)
    return print_list(options, class_names, client.storage_classes(), storage_class_json,
                      storage_class_table);
  if (kind == Kind::Snapshots)
    return print_list(options, snapshot_names, ask_snapshots(client, options, Scope::One), snapshot_json,
                      [&](const std::vector<VolumeSnapshotStatus>& snapshots, bool is_wide) {
                        return snapshot_table(snapshots, options.all_namespaces, is_wide);
                      });
  return print_list(options, claim_names, ask_claims(client, options, Scope::One), claim_json,
                    [&](const std::vector<ClaimStatus>& claims, bool is_wide) {
                      return claim_table(claims, options.all_namespaces, is_wide);
                    });
}

}  // namespace

bool is_storage(Kind kind) {
  return kind == Kind::Claims || kind == Kind::PersistentVolumes || kind == Kind::Classes ||
         kind == Kind::Snapshots;
}

Result<ObjectReference> parse_object_reference(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash + 1 == text.size())
    return usage_error("\"" + text + "\" is not of the form KIND/NAME");
  const std::optional<Kind> kind = kind_of(text.substr(0, slash));
  if (!kind) return usage_error("\"" + text.substr(0, slash) + "\" is not a kind; " + kinds_text());
  return ObjectReference{*kind, text.substr(slash + 1)};
}

Result<std::vector<ClaimStatus>> ask_claims(Client& client, const Options& options, Scope scope) {
  MOORING_TRY(std::vector<ClaimStatus> claims, client.claims());
  if (!is_about_all(options, scope))
    std::erase_if(claims,
                  [&](const ClaimStatus& claim) { return claim.name_space.str() != options.name_space; });
  return claims;
}

Result<std::vector<VolumeSnapshotStatus>> ask_snapshots(Client& client, const Options& options, Scope scope) {
  MOORING_TRY(std::vector<VolumeSnapshotStatus> snapshots, client.snapshots());
  if (!is_about_all(options, scope))
    std::erase_if(snapshots, [&](const VolumeSnapshotStatus& snapshot) {
      return snapshot.name_space.str() != options.name_space;
    });
  return snapshots;
}

Storage ask_storage(Client& client, const Options& options, Scope scope) {
  Storage storage;
  if (auto claims = ask_claims(client, options, scope)) storage.claims = std::move(claims).value();
  if (auto volumes = client.persistent_volumes()) storage.volumes = std::move(volumes).value();
  if (auto snapshots = ask_snapshots(client, options, scope))
    storage.snapshots = std::move(snapshots).value();
  return storage;
}

const ClaimStatus* find_claim(const std::vector<ClaimStatus>& claims, const PodStatus& pod,
                              const VolumeStatus& volume) {
  if (volume.claim.empty()) return nullptr;
  for (const ClaimStatus& claim : claims) {
    if (claim.name_space == pod.name_space && claim.name.str() == volume.claim) return &claim;
  }
  return nullptr;
}

void append_storage(Json& json, Client& client) {
  json["claims"] = Json::array();
  json["persistentVolumes"] = Json::array();
  json["storageClasses"] = Json::array();
  json["volumeSnapshots"] = Json::array();
  if (const auto snapshots = client.snapshots()) {
    for (const VolumeSnapshotStatus& each : snapshots.value())
      json["volumeSnapshots"].push_back(snapshot_json(each));
  }
  if (const auto claims = client.claims()) {
    for (const ClaimStatus& claim : claims.value())
      json["claims"].push_back(claim_json(claim));
  }
  if (const auto volumes = client.persistent_volumes()) {
    for (const PersistentVolumeStatus& volume : volumes.value())
      json["persistentVolumes"].push_back(persistent_volume_json(volume));
  }
  if (const auto classes = client.storage_classes()) {
    for (const StorageClassStatus& each : classes.value())
      json["storageClasses"].push_back(storage_class_json(each));
  }
}

ExitStatus get_storage(const Options& options, Kind kind) {
  const auto client = connect(options);
  if (!client) return fail(client.error());
  return once_or_watch(*client.value(), options, [&] { return print_kind(*client.value(), options, kind); });
}

}  // namespace mooring::ctl
