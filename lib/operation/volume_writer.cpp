#include "operation/volume_writer.h"

namespace mooring {

using kernel::FileType;

std::set<std::string> directories_of(const std::vector<PublishedFile>& files) {
  std::set<std::string> directories;
  for (const PublishedFile& file : files) {
    for (std::size_t slash = file.path.find('/'); slash != std::string::npos;
         slash = file.path.find('/', slash + 1)) {
      directories.insert(file.path.substr(0, slash));
    }
  }
  return directories;
}

Result<void> VolumeWriter::make_directory(const std::string& path) {
  MOORING_TRY(volume_.make_directory(path, content_directory_mode));
  if (!step_.group) return success();
  return volume_.set_owner(path, *step_.group, content_directory_mode | group_directory_bits);
}

Result<void> VolumeWriter::write(const std::string& path, const PublishedFile& file) {
  // Nobody but root may read it before the group is right.
  const std::uint32_t first_mode = step_.group ? 0 : mode_of(file);
  MOORING_TRY(volume_.write_file(path, file.bytes.expose_secret(), first_mode));
  if (!step_.group) return success();
  return volume_.set_owner(path, *step_.group, mode_of(file));
}

Result<void> VolumeWriter::rewrite(const std::string& path, const PublishedFile& file) {
  if (step_.group) {  // First: the group that it had may not read the new content.
    MOORING_TRY(const auto there, volume_.status(path));
    if (there && there->group != *step_.group) {
      MOORING_TRY(volume_.set_owner(path, *step_.group, there->mode & mode_of(file)));
    }
  }
  MOORING_TRY(volume_.rewrite_file(path, file.bytes.expose_secret(), mode_of(file)));
  if (!step_.group) return success();
  return volume_.set_owner(path, *step_.group, mode_of(file));
}

Result<bool> VolumeWriter::is_there(const std::string& path, const PublishedFile& file) {
  MOORING_TRY(const auto status, volume_.status(path));
  const std::string& wanted = file.bytes.expose_secret();
  if (!status || status->type != FileType::Regular || status->mode != mode_of(file) ||
      status->size_bytes != wanted.size() || (step_.group && status->group != *step_.group)) {
    return false;
  }
  Result<std::string> content = volume_.read_file(path, wanted.size());
  if (!content) return content.error();
  const SecretBytes there(std::move(content).value());
  return there == file.bytes;
}

}  // namespace mooring
