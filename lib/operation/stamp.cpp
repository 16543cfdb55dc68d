#include "operation/stamp.h"

#include <nlohmann/json.hpp>

#include "base/quote.h"

namespace mooring {

std::string encode_stamp(const Stamp& stamp) {
  return R"({"version":1,"uid":)" + json_string(stamp.uid.str()) + R"(,"namespace":)" +
         json_string(stamp.name_space.str()) + R"(,"name":)" + json_string(stamp.name.str()) + "}\n";
}

std::optional<Stamp> decode_stamp(std::string_view bytes) {
  const nlohmann::json document = nlohmann::json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return std::nullopt;
  const auto text = [&](const char* member) -> const std::string* {
    const auto found = document.find(member);
    return found == document.end() ? nullptr : found->get_ptr<const std::string*>();
  };
  const auto version = document.find("version");
  if (version == document.end() || !version->is_number_integer() || *version != 1) return std::nullopt;
  const std::string* uid = text("uid");
  const std::string* name_space = text("namespace");
  const std::string* name = text("name");
  if (uid == nullptr || name_space == nullptr || name == nullptr) return std::nullopt;
  return Stamp{PodUid(*uid), Namespace(*name_space), ObjectName(*name)};
}

}  // namespace mooring
