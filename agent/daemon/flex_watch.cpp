#include "daemon/flex_watch.h"

#include <dirent.h>
#include <spdlog/spdlog.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "flex/names.h"

namespace mooring {
namespace {

constexpr std::uint32_t changes = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr std::size_t entries_max = 10'000;

struct CloseDirectory {
  void operator()(DIR* directory) const { closedir(directory); }
};

/// The names in a directory; an errno if it cannot be read whole.
Result<std::vector<std::string>> names_in(const std::string& path) {
  const auto fail = [&](int error) {
    return system_error(ErrorKind::Transient, "FlexDirectoryUnreadable",
                        "cannot read the directory of FlexVolume drivers", path, error);
  };
  const std::unique_ptr<DIR, CloseDirectory> directory(opendir(path.c_str()));
  if (!directory) return fail(errno);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* entry = readdir(directory.get());
    if (entry == nullptr && errno != 0) return fail(errno);
    if (entry == nullptr) return names;
    if (names.size() >= entries_max) return fail(EOVERFLOW);
    names.emplace_back(static_cast<const char*>(entry->d_name));
  }
}

}  // namespace

FlexTree::FlexTree(std::string directory)
    : directory_(std::move(directory)), inotify_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

void FlexTree::watch(const std::string& path, std::set<int>& watches) {
  const int watch = inotify_add_watch(inotify_.get(), path.c_str(), changes);
  if (watch >= 0) watches.insert(watch);
}

/// What is there of the way: it tells when the next part of it comes.
void FlexTree::watch_way(std::set<int>& watches) {
  for (std::string path = directory_; path.size() > 1;) {
    path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    const std::size_t before = watches.size();
    watch(path, watches);
    if (watches.size() != before) return;
  }
}

void FlexTree::list_driver(const std::string& name, std::set<int>& watches,
                           std::vector<FlexProgramFact>& programs) {
  const auto driver = flex::driver_of_directory(name);
  const std::string path = directory_ + "/" + name;
  struct stat status {};
  if (!driver || lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return;
  watch(path, watches);
  const std::string program_name = flex::program_name_of(*driver);
  const std::string program = path + "/" + program_name;
  if (stat(program.c_str(), &status) != 0) return;
  if (!flex::driver_of_entry({name, program_name, S_ISREG(status.st_mode), status.st_mode & 07777U})) return;
  programs.push_back({*driver, program, status.st_dev, status.st_ino,
                      static_cast<std::uint64_t>(status.st_size),
                      std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec});
}

Result<std::vector<FlexProgramFact>> FlexTree::list() {
  std::set<int> watches;
  std::vector<FlexProgramFact> programs;
  watch(directory_, watches);
  // It may be made between a look that does not find it and the watch on the way to it.
  if (watches.empty()) watch_way(watches);
  const auto names = names_in(directory_);
  if (names) {
    watch(directory_, watches);
    for (const std::string& name : names.value())
      list_driver(name, watches, programs);
  }
  for (const int watch : watches_) {
    if (!watches.contains(watch)) inotify_rm_watch(inotify_.get(), watch);
  }
  watches_ = std::move(watches);
  if (!names && names.error().errno_value != ENOENT) return names.error();
  std::sort(programs.begin(), programs.end(),
            [](const FlexProgramFact& a, const FlexProgramFact& b) { return a.driver < b.driver; });
  return programs;
}

bool FlexTree::take_changes() {
  alignas(inotify_event) std::array<char, 16384> buffer{};
  bool is_something = false;
  while (read(inotify_.get(), buffer.data(), buffer.size()) > 0)
    is_something = true;
  return is_something;
}

FlexWatch::FlexWatch(boost::asio::io_context& loop, std::string directory,
                     std::function<void(std::vector<FlexProgramFact>)> told)
    : tree_(std::move(directory)),
      burst_(
          loop, std::chrono::milliseconds(100), [this] { return tree_.take_changes(); }, [this] { look(); }),
      told_(std::move(told)) {}

void FlexWatch::start() {
  look();
  if (tree_.inotify() < 0) {
    spdlog::warn(
        "new FlexVolume drivers are not seen before a restart: the kernel gives no inotify instance");
  }
  burst_.watch(tree_.inotify());
}

void FlexWatch::look() {
  auto programs = tree_.list();
  const std::string problem = programs ? std::string() : programs.error().text();
  if (problem != problem_ && !problem.empty()) spdlog::warn("{}", problem);
  problem_ = problem;
  if (!programs || last_ == programs.value()) return;  // What cannot be read is not gone.
  last_ = programs.value();
  told_(std::move(programs).value());
}

}  // namespace mooring
