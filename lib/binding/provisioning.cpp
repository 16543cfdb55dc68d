#include "binding/provisioning.h"

#include "base/quote.h"
#include "binding/copies.h"
#include "binding/words.h"

namespace mooring {
namespace {

using manifest::PersistentVolume;
using manifest::ReclaimPolicy;
using manifest::StorageClass;
using State = LedgerVolume::State;

constexpr const char* no_provisioner = "kubernetes.io/no-provisioner";
constexpr const char* add_volume =
    "put a manifest of a PersistentVolume that fits there, or change the claim";

Provision refused(std::string reason, std::string message, std::string action, bool is_warning = true) {
  return {std::nullopt, {std::move(reason), std::move(message), std::move(action), is_warning}};
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "" : ", ") + name;
  return text;
}

ObjectName volume_name(const LedgerClaim& row) {
  return ObjectName("pvc-" + row.claim.uid);
}

/// Why the class makes nothing for the claim, whatever its provisioner would say.
std::optional<Provision> refused_before(const Draft& draft, const LedgerClaim& row,
                                        const ClaimClass& claim_class) {
  const manifest::PersistentVolumeClaim& claim = row.claim;
  if (claim.has_selector) {
    return refused("FailedBinding",
                   "no PersistentVolume fits, and none is made for a claim that has a selector",
                   "label a PersistentVolume as the selector asks, or take the selector away");
  }
  if (claim_class.storage_class == nullptr && claim_class.name.empty()) {
    return refused("FailedBinding",
                   "no persistent volumes available for this claim and no storage class is set", add_volume);
  }
  const std::string& name =
      claim_class.storage_class ? claim_class.storage_class->name.str() : claim_class.name;
  // A class that cannot be read may be the one that is meant, or the default.
  if ((claim_class.storage_class == nullptr || claim_class.is_built_in) &&
      draft.objects().may_hold_class(ObjectName(name))) {
    return refused("ManifestUnreadable", "its class may be in a manifest that cannot be read",
                   "correct the manifests that `mooringctl status` names");
  }
  if (claim_class.storage_class == nullptr) {
    return refused("ProvisioningFailed", "storageclass.storage.k8s.io " + quoted(name) + " not found",
                   "put a manifest of the StorageClass there, or let the claim name another");
  }
  const StorageClass& storage_class = *claim_class.storage_class;
  if (storage_class.provisioner == no_provisioner) {
    return refused("FailedBinding",
                   "no PersistentVolume of the class " + quoted(name) + " fits, and the class makes none",
                   add_volume);
  }
  if (draft.world().provisioners.find(storage_class.provisioner) == nullptr) {
    const Provisioners& provisioners = draft.world().provisioners;
    const std::string why = provisioners.why_not(storage_class.provisioner);
    const std::string of = "the class " + quoted(name) + " is of ";
    if (!why.empty()) {
      return refused("ExternalProvisioning", of + why,
                     "see `mooringctl describe driver " + storage_class.provisioner +
                         "`; start its controller service on this node, or use another class");
    }
    return refused(
        "ExternalProvisioning",
        of + "the provisioner " + quoted(storage_class.provisioner) +
            ", which is none of those that there are: " + list_of(provisioners.names()),
        "start the CSI driver of that name, which is waited for; or give the class one of these; or "
        "name its NFS export in the configuration (nfsProvisioners)");
  }
  if (storage_class.reclaim_policy == ReclaimPolicy::Recycle) {
    return refused("ProvisioningFailed",
                   "the class " + quoted(name) + " has the reclaimPolicy Recycle, which no class may have",
                   "write Delete or Retain");
  }
  // Once one is made the claim never gets the one that was meant for it, with its data.
  if (draft.objects().may_hold_some_volume()) {
    return refused(
        "ManifestUnreadable",
        "a PersistentVolume for it may be in a manifest that cannot be read; none is made until then",
        "correct the manifests that `mooringctl status` names");
  }
  return std::nullopt;
}

/// The claim has the uid of an earlier one, and what was made for that one stays; nullopt: it is removed by
/// itself.
std::optional<Provision> refused_for_kept(const LedgerVolume& before) {
  const std::string& name = before.volume->name.str();
  const bool is_kept =
      before.state == State::Released && before.volume->reclaim_policy == ReclaimPolicy::Retain;
  if (is_kept || before.state == State::Failed) {
    return refused("FailedBinding", "what was made for an earlier claim of its uid is kept as volume " + name,
                   "look at what it holds; then `mooringctl release pv/" + name +
                       "` gives it to this claim if it fits. Or give the claim another metadata.uid");
  }
  if (before.state == State::Available) {
    return refused(
        "FailedBinding",
        "the volume " + name + " that was made for an earlier claim of its uid is free, but does not fit it",
        "change the claim so that it fits, and name it in spec.volumeName; `mooringctl explain` says what "
        "differs. Or give the claim another metadata.uid");
  }
  return std::nullopt;
}

/// The volume with what the provisioner did not say.
LedgerVolume row_of(ProvisionedVolume made, const LedgerClaim& row, const StorageClass& storage_class,
                    const ObjectName& name) {
  PersistentVolume& volume = made.volume;
  volume.name = name;
  volume.claim = manifest::ClaimReference{row.claim.key, row.claim.uid};
  volume.storage_class = storage_class.name.str();
  volume.reclaim_policy = storage_class.reclaim_policy;
  volume.volume_mode = row.claim.volume_mode;
  if (volume.access_modes.empty()) {
    volume.access_modes = row.claim.access_modes;
    volume.first_access_mode = row.claim.first_access_mode;
  }
  if (volume.mount_options.empty()) volume.mount_options = storage_class.mount_options;
  if (volume.capacity < row.claim.request) volume.capacity = row.claim.request;
  volume.annotations.try_emplace("pv.kubernetes.io/provisioned-by", storage_class.provisioner);
  LedgerVolume result;
  result.volume = std::make_shared<const PersistentVolume>(std::move(volume));
  result.state = State::Provisioning;
  result.was_chosen = true;
  result.provisioner = storage_class.provisioner;
  result.parameters = std::move(made.parameters);
  return result;
}

/// What the provisioner itself says.
Provision asked(const Draft& draft, const LedgerClaim& row, const StorageClass& storage_class,
                const std::string& token) {
  const BindingWorld& world = draft.world();
  const ObjectName name = volume_name(row);
  const Provisioner& provisioner = *world.provisioners.find(storage_class.provisioner);
  const Result<CsiContentSource> source = content_source_of(draft, row.claim, storage_class.provisioner);
  if (!source) return refused("ProvisioningFailed", source.error().message, source.error().remedy);
  Result<ProvisionedVolume> made = provisioner.provision(
      {row.claim, storage_class, name, world.node, world.root_dir, token, source.value()});
  if (!made) return refused("ProvisioningFailed", made.error().message, made.error().remedy);
  return {row_of(std::move(made).value(), row, storage_class, name), {}};
}

}  // namespace

