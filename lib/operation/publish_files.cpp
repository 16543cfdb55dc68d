#include "operation/publish_files.h"

#include <cerrno>
#include <map>
#include <set>

#include "operation/volume_writer.h"
#include "step/layout.h"

namespace mooring {
namespace {

using kernel::FileType;
using Entries = std::vector<kernel::DirectoryEntry>;

std::string first_element(const std::string& path) {
  return path.substr(0, path.find('/'));
}

std::string link_target(const std::string& name) {
  return std::string(layout::content_data) + "/" + name;
}

Error foreign(const std::string& message, const std::string& path) {
  Error error;
  error.kind = ErrorKind::Final;
  error.reason = "ForeignContent";
  error.message = message;
  error.path = path;
  error.remedy = "move it away; Mooring goes on by itself then";
  return error;
}

/// One volume while its content is being published.
class Publisher {
 public:
  Publisher(const PublishFiles& step, kernel::Files& files, kernel::Files& volume)
      : step_(step), files_(files), volume_(volume) {
    for (const PublishedFile& file : step.files)
      names_.insert(first_element(file.path));
  }

  Result<bool> run();

 private:
  Result<bool> holds_just_that(const std::string& name);
  Result<bool> has_same_tree(kernel::Files& version);
  Result<void> write_version(const std::string& name);
  Result<void> switch_to(const std::string& version);
  Result<void> repair_links(const Entries& entries);
  Result<void> make_mount_points();
  Result<void> remove_leftovers(const Entries& entries, const std::string& version);
  Result<void> give_root_to_group();
  Result<bool> is_right_directory(kernel::Files& files, const std::string& path) const;

