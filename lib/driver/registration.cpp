#include "driver/registration.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/quote.h"

namespace mooring {
namespace {

constexpr std::size_t words_bytes_max = 1024;
constexpr std::size_t name_bytes_max = 63;
/// sockaddr_un.sun_path with the zero at its end (unix(7)).
constexpr std::size_t socket_path_bytes_max = 107;
/// A version has three numbers; more than this is no version that anybody means.
constexpr std::size_t version_parts_max = 8;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The versions as a message names them: the first few.
std::string list_of(const std::vector<std::string>& versions) {
  constexpr std::size_t named_max = 8;
  std::string text = "[";
  for (std::size_t i = 0; i < versions.size() && i < named_max; ++i)
    text += (i == 0 ? "" : " ") + quoted(versions[i].substr(0, 32));
  return text + (versions.size() > named_max ? " ...]" : "]");
}

bool is_domain_name(std::string_view name) {
  const auto is_letter_or_digit = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (name.empty() || name.size() > name_bytes_max) return false;
  bool is_inside = false;  // A label starts and ends with a letter or a digit.
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_last = i + 1 == name.size() || name[i + 1] == '.';
    if (name[i] == '.') {
      if (!is_inside) return false;
      is_inside = false;
    } else {
      if (!is_letter_or_digit(name[i]) && (name[i] != '-' || !is_inside || is_last)) return false;
      is_inside = true;
    }
  }
  return is_inside;
}

}  // namespace

bool counts_in_registry(std::string_view name) {
  return !name.empty() && !name.starts_with('.');
}

std::optional<DriverVersion> DriverVersion::parse(std::string_view text) {
  constexpr std::size_t digits_max = 9;  // Of a number that fits into 32 bits in any case.
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0)
    text.remove_prefix(1);
  if (text.starts_with('v')) text.remove_prefix(1);
  DriverVersion version;
  version.parts_.clear();
  while (true) {
    std::size_t count = 0;
    std::uint32_t number = 0;
    while (count < text.size() && is_digit(text[count])) {
      if (count == digits_max) return std::nullopt;
      number = number * 10 + static_cast<std::uint32_t>(text[count++] - '0');
    }
    if (count == 0 || (count > 1 && text.front() == '0') || version.parts_.size() == version_parts_max)
      return std::nullopt;
    version.parts_.push_back(number);
    text.remove_prefix(count);
    // A dot that no number follows belongs to what is behind the version.
    if (text.size() < 2 || text[0] != '.' || !is_digit(text[1])) break;
    text.remove_prefix(1);
  }
  if (version.parts_.size() < 2) return std::nullopt;
  return version;
}

std::string DriverVersion::text() const {
  std::string out;
  for (const std::uint32_t part : parts_)
    out += (out.empty() ? "" : ".") + std::to_string(part);
  return out;
}

std::strong_ordering operator<=>(const DriverVersion& one, const DriverVersion& other) {
  const std::size_t count = std::max(one.parts_.size(), other.parts_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t left = i < one.parts_.size() ? one.parts_[i] : 0;
    const std::uint32_t right = i < other.parts_.size() ? other.parts_[i] : 0;
    if (left != right) return left <=> right;
  }
  return std::strong_ordering::equal;
}

Result<DriverVersion> choose_version(std::string_view driver, const std::vector<std::string>& versions) {
  const std::string remedy = "install a version of the driver that speaks CSI 1";
  if (versions.empty()) {
    return refusal("UnsupportedVersion",
                   "CSI driver " + quoted(driver) +
                       " reporting empty array for supported versions: no "
                       "supported CSI version",
                   remedy);
  }
  std::optional<DriverVersion> highest;
  for (const std::string& text : versions) {
    const auto version = DriverVersion::parse(text);
    if (!version || version->major() > 1) continue;
    if (!highest || *highest < *version) highest = version;
  }
  if (highest && highest->major() == 1) return *highest;
  return refusal("UnsupportedVersion",
                 "CSI driver " + quoted(driver) + " has no supported CSI version: none of the versions " +
                     list_of(versions) + " is of major version 1",
                 remedy);
}

Result<void> check_driver_name(const std::string& name) {
  if (is_domain_name(name)) return success();
  return refusal("BadName",
                 "the driver calls itself " + quoted(name.substr(0, 2 * name_bytes_max)) +
                     ", which is no domain name of at most 63 characters",
                 "correct the name that the driver is started with");
}

Result<void> check_endpoint(const std::string& endpoint) {
  const bool is_whole = endpoint.find('\0') == std::string::npos;
  if (endpoint.starts_with('/') && endpoint.size() <= socket_path_bytes_max && is_whole) return success();
  return refusal("BadEndpoint",
                 "the driver says that it listens at " + quoted(endpoint.substr(0, 256)) +
                     ", which is no absolute path of at most 107 bytes",
                 "correct the path that its registrar is started with (--kubelet-registration-path)");
}

Result<Registration> check_registration(const RegistrationInfo& info, const std::string& socket) {
  if (info.type != "CSIPlugin") {
    return refusal("NoHandler",
                   "no handler registered for plugin type: " + driver_words(info.type.substr(0, 128)) +
                       " at socket " + socket,
                   "only CSI drivers (CSIPlugin) are of use here; remove others from the registry");
  }
  MOORING_TRY(check_driver_name(info.name));
  MOORING_TRY(const DriverVersion version, choose_version(info.name, info.versions));
  std::string endpoint = info.endpoint.empty() ? socket : info.endpoint;
  constexpr std::string_view scheme = "unix://";
  if (endpoint.starts_with(scheme)) endpoint.erase(0, scheme.size());
  MOORING_TRY(check_endpoint(endpoint));
  return Registration{DriverName(info.name), std::move(endpoint), version};
}

Result<void> check_successor(const DriverName& name, std::string_view registered_version,
                             std::string_view registered_socket, std::string_view version) {
  const auto registered = DriverVersion::parse(registered_version);
  const auto next = DriverVersion::parse(version);
  if (!registered || (next && *registered < *next)) return success();
  return refusal("AlreadyRegistered",
                 "another driver with the name " + quoted(name.str()) +
                     " is already registered with a higher or equal supported version: " +
                     registered->text() + " (at " + std::string(registered_socket) + ")",
                 "stop one of the two; the other is registered when the first one's socket is gone");
}

std::string driver_words(std::string_view text) {
  const bool is_cut = text.size() > words_bytes_max;
  if (is_cut) text = text.substr(0, words_bytes_max);
  while (is_cut && !text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80)
    text.remove_suffix(1);  // Never half a character...
  if (is_cut && !text.empty() && (static_cast<unsigned char>(text.back()) & 0x80) != 0)
    text.remove_suffix(1);  // ...nor its first byte alone.
  std::string line(text);
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c == '\n' || c == '\r' || c == '\t'; }, ' ');
  line = clean(line);
  if (line.size() > words_bytes_max) line.resize(words_bytes_max);  // What was not printable is longer now.
  return is_cut ? line + "..." : line;
}

}  // namespace mooring
