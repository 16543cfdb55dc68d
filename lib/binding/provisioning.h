#pragma once

#include <optional>

#include "binding/classes.h"
#include "binding/draft.h"

namespace mooring {

/// A volume that will be made for a claim, or why none will be.
struct Provision {
  std::optional<LedgerVolume> volume;
  BindingCondition why_not;  ///< If there is no volume.
};

/// What would be made for the claim of that row (kubelet-behaviours 18.7).
Provision provision_for(const Draft& draft, const LedgerClaim& row, const ClaimClass& claim_class);
/// Begins to make it: the rows of both.
void begin_provisioning(Draft& draft, const ObjectKey& claim, LedgerVolume volume);
/// Gives up what can never be made as it was asked for, if the claim or its class asks for something else
/// now: it is removed, and the claim has no volume again.
void give_up_failed(Draft& draft, const ObjectKey& claim, const ClaimClasses& classes);

}  // namespace mooring
