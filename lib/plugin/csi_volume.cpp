#include "plugin/csi_volume.h"

#include <algorithm>

#include "base/quote.h"
#include "csi/errors.h"
#include "csi/names.h"
#include "csi/requests.h"
#include "csi/volume_data.h"
#include "facts/csi_growth.h"
#include "plugin/csi_objects.h"
#include "plugin/csi_shapes.h"
#include "step/csi_layout.h"
#include "step/layout.h"

namespace mooring {
namespace {

using manifest::AccessMode;
using manifest::CsiSource;
using Secrets = std::map<std::string, SecretBytes>;

/// An fsType that a driver is told as a raw device by, though the volume is a directory: the kubelet's way.
constexpr std::string_view block_type = "block";

csi::ClaimedAccess claimed(AccessMode mode) {
  switch (mode) {
    case AccessMode::ReadWriteOnce:
      return csi::ClaimedAccess::ReadWriteOnce;
    case AccessMode::ReadOnlyMany:
      return csi::ClaimedAccess::ReadOnlyMany;
    case AccessMode::ReadWriteMany:
      return csi::ClaimedAccess::ReadWriteMany;
    case AccessMode::ReadWriteOncePod:
      break;
  }
  return csi::ClaimedAccess::ReadWriteOncePod;
}

/// One recipe, put together.
class Maker {
 public:
  Maker(const RecipeRequest& request, const CsiSetting& setting)
      : request_(request),
        setting_(setting),
        source_(std::get<CsiSource>(request.volume.source)),
        spec_(setting.spec.value_or(CsiDriverSpec())),
        is_inline_(request.persistent == nullptr),
        is_block_(request.mode == manifest::VolumeMode::Block),
        // A PersistentVolume's own readOnly is a word for whoever attaches it.
        read_only_(request.read_only || (is_inline_ && source_.read_only)) {}

  Result<Recipe> run() {
    MOORING_TRY(look_up());
    MOORING_TRY(check_lifecycle());
    capability_ = capability();
    MOORING_TRY(publish_secrets_, csi_secrets_of(publish_secret(), "NodePublishSecretRef", request_.objects));
    if (spec_.wants_tokens) {
      MOORING_TRY(tokens_, csi_tokens_of(volume_.driver, spec_, publish_secrets_));
    }
    MOORING_TRY(look_up_growth());
    Recipe recipe;
    recipe.directory = request_.directory_name();
    recipe.publish.lane = Lane::Own;
    recipe.publish.up.emplace_back(
        MakePodDirectory{request_.pod.uid, request_.pod.key.name_space, request_.pod.key.name});
    recipe.publish.up.emplace_back(published(recipe));
    if (!is_inline_) {
      MOORING_TRY(recipe.device, shared());
      if (!driver_->node.stage_unstage && wants_growth_ && driver_->node.expand)
        recipe.publish.up.emplace_back(growth(!is_growth_due()));
    }
    recipe.is_republished = spec_.requires_republish;
    recipe.has_own_group =
        !capability_.volume_mount_group.empty() ||
        !gets_group(spec_.group_policy, source_.file_system_type, access_modes(), read_only_);
    return recipe;
  }

 private:
  Result<void> look_up() {
    const DriverName name(source_.driver);
    if (!layout::is_csi_driver_element(name))
      return refusal("InvalidDriverName", mooring::quoted(name.str()) + " cannot be the name of a CSI driver",
                     "");
    volume_.driver = name;
    volume_.handle =
        is_inline_ ? csi::inline_handle(request_.pod.uid, request_.volume.name) : source_.volume_handle;
    const bool is_bad_block = is_block_ && !layout::is_csi_block_element(request_.directory_name());
    if (volume_.handle.empty() || is_bad_block)
      return refusal(
          "InvalidVolumeHandle",
          "PersistentVolume " + mooring::quoted(request_.directory_name().str()) +
              (is_bad_block ? " cannot be the name of a raw device's directory" : " has no volumeHandle"),
          is_bad_block ? "give it another name" : "set csi.volumeHandle");
    driver_ = request_.drivers.find_csi(name);
    if (driver_ == nullptr) return csi::not_registered(name);
    volume_.socket = driver_->socket;
    volume_.deadline_ms = csi::call_deadline_ms;
    return success();
  }

