#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifest/field.h"
#include "manifest/objects.h"

namespace mooring::manifest {

/// How an object of some apiVersion and kind is dealt with. At most one of `decode` and `error` is set.
struct KindRule {
  std::optional<Object> (*decode)(const Field&) = nullptr;  ///< Mooring reads it.
  std::string error;            ///< It is nobody's kind: a typing error, and nobody can tell of what.
  bool is_about_group = false;  ///< The error is one of apiVersion and not of kind.
  bool needs_name = false;      ///< Ignored, but without metadata.name it is not what it seems.
  bool is_ignored() const { return decode == nullptr && error.empty(); }
};

/// Ignored are the kinds of Kubernetes that Mooring has no use for, by name, and those of custom resources,
/// which stand in a group with a dot. Anything else is an error: `kind: Pods` in the place of a Pod must not
/// look as if the Pod were gone.
KindRule rule_for(std::string_view api_version, std::string_view kind);

/// True for a kind that Mooring reads, in whatever group.
bool is_read_kind(std::string_view kind);

}  // namespace mooring::manifest
