#include "facts/tree_parts.h"

#include <iterator>
#include <utility>

namespace mooring {

void add_part(TreeFacts& whole, TreeFacts part) {
  const auto move_all = [](auto& from, auto& to) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
  };
  // All of its members: one that is added and is not taken along here does not compile.
  auto& [pods, trash, attachments] = part;
  move_all(pods, whole.pods);
  move_all(trash, whole.trash);
  move_all(attachments, whole.attachments);
}

}  // namespace mooring
