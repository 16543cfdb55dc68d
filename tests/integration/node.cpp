#include "node.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

constexpr Millis slice{20};

std::string make_directory() {
  std::string path = (fs::temp_directory_path() / "mooring-node-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory can be made");
  chmod(path.c_str(), 0755);
  return path;
}

/// True once somebody takes connections at the socket.
bool listens(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(&address.sun_path[0], sizeof address.sun_path - 1);
  const int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const void* generic = &address;
  const bool is_met = connect(file, static_cast<const sockaddr*>(generic), sizeof address) == 0;
  close(file);
  return is_met;
}

}  // namespace

Node::Node(NodeOptions options)
    : options_(std::move(options)), dir_(make_directory()), ctl_("unix:path=" + dir_ + "/bus") {
  for (const std::string& directory : {run_dir(), manifests()})
    fs::create_directory(directory);
  mount_tmpfs(run_dir(), "mode=755");
  write_in_place(dir_ + "/log", "");
  log_events_ = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  inotify_add_watch(log_events_, dir_.c_str(), IN_MODIFY | IN_CREATE | IN_DELETE);
  mount_events_ = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC);
  if (options_.has_bus) start_bus();
}

Node::~Node() {
  if (::testing::Test::HasFailure()) std::fputs(("mooringd's log:\n" + log()).c_str(), stderr);
  client_.reset();
  daemon_.signal(SIGCONT);
  daemon_.kill();
  bus_process_.kill();
  kill_all_children();
  close(log_events_);
  close(mount_events_);
  unmount_all(dir_);
  std::error_code failed;
  if (mounts_below(dir_).empty()) fs::remove_all(dir_, failed);
  EXPECT_FALSE(fs::exists(dir_)) << dir_ << " is left behind: " << failed.message();
}

std::string Node::volume_path(const std::string& uid, const std::string& plugin,
                              const std::string& name) const {
  return root() + "/pods/" + uid + "/volumes/kubernetes.io~" + plugin + "/" + name;
}

void Node::start_bus() {
  const std::string config = dir_ + "/bus.conf";
  write_in_place(
      config,
      "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n"
      " \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"
      "<busconfig><type>system</type><listen>" +
          bus_address() +
          "</listen><auth>EXTERNAL</auth><policy context=\"default\"><allow send_destination=\"*\"/>"
          "<allow receive_sender=\"*\"/><allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>\n");
  bus_process_ =
      Process({"dbus-daemon", "--nofork", "--nopidfile", "--config-file=" + config}, {dir_ + "/bus.log", {}});
  ASSERT_TRUE(eventually([&] { return listens(dir_ + "/bus"); })) << read_file(dir_ + "/bus.log");
  client_ = std::make_unique<BusClient>(bus_address());
}

void Node::stop_bus() {
  client_.reset();
  bus_process_.kill();
}

std::vector<std::string> Node::arguments() const {
  const std::string config = dir_ + "/mooringd.yaml";
  if (!is_there(config)) write_in_place(config, "logLevel: info\n");
  std::vector<std::string> all{MOORINGD,        "--config",         config,         "--manifest-dir",
                               manifests(),     "--root-dir",       root(),         "--bus",
                               bus_address(),   "--run-dir",        run_dir(),      "--node-name",
                               options_.name,   "--worker-program", MOORING_WORKER, "--metrics-listen",
                               options_.metrics};
  all.insert(all.end(), options_.flags.begin(), options_.flags.end());
  if (options_.has_own_state) {
    all.emplace_back("--state-dir");
    all.push_back(dir() + "/state");
  }
  return all;
}

void Node::start_without_waiting() {
  daemon_ = Process(arguments(), {dir_ + "/log", options_.umask});
}

void Node::start() {
  start_without_waiting();
  const auto is_on_bus = [&] { return client_->owner() == daemon_.pid(); };
  ASSERT_TRUE(eventually([&] { return is_on_bus() || daemon_.wait(Millis(0)); }) && is_on_bus())
      << "mooringd is not on the bus";
}

