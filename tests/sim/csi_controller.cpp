#include "csi_controller.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "csi/controller_errors.h"
#include "csi/controller_requests.h"
#include "driver_json.h"

namespace mooring::sim {
namespace {

using kernel::DriverAnswer;
using nlohmann::json;

}  // namespace

CsiControllerTruth::CsiControllerTruth(std::string driver, bool attaches, Random& random,
                                       std::function<void(const std::string&)> trace)
    : driver_(std::move(driver)),
      attaches_(attaches),
      looks_at_source_first_(random.chance(2)),
      random_(random),
      trace_(std::move(trace)),
      snapshots_(driver_, random,
                 [this](const char* method, const auto& id, const auto& what) { accuse(method, id, what); }) {
}

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
  if (broken_.empty()) broken_ = driver_ + " got " + method + " of " + handle + ", " + what;
}

/// What it does one call at a time of: a volume by its handle, or its name; a snapshot by its name.
std::string CsiControllerTruth::key_of(const json& request) const {
  if (const std::string handle = text_at(request, "volume_id"); !handle.empty()) return handle;
  const std::string snapshot = text_at(request, "snapshot_id");
  if (snapshot.empty()) return text_at(request, "name");
  const CsiSnapshotTruth::Snapshot* known = snapshots_.find(snapshot);
  return known == nullptr || known->name.empty() ? snapshot : known->name;
}

void CsiControllerTruth::check(const std::string& method, const json& request) {
  if (method == csi::create_volume_method) return check_copy(request);
  if (method == csi::create_snapshot_method) return check_cut(request);
  if (method == csi::delete_snapshot_method) return snapshots_.check_removal(text_at(request, "snapshot_id"));
  const std::string handle = text_at(request, "volume_id");
  const auto found = volumes_.find(handle);
  if (found == volumes_.end()) return accuse(method, handle, "which it never made");
  Volume& volume = found->second;
  if (method == csi::delete_volume_method) return check_removal(handle, volume);
  if (method == csi::controller_unpublish_method) {
    // Also what was never attached: a call that nobody answered may have been heard, and is taken back.
    if (const std::string use = use_on_node(handle); !use.empty()) accuse(method, handle, use);
    return;
  }
  if (volume.is_deleted) accuse(method, handle, "which is deleted");
  if (method != csi::controller_publish_method) return;
  if (!attaches_) accuse(method, handle, "and attaches nothing");
  volume.asked.insert(text_at(request, "node_id"));
}

/// What is cut is there, and stays until it is.
void CsiControllerTruth::check_cut(const json& request) {
  constexpr const char* method = csi::create_snapshot_method;
  const std::string name = text_at(request, "name");
  const std::string handle = text_at(request, "source_volume_id");
  const Volume* volume = find(handle);
  if (volume == nullptr) return accuse(method, name, "of " + handle + ", which it never made");
  // What it has cut already it is only asked the state of.
  if (volume->is_deleted && !has(method, name)) accuse(method, name, "of " + handle + ", which is deleted");
}

/// What is copied is there, and stays until the copy is.
void CsiControllerTruth::check_copy(const json& request) {
  constexpr const char* method = csi::create_volume_method;
  const std::string name = text_at(request, "name");
  const std::string id = source_of(request, true);
  const std::string handle = source_of(request, false);
  if (id.empty() && handle.empty()) return;
  const CsiSnapshotTruth::Snapshot* snapshot = snapshots_.find(id);
  const Volume* volume = find(handle);
  if (snapshot == nullptr && volume == nullptr)
    return accuse(method, name, "from " + id + handle + ", which it never made");
  if (snapshot == nullptr ? volume->is_deleted : snapshot->is_deleted)
    accuse(method, name, "from " + id + handle + ", which is deleted");
  if (const std::string why = why_not_copied(name, id + handle); !why.empty()) accuse(method, name, why);
}

void CsiControllerTruth::check_removal(const std::string& handle, const Volume& volume) {
  constexpr const char* method = csi::delete_volume_method;
  if (volume.is_deleted) return;  // The answer was lost.
  if (!volume.nodes.empty()) accuse(method, handle, "which is attached to " + *volume.nodes.begin());
  if (const std::string use = use_on_node(handle); !use.empty()) accuse(method, handle, use);
  if (const std::string why = why_kept(handle, volume); !why.empty()) accuse(method, handle, why);
  for (const auto& [key, late] : late_) {
    const bool is_cut = late.method == csi::create_snapshot_method && !has(late.method, key) &&
                        text_at(json::parse(late.text), "source_volume_id") == handle;
    if (is_cut) accuse(method, handle, "which it is just cutting");
    const bool is_copied =
        late.method == csi::create_volume_method && source_of(json::parse(late.text), false) == handle;
    if (is_copied) accuse(method, handle, "which it is just copying");
  }
}

bool CsiControllerTruth::has(const std::string& method, const std::string& name) const {
  if (method == csi::create_snapshot_method) return !snapshots_.id_of(name).empty();
  return method == csi::create_volume_method && !handle_of(name).empty();
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
  if (is_no && has(method, name)) return {CallCode::Internal, "not now", ""};
  return {code, "no", ""};
}

