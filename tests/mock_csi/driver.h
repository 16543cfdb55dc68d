#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "facts/call_code.h"

namespace mooring::mock_csi {

struct Options {
  std::string endpoint;
  std::string registration_socket;
  std::string script;
  std::string log;
  std::filesystem::path data;
  std::string name = "mock.csi.mooring.io";
  std::string version = "1.0";
  std::string node_id = "mock-node";
  std::string registration_type = "CSIPlugin";
  std::vector<std::string> supported_versions{"1.0.0"};
  std::set<std::string> plugin_capabilities;      ///< "CONTROLLER_SERVICE", ...
  std::string expansion;                          ///< "ONLINE", "OFFLINE"; empty: not told.
  std::set<std::string> node_capabilities;        ///< "STAGE_UNSTAGE_VOLUME", ...
  std::set<std::string> controller_capabilities;  ///< "CREATE_DELETE_VOLUME", ...
  std::int64_t volumes_max = 0;
};

struct Reply {
  CallCode code = CallCode::Ok;
  std::string message;
  nlohmann::json response = nlohmann::json::object();
};

/// A driver that keeps volumes in directories, so that what it did outlives its process:
///
///     DATA/volumes/ID/          content of a volume, which is bound to its targets
///     DATA/volumes/ID.block     content of a raw one
///     DATA/volumes/ID.json      what CreateVolume was asked
///     DATA/snapshots/ID/, ID.json
///
/// Volumes that nobody created are there as well when a node call names them, as those of an administrator.
/// Ids are file names. Every call may be repeated, as the specification asks.
///
/// In `volume_context`: "fs": "tmpfs" makes each publication a tmpfs of its own; "device": PATH is the device
/// that a raw volume is.
class Driver {
 public:
  explicit Driver(Options options) : options_(std::move(options)) {}

  /// `method`: "csi.v1.Node/NodeStageVolume". Messages are JSON, as csi_call/messages.h has them.
  Reply handle(const std::string& method, const nlohmann::json& request);

 private:
  using json = nlohmann::json;

  Reply identity(const std::string& call, const json& request) const;
  Reply registration(const std::string& call, const json& request) const;

  Reply node(const std::string& call, const json& request);
  Reply stage(const json& request);
  Reply unstage(const json& request);
  Reply publish(const json& request);
  Reply unpublish(const json& request);
  Reply node_stats(const json& request) const;
  Reply node_expand(const json& request);
  Reply node_info() const;

  Reply controller(const std::string& call, const json& request);
  Reply create_volume(const json& request);
  Reply delete_volume(const json& request);
  Reply list_volumes() const;
  Reply get_volume(const json& request) const;
  Reply expand_volume(const json& request);
  Reply capacity() const;
  Reply create_snapshot(const json& request);
  Reply delete_snapshot(const json& request);
  Reply list_snapshots(const json& request) const;

  bool stages() const { return options_.node_capabilities.count("STAGE_UNSTAGE_VOLUME") != 0; }
  std::filesystem::path volume_path(const std::string& id) const { return options_.data / "volumes" / id; }
  std::filesystem::path snapshot_path(const std::string& id) const {
    return options_.data / "snapshots" / id;
  }

  std::mutex mutex_;
  Options options_;
};

/// A number of 64 bits, which JSON of protobuf has as a string.
std::int64_t number_in(const nlohmann::json& message, const char* name);
/// A text; empty if it is not there.
std::string text_in(const nlohmann::json& message, const char* name);
/// True if it can be a file's name.
bool is_file_name(const std::string& text);
nlohmann::json read_json(const std::filesystem::path& file);
void write_json(const std::filesystem::path& file, const nlohmann::json& value);

}  // namespace mooring::mock_csi
