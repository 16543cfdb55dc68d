#include <algorithm>
#include <string>
#include <vector>

#include "base/secret_bytes.h"
#include "csi/answers.h"
#include "csi/attachment.h"
#include "csi/probe_answers.h"
#include "csi/volume_data.h"
#include "driver/registration.h"
#include "entries.h"
#include "flex/answer.h"
#include "flex/names.h"

namespace mooring::fuzz {
namespace {

bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

/// An error of an answer: bounded, on one line, with something to do.
template <class T>
std::string check_error(const Result<T>& read) {
  if (read) return "";
  if (read.error().message.size() > 4096 || !is_clean(read.error().message))
    return "an error of several lines";
  return read.error().reason.empty() || read.error().remedy.empty() ? "an error that says nothing" : "";
}

std::string check_accepted(const Registration& registration) {
  if (!check_driver_name(registration.name.str())) return "a driver has a name that none may have";
  if (!is_clean(registration.name.str())) return "a name with control characters";
  if (!check_endpoint(registration.endpoint)) return "an endpoint that none may have";
  if (registration.version.major() != 1) return "a version of another major number";
  const auto again = DriverVersion::parse(registration.version.text());
  return again && *again == registration.version ? "" : "a version changes when it is written and read";
}

}  // namespace

std::string check_registration_answers(std::string_view bytes) {
  const auto info = csi::read_registration(bytes);
  const auto plugin = csi::read_plugin_info(bytes);
  const auto node = csi::read_node_info(bytes);
  for (const std::string& finding :
       {check_error(info), check_error(plugin), check_error(csi::read_plugin_capabilities(bytes)),
        check_error(node), check_error(csi::read_node_capabilities(bytes)),
        check_error(csi::read_controller_capabilities(bytes))}) {
    if (!finding.empty()) return finding;
  }
  if (plugin && !is_clean(plugin.value().vendor_version)) return "a version with control characters";
  if (node &&
      (node.value().node_id.empty() || !is_clean(node.value().node_id) || node.value().volumes_max < 0))
    return "a node that cannot be";
  if (!is_clean(driver_words(bytes)) || driver_words(bytes).size() > 1024 + 3)
    return "words of several lines";
  if (!info) return "";
  const auto registration = check_registration(info.value(), "/r/d.sock");
  return registration ? check_accepted(registration.value()) : check_error(registration);
}

std::string check_volume_answers(std::string_view bytes) {
  const Result<std::uint64_t> expanded = csi::expanded_bytes(bytes);
  if (std::string finding = check_error(expanded); !finding.empty()) return finding;
  const Result<csi::StatsAnswer> stats = csi::volume_stats(bytes);
  if (!stats) return check_error(stats);
  const auto& condition = stats.value().condition;
  return !condition || is_clean(condition->message) ? "" : "a condition's words are of several lines";
}

std::string check_volume_data(std::string_view bytes) {
  if (const auto attachment = csi::decode_attachment(bytes)) {
    if (attachment->driver.empty() || attachment->handle.empty() || attachment->node_id.empty())
      return "an attachment of nothing";
    if (csi::decode_attachment(csi::encode_attachment(*attachment)) != attachment)
      return "the stamp of an attachment changes when it is written and read";
  }
  const std::optional<csi::VolumeData> data = csi::decode_volume_data(bytes);
  if (!data) return "";
  if (data->driver.empty() || data->volume_handle.empty()) return "a volume of no driver";
  return csi::decode_volume_data(csi::encode_volume_data(*data)) == data
             ? ""
             : "what lies beside a volume changes when it is written and read";
}

std::string check_flex_answer(std::string_view bytes) {
  // The first line is a name; the rest is what the driver said.
  const std::size_t end = std::min(bytes.find('\n'), bytes.size());
  const std::string_view name = bytes.substr(0, end);
  if (const auto driver = flex::driver_of_directory(name)) {
    if (!flex::is_driver_name(driver->str())) return "a directory has a driver whose name is none";
    if (flex::driver_of_directory(flex::directory_of_driver(*driver)) != driver)
      return "a driver's directory is another driver's";
    if (flex::program_name_of(*driver).find('/') != std::string::npos) return "a program's name is a path";
  }
  const std::string_view output = end < bytes.size() ? bytes.substr(end + 1) : bytes;
  const std::vector<SecretBytes> secrets{SecretBytes("hunter22")};
  for (const flex::Command command : {flex::Command::Init, flex::Command::Attach, flex::Command::IsAttached,
                                      flex::Command::Mount, flex::Command::ExpandVolume}) {
    for (const int status : {0, 1}) {
      const Result<flex::Answer> answer =
          flex::answer_of(command, {status, 0, false, false, output}, secrets);
      if (answer && status != 0 && answer.value().is_supported)
        return "a program that failed is taken for one that did what it was asked";
      if (answer) continue;
      if (std::string finding = check_error(answer); !finding.empty()) return finding;
      if (answer.error().text().find("hunter22") != std::string::npos) return "an error tells a secret";
    }
  }
  return "";
}

}  // namespace mooring::fuzz
