#include "ctl.h"

#include <algorithm>

namespace mooring::integration {

std::string Ctl::program() {
  return MOORINGCTL;
}

Ran Ctl::operator()(std::vector<std::string> arguments, Millis limit) const {
  arguments.insert(arguments.begin(), {MOORINGCTL, "--bus", bus_});
  return run(arguments, limit);
}

Json Ctl::json(std::vector<std::string> arguments) const {
  arguments.insert(arguments.end(), {"-o", "json"});
  Json answer = Json::parse((*this)(std::move(arguments)).out, nullptr, /*allow_exceptions=*/false);
  return answer.is_discarded() ? Json() : answer;
}

Json Ctl::pod(const std::string& name) const {
  const Json pods = json({"get", "pods"});
  if (!pods.is_object()) return {};
  for (const Json& item : pods.at("items")) {
    if (item.at("metadata").at("name") == name) return item;
  }
  return {};
}

std::string Ctl::uid(const std::string& pod) const {
  const Json found = this->pod(pod);
  return found.is_null() ? "" : found.at("metadata").at("uid").get<std::string>();
}

bool Ctl::is_ready(const std::string& pod) const {
  const Json found = this->pod(pod);
  return found.is_object() && found.value("ready", false);
}

std::vector<std::string> Ctl::pod_names() const {
  const Json pods = json({"get", "pods"});
  std::vector<std::string> names;
  if (!pods.is_object()) return names;
  for (const Json& item : pods.at("items"))
    names.push_back(item.at("metadata").at("name"));
  std::sort(names.begin(), names.end());
  return names;
}

std::string Ctl::pod_message(const std::string& pod) const {
  const Json found = json({"explain", "pod/" + pod});
  return found.is_object() ? found.value("message", "") : "";
}

Json Ctl::volume(const std::string& pod, const std::string& volume) const {
  const Json found = this->pod(pod);
  if (found.is_null()) return {};
  for (const Json& item : found.at("volumes")) {
    if (item.at("name") == volume) return item;
  }
  return {};
}

std::string Ctl::field(const std::string& pod, const std::string& volume, const char* name) const {
  const Json found = this->volume(pod, volume);
  return found.is_null() ? "" : found.value(name, "");
}

std::string Ctl::phase(const std::string& pod, const std::string& volume) const {
  return field(pod, volume, "phase");
}
std::string Ctl::reason(const std::string& pod, const std::string& volume) const {
  return field(pod, volume, "reason");
}
std::string Ctl::message(const std::string& pod, const std::string& volume) const {
  return field(pod, volume, "message");
}
std::string Ctl::path(const std::string& pod, const std::string& volume) const {
  return field(pod, volume, "path");
}

std::string Ctl::problems() const {
  const Json status = json({"status"});
  std::string text;
  if (status.is_null()) return text;
  for (const Json& line : status.at("problems"))
    text += line.get<std::string>() + "\n";
  return text;
}

}  // namespace mooring::integration
