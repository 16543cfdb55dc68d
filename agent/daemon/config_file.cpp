#include "daemon/config_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "manifest/field.h"
#include "manifest/names.h"
#include "manifest/yaml_document.h"

namespace mooring {
namespace {

namespace fs = std::filesystem;

constexpr const char* default_file = "/etc/mooring/mooringd.yaml";

Error bad_configuration(std::string message) {
  Error error;
  error.reason = "BadConfiguration";
  error.message = std::move(message);
  return error;
}

void add_drop_ins(const fs::path& directory, std::map<std::string, std::string>& by_name) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(directory, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') && name.ends_with(".yaml")) by_name[name] = entry.path().string();
  }
}

Result<std::string> read_whole(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    Error error =
        system_error(ErrorKind::Final, "BadConfiguration", "cannot read the configuration", file, errno);
    return error;
  }
  std::ostringstream content;
  content << stream.rdbuf();
  return std::move(content).str();
}

void read_quantities(const manifest::Field& field, std::map<std::string, Quantity>& out) {
  for (const auto& [name, value] : field.entries()) {
    if (const auto quantity = value.quantity()) out[name] = *quantity;
  }
}

NfsExport read_export(const manifest::Field& item) {
  item.only_keys({"name", "server", "path", "mountOptions"});
  NfsExport found{item["name"].text(), item["server"].text(), item["path"].text(),
                  item["mountOptions"].text_list()};
  for (const auto& [key, text] :
       {std::pair{"name", &found.provisioner}, {"server", &found.server}, {"path", &found.path}}) {
    if (text->empty()) item.error(std::string(key) + " is required");
  }
  for (const manifest::Field& option : item["mountOptions"].items()) {
    if (option.is_string() && option.text().empty()) option.error("must not be empty");
  }
  if (found.path.empty()) return found;
  if (!found.path.starts_with('/')) item["path"].error("must be absolute");
  if (manifest::has_parent_element(found.path)) item["path"].error("must not contain '..'");
  found.path = fs::path(found.path).lexically_normal().string();
  while (found.path.size() > 1 && found.path.ends_with('/'))
    found.path.pop_back();
  return found;
}

std::vector<NfsExport> read_exports(const manifest::Field& field) {
  const Provisioners built_in;
  std::vector<NfsExport> exports;
  for (const manifest::Field& item : field.items()) {
    NfsExport found = read_export(item);
    const auto has_name = [&](const NfsExport& other) { return other.provisioner == found.provisioner; };
    if (built_in.find(found.provisioner) != nullptr)
      item["name"].error("is the name of a provisioner that is built in");
    if (!found.provisioner.empty() && std::any_of(exports.begin(), exports.end(), has_name))
      item["name"].error("is there twice: of which export should a StorageClass get its volumes?");
    exports.push_back(std::move(found));
  }
  return exports;
}

void read_seconds(const manifest::Field& field, std::int64_t longest_seconds, std::uint32_t& out) {
  const auto seconds = field.integer();
  if (!seconds) return;
  if (*seconds < 1 || *seconds > longest_seconds)
    return field.error("is not a number from 1 to " + std::to_string(longest_seconds));
  out = static_cast<std::uint32_t>(*seconds);
}

void read_socket(const manifest::Field& field, std::string& socket) {
  if (!check_endpoint(socket)) field.error("is no absolute path of at most 107 bytes");
  socket = fs::path(socket).lexically_normal().string();
}

std::vector<NamedDriver> read_drivers(const manifest::Field& field) {
  std::vector<NamedDriver> drivers;
  for (const manifest::Field& item : field.items()) {
    item.only_keys({"name", "socket", "controllerSocket"});
    NamedDriver driver{DriverName(item["name"].text()), item["socket"].text(),
                       item["controllerSocket"].text()};
    if (!driver.name.empty() && !check_driver_name(driver.name.str()))
      item["name"].error("is no domain name of at most 63 characters");
    const bool has_controller = item["controllerSocket"].exists();
    if (has_controller && driver.name.empty())
      item["name"].error("is required beside controllerSocket: whose controller is it?");
    if (has_controller) read_socket(item["controllerSocket"], driver.controller_socket);
    if (item["socket"].exists() || (!has_controller && item["socket"].require()))
      read_socket(item["socket"], driver.socket);
    const auto is_same = [&](const NamedDriver& other) {
      const bool is_same_socket = !driver.socket.empty() && other.socket == driver.socket;
      return is_same_socket || (!driver.name.empty() && other.name == driver.name);
    };
    if (std::any_of(drivers.begin(), drivers.end(), is_same)) item.error("the driver is there twice");
    drivers.push_back(std::move(driver));
  }
  return drivers;
}

