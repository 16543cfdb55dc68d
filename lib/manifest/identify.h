#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "manifest/objects.h"

namespace mooring::manifest {

/// What a document that is not even YAML would have been, from its bare text: the top-level `kind:` and the
/// `name:` and `namespace:` two or more columns in below a top-level `metadata:`. Nothing is told if the text
/// may be that of several documents, or gives one of these more than once.
void identify_text(std::string_view text, BrokenDocument& broken);

/// nullopt if the two are not the name of anything; no namespace is "default".
std::optional<ObjectKey> valid_key(const std::string& name_space, const std::string& name);

}  // namespace mooring::manifest