  /// Of a driver without an object it is known that it has persistent volumes, and no more.
  Result<void> check_lifecycle() const {
    if (is_inline_ ? spec_.allows_ephemeral : spec_.allows_persistent) return success();
    const std::string why =
        setting_.spec ? std::string("only supports [\"") + (is_inline_ ? "Persistent" : "Ephemeral") + "\"]"
                      : std::string("no CSIDriver object");
    return refusal("LifecycleUnsupported",
                   std::string("volume mode \"") + (is_inline_ ? "Ephemeral" : "Persistent") +
                       "\" not supported by driver " + source_.driver + " (" + why + ")",
                   is_inline_ ? "use a claim, or a CSIDriver object whose volumeLifecycleModes name Ephemeral"
                              : "put the volume into the pod itself (csi)");
  }

  std::set<AccessMode> access_modes() const {
    if (is_inline_ || request_.persistent->access_modes.empty()) return {AccessMode::ReadWriteOnce};
    return request_.persistent->access_modes;
  }

  csi::ClaimedAccess claimed_access() const {
    const std::set<AccessMode> modes = access_modes();
    return claimed(is_inline_ ? *modes.begin()
                              : request_.persistent->first_access_mode.value_or(*modes.begin()));
  }

  CsiCapability capability() const {
    CsiCapability capability;
    capability.access_mode = csi::access_mode(claimed_access(), driver_->node.single_node_multi_writer);
    capability.is_block = is_block_ || source_.file_system_type == block_type;
    if (capability.is_block) return capability;
    capability.fs_type = source_.file_system_type;
    // As they are written: a driver may tell flags by their order ("--mode", "0777"), and get some twice.
    if (!is_inline_) capability.mount_flags = request_.persistent->mount_options;
    const auto& group = request_.pod.security.fs_group;
    if (group && driver_->node.volume_mount_group) capability.volume_mount_group = std::to_string(*group);
    return capability;
  }

  std::optional<ObjectKey> publish_secret() const {
    if (!is_inline_) return source_.node_publish_secret;
    if (source_.publish_secret_name.empty()) return std::nullopt;
    return ObjectKey{request_.pod.key.name_space, ObjectName(source_.publish_secret_name)};
  }

  /// A Secret that is missing keeps the volume from growing, and from being used only if somebody waits for
  /// its growth: a kubelet looks for it when there is something to grow.
  Result<void> look_up_growth() {
    wants_growth_ = !is_inline_ && !read_only_ && request_.persistent->capacity.rounded_up() > 0;
    if (!wants_growth_ || !driver_->node.expand) return success();
    Result<Secrets> found =
        csi_secrets_of(source_.node_expand_secret, "NodeExpandSecretRef", request_.objects);
    if (found) {
      expand_secrets_ = std::move(found).value();
      return success();
    }
    if (is_growth_due()) return std::move(found).error();
    wants_growth_ = false;
    return success();
  }

  bool is_said_of_growth(const char* what) const {
    const auto said = request_.persistent->annotations.find(node_expansion);
    return said != request_.persistent->annotations.end() && said->second == what;
  }
  /// The driver made the volume larger and left the rest to the node, for which the claim waits.
  bool is_growth_due() const { return is_said_of_growth(node_expansion_required); }
  /// The driver made the volume larger, and said that the node has nothing to do.
  bool is_grown() const { return is_said_of_growth(node_expansion_done); }