Provision provision_for(const Draft& draft, const LedgerClaim& row, const ClaimClass& claim_class) {
  if (auto refusal = refused_before(draft, row, claim_class)) return *std::move(refusal);
  const ObjectName name = volume_name(row);
  if (const LedgerVolume* before = draft.find(name)) {
    if (auto refusal = refused_for_kept(*before)) return *std::move(refusal);
    return refused("Provisioning", "what was made before as volume " + name.str() + " is to be removed first",
                   "", false);
  }
  if (draft.objects().find_persistent_volume(name) != nullptr) {
    return refused("ProvisioningFailed",
                   "a manifest has a PersistentVolume of the name " + name.str() + " that it is to get",
                   "take that manifest away, or name the volume in the claim's spec.volumeName");
  }
  return asked(draft, row, *claim_class.storage_class, {});
}

void begin_provisioning(Draft& draft, const ObjectKey& claim, LedgerVolume volume) {
  LedgerClaim& row = draft.change(claim);
  row.volume = volume.volume->name;
  row.is_bound = false;
  row.is_lost = false;
  row.was_chosen = true;
  row.claim.storage_class = volume.volume->storage_class;
  const ObjectName name = row.volume;
  volume.parameters[token_parameter] = draft.drawn_token();
  draft.tell(false, "Provisioning", event_object(claim),
             "the volume " + name.str() + " is made for it by " + volume.provisioner);
  draft.put(name, std::move(volume));
}

void give_up_failed(Draft& draft, const ObjectKey& claim, const ClaimClasses& classes) {
  const LedgerClaim& row = *draft.find(claim);
  if (row.volume.empty() || row.is_bound) return;
  const LedgerVolume* volume = draft.find(row.volume);
  if (volume == nullptr || volume->state != State::Provisioning || volume->message.empty()) return;
  const ClaimClass claim_class = classes.of(row.claim);
  if (claim_class.storage_class == nullptr || refused_before(draft, row, claim_class)) return;
  const auto token = volume->parameters.find(token_parameter);
  Provision fresh = asked(draft, row, *claim_class.storage_class,
                          token == volume->parameters.end() ? std::string() : token->second);
  if (!fresh.volume) return;
  fresh.volume->message = volume->message;
  if (*fresh.volume == *volume) return;
  const ObjectName name = row.volume;
  draft.change(claim).volume = ObjectName();
  release(draft, name);
}

}  // namespace mooring
