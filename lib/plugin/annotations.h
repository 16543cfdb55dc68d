#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"
#include "manifest/pod.h"

namespace mooring {

/// The value of a pod's annotation that has a few; `fallback` if it is not there. Another one is refused:
/// "InvalidAnnotation".
Result<std::string> choice_of(const manifest::Pod& pod, const char* annotation, const char* fallback,
                              std::initializer_list<std::string_view> choices);

}  // namespace mooring