  std::string staged_path() const {
    return is_block_ ? layout::csi_block_staged(request_.directory_name())
                     : layout::csi_staged(volume_.driver, volume_.handle);
  }
  /// Empty: the driver does not stage, and is told of no such path.
  std::string told_staged_path() const {
    return !is_inline_ && driver_->node.stage_unstage ? staged_path() : std::string();
  }
  std::string target_path() const {
    return is_block_ ? layout::csi_block_target(request_.directory_name(), request_.pod.uid)
                     : layout::csi_target(request_.pod.uid, request_.directory_name());
  }

  /// True if Mooring has the volume attached, by the driver's controller. A controller that does not attach
  /// needs no call, as for external-attacher.
  bool is_attached_here() const {
    return spec_.attach_required && !request_.node.others_attach && driver_->controller &&
           driver_->controller->publish_unpublish_volume;
  }
  /// As others say; the core has what Mooring's own call answered.
  std::map<std::string, std::string> publish_context() const {
    return is_inline_ || is_attached_here() ? std::map<std::string, std::string>() : setting_.publish_context;
  }

  Result<PublishCsiController> attached() const {
    PublishCsiController attach;
    attach.volume = volume_;
    attach.volume.socket = driver_->controller_endpoint();
    attach.node_id = driver_->node_id;
    attach.capability = capability_;
    attach.capability.volume_mount_group.clear();  // A pod's own.
    attach.capability.access_mode =
        csi::access_mode(claimed_access(), driver_->controller->single_node_multi_writer);
    attach.read_only = source_.read_only && driver_->controller->publish_read_only;
    attach.volume_context = source_.attributes;
    attach.secret = source_.controller_publish_secret;
    MOORING_TRY(attach.secrets,
                csi_secrets_of(attach.secret, "ControllerPublishSecretRef", request_.objects));
    attach.stamp = layout::csi_attachment({volume_.driver, volume_.handle});
    attach.staged_path = staged_path();
    return attach;
  }

  ExpandCsiVolume growth(bool may_be_refused) const {
    ExpandCsiVolume expand;
    expand.volume = volume_;
    expand.staged_path = told_staged_path();
    expand.path = expand.staged_path.empty() ? target_path() : expand.staged_path;
    expand.required_bytes = static_cast<std::uint64_t>(request_.persistent->capacity.rounded_up());
    expand.may_be_refused = may_be_refused;
    expand.is_supported = driver_->node.expand;
    expand.capability = capability_;
    expand.secrets = expand_secrets_;
    return expand;
  }

  Result<DeviceRecipe> shared() const {
    DeviceRecipe device;
    device.key = layout::csi_key({volume_.driver, volume_.handle});
    device.device = {DeviceName::Kind::Csi, volume_.driver.str() + "^" + volume_.handle};
    device.staged_path = staged_path();
    device.waits_for = setting_.waits_for;
    if (is_attached_here()) {
      MOORING_TRY(PublishCsiController attach, attached());
      device.attach = {{std::move(attach)}, Lane::Own};
    }
    StageCsiVolume stage;
    stage.volume = volume_;
    stage.path = device.staged_path;
    stage.data = is_block_ ? layout::csi_block_data(request_.directory_name())
                           : layout::csi_staged_data(volume_.driver, volume_.handle);
    stage.calls_driver = driver_->node.stage_unstage;
    if (stage.calls_driver) {
      stage.capability = capability_;
      stage.publish_context = publish_context();
      stage.volume_context = source_.attributes;
      MOORING_TRY(stage.secrets,
                  csi_secrets_of(source_.node_stage_secret, "NodeStageSecretRef", request_.objects));
    }
    device.stage.lane = Lane::Own;
    device.stage.up.emplace_back(std::move(stage));
    if (!wants_growth_) return device;
    device.capacity_bytes = static_cast<std::uint64_t>(request_.persistent->capacity.rounded_up());
    if (driver_->node.stage_unstage && driver_->node.expand)
      device.stage.up.emplace_back(growth(!is_growth_due()));
    if (!is_grown()) device.grow = {{growth(false)}, Lane::Own};
    return device;
  }

