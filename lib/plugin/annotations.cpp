#include "plugin/annotations.h"

#include <algorithm>

#include "base/quote.h"

namespace mooring {

Result<std::string> choice_of(const manifest::Pod& pod, const char* annotation, const char* fallback,
                              std::initializer_list<std::string_view> choices) {
  const auto found = pod.annotations.find(annotation);
  if (found == pod.annotations.end()) return std::string(fallback);
  if (std::find(choices.begin(), choices.end(), found->second) != choices.end()) return found->second;
  std::string known;
  for (const std::string_view choice : choices)
    known += (known.empty() ? "" : " or ") + std::string(choice);
  return refusal("InvalidAnnotation",
                 "annotation " + std::string(annotation) + " is " + quoted(found->second) + ", not " + known,
                 "correct it, or leave it out");
}

}  // namespace mooring
