#include "daemon/options.h"

#include <sys/statvfs.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "daemon/config_file.h"

namespace mooring {
namespace {

namespace fs = std::filesystem;

Error usage_error(std::string message) {
  Error error;
  error.reason = "Usage";
  error.message = std::move(message);
  return error;
}

/// Flags as they were given; empty ones were not.
struct Flags {
  std::string config;
  std::vector<std::string> manifest_dirs;
  std::vector<std::string> node_labels;
  std::string allocatable;
  std::map<std::string, std::string> texts;  ///< By flag name.
  bool check_config = false;
};

constexpr std::array text_flags{
    std::pair{"--root-dir", "where volumes live (default /var/lib/mooring)"},
    std::pair{"--run-dir", "where run records live; on a tmpfs (default /run/mooring)"},
    std::pair{"--state-dir", "the durable database (default ROOT/state)"},
    std::pair{"--node-name", "the node's name (default: the host's)"},
    std::pair{"--bus", "system, session, none or unix:path=PATH (default system)"},
    std::pair{"--metrics-listen", "none, unix:PATH or HOST:PORT (default none)"},
    std::pair{"--flexvolume-dir", "where FlexVolume drivers are"},
    std::pair{"--log-level", "trace, debug, info, warn, error or critical (default info)"},
    std::pair{"--worker-socket", "connect to worker units at this socket instead of starting workers"},
    std::pair{"--worker-program", "the mooring-worker to start"},
};

Result<void> apply_labels(const std::vector<std::string>& labels, Options& options) {
  for (const std::string& label : labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return usage_error("--node-label " + label + " is not KEY=VALUE");
    }
    options.node_labels[label.substr(0, equals)] = label.substr(equals + 1);
  }
  return success();
}

Result<void> apply_allocatable(const std::string& text, Options& options) {
  std::istringstream entries(text);
  std::string entry;
  while (std::getline(entries, entry, ',')) {
    const std::size_t equals = entry.find('=');
    const auto amount = Quantity::parse(equals == std::string::npos ? "" : entry.substr(equals + 1));
    if (equals == 0 || !amount) return usage_error("--allocatable " + entry + " is not RESOURCE=QUANTITY");
    options.allocatable[entry.substr(0, equals)] = amount.value();
  }
  return success();
}

Result<void> apply_flags(const Flags& flags, Options& options) {
  const std::map<std::string, std::string*> targets{{"--root-dir", &options.root_dir},
                                                    {"--run-dir", &options.run_dir},
                                                    {"--state-dir", &options.state_dir},
                                                    {"--node-name", &options.node_name},
                                                    {"--bus", &options.bus},
                                                    {"--metrics-listen", &options.metrics_listen},
                                                    {"--flexvolume-dir", &options.flexvolume_dir},
                                                    {"--log-level", &options.log_level},
                                                    {"--worker-socket", &options.worker_socket},
                                                    {"--worker-program", &options.worker_program}};
  for (const auto& [name, value] : flags.texts) {
    if (!value.empty()) *targets.at(name) = value;
  }
  if (!flags.manifest_dirs.empty()) options.manifest_dirs = flags.manifest_dirs;
  options.check_config = flags.check_config;
  MOORING_TRY(apply_labels(flags.node_labels, options));
  return apply_allocatable(flags.allocatable, options);
}

std::string find_worker_program() {
  std::error_code ignored;
  const fs::path own = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  for (const fs::path& candidate : {own / "mooring-worker", own / "../libexec/mooring/mooring-worker",
                                    own / "../worker/mooring-worker"}) {
    if (fs::exists(candidate, ignored)) return candidate.lexically_normal().string();
  }
  return (own / "mooring-worker").string();
}

bool is_bus_address(const std::string& bus) {
  return bus == "system" || bus == "session" || bus == "none" || bus.starts_with("unix:");
}

bool is_host_and_port(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size() || text.size() - colon > 6)
    return false;
  const std::string port = text.substr(colon + 1);
  return port.find_first_not_of("0123456789") == std::string::npos && std::stoul(port) <= 65535;
}