  PublishCsiVolume published(Recipe& recipe) const {
    const manifest::Pod& pod = request_.pod;
    PublishCsiVolume publish;
    publish.volume = volume_;
    publish.path = target_path();
    publish.staged_path = told_staged_path();
    publish.read_only = read_only_;
    publish.capability = capability_;
    publish.publish_context = publish_context();
    publish.volume_context = source_.attributes;
    if (spec_.pod_info_on_mount) {
      const std::string account = pod.service_account.empty() ? "default" : pod.service_account;
      csi::add_pod_info({pod.key.name.str(), pod.key.name_space.str(), pod.uid.str(), account, is_inline_},
                        publish.volume_context);
    }
    publish.secrets = publish_secrets_;
    publish.tokens = tokens_;
    if (is_block_) {
      recipe.presence = Presence::Device;
      const std::string link = layout::device(pod.uid, layout::csi_plugin(), recipe.directory);
      recipe.path = request_.node.root_dir + "/" + link;
      publish.map = CsiDeviceMap{layout::csi_block_map(recipe.directory) + "/" + pod.uid.str(), link};
      return publish;
    }
    recipe.presence = Presence::DriverMount;
    recipe.driver_shape = std::string(is_inline_ ? ephemeral_shape : persistent_shape) + volume_.driver.str();
    recipe.path = request_.node.root_dir + "/" + publish.path;
    publish.data = layout::csi_target_data(pod.uid, recipe.directory);
    publish.data_text =
        csi::encode_volume_data({volume_.driver, volume_.handle, recipe.directory, request_.node.name,
                                 csi::attachment_id(volume_.handle, volume_.driver, request_.node.name),
                                 is_inline_ ? "Ephemeral" : "Persistent"});
    return publish;
  }

  const RecipeRequest& request_;
  const CsiSetting& setting_;
  const CsiSource& source_;
  const CsiDriverSpec spec_;
  const bool is_inline_;
  const bool is_block_;
  const bool read_only_;
  const CsiDriver* driver_ = nullptr;
  CsiVolume volume_;
  CsiCapability capability_;
  Secrets publish_secrets_;
  SecretBytes tokens_;
  bool wants_growth_ = false;
  Secrets expand_secrets_;
};

}  // namespace

bool gets_group(CsiGroupPolicy policy, const std::string& fs_type, const std::set<AccessMode>& modes,
                bool read_only) {
  if (read_only) return false;
  switch (policy) {
    case CsiGroupPolicy::None:
      return false;
    case CsiGroupPolicy::File:
      return true;
    case CsiGroupPolicy::ReadWriteOnceWithFsType:
      break;
  }
  return !fs_type.empty() &&
         (modes.contains(AccessMode::ReadWriteOnce) || modes.contains(AccessMode::ReadWriteOncePod));
}

Result<Recipe> csi_volume_recipe(const RecipeRequest& request, const CsiSetting& setting) {
  return Maker(request, setting).run();
}

PluginName CsiPlugin::name() const {
  return layout::csi_plugin();
}

PluginSupport CsiPlugin::support() const {
  PluginSupport support;
  support.mount_options = true;
  support.fs_group = true;
  support.fs_group_policy = true;
  support.block_mode = true;
  support.selinux_relabel = true;
  return support;
}

bool CsiPlugin::takes(const manifest::VolumeSource& source) const {
  const auto* csi = std::get_if<CsiSource>(&source);
  return csi != nullptr && csi->driver != manifest::block_driver;
}

Result<Recipe> CsiPlugin::recipe(const RecipeRequest& request) const {
  const DriverName driver(std::get<CsiSource>(request.volume.source).driver);
  return csi_volume_recipe(request, csi_setting_of(request, driver));
}

std::optional<VolumeKey> CsiPlugin::device_key(const manifest::PersistentVolume& volume) const {
  const auto* csi = std::get_if<CsiSource>(&volume.source);
  if (csi == nullptr || csi->volume_handle.empty()) return std::nullopt;
  return layout::csi_key({DriverName(csi->driver), csi->volume_handle});
}

}  // namespace mooring
