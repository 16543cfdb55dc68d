#include "flex/names.h"

#include <algorithm>

namespace mooring::flex {
namespace {

constexpr std::size_t part_size_max = 120;  ///< Two of them, and what joins them, are one file's name.

bool is_part(std::string_view part) {
  const auto is_bad = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7f || c == '/' || c == '~';
  };
  return !part.empty() && part.size() <= part_size_max && part.front() != '.' &&
         std::none_of(part.begin(), part.end(), is_bad);
}

}  // namespace

bool is_driver_name(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return is_part(name);
  return is_part(name.substr(0, slash)) && is_part(name.substr(slash + 1));
}

std::optional<DriverName> driver_of_directory(std::string_view directory) {
  std::string name(directory);
  if (const std::size_t tilde = name.find('~'); tilde != std::string::npos) {
    if (name.find('/') != std::string::npos) return std::nullopt;
    name[tilde] = '/';
  }
  if (!is_driver_name(name)) return std::nullopt;
  return DriverName(std::move(name));
}

std::string directory_of_driver(const DriverName& driver) {
  std::string name = driver.str();
  std::replace(name.begin(), name.end(), '/', '~');
  return name;
}

std::string program_name_of(const DriverName& driver) {
  const std::string& name = driver.str();
  const std::size_t slash = name.find('/');
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

std::string program_of(std::string_view flexvolume_dir, const DriverName& driver) {
  return std::string(flexvolume_dir) + "/" + directory_of_driver(driver) + "/" + program_name_of(driver);
}

std::optional<DriverName> driver_of_entry(const Entry& entry) {
  constexpr unsigned executable = 0111;
  auto driver = driver_of_directory(entry.directory);
  if (!driver || entry.name != program_name_of(*driver)) return std::nullopt;
  if (!entry.is_regular || (entry.mode & executable) == 0) return std::nullopt;
  return driver;
}

}  // namespace mooring::flex
