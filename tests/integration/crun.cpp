#include "crun.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// crun refuses a mix of both; in this namespace there is only the first then.
void use_one_cgroup_version() {
  const std::vector<Mount> mounts = mounts_below("");
  const auto is_first = [](const Mount& mount) { return mount.type == "cgroup"; };
  if (std::none_of(mounts.begin(), mounts.end(), is_first)) return;
  for (const Mount& mount : mounts) {
    if (mount.type == "cgroup2") unmount(mount.point);
  }
}

void make_root_file_system(const std::string& directory) {
  for (const char* name : {"bin", "dev", "proc", "sys"})
    fs::create_directories(directory + "/" + name);
  std::string busybox = run({"sh", "-c", "command -v busybox"}).out;
  while (busybox.ends_with('\n'))
    busybox.pop_back();
  fs::copy_file(busybox, directory + "/bin/busybox");
  for (const char* applet :
       {"sh", "cat", "ls", "rm", "mkdir", "sleep", "stat", "dd", "id", "ln", "touch", "mount"})
    fs::create_symlink("busybox", directory + "/bin/" + applet);
}

}  // namespace

Crun::Crun(const Node& node) : node_(node) {
  use_one_cgroup_version();
  make_root_file_system(node_.dir() + "/rootfs");
}

Crun::~Crun() {
  for (const std::string& name : started_)
    run(words({"delete", "--force", name}));
}

std::vector<std::string> Crun::words(const std::vector<std::string>& more) const {
  std::vector<std::string> all{"crun", "--root", node_.dir() + "/crun", "--cgroup-manager=disabled"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

/// As mooringctl(1) says.
void Crun::complete(const std::string& bundle, const std::string& pod, const std::string& container) const {
  const std::vector<std::string> render{"render", "pod/" + pod, "-c", container, "--runtime=oci"};
  const Ran mounts = node_.ctl()(render);
  ASSERT_EQ(mounts.status, 0) << mounts.err;
  std::vector<std::string> render_process = render;
  render_process.emplace_back("--process");
  const Ran process = node_.ctl()(render_process);
  ASSERT_EQ(process.status, 0) << process.err;
  std::vector<std::string> render_devices = render;
  render_devices.emplace_back("--devices");
  const Ran devices = node_.ctl()(render_devices);
  ASSERT_EQ(devices.status, 0) << devices.err;
  write_in_place(bundle + "/mounts.json", mounts.out);
  write_in_place(bundle + "/process.json", process.out);
  write_in_place(bundle + "/devices.json", devices.out);
  const Ran whole = run({"jq", "--slurpfile", "m", bundle + "/mounts.json", "--slurpfile", "p",
                         bundle + "/process.json", "--slurpfile", "d", bundle + "/devices.json",
                         ".mounts += $m[0] | . * $p[0] | .linux.devices += $d[0].linux.devices"
                         " | .linux.resources.devices += $d[0].linux.resources.devices",
                         bundle + "/config.json"});
  ASSERT_EQ(whole.status, 0) << whole.err;
  write_in_place(bundle + "/config.json", whole.out);
}

void Crun::start(const std::string& pod, const std::string& container, const ContainerOptions& options,
                 const std::string& name) {
  const std::string& id = name.empty() ? container : name;
  const std::string bundle = bundle_of(id);
  fs::remove_all(bundle);  // One that ended may have had the name.
  fs::create_directories(bundle);
  const Ran made = run({"crun", "spec", "--bundle", bundle});
  ASSERT_EQ(made.status, 0) << made.err;
  Json config = Json::parse(read_file(bundle + "/config.json"));
  Json& process = config["process"];
  process["terminal"] = false;
  process["args"] = {"sleep", "86400"};
  process["user"] = {{"uid", options.user}, {"gid", options.user}};
  if (options.may_mount) {
    for (Json& set : process["capabilities"])
      set.push_back("CAP_SYS_ADMIN");
  }
  config["root"] = {{"path", node_.dir() + "/rootfs"}, {"readonly", true}};
  if (!options.root_propagation.empty()) config["linux"]["rootfsPropagation"] = options.root_propagation;
  write_in_place(bundle + "/config.json", config.dump());
  complete(bundle, pod, container);
  const std::string log = node_.dir() + "/crun.log";
  Process starter(words({"run", "--detach", "--bundle", bundle, id}), {log, {}});
  started_.push_back(id);
  ASSERT_EQ(starter.wait(default_limit), 0) << read_file(log);
}

Ran Crun::inside(const std::string& name, const std::string& script) const {
  // By itself crun gives what it executes the container's root and none of its groups.
  Json process = Json::parse(read_file(bundle_of(name) + "/config.json")).at("process");
  process["args"] = {"sh", "-c", script};
  const std::string file = bundle_of(name) + "/exec.json";
  write_in_place(file, process.dump());
  return run(words({"exec", "--process", file, name}));
}

std::string Crun::output(const std::string& name, const std::string& script) const {
  const Ran ran = inside(name, script);
  return ran.status == 0 ? ran.out : ran.err;
}

void Crun::expect_done(const std::string& name, const std::string& script) const {
  const Ran ran = inside(name, script);
  EXPECT_EQ(ran.status, 0) << script << ": " << ran.err;
}

void Crun::expect_refused(const std::string& name, const std::string& script, const std::string& why) const {
  const Ran ran = inside(name, script);
  EXPECT_NE(ran.status, 0) << script;
  EXPECT_NE(ran.err.find(why), std::string::npos) << script << ": " << ran.err;
}

void Crun::end(const std::string& name) {
  const Ran ran = run(words({"delete", "--force", name}));
  EXPECT_EQ(ran.status, 0) << ran.err;
  std::erase(started_, name);
}

}  // namespace mooring::integration
