#include "csi_driver.h"

#include <iterator>
#include <utility>

#include "csi/errors.h"
#include "csi/requests.h"
#include "driver_json.h"

namespace mooring::sim {
namespace {

using kernel::DriverAnswer;
using nlohmann::json;

}  // namespace

CsiDriverTruth::CsiDriverTruth(std::string name, bool can_stage, kernel::FakeKernel& kernel, Random& random,
                               std::function<void(const std::string&)> trace)
    : name_(std::move(name)),
      can_stage_(can_stage),
      kernel_(kernel),
      random_(random),
      trace_(std::move(trace)),
      mounts_(kernel) {
  start();
}

CsiDriverTruth::Request CsiDriverTruth::read(const std::string& method, const std::string& text) {
  const json object = json::parse(text);
  Request request{method,
                  text_at(object, "volume_id"),
                  text_at(object, "staging_target_path"),
                  text_at(object, "target_path"),
                  text_at(object, "volume_path"),
                  false};
  const auto capability = object.find("volume_capability");
  request.is_block = capability != object.end() && capability->contains("block");
  return request;
}

Result<DriverAnswer> CsiDriverTruth::call(const kernel::DriverCall& call) {
  ++calls;
  const bool is_controller_call =
      call.method.starts_with("csi.v1.Controller/") && !call.method.ends_with("Capabilities");
  if (controller_ != nullptr && is_controller_call)
    return controller_->call(call.method, std::string(call.request.expose_secret()), mood, is_hung_);
  const bool is_node_call = call.method.starts_with("csi.v1.Node/") &&
                            !call.method.ends_with("Capabilities") && !call.method.ends_with("GetInfo");
  if (is_node_call) return node_call(call.method, std::string(call.request.expose_secret()));
  if (is_hung_) {
    if (random_.chance(2)) throw kernel::FakeHang{};
    return DriverAnswer{CallCode::DeadlineExceeded, "context deadline exceeded", ""};
  }
  if (happens(mood.crash_one_in)) throw kernel::FakeCrash{};
  if (happens(mood.error_one_in)) return DriverAnswer{CallCode::Internal, "not yet", ""};
  if (happens(mood.garbage_one_in)) return DriverAnswer{CallCode::Ok, "", "\x01 no answer"};
  return identify(call.method);
}

DriverAnswer CsiDriverTruth::identify(const std::string& method) {
  if (method.ends_with("/GetInfo"))
    return ok({{"type", "CSIPlugin"},
               {"name", name_},
               {"endpoint", socket_},
               {"supported_versions", json::array({"1.0.0", "1.9.0"})}});
  if (method.ends_with("/NotifyRegistrationStatus")) return ok(json::object());
  if (method.ends_with("/GetPluginInfo")) return ok({{"name", name_}, {"vendor_version", vendor_version_}});
  if (method.ends_with("/GetPluginCapabilities")) {
    if (controller_ == nullptr) return ok(json::object());
    const auto has = [](const char* kind, const char* type) { return json({{kind, {{"type", type}}}}); };
    return ok({{"capabilities", {has("service", "CONTROLLER_SERVICE"), has("volume_expansion", "ONLINE")}}});
  }
  if (method.ends_with("/NodeGetInfo")) return ok({{"node_id", node_id_}});
  json capabilities = json::array();
  const auto add = [&](const char* type) { capabilities.push_back({{"rpc", {{"type", type}}}}); };
  if (method.ends_with("/ControllerGetCapabilities")) {
    add("CREATE_DELETE_VOLUME");
    if (controller_ != nullptr && controller_->attaches()) add("PUBLISH_UNPUBLISH_VOLUME");
    add("EXPAND_VOLUME");
    add("CREATE_DELETE_SNAPSHOT");
    add("CLONE_VOLUME");
    return ok({{"capabilities", capabilities}});
  }
  if (can_stage_) add("STAGE_UNSTAGE_VOLUME");
  add("EXPAND_VOLUME");
  add("GET_VOLUME_STATS");
  return ok({{"capabilities", capabilities}});
}

void CsiDriverTruth::accuse(const Request& request, const std::string& what) {
  if (broken_.empty())
    broken_ = name_ + " got " + request.method + " of volume " + request.handle + ", " + what;
}

void CsiDriverTruth::set_controller(CsiControllerTruth& controller) {
  controller_ = &controller;
  controller.on_made = [this](const std::string& handle) {
    handles.insert(handle);
    kernel_.put_server(source(handle), DriverMounts::type);
    kernel_.set_server_answers(source(handle), !is_hung_);
  };
  controller.use_on_node = [this](const std::string& handle) -> std::string {
    const Volume* volume = find(handle);
    if (volume == nullptr) return {};
    if (!volume->published.empty()) return "which is published at " + *volume->published.begin();
    if (!volume->staged.empty()) return "which is staged at " + *volume->staged.begin();
    const bool is_coming =
        volume->late_method == csi::stage_method || volume->late_method == csi::publish_method;
    return is_coming ? "which the node is just getting" : std::string();
  };
}

/// What has to be attached is on this node when its controller said so, and there is nothing to stage of what
/// is deleted.
void CsiDriverTruth::check_attached(const Request& request) {
  if (controller_ == nullptr) return;
  const CsiControllerTruth::Volume* volume = controller_->find(request.handle);
  if (volume == nullptr) return;
  if (volume->is_deleted) accuse(request, "which is deleted");
  if (controller_->attaches() && !volume->is_said) accuse(request, "which nobody said is attached");
}

/// What CSI promises to drivers (spec, "RPC interactions"): in what order they are called.
void CsiDriverTruth::check_order(const Request& request, const Volume& volume) {
  const bool is_publish = request.method == csi::publish_method;
  const bool is_late_publish = volume.late_method == csi::publish_method;
  if (!handles.contains(request.handle)) accuse(request, "which nobody asked for");
  if (request.method == csi::stage_method || is_publish) check_attached(request);
  if (request.method == csi::stage_method) {
    if (!can_stage_) accuse(request, "and cannot stage");
    if (!volume.staged.empty() && !volume.staged.contains(request.staging_path))
      accuse(request, "which is staged at another place: " + *volume.staged.begin());
  } else if (request.method == csi::unstage_method) {
    if (!can_stage_) accuse(request, "and cannot stage");
    if (!volume.published.empty()) accuse(request, "which is published at " + *volume.published.begin());
    if (is_late_publish) accuse(request, "which is just being published");
  } else if (is_publish && can_stage_ && !request.handle.starts_with("csi-")) {
    if (request.staging_path.empty()) accuse(request, "and is not told where it is staged");
    const bool is_staged =
        volume.staged.contains(request.staging_path) || volume.late_method == csi::stage_method;
    if (!is_staged) accuse(request, "which is not staged");
  } else if (is_publish && !request.staging_path.empty()) {
    accuse(request, "and is told where it is staged, which it cannot do");
  } else if (request.method == csi::expand_method) {
    if (volume.is_nothing()) accuse(request, "which is neither staged nor published");
  }
  if (request.method != csi::unpublish_method && request.method != csi::unstage_method)
    check_places(request, volume);
}

/// The caller makes the staging directory, and what the target is made in.
void CsiDriverTruth::check_places(const Request& request, const Volume&) {
  if (request.method == csi::stage_method && !mounts_.is_directory(request.staging_path))
    accuse(request, "and there is no " + request.staging_path);
  if (request.method != csi::publish_method) return;
  const std::string parent = request.target_path.substr(0, request.target_path.rfind('/'));
  if (!mounts_.is_directory(parent)) accuse(request, "and there is no " + parent);
}

Result<DriverAnswer> CsiDriverTruth::node_call(const std::string& method, const std::string& text) {
  constexpr CallCode refusals[] = {
      CallCode::Internal,           CallCode::NotFound, CallCode::InvalidArgument,
      CallCode::FailedPrecondition, CallCode::Unknown,  CallCode::ResourceExhausted,
      CallCode::PermissionDenied,   CallCode::Aborted,  CallCode::OutOfRange};
  constexpr CallCode losses[] = {CallCode::Unavailable, CallCode::DeadlineExceeded, CallCode::Cancelled};
  const auto lost = [&] {
    return DriverAnswer{losses[random_.below(std::size(losses))], "the answer is lost", ""};
  };
  const Request request = read(method, text);
  Volume& volume = volumes_[request.handle];
  check_order(request, volume);
  if (!volume.late_method.empty())
    return DriverAnswer{CallCode::Aborted, "still at " + volume.late_method, ""};
  const bool is_late = happens(mood.late_one_in);
  if (is_hung_ || is_late) {
    if (method != csi::stats_method && random_.chance(2)) {
      volume.late_method = method;
      volume.late_request = text;
    }
    if (is_hung_ && random_.chance(2)) throw kernel::FakeHang{};
    return DriverAnswer{CallCode::DeadlineExceeded, "context deadline exceeded", ""};
  }
  if (happens(mood.hang_one_in)) throw kernel::FakeHang{};
  if (happens(mood.crash_one_in)) {
    if (random_.chance(2)) perform(request);
    throw kernel::FakeCrash{};
  }
  if (happens(mood.lost_before_one_in)) return lost();
  if (happens(mood.garbage_one_in)) {
    forget_unmade(request);
    return DriverAnswer{CallCode::Unknown, "\x01 no answer", ""};
  }
  if (method == csi::unpublish_method) {
    if (volume.refusals == 0 && happens(mood.no_unpublish_one_in)) volume.refusals = 1 + random_.below(6);
    if (volume.refusals > 0) {
      --volume.refusals;
      return DriverAnswer{CallCode::Internal, "it is busy, for " + std::to_string(volume.refusals) + " more",
                          ""};
    }
  }
  const bool refuses = happens(mood.error_one_in);
  DriverAnswer answer{refusals[random_.below(std::size(refusals))], "no", ""};
  if (!refuses) answer = perform(request);
  if (answer.code != CallCode::Ok && csi::verdict_of(answer.code).is_final) forget_unmade(request);
  if (refuses) return answer;
  if (happens(mood.lost_after_one_in)) return lost();
  return answer;
}

/// Who says no for certain has nothing there, but for what is mounted: nobody comes to undo it.
void CsiDriverTruth::forget_unmade(const Request& request) {
  Volume& volume = volumes_[request.handle];
  if (request.method == csi::stage_method && !mounts_.is_mounted(request.staging_path))
    volume.staged.erase(request.staging_path);
  if (request.method == csi::publish_method && !mounts_.is_mounted(request.target_path))
    volume.published.erase(request.target_path);
}

/// Does it, as an idempotent driver does.
DriverAnswer CsiDriverTruth::perform(const Request& request) {
  Volume& volume = volumes_[request.handle];
  const auto fail = [](const char* why) { return DriverAnswer{CallCode::Internal, why, ""}; };
  trace_("  " + name_ + ": " + request.method + " " + request.handle + " " + request.staging_path + " " +
         request.target_path);
  if (request.method == csi::stage_method) {
    if (!request.is_block && !mounts_.mount(request.staging_path, source(request.handle)))
      return fail("cannot mount");
    volume.staged.insert(request.staging_path);
  } else if (request.method == csi::unstage_method) {
    if (!mounts_.unmount(request.staging_path, false)) return fail("the staging path is busy");
    volume.staged.erase(request.staging_path);
  } else if (request.method == csi::publish_method) {
    const bool is_done = request.is_block ? mounts_.bind_node(request.target_path, node(request.handle))
                                          : mounts_.mount(request.target_path, source(request.handle));
    if (!is_done) return fail("cannot mount");
    volume.published.insert(request.target_path);
  } else if (request.method == csi::unpublish_method) {
    if (!mounts_.unmount(request.target_path, !random_.chance(4))) return fail("the target path is busy");
    volume.published.erase(request.target_path);
  } else if (request.method == csi::stats_method) {
    if (!volume.published.contains(request.volume_path)) return {CallCode::NotFound, "not published", ""};
    return {CallCode::Ok, "", R"({"usage":[{"unit":"BYTES","total":"100","used":"1","available":"99"}]})"};
  }
  return {CallCode::Ok, "", "{}"};
}

void CsiDriverTruth::hang(bool is_hung) {
  is_hung_ = is_hung;
  for (const std::string& handle : handles)
    kernel_.set_server_answers(source(handle), !is_hung);
}

/// What it was at when its callers gave up.
void CsiDriverTruth::drop_late(bool does_it) {
  if (controller_ != nullptr) controller_->drop_late(does_it);
  for (auto& [handle, volume] : volumes_) {
    if (volume.late_method.empty()) continue;
    const Request request = read(volume.late_method, volume.late_request);
    volume.late_method.clear();
    if (does_it || random_.chance(2)) perform(request);
  }
}

void CsiDriverTruth::finish() {
  if (!is_up || is_hung_) return;
  drop_late(true);
}

void CsiDriverTruth::stop() {
  is_up = false;
  hang(false);
  drop_late(false);
}

void CsiDriverTruth::start() {
  is_up = true;
  ++identity_;
  if (socket_.empty() || random_.chance(3))
    socket_ = "/run/" + name_ + "/" + std::to_string(identity_) + ".sock";
  if (registry_socket_.empty() || random_.chance(3))
    registry_socket_ =
        kernel_.root_dir() + "/plugins_registry/" + name_ + "-" + std::to_string(identity_) + ".sock";
  if (random_.chance(3)) node_id_ = "node-" + std::to_string(identity_);
  if (random_.chance(3)) vendor_version_ = "1." + std::to_string(identity_);
}

void CsiDriverTruth::node_rebooted() {
  hang(false);
  volumes_.clear();
}

void CsiDriverTruth::change_staging() {
  for (const auto& [handle, volume] : volumes_) {
    if (!volume.is_nothing()) return;
  }
  can_stage_ = !can_stage_;
}

const CsiDriverTruth::Volume* CsiDriverTruth::find(const std::string& handle) const {
  const auto found = volumes_.find(handle);
  return found == volumes_.end() ? nullptr : &found->second;
}

std::string CsiDriverTruth::leftover() const {
  for (const auto& [handle, volume] : volumes_) {
    if (!volume.published.empty()) return handle + " is still published at " + *volume.published.begin();
    if (!volume.staged.empty()) return handle + " is still staged at " + *volume.staged.begin();
    if (!volume.late_method.empty()) return handle + " is still in the works";
  }
  return {};
}

}  // namespace mooring::sim
