#include "operation/proof.h"

#include <cerrno>

#include "step/layout.h"

namespace mooring {

Result<void> check_not_foreign(const PodUid& uid, kernel::Files& files) {
  MOORING_TRY(const auto stamp, files.status(layout::stamp(uid)));
  if (stamp) return success();
  const std::string path = layout::pod(uid);
  const auto entries = files.list(path);
  if (!entries) {
    if (entries.error().errno_value == ENOENT) return success();
    return entries.error();
  }
  for (const auto& entry : entries.value()) {
    if (layout::is_stamp_leftover(entry.name)) continue;
    Error error = refusal("ForeignDirectory",
                          "the pod's directory holds data (" + entry.name + ") and has no stamp (" +
                              std::string(layout::stamp_name) + "), so Mooring did not make it",
                          "move it away, or give the pod another uid; Mooring goes on by itself then");
    error.path = path;
    return error;
  }
  return success();
}

Result<void> check_not_foreign(const std::string& volume_path, kernel::Files& files) {
  const auto volume = layout::parse_volume(volume_path);
  if (!volume) return success();
  return check_not_foreign(volume->pod, files);
}

Result<void> remove_empty(const std::string& path, kernel::Files& files) {
  const Result<void> removed = files.remove_directory(path);
  if (removed || removed.error().errno_value != ENOTEMPTY) return removed;
  std::string names;
  if (const auto entries = files.list(path)) {
    for (const auto& entry : entries.value())
      names += (names.empty() ? "" : ", ") + entry.name;
  }
  Error error =
      refusal("NotEmpty", "the directory holds what Mooring did not make (" + names + "), which stays",
              "look at it, and remove it if nobody needs it");
  error.kind = ErrorKind::Transient;
  error.path = path;
  return error;
}

}  // namespace mooring
