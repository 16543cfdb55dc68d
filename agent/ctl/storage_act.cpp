#include "storage.h"

namespace mooring::ctl {
namespace {

/// The name of `KIND/NAME` for a command that is about one kind alone.
Result<std::string> name_of(const Options& options, Kind kind, const char* form) {
  const auto object = parse_object_reference(options.name);
  if (!object || object.value().kind != kind)
    return usage_error("\"" + options.name + "\" is not of the form " + form);
  return object.value().name;
}

/// After a wait that ended too early: how the claim is, and why.
void say_how_it_is(Client& client, const ObjectKey& key, ClaimCondition condition) {
  const auto claims = client.claims();
  if (!claims) return;
  for (const ClaimStatus& claim : claims.value()) {
    if (claim.name_space != key.name_space || claim.name != key.name) continue;
    if (condition == ClaimCondition::Gone && !claim.origin.empty())
      return message("claim " + key.text() + " is still in a manifest: " + claim.origin);
    std::string line = "claim " + key.text() + " is " + claim.phase;
    if (!claim.reason.empty()) line += ": " + claim.reason;
    if (!claim.message.empty()) line += ": " + claim.message;
    return message(line);
  }
  message("no manifest that was read asks for claim " + key.text());
}

/// `name`: NAME, or NAMESPACE/NAME as the lists of what is amiss have it.
ExitStatus forget_snapshots(const Options& options, const std::string& name) {
  const std::size_t slash = name.find('/');
  const bool is_full = slash != std::string::npos;
  const ObjectKey key{Namespace(is_full ? name.substr(0, slash) : options.name_space),
                      ObjectName(is_full ? name.substr(slash + 1) : name)};
  const bool is_name =
      !key.name_space.empty() && !key.name.empty() && key.name.str().find('/') == std::string::npos;
  if (!is_name) return fail(usage_error("\"" + options.name + "\" is not of the form volumesnapshot/NAME"));
  if (!options.forget)
    return fail(usage_error("a snapshot can only be forgotten: say --forget; what its driver has stays"));
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<void> forgotten = client.value()->forget_snapshots(key.name_space, key.name);
  return forgotten ? ExitStatus::Ok : fail(forgotten.error());
}

}  // namespace

ExitStatus wait_for_claim(const Options& options, const ObjectReference& object) {
  if (options.condition == "ready")
    return fail(usage_error("a claim is waited for until it is bound or gone"));
  const auto timeout = parse_duration(options.timeout);
  if (!timeout) return fail(timeout.error());
  const ObjectKey key{Namespace(options.name_space), ObjectName(object.name)};
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const ClaimCondition condition = options.condition == "gone" ? ClaimCondition::Gone : ClaimCondition::Bound;
  const Result<void> waited = client.value()->wait_for_claim(
      key.name_space, key.name, condition, static_cast<std::uint64_t>(timeout.value().count()));
  if (waited) return ExitStatus::Ok;
  if (waited.error().reason != "TimedOut") return fail(waited.error());
  message("claim " + key.text() + " is not " + options.condition + " after " + options.timeout);
  say_how_it_is(*client.value(), key, condition);
  return ExitStatus::TimedOut;
}

ExitStatus run_delete(const Options& options) {
  const auto name = name_of(options, Kind::Claims, "pvc/NAME");
  if (!name) return fail(name.error());
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<void> deleted =
      client.value()->delete_claim(Namespace(options.name_space), ObjectName(name.value()));
  return deleted ? ExitStatus::Ok : fail(deleted.error());
}

ExitStatus run_release(const Options& options) {
  if (const auto object = parse_object_reference(options.name);
      object && object.value().kind == Kind::Snapshots)
    return forget_snapshots(options, object.value().name);
  const auto name = name_of(options, Kind::PersistentVolumes,
                            "pv/NAME, volumesnapshot/NAME or volumesnapshot/NAMESPACE/NAME");
  if (!name) return fail(name.error());
  const auto client = connect(options);
  if (!client) return fail(client.error());
  const Result<void> released = client.value()->release_volume(ObjectName(name.value()), options.forget);
  return released ? ExitStatus::Ok : fail(released.error());
}

}  // namespace mooring::ctl
