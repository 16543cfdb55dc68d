#include "daemon/file_system_watch.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace mooring {
namespace {

namespace fs = std::filesystem;

/// The one line of a file of sysfs, read from its start; empty if it cannot be read.
std::string line_of(int file) {
  std::array<char, 256> bytes{};
  const ssize_t got = pread(file, bytes.data(), bytes.size(), 0);
  std::string line(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (line.ends_with('\n'))
    line.pop_back();
  return line;
}

std::string line_of(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::string line = line_of(file);
  close(file);
  return line;
}

/// "2 errors, the last in ext4_lookup".
std::string message_of(const std::string& directory, const std::string& count) {
  std::string message = count + (count == "1" ? " error" : " errors");
  const std::string function = line_of(directory + "/last_error_func");
  const std::string cause = line_of(directory + "/last_error_errcode");
  if (!cause.empty() && cause != "0") message += ", " + cause;
  if (!function.empty()) message += ", the last in " + function;
  return message;
}

}  // namespace

FileSystemWatch::FileSystemWatch(boost::asio::io_context& loop, Sink sink, std::string sysfs)
    : loop_(loop), sink_(std::move(sink)), sysfs_(std::move(sysfs)) {}

void FileSystemWatch::watch(const std::set<DeviceNumber>& devices) {
  std::erase_if(watched_, [&](const auto& entry) { return !devices.contains(entry.first); });
  for (const DeviceNumber& device : devices) {
    if (watched_.contains(device)) continue;
    std::error_code failed;
    const std::string number =
        std::to_string(device.major_number) + ":" + std::to_string(device.minor_number);
    const fs::path link = fs::read_symlink(sysfs_ + "/dev/block/" + number, failed);
    if (failed) continue;
    const std::string directory = sysfs_ + "/fs/ext4/" + link.filename().string();
    const int errors = open((directory + "/errors_count").c_str(), O_RDONLY | O_CLOEXEC);
    if (errors < 0) continue;  // It is no ext4.
    auto watched = std::make_shared<Watched>(
        Watched{directory, "0", boost::asio::posix::stream_descriptor(loop_, errors)});
    watched_.emplace(device, watched);
    if (look(device, *watched)) wait(device, watched);
  }
}

bool FileSystemWatch::look(DeviceNumber device, Watched& watched) {
  const std::string count = line_of(watched.errors.native_handle());
  if (count.empty()) return false;
  if (count == watched.told) return true;
  watched.told = count;
  sink_(device, message_of(watched.directory, count));
  return true;
}

void FileSystemWatch::wait(DeviceNumber device, const std::shared_ptr<Watched>& watched) {
  const std::weak_ptr<Watched> known = watched;
  watched->errors.async_wait(boost::asio::posix::stream_descriptor::wait_error,
                             [this, device, known](boost::system::error_code failed) {
                               const auto still = known.lock();
                               if (failed || !still) return;
                               // Reading it is what lets the next wait wait. One that cannot be read
                               // is not there any more, and would wake for ever.
                               if (look(device, *still)) return wait(device, still);
                               watched_.erase(device);
                             });
}

}  // namespace mooring
