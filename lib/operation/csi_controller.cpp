#include "operation/csi_controller.h"

#include <utility>

#include "base/quote.h"
#include "csi/controller_answers.h"
#include "csi/controller_errors.h"
#include "csi/controller_requests.h"
#include "operation/csi_calls.h"

namespace mooring {
namespace {

using csi::ControllerCall;

/// What a driver said to a call that it must end well, and its code if there is one. `read` takes the answer
/// apart, which may hold what nobody should see, and is wiped.
template <class T, class Read>
Result<T> ask(ControllerCall call, const CsiVolume& volume, const char* method, SecretBytes request,
              kernel::Drivers& drivers, const Read& read, CallCode* code = nullptr) {
  MOORING_TRY(kernel::DriverAnswer answer, call_csi(volume, method, std::move(request), drivers));
  if (code != nullptr) *code = answer.code;
  if (answer.code != CallCode::Ok)
    return csi::controller_error(call, volume.driver, answer.code, answer.message);
  Result<T> said = read(answer.response);
  wipe(answer.response);
  if (said) return said;
  return std::move(said).error().within("asking driver " + volume.driver.str());
}

/// Of a call that answers nothing.
Result<bool> tell(ControllerCall call, const CsiVolume& volume, const char* method, SecretBytes request,
                  kernel::Drivers& drivers) {
  return ask<bool>(call, volume, method, std::move(request), drivers,
                   [](const std::string&) -> Result<bool> { return true; });
}

Result<CsiCreatedVolume> create(const CsiVolume& volume, const CsiVolumeRequest& request,
                                const csi::Secrets& secrets, kernel::Drivers& drivers,
                                CallCode* code = nullptr) {
  return ask<CsiCreatedVolume>(ControllerCall::CreateVolume, volume, csi::create_volume_method,
                               csi::create_volume_request(request, secrets), drivers, csi::created_volume,
                               code);
}

Result<bool> remove(const CsiVolume& volume, const std::string& handle, const csi::Secrets& secrets,
                    kernel::Drivers& drivers) {
  return tell(ControllerCall::DeleteVolume, volume, csi::delete_volume_method,
              csi::delete_volume_request(handle, secrets), drivers);
}

Result<CsiSnapshot> cut(const CsiVolume& volume, const CsiSnapshotRequest& request,
                        const csi::Secrets& secrets, kernel::Drivers& drivers, CallCode* code = nullptr) {
  return ask<CsiSnapshot>(
      ControllerCall::CreateSnapshot, volume, csi::create_snapshot_method,
      csi::create_snapshot_request({volume.handle, request.name, secrets, request.parameters}), drivers,
      csi::created_snapshot, code);
}

/// True if a repeated call was answered with what says that it can make nothing of this name. A driver that
/// has made it already would have said Ok; one that cannot tell now may have it all the same, one that says
/// AlreadyExists has something of this name, and one that knows the call no more was another one then.
bool says_nothing_there(CallCode code) {
  return code == CallCode::NotFound || code == CallCode::InvalidArgument || code == CallCode::OutOfRange;
}

void warn_of_nothing(const CsiVolume& volume, const std::string& what, const Error& error, Outcome& outcome) {
  outcome.warnings.push_back(what + " is not deleted: driver " + volume.driver.str() +
                             " never made it, and refuses to (" + error.message + ")");
}

}  // namespace

Result<bool> run_csi_controller(const CreateCsiVolume& step, kernel::Drivers& drivers, Outcome& outcome) {
  MOORING_TRY(CsiCreatedVolume made, create(step.volume, step.request, step.secrets, drivers));
  const std::string why = csi::why_unfit(step.request, made);
  if (why.empty()) {
    outcome.csi_made = std::move(made);
    return true;
  }
  const Result<bool> removed = remove(step.volume, made.id, step.secrets, drivers);
  Error error;
  error.kind = removed ? ErrorKind::Transient : ErrorKind::Uncertain;
  error.reason = "UnfitVolume";
  error.message = "driver " + step.volume.driver.str() + ", volume " + quoted_if_needed(step.request.name) +
                  ": " + why + (removed ? "; it was deleted again" : "; deleting it again failed: ");
  if (!removed) error.message += removed.error().message;
  error.remedy = "see the driver's log; Mooring tries again by itself";
  return error;
}

Result<bool> run_csi_controller(const DeleteCsiVolume& step, kernel::Drivers& drivers, Outcome& outcome) {
  if (!step.volume.handle.empty()) return remove(step.volume, step.volume.handle, step.secrets, drivers);
  CallCode code = CallCode::Unavailable;
  Result<CsiCreatedVolume> made = create(step.volume, step.request, step.secrets, drivers, &code);
  if (!made && says_nothing_there(code)) {
    warn_of_nothing(step.volume, "volume " + quoted_if_needed(step.request.name), made.error(), outcome);
    return false;
  }
  if (!made) return std::move(made).error();
  const std::string handle = made.value().id;
  outcome.csi_made = std::move(made).value();
  return remove(step.volume, handle, step.secrets, drivers);
}

Result<bool> run_csi_controller(const PublishCsiController& step, kernel::Drivers& drivers,
                                Outcome& outcome) {
  MOORING_TRY(CsiPublishContext context,
              ask<CsiPublishContext>(
                  ControllerCall::Publish, step.volume, csi::controller_publish_method,
                  csi::controller_publish_request({step.volume.handle, step.node_id, step.capability,
                                                   step.read_only, step.secrets, step.volume_context}),
                  drivers, csi::publish_context));
  outcome.csi_made = std::move(context);
  return true;
}

Result<bool> run_csi_controller(const UnpublishCsiController& step, kernel::Drivers& drivers, Outcome&) {
  return tell(ControllerCall::Unpublish, step.volume, csi::controller_unpublish_method,
              csi::controller_unpublish_request(step.volume.handle, step.node_id, step.secrets), drivers);
}

Result<bool> run_csi_controller(const ExpandCsiController& step, kernel::Drivers& drivers, Outcome& outcome) {
  MOORING_TRY(CsiExpansion grown,
              ask<CsiExpansion>(ControllerCall::Expand, step.volume, csi::controller_expand_method,
                                csi::controller_expand_request(
                                    {step.volume.handle, step.required_bytes, step.capability, step.secrets}),
                                drivers, csi::controller_expansion));
  if (grown.capacity_bytes == 0) grown.capacity_bytes = step.required_bytes;
  outcome.csi_made = grown;
  if (grown.capacity_bytes >= step.required_bytes) return true;
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "NotExpanded";
  error.message = "driver " + step.volume.driver.str() + " was to give volume " +
                  quoted_if_needed(step.volume.handle) + " " + std::to_string(step.required_bytes) +
                  " bytes, and says that it has " + std::to_string(grown.capacity_bytes);
  error.remedy = "see the driver's log; Mooring tries again by itself";
  return error;
}

Result<bool> run_csi_controller(const CreateCsiSnapshot& step, kernel::Drivers& drivers, Outcome& outcome) {
  MOORING_TRY(CsiSnapshot snapshot, cut(step.volume, step.request, step.secrets, drivers));
  outcome.csi_made = std::move(snapshot);
  return true;
}

Result<bool> run_csi_controller(const DeleteCsiSnapshot& step, kernel::Drivers& drivers, Outcome& outcome) {
  std::string id = step.snapshot_id;
  if (id.empty()) {
    CallCode code = CallCode::Unavailable;
    Result<CsiSnapshot> made = cut(step.volume, step.request, step.secrets, drivers, &code);
    if (!made && says_nothing_there(code)) {
      warn_of_nothing(step.volume, "snapshot " + quoted_if_needed(step.request.name), made.error(), outcome);
      return false;
    }
    if (!made) return std::move(made).error();
    id = made.value().id;
    outcome.csi_made = std::move(made).value();
  }
  return tell(ControllerCall::DeleteSnapshot, step.volume, csi::delete_snapshot_method,
              csi::delete_snapshot_request(id, step.secrets), drivers);
}

}  // namespace mooring
