#include "bare_work.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace mooring::bench {
namespace {

void require(bool condition, const char* what, const std::string& path) {
  if (condition) return;
  std::perror(fmt::format("bare work: {} {}", what, path).c_str());
  std::exit(1);
}

/// The paths of one pod, built before the clock starts.
struct BarePod {
  std::string manifest, record, directory, stamp, volumes, plugin, disk, memory;
};

BarePod paths_of(const BareDirs& dirs, int n) {
  BarePod pod;
  const std::string uid = fmt::format("00000000-0000-5000-8000-{:012}", n);
  pod.manifest = fmt::format("{}/pod-{}.yaml", dirs.manifests, n);
  pod.record = dirs.run + "/" + uid + ".json";
  pod.directory = dirs.root + "/" + uid;
  pod.stamp = pod.directory + "/mooring.json";
  pod.volumes = pod.directory + "/volumes";
  pod.plugin = pod.volumes + "/kubernetes.io~empty-dir";
  pod.disk = pod.plugin + "/disk";
  pod.memory = pod.plugin + "/memory";
  return pod;
}

void write_file(const std::string& path) {
  constexpr std::string_view content =
      R"({"version":1,"uid":"00000000-0000-5000-8000-000000000000","namespace":"default","name":"pod-0000"})";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
  require(fd >= 0 && write(fd, content.data(), content.size()) > 0, "write", path);
  close(fd);
}

void set_up(const BarePod& pod, const std::string& host) {
  std::array<char, 16384> buffer{};
  const int fd = open(pod.manifest.c_str(), O_RDONLY | O_CLOEXEC);
  require(fd >= 0 && read(fd, buffer.data(), buffer.size()) > 0, "read", pod.manifest);
  close(fd);
  write_file(pod.record);
  require(mkdir(pod.directory.c_str(), 0750) == 0, "mkdir", pod.directory);
  write_file(pod.stamp);
  require(mkdir(pod.volumes.c_str(), 0750) == 0, "mkdir", pod.volumes);
  require(mkdir(pod.plugin.c_str(), 0750) == 0, "mkdir", pod.plugin);
  require(mkdir(pod.disk.c_str(), 0777) == 0, "mkdir", pod.disk);
  require(mkdir(pod.memory.c_str(), 0777) == 0, "mkdir", pod.memory);
  require(mount("tmpfs", pod.memory.c_str(), "tmpfs", 0, "size=64m") == 0, "mount", pod.memory);
  struct stat status {};
  require(stat(host.c_str(), &status) == 0 && stat(host.c_str(), &status) == 0, "stat", host);
}

void tear_down(const BarePod& pod) {
  require(umount2(pod.memory.c_str(), UMOUNT_NOFOLLOW) == 0, "umount", pod.memory);
  for (const std::string* path : {&pod.memory, &pod.disk, &pod.plugin, &pod.volumes}) {
    require(rmdir(path->c_str()) == 0, "rmdir", *path);
  }
  require(unlink(pod.stamp.c_str()) == 0, "unlink", pod.stamp);
  require(rmdir(pod.directory.c_str()) == 0, "rmdir", pod.directory);
  require(unlink(pod.record.c_str()) == 0, "unlink", pod.record);
}

void publish(const std::string& volume, const std::vector<std::string>& names, const std::string& content,
             int round) {
  const std::string version = fmt::format("..version-{}", round);
  const std::string directory = volume + "/" + version;
  require(mkdir(directory.c_str(), 0755) == 0, "mkdir", directory);
  for (const std::string& name : names) {
    const std::string path = directory + "/" + name;
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(fd >= 0 && write(fd, content.data(), content.size()) > 0 && fchmod(fd, 0644) == 0, "write", path);
    close(fd);
  }
  const std::string next = volume + "/..data_tmp";
  require(symlink(version.c_str(), next.c_str()) == 0, "symlink", next);
  require(rename(next.c_str(), (volume + "/..data").c_str()) == 0, "rename", next);
  if (round == 0) return;
  const std::string before = fmt::format("{}/..version-{}", volume, round - 1);
  for (const std::string& name : names)
    require(unlink((before + "/" + name).c_str()) == 0, "unlink", before);
  require(rmdir(before.c_str()) == 0, "rmdir", before);
}

}  // namespace

BareTimes run_bare_work(const BareDirs& dirs, int pods) {
  using Clock = std::chrono::steady_clock;
  std::vector<BarePod> all;
  for (int n = 0; n < pods; ++n)
    all.push_back(paths_of(dirs, n));
  umask(0);
  BareTimes times;
  const auto start = Clock::now();
  for (const BarePod& pod : all)
    set_up(pod, dirs.host);
  const auto made = Clock::now();
  for (const BarePod& pod : all)
    tear_down(pod);
  times.set_up = made - start;
  times.tear_down = Clock::now() - made;
  return times;
}

std::vector<std::chrono::nanoseconds> run_bare_publishing(const std::vector<std::string>& volumes,
                                                          const std::vector<std::string>& names,
                                                          const std::string& content, int rounds) {
  using Clock = std::chrono::steady_clock;
  umask(0);
  std::vector<std::chrono::nanoseconds> times;
  for (int round = 0; round <= rounds; ++round) {
    const auto start = Clock::now();
    for (const std::string& volume : volumes)
      publish(volume, names, content, round);
    if (round > 0) times.push_back(Clock::now() - start);  // The first has nothing to remove.
  }
  return times;
}

}  // namespace mooring::bench
