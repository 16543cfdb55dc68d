#include "csi_node.h"

#include <filesystem>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

}  // namespace

MockCsi::MockCsi(std::string name, std::string dir, std::string registry, std::vector<std::string> flags)
    : name_(std::move(name)),
      dir_(std::move(dir)),
      registry_(std::move(registry)),
      flags_(std::move(flags)) {}

void MockCsi::start() {
  std::vector<std::string> all{
      MOCK_CSI, "--name",       name_,      "--node-id",           "node-1", "--endpoint", socket(),
      "--data", dir_ + "/data", "--script", dir_ + "/script.json", "--log",  dir_ + "/log"};
  fs::create_directories(dir_ + "/data");
  if (!registry_.empty()) {
    fs::create_directories(registry_);
    all.insert(all.end(), {"--registration-socket", registration()});
  }
  all.insert(all.end(), flags_.begin(), flags_.end());
  fs::remove(socket());
  if (!registry_.empty()) fs::remove(registration());
  process_ = Process(all, {dir_ + "/out", {}});
  const auto end = Clock::now() + default_limit;
  while (!is_there(registry_.empty() ? socket() : registration())) {
    if (Clock::now() > end)
      throw std::runtime_error("the driver does not listen: " + read_file(dir_ + "/out"));
    std::this_thread::yield();
  }
}

std::string MockCsi::content(const std::string& handle, const std::string& file) const {
  return read_file(dir_ + "/data/volumes/" + handle + "/" + file);
}

void MockCsi::set_script(const std::string& json) const {
  write_in_place(dir_ + "/.script", json);
  fs::rename(dir_ + "/.script", dir_ + "/script.json");
}

std::vector<Json> MockCsi::requests() const {
  std::vector<Json> out;
  if (!is_there(dir_ + "/log")) return out;
  std::istringstream lines(read_file(dir_ + "/log"));
  for (std::string line; std::getline(lines, line);) {
    Json request = Json::parse(line, nullptr, false);  // The last one may be half written.
    if (!request.is_discarded()) out.push_back(std::move(request));
  }
  return out;
}

std::vector<std::string> MockCsi::calls() const {
  std::vector<std::string> out;
  for (const Json& request : requests()) {
    const std::string method = request["method"].get<std::string>();
    const std::string call = method.substr(method.find('/') + 1);
    const bool only_asks = call.starts_with("Get") || call.starts_with("Notify") ||
                           call.ends_with("GetInfo") || call.ends_with("GetCapabilities") ||
                           call == "NodeGetVolumeStats";
    if (!only_asks) out.push_back(call);
  }
  return out;
}

std::vector<Json> MockCsi::calls_of(const std::string& method) const {
  std::vector<Json> out;
  for (const Json& request : requests()) {
    if (request["method"].get<std::string>().ends_with("/" + method)) out.push_back(request["request"]);
  }
  return out;
}

CsiNode::CsiNode(NodeOptions options, std::vector<std::string> flags)
    : node_(std::move(options)),
      driver_("d.example.com", node_.dir() + "/csi", registry(), std::move(flags)) {}

void CsiNode::start() {
  driver_.start();
  node_.start();
  ASSERT_TRUE(node_.eventually([&] { return is_registered(); })) << node_.log();
}

void CsiNode::write_volume(const std::string& name, const std::string& more, const Storage& storage) const {
  node_.write(
      name + "-storage.yaml",
      storage_text(name, "csi: {driver: d.example.com, volumeHandle: h-" + name + more + "}", storage));
}

void CsiNode::write_pod(const std::string& pod, const std::string& claim) const {
  node_.write(pod + ".yaml", pod_text(pod, {{"v", claim_source(claim)}}));
}

void CsiNode::make_ready(const std::string& pod, const std::string& claim) {
  write_pod(pod, claim);
  ASSERT_TRUE(node_.becomes_ready(pod)) << explain(pod) << node_.log();
}

void CsiNode::expect_gone(const std::string& pod) {
  node_.remove(pod + ".yaml");
  EXPECT_TRUE(node_.becomes_gone(pod)) << explain(pod) << node_.log();
}

void CsiNode::expect_all_gone() {
  EXPECT_TRUE(node_.eventually([&] {
    return node_.is_empty() && names_in(node_.run_dir() + "/devices").empty() &&
           mounts_below(node_.root() + "/plugins").empty();
  })) << node_.ctl()({"get", "devices"}).out
      << node_.log();
}

bool CsiNode::is_registered(const std::string& driver) const {
  const Json drivers = node_.ctl().json({"get", "drivers"});
  for (const Json& item : drivers.value("items", Json::array())) {
    if (item["metadata"]["name"] == driver) return item["state"] == "Registered";
  }
  return false;
}

std::string CsiNode::make_dir(const std::string& name) const {
  std::string path = node_.dir() + "/" + name;
  fs::create_directories(path);
  return path;
}

}  // namespace mooring::integration