void apply(const manifest::Field& root, Options& options) {
  root.only_keys({"manifestDirs", "rootDir", "runDir", "stateDir", "nodeName", "nodeLabels", "allocatable",
                  "bus", "metricsListen", "flexvolumeDir", "logLevel", "workerSocket",
                  "unmountDeadlineSeconds", "flexvolumeTimeoutSeconds", "nfsProvisioners", "csiDrivers",
                  "enableControllerAttachDetach"});
  if (root["manifestDirs"].exists()) options.manifest_dirs = root["manifestDirs"].text_list();
  for (const auto& [name, value] : root["nodeLabels"].text_map(/*lenient=*/true))
    options.node_labels[name] = value;
  read_quantities(root["allocatable"], options.allocatable);
  const std::array<std::pair<const char*, std::string*>, 9> texts{{{"rootDir", &options.root_dir},
                                                                   {"runDir", &options.run_dir},
                                                                   {"stateDir", &options.state_dir},
                                                                   {"nodeName", &options.node_name},
                                                                   {"bus", &options.bus},
                                                                   {"metricsListen", &options.metrics_listen},
                                                                   {"flexvolumeDir", &options.flexvolume_dir},
                                                                   {"logLevel", &options.log_level},
                                                                   {"workerSocket", &options.worker_socket}}};
  for (const auto& [key, target] : texts)
    *target = root[key].text(*target);
  read_seconds(root["unmountDeadlineSeconds"], 86'400, options.unmount_deadline_seconds);
  read_seconds(root["flexvolumeTimeoutSeconds"], 3'600, options.flexvolume_timeout_seconds);
  if (root["nfsProvisioners"].exists()) options.nfs_provisioners = read_exports(root["nfsProvisioners"]);
  if (root["csiDrivers"].exists()) options.csi_drivers = read_drivers(root["csiDrivers"]);
  options.others_attach = root["enableControllerAttachDetach"].boolean(options.others_attach);
  if (!is_log_level(options.log_level))
    root["logLevel"].error("is not trace, debug, info, warn, error or critical");
}

}  // namespace

bool is_log_level(const std::string& level) {
  constexpr std::array levels{"trace", "debug", "info", "warn", "error", "critical"};
  return std::find(levels.begin(), levels.end(), level) != levels.end();
}

Result<std::vector<std::string>> find_config_files(const std::string& file) {
  std::vector<std::string> files;
  std::map<std::string, std::string> drop_ins;
  std::error_code ignored;
  if (file.empty()) {
    if (fs::exists(default_file, ignored)) files.emplace_back(default_file);
    for (const char* base : {"/usr/lib", "/run", "/etc"})
      add_drop_ins(std::string(base) + "/mooring/mooringd.yaml.d", drop_ins);
  } else {
    if (!fs::exists(file, ignored)) return bad_configuration("the configuration " + file + " does not exist");
    files.push_back(file);
    add_drop_ins(file + ".d", drop_ins);
  }
  for (auto& [name, path] : drop_ins)
    files.push_back(std::move(path));
  return files;
}

Result<void> apply_config_file(const std::string& file, Options& options) {
  MOORING_TRY(const std::string content, read_whole(file));
  const manifest::YamlDocument document(content, 1, {});
  if (document.error()) {
    return bad_configuration(file + ":" + std::to_string(document.error()->line) + ":" +
                             std::to_string(document.error()->column) + ": " + document.error()->message);
  }
  if (document.is_empty()) return success();
  std::vector<manifest::Diagnostic> diagnostics;
  manifest::DecodeContext context(document, file, diagnostics);
  apply(context.root(), options);
  for (const manifest::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == manifest::Diagnostic::Severity::Error)
      return bad_configuration(diagnostic.text());
  }
  return success();
}

}  // namespace mooring
