#include "daemon/record_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <filesystem>
#include <memory>

#include "daemon/directory_lock.h"
#include "step/layout.h"

namespace mooring {
namespace {

constexpr std::string_view suffix = ".json";

Error record_error(const char* what, const std::string& path, int errno_value) {
  Error error = system_error(ErrorKind::Transient, "RecordFailed", what, path, errno_value);
  error.remedy = "the run directory must be writable and have space: nothing is mounted without a record";
  return error;
}

/// The content of a small file; false leaves errno.
bool read_small(int directory, const std::string& name, std::string& out) {
  const kernel::Descriptor file(
      openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return false;
  out.clear();
  std::array<char, 4096> part{};
  while (true) {
    const ssize_t got = read(file.get(), part.data(), part.size());
    if (got < 0) return false;
    if (got == 0) return true;
    out.append(part.data(), static_cast<std::size_t>(got));
    if (out.size() > 1024 * 1024) {
      errno = EFBIG;
      return false;
    }
  }
}

/// A device's record is named after its key, which has slashes, and may be too long for a name.
std::string name_of(const VolumeKey& device) {
  if (const auto element = layout::escape_handle(device.str())) return element->str();
  static const boost::uuids::uuid devices =
      boost::uuids::string_generator()("6d1f4c1e-5f0b-4c8e-9d43-2f7f6c1b7a55");
  return "key-" + boost::uuids::to_string(boost::uuids::name_generator_sha1(devices)(device.str()));
}

}  // namespace

Result<RecordDirectory> RecordDirectory::open(std::string path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return record_error("cannot make the directory of records", path, errno);
  }
  kernel::Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return record_error("cannot open the directory of records", path, errno);
  return RecordDirectory(std::move(path), std::move(directory));
}

Result<void> RecordDirectory::read_all(
    const std::function<std::string(const std::string&, const std::string&)>& take,
    std::vector<std::string>& unreadable) const {
  const int copy = openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy), closedir);
  if (!stream) return record_error("cannot read the directory of records", path_, errno);
  std::string bytes;
  errno = 0;
  for (const dirent* entry = readdir(stream.get()); entry != nullptr;
       errno = 0, entry = readdir(stream.get())) {
    const std::string name = &entry->d_name[0];
    if (name.starts_with('.') && name.ends_with(".new")) {  // Its writer died before it was a record.
      unlinkat(directory_.get(), name.c_str(), 0);
      continue;
    }
    if (!name.ends_with(suffix) || name.starts_with('.')) continue;
    const std::string problem = read_small(directory_.get(), name, bytes)
                                    ? take(name.substr(0, name.size() - suffix.size()), bytes)
                                    : errno_text(errno);
    if (!problem.empty()) unreadable.push_back(path_ + "/" + name + ": " + problem);
  }
  if (errno != 0) return record_error("cannot read the directory of records", path_, errno);
  return success();
}

Result<void> RecordDirectory::write(const std::string& name, const std::string& bytes) {
  const std::string file_name = name + std::string(suffix);
  const std::string beside = "." + file_name + ".new";
  const kernel::Descriptor file(
      openat(directory_.get(), beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return record_error("cannot write the record", path_ + "/" + file_name, errno);
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) {
    const int cause = written < 0 ? errno : ENOSPC;
    unlinkat(directory_.get(), beside.c_str(), 0);
    return record_error("cannot write the record", path_ + "/" + file_name, cause);
  }
  if (renameat(directory_.get(), beside.c_str(), directory_.get(), file_name.c_str()) != 0) {
    return record_error("cannot write the record", path_ + "/" + file_name, errno);
  }
  return success();
}

Result<void> RecordDirectory::remove(const std::string& name) {
  const std::string file_name = name + std::string(suffix);
  if (unlinkat(directory_.get(), file_name.c_str(), 0) == 0 || errno == ENOENT) return success();
  return record_error("cannot remove the record", path_ + "/" + file_name, errno);
}

Result<RecordStore> RecordStore::open(const std::string& run_dir) {
  std::error_code failed;
  std::filesystem::create_directories(run_dir, failed);
  if (failed) return record_error("cannot make the run directory", run_dir, failed.value());
  MOORING_TRY(RecordDirectory pods, RecordDirectory::open(run_dir + "/pods"));
  if (!lock_directory(pods.descriptor())) {
    if (errno != EWOULDBLOCK) return record_error("cannot lock the directory of records", pods.path(), errno);
    Error error;
    error.reason = "AlreadyRunning";
    error.message = "another mooringd keeps its records in the run directory " + run_dir;
    error.remedy = "end it first, or give this one another --run-dir";
    return error;
  }
  MOORING_TRY(RecordDirectory devices, RecordDirectory::open(run_dir + "/devices"));
  return RecordStore(std::move(pods), std::move(devices));
}

Result<RecordStore::Contents> RecordStore::read_all() const {
  Contents contents;
  MOORING_TRY(pods_.read_all(
      [&](const std::string& name, const std::string& bytes) {
        Result<PodRecord> record = decode_record(bytes);
        if (!record) return record.error().message;
        if (record.value().uid.str() != name) return std::string("it is the record of another pod");
        contents.records.push_back(std::move(record).value());
        return std::string();
      },
      contents.unreadable));
  MOORING_TRY(devices_.read_all(
      [&](const std::string& name, const std::string& bytes) {
        Result<DeviceRecord> record = decode_device_record(bytes);
        if (!record) return record.error().message;
        if (name_of(record.value().key) != name) return std::string("it is the record of another device");
        contents.devices.push_back(std::move(record).value());
        return std::string();
      },
      contents.unreadable));
  return contents;
}

Result<void> RecordStore::write(const PodRecord& record) {
  return pods_.write(record.uid.str(), encode_record(record));
}

Result<void> RecordStore::write(const DeviceRecord& record) {
  return devices_.write(name_of(record.key), encode_device_record(record));
}

Result<void> RecordStore::remove(const PodUid& uid) {
  return pods_.remove(uid.str());
}

Result<void> RecordStore::remove(const VolumeKey& device) {
  return devices_.remove(name_of(device));
}

}  // namespace mooring
