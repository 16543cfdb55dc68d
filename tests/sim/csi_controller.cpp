#include "csi_controller.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "csi/controller_errors.h"
#include "csi/controller_requests.h"

namespace mooring::sim {
namespace {

using kernel::DriverAnswer;
using nlohmann::json;

std::string text_at(const json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string() : found->get<std::string>();
}

std::uint64_t required_bytes(const json& request) {
  const auto range = request.find("capacity_range");
  if (range == request.end()) return 0;
  const auto bytes = range->find("required_bytes");
  if (bytes == range->end()) return 0;
  return bytes->is_string() ? std::stoull(bytes->get<std::string>()) : bytes->get<std::uint64_t>();
}

DriverAnswer ok(const json& response) {
  return {CallCode::Ok, "", response.dump()};
}

}  // namespace

CsiControllerTruth::CsiControllerTruth(std::string driver, bool attaches, Random& random,
                                       std::function<void(const std::string&)> trace)
    : driver_(std::move(driver)), attaches_(attaches), random_(random), trace_(std::move(trace)) {}

const CsiControllerTruth::Volume* CsiControllerTruth::find(const std::string& handle) const {
  const auto found = volumes_.find(handle);
  return found == volumes_.end() ? nullptr : &found->second;
}

std::string CsiControllerTruth::handle_of(const std::string& name) const {
  const auto found = std::find_if(volumes_.begin(), volumes_.end(), [&](const auto& entry) {
    return entry.second.name == name && !entry.second.is_deleted;
  });
  return found == volumes_.end() ? std::string() : found->first;
}

void CsiControllerTruth::accuse(const std::string& method, const std::string& handle,
                                const std::string& what) {
  if (broken_.empty()) broken_ = driver_ + " got " + method + " of volume " + handle + ", " + what;
}

void CsiControllerTruth::check(const std::string& method, const std::string& handle,
                               const std::string& node) {
  if (method == csi::create_volume_method) return;
  const auto found = volumes_.find(handle);
  if (found == volumes_.end()) return accuse(method, handle, "which it never made");
  Volume& volume = found->second;
  if (method == csi::delete_volume_method) {
    if (volume.is_deleted) return;  // The answer was lost.
    if (!volume.nodes.empty()) accuse(method, handle, "which is attached to " + *volume.nodes.begin());
    if (const std::string use = use_on_node(handle); !use.empty()) accuse(method, handle, use);
    if (const std::string why = why_kept(volume); !why.empty()) accuse(method, handle, why);
    return;
  }
  if (method == csi::controller_unpublish_method) {
    // Also what was never attached: a call that nobody answered may have been heard, and is taken back.
    if (const std::string use = use_on_node(handle); !use.empty()) accuse(method, handle, use);
    return;
  }
  if (volume.is_deleted) accuse(method, handle, "which is deleted");
  if (method != csi::controller_publish_method) return;
  if (!attaches_) accuse(method, handle, "and attaches nothing");
  volume.asked.insert(node);
}

/// Whoever made it must not say that there can be none: a driver finds what it has by its name.
DriverAnswer CsiControllerTruth::refusal_of(const std::string& method, const std::string& name) {
  constexpr CallCode codes[] = {
      CallCode::Internal,           CallCode::Unknown,         CallCode::PermissionDenied,
      CallCode::ResourceExhausted,  CallCode::Unauthenticated, CallCode::DataLoss,
      CallCode::FailedPrecondition, CallCode::NotFound,        CallCode::Unimplemented,
      CallCode::InvalidArgument,    CallCode::OutOfRange,      CallCode::AlreadyExists};
  const CallCode code = codes[random_.below(std::size(codes))];
  const bool is_no = code == CallCode::NotFound ||
                     csi::controller_error_kind(csi::ControllerCall::CreateVolume, code) == ErrorKind::Final;
  if (method == csi::create_volume_method && is_no && !handle_of(name).empty())
    return {CallCode::Internal, "not now", ""};
  return {code, "no", ""};
}

Result<DriverAnswer> CsiControllerTruth::call(const std::string& method, const std::string& text,
                                              const DriverMood& mood, bool is_hung) {
  constexpr CallCode losses[] = {CallCode::Unavailable, CallCode::DeadlineExceeded, CallCode::Cancelled};
  const auto lost = [&] { return DriverAnswer{losses[random_.below(std::size(losses))], "lost", ""}; };
  const json request = json::parse(text);
  const std::string handle = text_at(request, "volume_id");
  const std::string name = text_at(request, "name");
  const std::string& key = handle.empty() ? name : handle;
  check(method, handle, text_at(request, "node_id"));
  if (late_.contains(key)) return DriverAnswer{CallCode::Aborted, "still at " + late_[key].method, ""};
  if (is_hung || happens(mood.late_one_in)) {
    if (random_.chance(2)) late_[key] = {method, text};
    if (is_hung && random_.chance(2)) throw kernel::FakeHang{};
    return DriverAnswer{CallCode::DeadlineExceeded, "context deadline exceeded", ""};
  }
  if (happens(mood.hang_one_in)) throw kernel::FakeHang{};
  if (happens(mood.crash_one_in)) {
    if (random_.chance(2)) perform(method, text);
    throw kernel::FakeCrash{};
  }
  if (happens(mood.lost_before_one_in)) return lost();
  if (happens(mood.error_one_in)) return refusal_of(method, name);
  DriverAnswer answer = perform(method, text);
  if (happens(mood.lost_after_one_in)) return lost();
  const bool says_something =
      method != csi::delete_volume_method && method != csi::controller_unpublish_method;
  const bool is_garbage = says_something && happens(mood.garbage_one_in);
  if (is_garbage) answer.response = "\x01 no answer";
  const bool is_attached = method == csi::controller_publish_method && answer.code == CallCode::Ok;
  if (is_attached && !is_garbage) volumes_[handle].is_said = true;
  return answer;
}

/// The same name is the same volume; asked for with more than it has, it is another one that there cannot be.
DriverAnswer CsiControllerTruth::create(const std::string& name, std::uint64_t bytes) {
  std::string handle = handle_of(name);
  if (handle.empty()) {
    handle = driver_ + "/v" + std::to_string(volumes_.size());
    volumes_[handle] = {name, bytes};
    on_made(handle);
  }
  if (volumes_[handle].bytes < bytes)
    return {CallCode::AlreadyExists, "there is a volume of this name, and it is smaller", ""};
  return ok({{"volume",
              {{"volume_id", handle},
               {"capacity_bytes", volumes_[handle].bytes},
               {"volume_context", {{"share", "a"}}}}}});
}

DriverAnswer CsiControllerTruth::perform(const std::string& method, const std::string& text) {
  const json request = json::parse(text);
  const std::string handle = text_at(request, "volume_id");
  const std::string node = text_at(request, "node_id");
  trace_("  " + driver_ + ": " + method + " " + handle + text_at(request, "name") + " " + node);
  if (method == csi::create_volume_method) return create(text_at(request, "name"), required_bytes(request));
  const auto found = volumes_.find(handle);
  if (found == volumes_.end()) return {CallCode::NotFound, "there is none", ""};
  Volume& volume = found->second;
  if (method == csi::delete_volume_method) {
    volume.is_deleted = true;
  } else if (method == csi::controller_publish_method) {
    const auto other = std::find_if(volume.nodes.begin(), volume.nodes.end(),
                                    [&](const std::string& one) { return one != node; });
    if (other != volume.nodes.end()) return {CallCode::FailedPrecondition, "it is attached to " + *other, ""};
    volume.nodes.insert(node);
    return ok({{"publish_context", {{"device", "/dev/" + handle}}}});
  } else if (method == csi::controller_unpublish_method) {
    volume.nodes.erase(node);
    volume.is_said = false;
  } else if (method == csi::controller_expand_method) {
    volume.bytes = std::max(volume.bytes, required_bytes(request));
    return ok({{"capacity_bytes", volume.bytes}, {"node_expansion_required", true}});
  }
  return ok(json::object());
}

void CsiControllerTruth::drop_late(bool does_it) {
  for (const auto& [key, late] : std::exchange(late_, {})) {
    if (does_it || random_.chance(2)) perform(late.method, late.text);
  }
}

}  // namespace mooring::sim
