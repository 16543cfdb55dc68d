#include "csi/answers.h"

#include <cstdint>

#include "csi/json_reader.h"
#include "driver/registration.h"

namespace mooring::csi {
namespace {

using json_reader::amount;
using json_reader::is_named;
using json_reader::json;
using json_reader::member;

// More than any driver has reason to say; what is beyond is passed over.
constexpr std::size_t items_max = 256;
constexpr std::size_t text_bytes_max = 4096;

Error bad_answer(const std::string& what) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "BadAnswer";
  error.message = "the driver's answer is none: " + what;
  error.remedy = "see the driver's log, and whether its version speaks CSI 1; Mooring tries again by itself";
  return error;
}

Result<json> object_of(std::string_view response) {
  json object = json_reader::parsed(response);
  if (object.is_object()) return object;
  return bad_answer("it is no JSON object");
}

}  // namespace

Result<StatsAnswer> volume_stats(std::string_view response) {
  MOORING_TRY(const json object, object_of(response));
  StatsAnswer answer;
  FileSystemUsage usage;
  bool has_bytes = false;
  json_reader::each(member(object, "usage"), items_max, [&](const json& item) {
    const json& unit = member(item, "unit");
    if (is_named(unit, "BYTES", 1)) {
      has_bytes = true;
      usage.capacity_bytes = amount(member(item, "total"));
      usage.used_bytes = amount(member(item, "used"));
      usage.available_bytes = amount(member(item, "available"));
    } else if (is_named(unit, "INODES", 2)) {
      usage.inodes = amount(member(item, "total"));
      usage.inodes_used = amount(member(item, "used"));
      usage.inodes_free = amount(member(item, "available"));
    }
  });
  if (has_bytes) answer.usage = usage;
  if (const json& condition = member(object, "volume_condition"); condition.is_object()) {
    const json& abnormal = member(condition, "abnormal");
    answer.condition =
        CsiCondition{abnormal.is_boolean() && abnormal.get<bool>(),
                     driver_words(json_reader::text(member(condition, "message"), text_bytes_max))};
  }
  return answer;
}

Result<std::uint64_t> expanded_bytes(std::string_view response) {
  MOORING_TRY(const json object, object_of(response));
  return amount(member(object, "capacity_bytes"));
}

}  // namespace mooring::csi