Result<void> fill_in_defaults(Options& options) {
  const auto absolute = [](const std::string& path) {
    return fs::absolute(path).lexically_normal().string();
  };
  if (options.manifest_dirs.empty()) options.manifest_dirs = {"/etc/mooring/manifests"};
  for (std::string& directory : options.manifest_dirs) {
    directory = absolute(directory);
    while (directory.size() > 1 && directory.ends_with('/'))
      directory.pop_back();
  }
  options.root_dir = absolute(options.root_dir);
  while (options.root_dir.size() > 1 && options.root_dir.ends_with('/'))
    options.root_dir.pop_back();
  if (options.root_dir == "/")
    return usage_error("--root-dir / is the whole node: name a directory of Mooring's own");
  options.run_dir = absolute(options.run_dir);
  options.flexvolume_dir = absolute(options.flexvolume_dir);
  while (options.flexvolume_dir.size() > 1 && options.flexvolume_dir.ends_with('/'))
    options.flexvolume_dir.pop_back();
  options.state_dir = options.state_dir.empty() ? options.root_dir + "/state" : absolute(options.state_dir);
  if (!is_log_level(options.log_level)) {
    return usage_error("--log-level " + options.log_level +
                       " is not trace, debug, info, warn, error or critical");
  }
  if (options.metrics_listen != "none" && !options.metrics_listen.starts_with("unix:") &&
      !is_host_and_port(options.metrics_listen)) {
    return usage_error("--metrics-listen " + options.metrics_listen + " is not none, unix:PATH or HOST:PORT");
  }
  if (options.node_name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") != std::string::npos) {
    return usage_error("--node-name " + options.node_name +
                       " is not a node's name: lower-case letters, digits, '-' and '.'");
  }
  if (!is_bus_address(options.bus)) {
    return usage_error("--bus " + options.bus + " is not system, session, none or unix:path=PATH");
  }
  if (options.node_name.empty()) {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    options.node_name = name.data();
    for (char& c : options.node_name)  // As Kubernetes names nodes.
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  options.node_labels.try_emplace("kubernetes.io/hostname", options.node_name);
  options.allocatable.try_emplace("cpu", Quantity::from_integer(sysconf(_SC_NPROCESSORS_ONLN)));
  options.allocatable.try_emplace(
      "memory", Quantity::from_integer(std::int64_t{sysconf(_SC_PHYS_PAGES)} * sysconf(_SC_PAGESIZE)));
  struct statvfs space {};
  if (!options.root_dir.empty() && statvfs(options.root_dir.c_str(), &space) == 0) {
    options.allocatable.try_emplace("ephemeral-storage",
                                    Quantity::from_integer(static_cast<std::int64_t>(space.f_blocks) *
                                                           static_cast<std::int64_t>(space.f_frsize)));
  }
  if (options.worker_program.empty()) options.worker_program = find_worker_program();
  return success();
}

}  // namespace

Result<CommandLine> parse_command_line(int argc, char** argv) {
  Flags flags;
  CLI::App app("mooringd: makes the volumes of this node's pods real, and keeps them so");
  app.name("mooringd");
  app.set_version_flag("--version", "mooringd " MOORING_VERSION);
  app.add_option("--config", flags.config,
                 "configuration (default /etc/mooring/mooringd.yaml and its drop-ins)");
  app.add_option("--manifest-dir", flags.manifest_dirs,
                 "read manifests below this directory; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--node-label", flags.node_labels, "a label of this node, KEY=VALUE; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--allocatable", flags.allocatable, "resources of this node, as cpu=4,memory=2Gi");
  app.add_flag("--check-config", flags.check_config, "check configuration and flags, and end");
  for (const auto& [name, help] : text_flags)
    app.add_option(name, flags.texts[name], help);
  CommandLine line;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    line.is_done = true;
    line.status = app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
    return line;
  }
  MOORING_TRY(const auto files, find_config_files(flags.config));
  for (const std::string& file : files) {
    MOORING_TRY(apply_config_file(file, line.options));
  }
  MOORING_TRY(apply_flags(flags, line.options));
  MOORING_TRY(fill_in_defaults(line.options));
  return line;
}

}  // namespace mooring
