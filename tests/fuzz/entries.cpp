#include "entries.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "actual/record.h"
#include "base/quantity.h"
#include "facts/mount_table.h"
#include "manifest/parse.h"
#include "operation/stamp.h"
#include "operation/volume_base.h"
#include "wire/message.h"

namespace mooring::fuzz {
namespace {

bool is_one_line(std::string_view text) {
  return text.find('\n') == std::string_view::npos;
}

bool is_above(const MountFact* a, const MountFact* b) {
  return a->mount_point < b->mount_point;
}

std::string check_look_ups(const MountTable& table, const MountFact& fact) {
  const MountFact* top = table.top_at(fact.mount_point);
  if (top == nullptr || top->mount_point != fact.mount_point)
    return "a mount is not found at its mount point";
  if (table.count_at(fact.mount_point) == 0) return "a mount is not counted at its mount point";
  if (table.covering(fact.mount_point) != top) return "a mount point is not covered by its own mount";
  const std::vector<const MountFact*> below = table.below(fact.mount_point);
  if (!std::is_sorted(below.begin(), below.end(), is_above)) return "the mounts below are not sorted";
  for (const MountFact* each : below) {
    if (!each->mount_point.starts_with(fact.mount_point)) return "a mount elsewhere is given as below";
    if (each->mount_point == fact.mount_point) return "a mount is below itself";
  }
  for (const MountFact* each : table.references(fact)) {
    if (each->id == fact.id) return "a mount is its own reference";
  }
  return "";
}

}  // namespace

std::string check_manifest(std::string_view bytes) {
  const manifest::ParsedFile file = manifest::parse_file(bytes, "fuzz.yaml");
  for (const manifest::Diagnostic& diagnostic : file.diagnostics) {
    if (diagnostic.message.empty()) return "a diagnostic without a message";
    if (!is_one_line(diagnostic.text())) return "a diagnostic of several lines: " + diagnostic.text();
  }
  for (const manifest::BrokenDocument& broken : file.broken) {
    if (broken.message.empty()) return "a broken document without a message";
  }
  for (const manifest::Object& object : file.objects) {
    if (!std::visit([](const auto& pointer) { return pointer != nullptr; }, object))
      return "an object is null";
    const auto* pod = std::get_if<std::shared_ptr<const manifest::Pod>>(&object);
    if (pod == nullptr) continue;
    if ((*pod)->uid.empty()) return "a pod without a uid";
    if ((*pod)->uid.str().find('/') != std::string::npos) return "a pod whose uid is a path";
    for (const manifest::Volume& volume : (*pod)->volumes) {
      if (volume.name.empty() || volume.name.str().find('/') != std::string::npos ||
          volume.name.str() == "..") {
        return "a volume whose name is no name of a directory";
      }
    }
  }
  const manifest::ParsedFile again = manifest::parse_file(bytes, "fuzz.yaml");
  return again.diagnostics == file.diagnostics && again.objects.size() == file.objects.size()
             ? ""
             : "the same bytes gave another answer";
}

std::string check_mountinfo(std::string_view bytes) {
  const Result<MountTable> parsed = MountTable::parse(bytes);
  if (!parsed) return is_one_line(parsed.error().text()) ? "" : "an error of several lines";
  const MountTable& table = parsed.value();
  if (table.mounts().size() != static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'))) {
    return "not every line became a mount";
  }
  for (const MountFact& fact : table.mounts()) {
    if (std::string finding = check_look_ups(table, fact); !finding.empty()) return finding;
  }
  return "";
}

std::string check_wire(std::string_view bytes) {
  const Result<wire::Message> message = wire::decode(bytes);
  if (!message) return message.error().reason == "BadMessage" ? "" : "an error of another kind";
  return wire::encode(message.value()) == bytes ? "" : "a message is encoded to other bytes";
}

std::string check_record(std::string_view bytes) {
  const Result<PodRecord> record = decode_record(bytes);
  if (!record) return record.error().reason == "BadRecord" ? "" : "an error of another kind";
  const Result<PodRecord> again = decode_record(encode_record(record.value()));
  return again && again.value() == record.value() ? "" : "a record changes when it is written and read";
}

std::string check_stamp(std::string_view bytes) {
  if (const std::optional<Owner> owner = decode_owner(bytes)) {
    if (decode_owner(encode_owner(*owner, "a/b")) != owner)
      return "an owner changes when it is written and read";
  }
  const std::optional<Stamp> stamp = decode_stamp(bytes);
  if (!stamp) return "";
  return decode_stamp(encode_stamp(*stamp)) == stamp ? "" : "a stamp changes when it is written and read";
}

std::string check_quantity(std::string_view bytes) {
  const Result<Quantity> parsed = Quantity::parse(bytes);
  if (!parsed) return is_one_line(parsed.error().text()) ? "" : "an error of several lines";
  const Quantity& quantity = parsed.value();
  const std::int64_t whole = quantity.rounded_up();
  const bool is_saturated =
      whole == std::numeric_limits<std::int64_t>::max() || whole == std::numeric_limits<std::int64_t>::min();
  if (!is_saturated) {
    const Result<Quantity> again = Quantity::parse(quantity.text());
    if (!again || again.value() != quantity) return "the text " + quantity.text() + " is another quantity";
    if (Quantity::from_integer(whole) < quantity) return "rounded up to less";
  }
  if (!quantity.is_negative() && quantity + quantity < quantity) return "the double is less";
  if (quantity.divided_rounded_up(Quantity::from_integer(1)) != whole) return "divided by one it is another";
  return "";
}

void require_nothing_found(const std::string& finding) {
  if (finding.empty()) return;
  std::fprintf(stderr, "%s\n", finding.c_str());
  std::abort();
}

}  // namespace mooring::fuzz
