#include "daemon/record_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
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

}  // namespace

Result<RecordStore> RecordStore::open(const std::string& run_dir) {
  std::string path = run_dir + "/pods";
  std::error_code failed;
  std::filesystem::create_directories(run_dir, failed);
  if (failed) return record_error("cannot make the run directory", run_dir, failed.value());
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return record_error("cannot make the directory of records", path, errno);
  }
  kernel::Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return record_error("cannot open the directory of records", path, errno);
  if (!lock_directory(directory.get())) {
    if (errno != EWOULDBLOCK) return record_error("cannot lock the directory of records", path, errno);
    Error error;
    error.reason = "AlreadyRunning";
    error.message = "another mooringd keeps its records in the run directory " + run_dir;
    error.remedy = "end it first, or give this one another --run-dir";
    return error;
  }
  return RecordStore(std::move(path), std::move(directory));
}

Result<RecordStore::Contents> RecordStore::read_all() const {
  Contents contents;
  const int copy = openat(directory_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy), closedir);
  if (!stream) return record_error("cannot read the directory of records", path_, errno);
  std::string bytes;
  errno = 0;
  for (const dirent* entry = readdir(stream.get()); entry != nullptr;
       errno = 0, entry = readdir(stream.get())) {
    const std::string name = &entry->d_name[0];
    if (!name.ends_with(suffix) || name.starts_with('.')) continue;
    if (!read_small(directory_.get(), name, bytes)) {
      contents.unreadable.push_back(path_ + "/" + name + ": " + errno_text(errno));
      continue;
    }
    Result<PodRecord> record = decode_record(bytes);
    if (record && record.value().uid.str() + std::string(suffix) == name) {
      contents.records.push_back(std::move(record).value());
    } else {
      contents.unreadable.push_back(path_ + "/" + name + ": " +
                                    (record ? "it is the record of another pod" : record.error().message));
    }
  }
  if (errno != 0) return record_error("cannot read the directory of records", path_, errno);
  return contents;
}

Result<void> RecordStore::write(const PodRecord& record) {
  const std::string name = record.uid.str() + std::string(suffix);
  const std::string beside = "." + name + ".new";
  const std::string bytes = encode_record(record);
  const kernel::Descriptor file(
      openat(directory_.get(), beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return record_error("cannot write the record", path_ + "/" + name, errno);
  const ssize_t written = ::write(file.get(), bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) {
    const int cause = written < 0 ? errno : ENOSPC;
    unlinkat(directory_.get(), beside.c_str(), 0);
    return record_error("cannot write the record", path_ + "/" + name, cause);
  }
  if (renameat(directory_.get(), beside.c_str(), directory_.get(), name.c_str()) != 0) {
    return record_error("cannot write the record", path_ + "/" + name, errno);
  }
  return success();
}

Result<void> RecordStore::remove(const PodUid& uid) {
  const std::string name = uid.str() + std::string(suffix);
  if (unlinkat(directory_.get(), name.c_str(), 0) == 0 || errno == ENOENT) return success();
  return record_error("cannot remove the record", path_ + "/" + name, errno);
}

}  // namespace mooring
