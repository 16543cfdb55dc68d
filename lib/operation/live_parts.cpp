// The parts of a configuration volume that containers mount by themselves and that follow changes
// (mooring.io/live-subpath). A mount is bound to a file and not to its name, so the file must stay the same
// one: it is rewritten in place, which a reader may see half done. A directory stays the same too; the files
// in it are replaced one by one, each at one moment.

#include <set>
#include <vector>

#include "operation/volume_writer.h"
#include "step/layout.h"

namespace mooring {
namespace {

using kernel::FileType;

class LiveParts {
 public:
  LiveParts(const PublishFiles& step, kernel::Files& volume)
      : step_(step), volume_(volume), writer_(step, volume) {}

  Result<bool> run() {
    MOORING_TRY(remove_others());
    for (const LivePart& part : step_.live_parts) {
      MOORING_TRY(update(part));
    }
    return is_changed_;
  }

 private:
  static std::string place_of(const std::string& name) {
    return std::string(layout::content_live) + "/" + name;
  }

  /// Removes parts that nobody asks for any more.
  Result<void> remove_others() {
    MOORING_TRY(const auto live, volume_.status(layout::content_live));
    if (!live && step_.live_parts.empty()) return success();
    if (!live) return ensure_directory(layout::content_live);
    if (step_.live_parts.empty()) {
      is_changed_ = true;
      return volume_.remove_tree(layout::content_live);
    }
    MOORING_TRY(ensure_directory(layout::content_live));
    std::set<std::string> wanted;
    for (const LivePart& part : step_.live_parts)
      wanted.insert(part.name);
    MOORING_TRY(const auto entries, volume_.list(layout::content_live));
    for (const auto& entry : entries) {
      if (wanted.contains(entry.name)) continue;
      is_changed_ = true;
      MOORING_TRY(volume_.remove_tree(place_of(entry.name)));
    }
    return success();
  }

  Result<void> update(const LivePart& part) {
    const std::string place = place_of(part.name);
    bool is_directory = false;
    for (const PublishedFile& file : step_.files) {
      if (file.path == part.path) return update_file(place, file);
      is_directory = is_directory || file.path.starts_with(part.path + "/");
    }
    // What is not there any more stays as it was for those who have it mounted.
    return is_directory ? update_directory(part, place) : success();
  }

  Result<void> update_file(const std::string& place, const PublishedFile& file) {
    MOORING_TRY(const bool is_right, writer_.is_there(place, file));
    if (is_right) return success();
    is_changed_ = true;
    MOORING_TRY(const auto there, volume_.status(place));
    if (there && there->type == FileType::Regular) return writer_.rewrite(place, file);
    if (there) {
      MOORING_TRY(volume_.remove_tree(place));
    }
    return writer_.write(place, file);
  }

  Result<void> update_directory(const LivePart& part, const std::string& place) {
    MOORING_TRY(const auto there, volume_.status(place));
    if (there && there->type != FileType::Directory) {
      MOORING_TRY(volume_.remove_tree(place));
    }
    MOORING_TRY(ensure_directory(place));
    std::vector<PublishedFile> files;
    for (const PublishedFile& file : step_.files) {
      if (file.path.starts_with(part.path + "/"))
        files.push_back({file.path.substr(part.path.size() + 1), file.mode, file.bytes});
    }
    const std::set<std::string> directories = directories_of(files);
    std::set<std::string> wanted = directories;
    for (const PublishedFile& file : files)
      wanted.insert(file.path);
    for (const std::string& directory : directories) {
      MOORING_TRY(const auto status, volume_.status(place + "/" + directory));
      if (status && status->type != FileType::Directory) {
        MOORING_TRY(volume_.remove_tree(place + "/" + directory));
      }
      MOORING_TRY(ensure_directory(place + "/" + directory));
    }
    for (const PublishedFile& file : files) {
      MOORING_TRY(replace_file(place + "/" + file.path, file));
    }
    return remove_stale(place, "", wanted);
  }

  /// Makes a directory, or gives the group one that a crash left without it.
  Result<void> ensure_directory(const std::string& path) {
    MOORING_TRY(const auto status, volume_.status(path));
    const bool is_right =
        status && (!step_.group || (status->group == *step_.group &&
                                    status->mode == (content_directory_mode | group_directory_bits)));
    if (is_right) return success();
    is_changed_ = true;
    return writer_.make_directory(path);
  }

  Result<void> replace_file(const std::string& path, const PublishedFile& file) {
    MOORING_TRY(const bool is_right, writer_.is_there(path, file));
    if (is_right) return success();
    is_changed_ = true;
    MOORING_TRY(const auto there, volume_.status(path));
    if (there && there->type == FileType::Directory) {
      MOORING_TRY(volume_.remove_tree(path));
    }
    const std::string next = place_of(std::string(layout::content_next));
    MOORING_TRY(volume_.remove_file(next));  // A crash may have left it.
    MOORING_TRY(writer_.write(next, file));
    return volume_.replace(next, path);
  }

  Result<void> remove_stale(const std::string& place, const std::string& below,
                            const std::set<std::string>& wanted) {
    MOORING_TRY(const auto entries, volume_.list(below.empty() ? place : place + "/" + below));
    for (const auto& entry : entries) {
      const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
      if (!wanted.contains(path)) {
        is_changed_ = true;
        MOORING_TRY(volume_.remove_tree(place + "/" + path));
      } else if (entry.type == FileType::Directory) {
        MOORING_TRY(remove_stale(place, path, wanted));
      }
    }
    return success();
  }

  const PublishFiles& step_;
  kernel::Files& volume_;
  VolumeWriter writer_;
  bool is_changed_ = false;
};

}  // namespace

Result<bool> update_live_parts(const PublishFiles& step, kernel::Files& volume) {
  return LiveParts(step, volume).run();
}

}  // namespace mooring