  const PublishFiles& step_;
  kernel::Files& files_;  ///< Of the root directory.
  kernel::Files& volume_;
  std::set<std::string> names_;  ///< First elements: what a reader sees in the volume.
  bool is_changed_ = false;
};

Result<bool> Publisher::run() {
  const Result<std::optional<std::string>> data = volume_.read_link(layout::content_data);
  if (!data && data.error().errno_value == EINVAL)
    return foreign("something that Mooring did not make has the name of its link", step_.path + "/..data");
  if (!data) return data.error();
  std::string version = data.value().value_or("");
  const bool is_ours = layout::is_content_version(version);
  bool is_there = false;
  if (is_ours) {
    MOORING_TRY(is_there, holds_just_that(version));
  }
  MOORING_TRY(make_mount_points());
  MOORING_TRY(give_root_to_group());
  if (!is_there) {
    std::string next = step_.version;
    while (next == version)
      next += "0";  // The clock stood still or went back.
    const Result<void> written = write_version(next);
    const Result<void> switched = written ? switch_to(next) : written;
    if (!switched) {
      static_cast<void>(volume_.remove_tree(next));  // If this fails too, the next try removes it.
      return switched.error();
    }
    version = next;
    is_changed_ = true;
  }
  MOORING_TRY(const auto entries, volume_.list(""));
  MOORING_TRY(repair_links(entries));
  MOORING_TRY(const bool is_live_changed, update_live_parts(step_, volume_));
  MOORING_TRY(remove_leftovers(entries, version));
  return is_changed_ || is_live_changed;
}

/// The volume's own directory: whoever may read the files must be able to get at them.
Result<void> Publisher::give_root_to_group() {
  if (!step_.group) return success();
  MOORING_TRY(const auto root, files_.status(step_.path));
  if (!root) return success();
  const std::uint32_t mode = root->mode | group_directory_bits;
  if (root->group == *step_.group && root->mode == mode) return success();
  is_changed_ = true;
  return files_.set_owner(step_.path, *step_.group, mode);
}

Result<bool> Publisher::is_right_directory(kernel::Files& files, const std::string& path) const {
  MOORING_TRY(const auto status, files.status(path));
  return status && status->type == FileType::Directory &&
         (!step_.group ||
          (status->group == *step_.group && status->mode == (content_directory_mode | group_directory_bits)));
}

/// True if the version has the wanted names and no other.
Result<bool> Publisher::has_same_tree(kernel::Files& version) {
  std::set<std::string> wanted;
  const std::set<std::string> directories = directories_of(step_.files);
  for (const PublishedFile& file : step_.files)
    wanted.insert(file.path);
  std::vector<std::string> to_list{""};
  std::size_t found = 0;
  while (!to_list.empty()) {
    const std::string directory = std::move(to_list.back());
    to_list.pop_back();
    MOORING_TRY(const auto entries, version.list(directory));
    for (const auto& entry : entries) {
      const std::string path = directory.empty() ? entry.name : directory + "/" + entry.name;
      const bool is_directory = entry.type == FileType::Directory;
      if (!(is_directory ? directories : wanted).contains(path)) return false;
      if (is_directory && step_.group) {
        MOORING_TRY(const bool is_right, is_right_directory(version, path));
        if (!is_right) return false;
      }
      ++found;
      if (is_directory) to_list.push_back(path);
    }
  }
  return found == wanted.size() + directories.size();
}

Result<bool> Publisher::holds_just_that(const std::string& name) {
  MOORING_TRY(const bool is_right, is_right_directory(volume_, name));
  if (!is_right) return false;
  MOORING_TRY(const auto version, volume_.inside(name));
  MOORING_TRY(const bool has_names, has_same_tree(*version));
  if (!has_names) return false;
  VolumeWriter files(step_, *version);
  for (const PublishedFile& file : step_.files) {
    MOORING_TRY(const bool is_same, files.is_there(file.path, file));
    if (!is_same) return false;
  }
  return true;
}

Result<void> Publisher::write_version(const std::string& name) {
  MOORING_TRY(volume_.remove_tree(name));  // Of the same name: what an earlier try left.
  MOORING_TRY(VolumeWriter(step_, volume_).make_directory(name));
  MOORING_TRY(const auto version, volume_.inside(name));
  VolumeWriter writer(step_, *version);
  for (const std::string& directory : directories_of(step_.files)) {
    MOORING_TRY(writer.make_directory(directory));
  }
  for (const PublishedFile& file : step_.files) {
    MOORING_TRY(writer.write(file.path, file));
  }
  return success();
}

Result<void> Publisher::switch_to(const std::string& version) {
  MOORING_TRY(volume_.remove_file(layout::content_next));  // A crash may have left it.
  MOORING_TRY(volume_.make_link(layout::content_next, version));
  const Result<void> switched = volume_.replace(layout::content_next, layout::content_data);
  if (switched) return switched;
  // The return code is a hint: what the link says decides.
  const auto data = volume_.read_link(layout::content_data);
  return data && data.value() == version ? Result<void>(success()) : switched;
}

/// A link for each name, and none for names that are gone. Names come after the switch and go after it, so
/// that a name that is seen leads somewhere.
Result<void> Publisher::repair_links(const Entries& entries) {
  std::set<std::string> there;
  for (const auto& entry : entries) {
    if (entry.name.starts_with("..")) continue;
    const bool is_wanted = names_.contains(entry.name);
    if (entry.type != FileType::SymbolicLink) {
      if (is_wanted)
        return foreign("something that Mooring did not make has the name of a file of the volume",
                       step_.path + "/" + entry.name);
      continue;
    }
    MOORING_TRY(const auto target, volume_.read_link(entry.name));
    const bool is_right = target == link_target(entry.name);
    if (is_wanted && is_right) {
      there.insert(entry.name);
    } else if (is_wanted || is_right) {
      MOORING_TRY(volume_.remove_file(entry.name));
      is_changed_ = true;
    }
  }
  for (const std::string& name : names_) {
    if (there.contains(name)) continue;
    MOORING_TRY(volume_.make_link(name, link_target(name)));
    is_changed_ = true;
  }
  return success();
}

/// Mount points lie in the volume itself and not in a version, so that what is mounted there outlives a
/// switch.
Result<void> Publisher::make_mount_points() {
  for (const std::string& path : step_.mount_points) {
    const std::string name = first_element(path);
    if (names_.contains(name)) {
      return foreign("a container mounts something at " + path +
                         " inside the volume, which has a file or directory " + "of that name",
                     step_.path + "/" + name);
    }
    // A link of an earlier version is in the way.
    const auto link = volume_.read_link(name);
    if (link && link.value()) {
      MOORING_TRY(volume_.remove_file(name));
    }
    for (std::size_t end = path.find('/'); end != std::string::npos; end = path.find('/', end + 1)) {
      MOORING_TRY(volume_.make_directory(path.substr(0, end), content_directory_mode));
    }
    MOORING_TRY(const bool is_made, volume_.make_directory(path, content_directory_mode));
    is_changed_ = is_changed_ || is_made;
  }
  return success();
}

/// Versions that do not count any more, and what a crash left.
Result<void> Publisher::remove_leftovers(const Entries& entries, const std::string& version) {
  for (const auto& entry : entries) {
    if (entry.name == layout::content_next) {
      MOORING_TRY(volume_.remove_file(entry.name));
      is_changed_ = true;
    } else if (layout::is_content_version(entry.name) && entry.name != version) {
      MOORING_TRY(volume_.remove_tree(entry.name));
      is_changed_ = true;
    }
  }
  return success();
}

}  // namespace

Result<bool> publish_files(const PublishFiles& step, kernel::Files& files) {
  MOORING_TRY(const auto volume, files.inside(step.path));
  return Publisher(step, files, *volume).run();
}

}  // namespace mooring
