#pragma once

#include <map>
#include <vector>

#include "actual/actual_state.h"
#include "base/error.h"
#include "core/work.h"
#include "desired/recipe.h"
#include "objects/store.h"

namespace mooring {

// Volumes that Mooring has attached by the controller services of their drivers, and what the disk tells of
// those that are attached and staged, as the core keeps track of them (docs/decisions/0033-attach.md).

/// Remembers what is about to be asked of a driver's controller: from here on the volume may be attached.
void note_attach(ActualDevice& device, DeviceWork& work, const Stage& attach);

/// While a pod has the volume, or it is staged, it is asked for by the name of the node that it is attached
/// by, even if the driver has started again and calls the node otherwise now: to change that it would have to
/// be detached under the pods. The way down uses that name too, and the next way up the new one.
void keep_node(const ActualDevice& device, const DeviceWork& work, const ActualState& actual, Stage& attach);

/// True if the volume's controller is to be asked before anything else is done with it, as it gave no answer
/// in this run: whatever the device's state says, it may not be attached, and nobody else has the answer.
bool lacks_answer(const ActualDevice& device, const DeviceRecipe& recipe);

/// True if the volume can be made larger now: that of a driver that stages nothing is where a pod has it, and
/// the publish of the first pod makes it larger too.
bool has_place_to_grow(const DeviceRecipe& recipe, const DeviceWork& work, const ActualState& actual);

/// True if staging leaves the volume as large as it is, as the driver makes it larger where a pod has it.
bool grows_when_published(const DeviceRecipe& recipe);

/// True if a stage that failed like this may have staged the volume all the same: nobody knows what the
/// driver did, or it was staged and did not grow. Until it is surely unstaged nothing is detached under it.
bool leaves_staged(const Error& error);

/// Keeps what the driver answered, for the calls of its node service, and nowhere else: after a restart the
/// controller is asked again before anything is published, and answers the same. After a certain "no"
/// nothing is to be detached that was not attached before.
void attach_ended(ActualDevice& device, const DeviceWork& work, const Outcome& outcome);

/// Takes in how large the volume is after it was staged, grown, or published and grown there. A driver that
/// says that it is in use, and stays as large as it was, is not asked again for the same size until it is
/// staged anew (kubelet-behaviours 15.7).
void note_growth(ActualDevice& device, DeviceWork& work, const Outcome& outcome);

/// Gives the calls of the node service what the controller answered; `device` may be nullptr.
void add_publish_context(const ActualDevice* device, std::vector<Step>& steps);

/// Tells the call that stages the volume, and publishes it, what it may find there of an earlier one.
void note_staged(const ActualDevice& device, std::vector<Step>& steps);
void note_published(const ActualVolume& volume, std::vector<Step>& steps);

/// Gives the call that detaches its secrets, which are looked up when they are needed and kept nowhere.
/// Errors: those of csi_secrets_of().
Result<void> add_detach_secrets(const ActualDevice& device, const ObjectStore& objects,
                                std::vector<Step>& steps);

/// Takes in what an earlier run had attached or staged, of FlexVolume drivers too, and which volumes its pods
/// have: of all that there may be a record too, and after a reboot this is all there is. What was staged
/// only, and is mounted still, though in no record, is left alone: it may be somebody else's, or be used by
/// whom nobody knows.
void adopt_attachments(const std::vector<CsiAttachment>& attachments, const MountTable& mounts,
                       const std::string& root_dir, ActualState& actual);

/// True for what may be a volume that has_nameless_volume() tells of: no record names its pods.
bool may_have_nameless_users(const ActualDevice& device);

/// True while a pod has a volume that no record tells of, as of one that was found on disk after a reboot,
/// and that is the device's, as the disk tells: it is unpublished first. One of a CSI driver that lacks the
/// file that says which it is may be any that is attached or staged; if it cannot be unpublished it holds up
/// nobody else.
bool has_nameless_volume(const ActualDevice& device, const ActualState& actual,
                         const std::map<PodUid, PodWork>& work);

/// As node.status.volumesInUse has it (kubelet-behaviours 3): attachable, and wanted or there. True before
/// anything is done with the volume, so that whoever attaches can tell when it may be detached.
bool is_in_use(const ActualDevice& device, const ObjectStore& objects);

}  // namespace mooring