Result<DriverAnswer> CsiControllerTruth::call(const std::string& method, const std::string& text,
                                              const DriverMood& mood, bool is_hung) {
  constexpr CallCode losses[] = {CallCode::Unavailable, CallCode::DeadlineExceeded, CallCode::Cancelled};
  const auto lost = [&] { return DriverAnswer{losses[random_.below(std::size(losses))], "lost", ""}; };
  const json request = json::parse(text);
  const std::string key = key_of(request);
  check(method, request);
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
  if (happens(mood.error_one_in)) return refusal_of(method, text_at(request, "name"));
  DriverAnswer answer = perform(method, text);
  if (happens(mood.lost_after_one_in)) return lost();
  const bool says_something = method != csi::delete_volume_method && method != csi::delete_snapshot_method &&
                              method != csi::controller_unpublish_method;
  const bool is_garbage = says_something && happens(mood.garbage_one_in);
  if (is_garbage) answer.response = "\x01 no answer";
  const bool is_attached = method == csi::controller_publish_method && answer.code == CallCode::Ok;
  if (is_attached && !is_garbage) volumes_[text_at(request, "volume_id")].is_said = true;
  return answer;
}

/// How large a copy is at least; nullopt: there is nothing to copy.
std::optional<std::uint64_t> CsiControllerTruth::bytes_of(const std::string& source) const {
  if (source.empty()) return 0;
  const CsiSnapshotTruth::Snapshot* snapshot = snapshots_.find(source);
  if (snapshot != nullptr && !snapshot->is_deleted) return snapshot->bytes;
  const Volume* volume = find(source);
  return volume == nullptr || volume->is_deleted ? std::nullopt : std::optional(volume->bytes);
}

/// The same name is the same volume; asked for with more than it has, it is another one that there cannot be.
DriverAnswer CsiControllerTruth::create(const json& request) {
  const std::string name = text_at(request, "name");
  const std::string source = source_of(request, true) + source_of(request, false);
  const auto needed = bytes_of(source);
  std::string handle = handle_of(name);
  if (!needed && (handle.empty() || looks_at_source_first_))
    return {CallCode::NotFound, "there is no such source", ""};
  if (handle.empty() && snapshots_.is_still_cut(source))
    return {CallCode::FailedPrecondition, "the snapshot is not ready to use", ""};
  if (handle.empty()) {
    handle = driver_ + "/v" + std::to_string(volumes_.size());
    Volume& made = volumes_[handle] = {name, std::max(required_bytes(request), *needed)};
    made.source = source;
    on_made(handle);
  }
  const Volume& volume = volumes_[handle];
  if (volume.bytes < required_bytes(request) || volume.source != source)
    return {CallCode::AlreadyExists, "there is a volume of this name, and it is another one", ""};
  json made{{"volume_id", handle}, {"capacity_bytes", volume.bytes}, {"volume_context", {{"share", "a"}}}};
  if (!source.empty()) made["content_source"] = request.at("volume_content_source");
  return ok({{"volume", made}});
}

DriverAnswer CsiControllerTruth::cut(const json& request) {
  const std::string name = text_at(request, "name");
  const std::string handle = text_at(request, "source_volume_id");
  const Volume* volume = find(handle);
  const bool is_there = volume != nullptr && !volume->is_deleted;
  if (!is_there && !has(csi::create_snapshot_method, name))
    return {CallCode::NotFound, "there is no such volume", ""};
  return snapshots_.create(name, handle, volume->bytes);
}

DriverAnswer CsiControllerTruth::publish(const std::string& handle, const std::string& node) {
  Volume& volume = volumes_.at(handle);
  const auto other = std::find_if(volume.nodes.begin(), volume.nodes.end(),
                                  [&](const std::string& one) { return one != node; });
  if (other != volume.nodes.end()) return {CallCode::FailedPrecondition, "it is attached to " + *other, ""};
  volume.nodes.insert(node);
  return ok({{"publish_context", {{"device", "/dev/" + handle}}}});
}

DriverAnswer CsiControllerTruth::perform(const std::string& method, const std::string& text) {
  const json request = json::parse(text);
  const std::string handle = text_at(request, "volume_id");
  const std::string node = text_at(request, "node_id");
  trace_("  " + driver_ + ": " + method + " " + handle + text_at(request, "name") +
         text_at(request, "snapshot_id") + " " + node + source_of(request, true) + source_of(request, false));
  if (method == csi::create_volume_method) return create(request);
  if (method == csi::create_snapshot_method) return cut(request);
  if (method == csi::delete_snapshot_method) return snapshots_.remove(text_at(request, "snapshot_id"));
  const auto found = volumes_.find(handle);
  if (found == volumes_.end()) return {CallCode::NotFound, "there is none", ""};
  Volume& volume = found->second;
  if (method == csi::delete_volume_method) {
    volume.is_deleted = true;
  } else if (method == csi::controller_publish_method) {
    return publish(handle, node);
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
