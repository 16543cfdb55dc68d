#pragma once

#include <gmock/gmock.h>

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "operation_fixture.h"
#include "step/csi_layout.h"

namespace mooring {

// A driver on the fake node, which mounts as drivers do, and answers what its test tells it to.

inline const PluginName csi_name("kubernetes.io/csi");
inline const VolumeDirectory csi_directory("pv-1");
inline const DriverName csi_driver("d.example.org");
inline const CsiVolume csi_volume{csi_driver, "/run/d.sock", "vol#1", 1000};
inline const std::string csi_pod_directory = layout::volume(uid, csi_name, csi_directory);
inline const std::string csi_target = layout::csi_target(uid, csi_directory);
inline const std::string csi_target_data = layout::csi_target_data(uid, csi_directory);
inline const std::string csi_staged = layout::csi_staged(csi_driver, "vol#1");
inline const std::string csi_staged_data = layout::csi_staged_data(csi_driver, "vol#1");
inline const std::string csi_data_text = R"({"driverName":"d.example.org","volumeHandle":"vol#1"})";

class CsiNode : public Node {
 public:
  CsiNode() {
    fake.drivers().set_on_call([this](const kernel::DriverCall& call) { return answer(call); });
    run_well({make_pod});
  }

  /// What the next call of this method (its last word) is answered, in order; Ok when there is no more.
  /// `acts`: the driver does its work all the same.
  void expect(const std::string& method, CallCode code, bool acts = false, std::string message = "no") {
    script_[method].push_back({code, acts, std::move(message)});
  }
  bool mounts = true;             ///< False: it says Ok and mounts, or unmounts, nothing.
  bool leaves_directory = false;  ///< It does not remove the target that it made.
  bool mounts_read_only = false;
  std::string published_type = "ext4";
  std::string response;  ///< Of what succeeds.

  /// The methods that were called, each by its last word, since the last time.
  std::vector<std::string> called() {
    std::vector<std::string> names;
    for (const kernel::DriverCall& call : fake.drivers().calls)
      names.push_back(call.method.substr(call.method.find('/') + 1));
    last_calls_ = std::exchange(fake.drivers().calls, {});
    return names;
  }
  /// The request of the latest call that called() told of.
  nlohmann::json last_request() const {
    return nlohmann::json::parse(last_calls_.back().request.expose_secret());
  }
  const kernel::DriverCall& last_call() const { return last_calls_.back(); }

  bool is_mounted(const std::string& relative) const { return !mounted_at(root(relative)).empty(); }

 private:
  struct Answer {
    CallCode code;
    bool acts;
    std::string message;
  };

  Result<kernel::DriverAnswer> answer(const kernel::DriverCall& call) {
    const std::string method = call.method.substr(call.method.find('/') + 1);
    const nlohmann::json request = nlohmann::json::parse(call.request.expose_secret());
    auto& answers = script_[method];
    if (answers.empty()) {
      act(method, request);
      return kernel::DriverAnswer{CallCode::Ok, "", response};
    }
    const Answer next = answers.front();
    answers.pop_front();
    if (next.acts) act(method, request);
    return kernel::DriverAnswer{next.code, next.message, ""};
  }

  void act(const std::string& method, const nlohmann::json& request) {
    if (!mounts) return;
    if (method == "NodeStageVolume") {
      mount_at(request["staging_target_path"]);
    } else if (method == "NodePublishVolume") {
      const std::string path = request["target_path"];
      if (request["volume_capability"].contains("block")) return publish_device(path);
      fake.put_directory(path);
      mount_at(path);
    } else if (method == "NodeUnstageVolume") {
      fake.unmount_foreign(request["staging_target_path"]);
    } else if (method == "NodeUnpublishVolume") {
      const std::string path = request["target_path"];
      fake.unmount_foreign(path);
      if (!leaves_directory) fake.remove_all(path);
    }
  }
  void mount_at(const std::string& path) {
    if (!mounted_at(path).empty()) return;
    if (published_type == "nfs4") {  // Of a server that a test can let die.
      const std::string relative = path.substr(fake.root_dir().size() + 1);
      EXPECT_TRUE(fake.ports().mounts.mount_file_system({"server:/export", "nfs4", relative, {}, false}));
      return;
    }
    if (!mounts_read_only) {
      fake.mount_foreign(path, published_type, "/dev/sdy");
      return;
    }
    fake.put_directory("/mnt/driver");
    fake.bind_foreign("/mnt/driver", path, true);
  }
  void publish_device(const std::string& path) {
    if (!mounted_at(path).empty()) return;
    fake.put_file(path, "");
    fake.bind_foreign("/dev/sdx", path);
  }

  std::map<std::string, std::deque<Answer>> script_;
  std::vector<kernel::DriverCall> last_calls_;
};

inline StageCsiVolume csi_stage() {
  StageCsiVolume stage;
  stage.volume = csi_volume;
  stage.path = csi_staged;
  stage.data = csi_staged_data;
  stage.calls_driver = true;
  stage.capability.fs_type = "ext4";
  stage.volume_context = {{"share", "a"}};
  stage.secrets = {{"password", SecretBytes("hunter2")}};
  return stage;
}
inline UnstageCsiVolume csi_unstage() {
  return {csi_volume, csi_staged, csi_staged_data, true};
}
inline PublishCsiVolume csi_publish() {
  PublishCsiVolume publish;
  publish.volume = csi_volume;
  publish.path = csi_target;
  publish.data = csi_target_data;
  publish.data_text = csi_data_text;
  publish.staged_path = csi_staged;
  publish.capability.fs_type = "ext4";
  publish.secrets = {{"password", SecretBytes("hunter2")}};
  return publish;
}
inline UnpublishCsiVolume csi_unpublish() {
  return {csi_volume, csi_target, csi_target_data, std::nullopt, {}};
}

}  // namespace mooring
