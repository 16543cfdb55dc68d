#include "core/attachments.h"

#include <algorithm>
#include <set>
#include <variant>

#include "plugin/csi_objects.h"
#include "plugin/flex_device.h"
#include "step/csi_layout.h"

namespace mooring {

void note_attach(ActualDevice& device, DeviceWork& work, const Stage& attach) {
  work.was_attached = device.attachment.has_value();
  for (const Step& step : attach.up) {
    const auto* call = std::get_if<PublishCsiController>(&step);
    if (call == nullptr) continue;
    device.attachment = CsiAttachment{call->volume.driver, call->volume.handle, call->node_id, call->secret,
                                      call->staged_path};
  }
}

void keep_node(const ActualDevice& device, const DeviceWork& work, const ActualState& actual, Stage& attach) {
  if (!device.attachment) return;
  const bool is_up =
      device.may_be_staged ||
      std::any_of(work.users.begin(), work.users.end(), [&](const PodVolumeKey& user) {
        const ActualPod* pod = actual.find(user.pod);
        const ActualVolume* volume = pod == nullptr ? nullptr : pod->find(user.volume);
        return volume != nullptr && volume->device == device.key && volume->state != PublishState::Absent;
      });
  if (!is_up) return;
  for (Step& step : attach.up) {
    if (auto* call = std::get_if<PublishCsiController>(&step)) call->node_id = device.attachment->node_id;
  }
}

bool leaves_staged(const Error& error) {
  return error.kind == ErrorKind::Uncertain || error.reason == "ExpandFailed";
}

bool lacks_answer(const ActualDevice& device, const DeviceRecipe& recipe) {
  return !device.publish_context &&
         std::any_of(recipe.attach.up.begin(), recipe.attach.up.end(),
                     [](const Step& step) { return std::holds_alternative<PublishCsiController>(step); });
}

void attach_ended(ActualDevice& device, const DeviceWork& work, const Outcome& outcome) {
  if (!outcome.error) {
    const auto* answered = outcome.csi_made ? std::get_if<CsiPublishContext>(&*outcome.csi_made) : nullptr;
    device.publish_context = answered != nullptr ? std::optional(answered->values)
                                                 : std::optional<std::map<std::string, std::string>>();
    return;
  }
  // As the worker does with its stamp: nothing was attached, and nothing is to be detached.
  if (outcome.error->kind != ErrorKind::Uncertain && !work.was_attached) device.attachment.reset();
}

void note_growth(ActualDevice& device, DeviceWork& work, const Outcome& outcome) {
  const bool was_too_busy = work.too_busy_for_bytes != 0;
  const bool is_too_busy = was_too_busy_to_grow(outcome);
  work.too_busy_for_bytes = is_too_busy ? work.staging_capacity_bytes : 0;
  if (is_too_busy && !outcome.warnings.empty()) work.warning = outcome.warnings.back();
  if (is_too_busy) return;
  if (was_too_busy) work.warning.clear();
  device.capacity_bytes = std::max(device.capacity_bytes, work.staging_capacity_bytes);
}

void add_publish_context(const ActualDevice* device, std::vector<Step>& steps) {
  if (device == nullptr || !device->publish_context) return;
  for (Step& step : steps) {
    if (auto* stage = std::get_if<StageCsiVolume>(&step)) stage->publish_context = *device->publish_context;
    if (auto* publish = std::get_if<PublishCsiVolume>(&step))
      publish->publish_context = *device->publish_context;
  }
}

void note_staged(const ActualDevice& device, std::vector<Step>& steps) {
  for (Step& step : steps) {
    if (auto* stage = std::get_if<StageCsiVolume>(&step)) stage->may_be_there = device.may_be_staged;
  }
}

void note_published(const ActualVolume& volume, std::vector<Step>& steps) {
  for (Step& step : steps) {
    if (auto* publish = std::get_if<PublishCsiVolume>(&step)) publish->may_be_there = volume.may_be_published;
  }
}

Result<void> add_detach_secrets(const ActualDevice& device, const ObjectStore& objects,
                                std::vector<Step>& steps) {
  for (Step& step : steps) {
    auto* detach = std::get_if<UnpublishCsiController>(&step);
    if (detach == nullptr || !device.attachment) continue;
    MOORING_TRY(detach->secrets,
                csi_secrets_of(device.attachment->secret, "ControllerPublishSecretRef", objects));
  }
  return success();
}

namespace {

/// A volume of a pod, which may be one that only the disk tells of.
void adopt_published(const layout::VolumePath& place, const VolumeKey& key, ActualState& actual) {
  ActualPod* pod = actual.find(place.pod);
  if (pod == nullptr) return;
  for (ActualVolume& volume : pod->volumes) {
    if (volume.plugin == place.plugin && volume.directory == place.directory && volume.device.empty())
      volume.found_device = key;
  }
}

/// A volume that a FlexVolume driver attached. False: it is none of that.
bool adopt_flex(const CsiAttachment& attachment, const MountTable& mounts, const std::string& root_dir,
                ActualState& actual) {
  const VolumeKey key(attachment.driver.str() + "/" + attachment.handle);
  const auto device = parse_flex_key(key);
  if (!device || attachment.staged_path != layout::flex_staged(device->plugin, device->element)) return false;
  if (actual.find_device(key) != nullptr) return true;
  if (mounts.top_at(root_dir + "/" + attachment.staged_path) != nullptr) return true;
  ActualDevice& adopted = actual.ensure_device(key);
  adopted.plugin = device->plugin;
  adopted.is_uncertain = true;
  adopted.may_be_staged = true;
  return true;
}

}  // namespace

void adopt_attachments(const std::vector<CsiAttachment>& attachments, const MountTable& mounts,
                       const std::string& root_dir, ActualState& actual) {
  std::set<VolumeKey> adopted;
  for (const CsiAttachment& attachment : attachments) {
    if (adopt_flex(attachment, mounts, root_dir, actual)) continue;
    const VolumeKey key = layout::csi_key({attachment.driver, attachment.handle});
    if (const auto place = layout::parse_csi_target(attachment.staged_path)) {
      adopt_published(*place, key, actual);
      continue;
    }
    const bool is_attached = !attachment.node_id.empty();
    if (!is_attached && mounts.top_at(root_dir + "/" + attachment.staged_path) != nullptr) continue;
    ActualDevice& device = actual.ensure_device(key);
    if (is_attached) device.attachment = attachment;
    // Without a record this is all there is to know, also if manifests were read first, which ask for it.
    if (device.is_recorded || !adopted.insert(key).second) continue;
    device.plugin = layout::csi_plugin();
    device.name = {DeviceName::Kind::Csi, attachment.driver.str() + "^" + attachment.handle};
    device.staged_path = attachment.staged_path;
    device.is_uncertain = true;
    device.may_be_staged = true;
  }
}

bool may_have_nameless_users(const ActualDevice& device) {
  if (device.plugin == layout::csi_plugin()) return device.attachment || !device.is_recorded;
  return !device.is_recorded && parse_flex_key(device.key);
}

bool has_nameless_volume(const ActualDevice& device, const ActualState& actual,
                         const std::map<PodUid, PodWork>& work) {
  const auto is_held_up = [&](const PodUid& uid, const ActualVolume& volume) {
    const auto pod = work.find(uid);
    const VolumeWork* found = pod == work.end() ? nullptr : pod->second.find(volume.name);
    return found != nullptr && found->failure;
  };
  const auto flex = parse_flex_key(device.key);
  return std::any_of(actual.pods().begin(), actual.pods().end(), [&](const auto& pod) {
    const std::vector<ActualVolume>& volumes = pod.second.volumes;
    return std::any_of(volumes.begin(), volumes.end(), [&](const ActualVolume& volume) {
      const bool is_nameless = volume.plugin == device.plugin && volume.device.empty() &&
                               volume.shape.empty() && volume.state != PublishState::Absent;
      if (!is_nameless) return false;
      if (flex) return volume.directory.str() == flex->volume;
      if (!volume.found_device.empty()) return volume.found_device == device.key;
      return !is_held_up(pod.first, volume);
    });
  });
}

bool is_in_use(const ActualDevice& device, const ObjectStore& objects) {
  const auto name = layout::parse_csi_key(device.key);
  if (device.plugin != layout::csi_plugin() || !name) return false;
  const auto driver = objects.find_csi_driver(ObjectName(name->driver.str()));
  return driver == nullptr || driver->attach_required || device.attachment.has_value();
}

}  // namespace mooring
