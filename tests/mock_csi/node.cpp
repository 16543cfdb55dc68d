#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "driver.h"

namespace mooring::mock_csi {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::int64_t raw_bytes_default = 1024LL * 1024;

Reply internal(const std::string& what) {
  return {CallCode::Internal, what + ": " + std::strerror(errno), {}};
}

/// As mountinfo shows it; the paths of tests need no escapes.
bool is_mounted(const std::string& path) {
  std::ifstream in("/proc/self/mountinfo");
  std::string line;
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string id;
    std::string parent;
    std::string device;
    std::string root;
    std::string target;
    words >> id >> parent >> device >> root >> target;
    if (target == path) return true;
  }
  return false;
}

bool is_raw(const json& request) {
  return request.contains("volume_capability") && request["volume_capability"].contains("block");
}

std::string context(const json& request, const char* key) {
  return request.contains("volume_context") ? text_in(request["volume_context"], key) : std::string();
}

/// Binds; repeated, it changes nothing.
Reply bind_mount(const std::string& source, const std::string& target, bool is_read_only) {
  if (is_mounted(target)) return {};
  if (mount(source.c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0)
    return internal("bind " + source + " " + target);
  if (is_read_only && mount(nullptr, target.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0)
    return internal("remount " + target);
  return {};
}

/// The file that stands for a raw volume.
std::string raw_file(const fs::path& volume, const json& request) {
  if (const std::string device = context(request, "device"); !device.empty()) return device;
  const std::string file = volume.string() + ".block";
  const int fd = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  struct stat status {};
  if (fstat(fd, &status) == 0 && status.st_size == 0) static_cast<void>(!ftruncate(fd, raw_bytes_default));
  close(fd);
  return file;
}

Reply unmount_all(const std::string& path) {
  while (is_mounted(path)) {
    if (umount2(path.c_str(), UMOUNT_NOFOLLOW) != 0) return internal("umount " + path);
  }
  return {};
}

}  // namespace

Reply Driver::node(const std::string& call, const json& request) {
  if (call == "NodeGetInfo") return node_info();
  if (text_in(request, "volume_id").empty()) return {CallCode::InvalidArgument, "no volume_id", {}};
  if (call == "NodeStageVolume") return stage(request);
  if (call == "NodeUnstageVolume") return unstage(request);
  if (call == "NodePublishVolume") return publish(request);
  if (call == "NodeUnpublishVolume") return unpublish(request);
  if (call == "NodeGetVolumeStats") return node_stats(request);
  if (call == "NodeExpandVolume") return node_expand(request);
  return {CallCode::Unimplemented, "unknown method " + call, {}};
}

Reply Driver::stage(const json& request) {
  if (!stages()) return {CallCode::Unimplemented, "no STAGE_UNSTAGE_VOLUME", {}};
  const std::string target = text_in(request, "staging_target_path");
  if (target.empty() || !request.contains("volume_capability"))
    return {CallCode::InvalidArgument, "no staging_target_path or no volume_capability", {}};
  const fs::path volume = volume_path(text_in(request, "volume_id"));
  if (is_raw(request)) return {};
  fs::create_directories(volume);
  if (mkdir(target.c_str(), 0750) != 0 && errno != EEXIST) return internal("mkdir " + target);
  return bind_mount(volume, target, false);
}

Reply Driver::unstage(const json& request) {
  if (!stages()) return {CallCode::Unimplemented, "no STAGE_UNSTAGE_VOLUME", {}};
  const std::string target = text_in(request, "staging_target_path");
  if (target.empty()) return {CallCode::InvalidArgument, "no staging_target_path", {}};
  return unmount_all(target);
}

Reply Driver::publish(const json& request) {
  const std::string target = text_in(request, "target_path");
  const std::string staged = text_in(request, "staging_target_path");
  if (target.empty() || !request.contains("volume_capability"))
    return {CallCode::InvalidArgument, "no target_path or no volume_capability", {}};
  if (stages() && staged.empty()) return {CallCode::FailedPrecondition, "no staging_target_path", {}};
  const fs::path volume = volume_path(text_in(request, "volume_id"));
  const bool is_read_only = request.value("readonly", false);
  if (is_raw(request)) {
    const int fd = open(target.c_str(), O_CREAT | O_CLOEXEC | O_RDONLY, 0600);
    if (fd < 0) return internal("create " + target);
    close(fd);
    return bind_mount(raw_file(volume, request), target, is_read_only);
  }
  if (stages() && !is_mounted(staged)) return {CallCode::FailedPrecondition, "it is not staged", {}};
  if (mkdir(target.c_str(), 0755) != 0 && errno != EEXIST) return internal("mkdir " + target);
  if (context(request, "fs") == "tmpfs") {
    if (is_mounted(target)) return {};
    const unsigned long flags = is_read_only ? MS_RDONLY : 0;
    return mount("mock", target.c_str(), "tmpfs", flags, nullptr) == 0 ? Reply()
                                                                       : internal("mount " + target);
  }
  fs::create_directories(volume);
  if (context(request, "csi.storage.k8s.io/ephemeral") == "true") {
    json description{{"ephemeral", true}};
    write_json(volume.string() + ".json", description);
  }
  return bind_mount(stages() ? staged : volume.string(), target, is_read_only);
}

Reply Driver::unpublish(const json& request) {
  const std::string target = text_in(request, "target_path");
  if (target.empty()) return {CallCode::InvalidArgument, "no target_path", {}};
  if (Reply reply = unmount_all(target); reply.code != CallCode::Ok) return reply;
  struct stat status {};
  if (lstat(target.c_str(), &status) == 0) {
    const int failed = S_ISDIR(status.st_mode) ? rmdir(target.c_str()) : unlink(target.c_str());
    if (failed != 0) return internal("remove " + target);
  }
  const fs::path volume = volume_path(text_in(request, "volume_id"));
  const json description = read_json(volume.string() + ".json");
  if (description.is_object() && description.value("ephemeral", false)) {
    fs::remove_all(volume);
    fs::remove(volume.string() + ".json");
  }
  return {};
}

Reply Driver::node_stats(const json& request) const {
  struct statvfs space {};
  if (statvfs(text_in(request, "volume_path").c_str(), &space) != 0)
    return {CallCode::NotFound, "nothing is at volume_path", {}};
  const auto unit = static_cast<std::uint64_t>(space.f_frsize);
  const auto usage = [](const char* name, std::uint64_t total, std::uint64_t free, std::uint64_t available) {
    return json{{"unit", name},
                {"total", std::to_string(total)},
                {"used", std::to_string(total - free)},
                {"available", std::to_string(available)}};
  };
  json response{{"usage",
                 {usage("BYTES", space.f_blocks * unit, space.f_bfree * unit, space.f_bavail * unit),
                  usage("INODES", space.f_files, space.f_ffree, space.f_favail)}}};
  if (options_.node_capabilities.count("VOLUME_CONDITION") != 0)
    response["volume_condition"] = {{"abnormal", false}, {"message", "all is well"}};
  return {CallCode::Ok, "", response};
}

Reply Driver::node_expand(const json& request) {
  if (!fs::exists(text_in(request, "volume_path")))
    return {CallCode::NotFound, "nothing is at volume_path", {}};
  const json range = request.contains("capacity_range") ? request["capacity_range"] : json::object();
  return {CallCode::Ok, "", {{"capacity_bytes", std::to_string(number_in(range, "required_bytes"))}}};
}

Reply Driver::node_info() const {
  return {CallCode::Ok,
          "",
          {{"node_id", options_.node_id}, {"max_volumes_per_node", std::to_string(options_.volumes_max)}}};
}

}  // namespace mooring::mock_csi
