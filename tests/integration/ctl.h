#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "process.h"

namespace mooring::integration {

using Json = nlohmann::json;

/// mooringctl on one bus.
class Ctl {
 public:
  explicit Ctl(std::string bus) : bus_(std::move(bus)) {}

  /// The path of mooringctl.
  static std::string program();

  Ran operator()(std::vector<std::string> arguments, Millis limit = Millis(30'000)) const;
  /// The answer of a command with -o json, whatever its exit status; null if there is none.
  Json json(std::vector<std::string> arguments) const;

  /// One pod as `get pods -o json` gives it; null if it is not known.
  Json pod(const std::string& name) const;
  std::string uid(const std::string& pod) const;
  bool is_ready(const std::string& pod) const;
  /// Of all pods that are known, sorted.
  std::vector<std::string> pod_names() const;
  /// What is said of a pod as a whole; empty if nothing is.
  std::string pod_message(const std::string& pod) const;
  /// One volume of it; null if it is not known.
  Json volume(const std::string& pod, const std::string& volume) const;
  /// "" if the volume has none.
  std::string phase(const std::string& pod, const std::string& volume) const;
  std::string reason(const std::string& pod, const std::string& volume) const;
  std::string message(const std::string& pod, const std::string& volume) const;
  std::string path(const std::string& pod, const std::string& volume) const;
  /// What is wrong with the node, all lines in one text.
  std::string problems() const;

 private:
  std::string field(const std::string& pod, const std::string& volume, const char* name) const;
  std::string bus_;
};

}  // namespace mooring::integration
