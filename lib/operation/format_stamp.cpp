#include "operation/format_stamp.h"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/quote.h"
#include "step/layout.h"

namespace mooring {
namespace {

constexpr std::size_t size_max = 4096;
constexpr std::uint32_t stamp_mode = 0640;

Error bad_stamp() {
  return refusal("BadFormatStamp", "what is remembered of the volume's formatting cannot be read");
}

Error bad_stamp(const std::string& path) {
  Error error = bad_stamp();
  error.path = path;
  error.remedy = "see if the device holds data; if the volume may be formatted, remove the file";
  return error;
}

}  // namespace

std::string encode_format_stamp(const FormatStamp& stamp) {
  return std::string(R"({"version":1,"complete":)") + (stamp.is_complete ? "true" : "false") + R"(,"type":)" +
         json_string(stamp.type) + R"(,"uuid":)" + json_string(stamp.uuid) + R"(,"device":)" +
         json_string(stamp.device) + R"(,"size":)" + std::to_string(stamp.size_bytes) + R"(,"wwid":)" +
         json_string(stamp.wwid) + "}\n";
}

Result<FormatStamp> decode_format_stamp(std::string_view bytes) {
  const nlohmann::json document = nlohmann::json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return bad_stamp();
  const auto version = document.find("version");
  const auto complete = document.find("complete");
  const auto size = document.find("size");
  const auto end = document.end();
  if (version == end || !version->is_number_integer() || *version != 1) return bad_stamp();
  if (complete == end || !complete->is_boolean()) return bad_stamp();
  if (size == end || !size->is_number_unsigned()) return bad_stamp();
  FormatStamp stamp;
  stamp.is_complete = complete->get<bool>();
  stamp.size_bytes = size->get<std::uint64_t>();
  for (const auto& [name, member] :
       {std::pair{"type", &FormatStamp::type}, std::pair{"uuid", &FormatStamp::uuid},
        std::pair{"device", &FormatStamp::device}, std::pair{"wwid", &FormatStamp::wwid}}) {
    const auto found = document.find(name);
    if (found == end || !found->is_string()) return bad_stamp();
    stamp.*member = found->get<std::string>();
  }
  return stamp;
}

Result<std::optional<FormatStamp>> read_format_stamp(const std::string& path, kernel::Files& files) {
  const Result<std::string> bytes = files.read_file(path, size_max);
  if (!bytes) {
    if (bytes.error().errno_value == ENOENT) return std::optional<FormatStamp>();
    if (bytes.error().reason == "TooLarge") return bad_stamp(path);
    return bytes.error();
  }
  Result<FormatStamp> stamp = decode_format_stamp(bytes.value());
  if (!stamp) return bad_stamp(path);
  return std::optional<FormatStamp>(std::move(stamp).value());
}

Result<void> write_format_stamp(const std::string& path, const FormatStamp& stamp, kernel::Files& files) {
  const std::size_t slash = path.rfind('/');
  const std::string directory = path.substr(0, slash);
  MOORING_TRY(files.make_directory(directory, layout::private_mode));
  // Beside it and renamed, as a stamp that is cut short forbids formatting for ever. No stamp's name begins
  // with a dot (layout::escape_handle), so this is nobody else's.
  const std::string beside = directory + "/." + path.substr(slash + 1) + ".new";
  MOORING_TRY(files.remove_file(beside));
  MOORING_TRY(files.write_file(beside, encode_format_stamp(stamp), stamp_mode));
  // It must outlive a power cut: what it remembers is done to a disk right after it.
  MOORING_TRY(files.flush(beside));
  const Result<void> replaced = files.replace(beside, path);
  if (replaced) return files.flush(directory);
  // The return code is a hint: what lies there now decides.
  const auto there = read_format_stamp(path, files);
  return there && there.value() == stamp ? Result<void>(success()) : replaced;
}

std::string new_file_system_uuid(const FormatDevice& step, const DeviceFacts& device) {
  static const boost::uuids::uuid mooring_volumes =
      boost::uuids::string_generator()("a1d7c3f2-4b65-4f0a-8e0d-0b6c6f636b73");
  boost::uuids::name_generator_sha1 generate(mooring_volumes);
  // The number of the attachment makes a difference even for two volumes of one name, on nodes that have
  // nothing else to tell them apart.
  return boost::uuids::to_string(generate(step.stamp + "\n" + step.device.text() + "\n" + step.type + "\n" +
                                          device.wwid + "\n" + std::to_string(device.size_bytes) + "\n" +
                                          std::to_string(device.sequence)));
}

}  // namespace mooring
