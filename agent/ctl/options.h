#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"

namespace mooring::ctl {

/// The program's exit status; part of its contract.
enum class ExitStatus : int {
  Ok = 0,
  Failed = 1,
  Usage = 2,
  NotInDesiredState = 3,
  NoSuchObject = 4,
  NoDaemon = 5,
  TimedOut = 6,
  NotPermitted = 7,
};

enum class Format : std::uint8_t { Table, Wide, Json, Yaml, Name };
enum class ColorMode : std::uint8_t { Auto, Always, Never };

/// What the command line said, for all commands together.
struct Options {
  std::string bus = "system";
  std::string name_space = "default";
  bool has_namespace = false;  ///< -n was given.
  bool all_namespaces = false;
  Format format = Format::Table;
  bool watch = false;
  ColorMode color = ColorMode::Auto;

  bool only_exceptions = false;               ///< status -x
  std::string kind;                           ///< get, describe
  std::string name;                           ///< Of an object: as written.
  std::string condition;                      ///< wait --for
  std::string timeout = "30s";                ///< wait --timeout
  std::string container;                      ///< render -c
  std::string runtime;                        ///< render --runtime
  bool with_process = false;                  ///< render --process
  bool with_devices = false;                  ///< render --devices
  std::vector<std::string> files;             ///< plan, verify -f
  std::string root_dir = "/var/lib/mooring";  ///< plan, verify
  std::string node_name;                      ///< plan, verify; empty: the host's name.
  bool follow = false;                        ///< events -f
  bool forget = false;                        ///< release --forget
  std::string shell;                          ///< completion
};

/// `pod/NAME` or `pod/NAME/VOLUME`, taken apart.
struct PodReference {
  ObjectKey key;
  VolumeName volume;  ///< Empty: the pod as a whole.
};

/// Reads `pod/NAME[/VOLUME]` in the namespace of -n; an error has the reason "Usage".
Result<PodReference> parse_pod_reference(const Options& options, const std::string& text, bool with_volume);

/// Reads "30s", "1m30s", "500ms", "2h"; a bare number means seconds. An error has the reason "Usage".
Result<std::chrono::milliseconds> parse_duration(const std::string& text);

/// An error in what was asked, not in what is there.
Error usage_error(std::string message);

}  // namespace mooring::ctl
