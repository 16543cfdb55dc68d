#pragma once

#include <map>
#include <vector>

#include "actual/actual_state.h"
#include "core/work.h"
#include "desired/recipe.h"
#include "objects/store.h"

namespace mooring {

// Volumes that Mooring has attached by the controller services of their drivers, as the core keeps track of
// them (docs/decisions/0033-attach.md).

/// Remembers what is about to be asked of a driver's controller: from here on the volume may be attached.
void note_attach(ActualDevice& device, DeviceWork& work, const Stage& attach);

/// While a pod has the volume, or it is staged, it is asked for by the name of the node that it is attached
/// by, even if the driver has started again and calls the node otherwise now: to change that it would have to
/// be detached under the pods. The way down uses that name too, and the next way up the new one.
void keep_node(const ActualDevice& device, const DeviceWork& work, const ActualState& actual, Stage& attach);

/// Keeps what the driver answered, for the calls of its node service, and nowhere else: after a restart the
/// controller is asked again before anything is published, and answers the same. After a certain "no"
/// nothing is to be detached that was not attached before.
void attach_ended(ActualDevice& device, const DeviceWork& work, const Outcome& outcome);

/// Gives the calls of the node service what the controller answered; `device` may be nullptr.
void add_publish_context(const ActualDevice* device, std::vector<Step>& steps);

/// Gives the call that detaches its secrets, which are looked up when they are needed and kept nowhere.
/// Errors: those of csi_secrets_of().
Result<void> add_detach_secrets(const ActualDevice& device, const ObjectStore& objects,
                                std::vector<Step>& steps);

/// Takes in what an earlier run had attached: of what was staged there may be a record too, and after a
/// reboot this is all there is.
void adopt_attachments(const std::vector<CsiAttachment>& attachments, ActualState& actual);

/// True while a pod has a volume of a driver of which nobody knows which one it is, as of one that was found
/// on disk after a reboot: it may be any that is attached, and is unpublished first. One that cannot be
/// unpublished holds up nobody else.
bool has_nameless_volume(const ActualState& actual, const std::map<PodUid, PodWork>& work);

/// As node.status.volumesInUse has it (kubelet-behaviours 3): attachable, and wanted or there. True before
/// anything is done with the volume, so that whoever attaches can tell when it may be detached.
bool is_in_use(const ActualDevice& device, const ObjectStore& objects);

}  // namespace mooring
