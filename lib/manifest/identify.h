#pragma once

#include <string>
#include <string_view>

#include "manifest/objects.h"

namespace mooring::manifest {

/// What a document that is not even YAML would have been, from its bare text: the top-level `kind:` and the
/// `name:` and `namespace:` two or more columns in below a top-level `metadata:`.
void identify_text(std::string_view text, BrokenDocument& broken);

}  // namespace mooring::manifest