std::optional<int> Node::stop() {
  daemon_.signal(SIGTERM);
  return daemon_.wait(Millis(2'000));
}

void Node::kill() {
  daemon_.kill();
}

void Node::write(const std::string& file, const std::string& content) const {
  const std::string beside = manifests() + "/." + file + ".new";
  write_in_place(beside, content);
  fs::rename(beside, manifests() + "/" + file);
}

void Node::remove(const std::string& file) const {
  EXPECT_TRUE(fs::remove(manifests() + "/" + file)) << file;
}

bool Node::eventually(const std::function<bool()>& condition, Millis limit) {
  const auto end = Clock::now() + limit;
  while (true) {
    if (client_) client_->process();
    if (condition()) return true;
    const auto left = std::chrono::ceil<Millis>(end - Clock::now());
    if (left <= Millis::zero()) return false;
    std::array<pollfd, 3> items{pollfd{log_events_, POLLIN, 0}, pollfd{mount_events_, POLLPRI, 0},
                                pollfd{client_ ? client_->descriptor() : -1, POLLIN, 0}};
    poll(items.data(), items.size(), static_cast<int>(std::min(left, slice).count()));
    std::array<char, 4096> events{};
    while (read(log_events_, events.data(), events.size()) > 0) {
    }
  }
}

bool Node::stays(const std::function<bool()>& condition, Millis time) {
  return !eventually([&] { return !condition(); }, time);
}

void Node::let_pass(Millis time) {
  eventually([] { return false; }, time);
}

bool Node::becomes_ready(const std::string& pod, Millis limit) const {
  const Ran ran =
      ctl_({"wait", "pod/" + pod, "--for=ready", "--timeout", std::to_string(limit.count()) + "ms"},
           limit + default_limit);
  if (ran.status != 0) std::fputs(ran.err.c_str(), stderr);
  return ran.status == 0;
}

bool Node::becomes_gone(const std::string& pod, Millis limit) const {
  const Ran ran =
      ctl_({"wait", "pod/" + pod, "--for=gone", "--timeout", std::to_string(limit.count()) + "ms"},
           limit + default_limit);
  if (ran.status != 0) std::fputs(ran.err.c_str(), stderr);
  return ran.status == 0;
}

bool Node::gets_reason(const std::string& pod, const std::string& volume, const std::string& reason,
                       Millis limit) {
  const bool is_met = eventually([&] { return ctl_.reason(pod, volume) == reason; }, limit);
  if (!is_met) std::fputs((ctl_.volume(pod, volume).dump(2) + "\n").c_str(), stderr);
  return is_met;
}

bool Node::gets_problem(const std::string& part, Millis limit) {
  const bool is_met = eventually([&] { return ctl_.problems().find(part) != std::string::npos; }, limit);
  if (!is_met) std::fputs(("no problem is about " + part + ":\n" + ctl_.problems()).c_str(), stderr);
  return is_met;
}

bool Node::loses_problem(const std::string& part, Millis limit) {
  const bool is_met = eventually([&] { return ctl_.problems().find(part) == std::string::npos; }, limit);
  if (!is_met) std::fputs(("still a problem:\n" + ctl_.problems()).c_str(), stderr);
  return is_met;
}

bool Node::is_empty() const {
  return names_in(root() + "/pods").empty() && names_in(root() + "/trash").empty() &&
         names_in(run_dir() + "/pods").empty() && mounts_below(root() + "/pods").empty();
}

std::string pod_text(const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& volumes) {
  std::string mounts;
  std::string sources;
  for (const auto& [volume, source] : volumes) {
    mounts += "    - {name: " + volume + ", mountPath: /" + volume + "}\n";
    sources += "  - name: " + volume + "\n    " + source + "\n";
  }
  return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + "}\nspec:\n  containers:\n  - name: c\n" +
         "    image: i\n    volumeMounts:\n" + mounts + "  volumes:\n" + sources;
}

std::string host_path(const std::string& path, const std::string& type) {
  return "hostPath: {path: " + Json(path).dump() + ", type: " + Json(type).dump() + "}";
}

}  // namespace mooring::integration
