#include "flex/reply.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>

#include "base/quote.h"

namespace mooring::flex {
namespace {

using Json = nlohmann::json;

/// Go folds more than ASCII, but no driver's keys have any of that.
std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// Takes the values as they come by; keeps no tree.
class Taker final : public nlohmann::json_sax<Json> {
 public:
  Reply reply;
  std::string error;  ///< Why it is no answer.

  bool null() override { return is_object_ || fail("it is not an object"); }
  bool boolean(bool value) override {
    if (bool* place = boolean_at()) return *place = value, true;
    if (depth_ == 1 && key_ == "attached") return reply.answer.is_attached = value, true;
    return ignore();
  }
  bool number_integer(number_integer_t value) override {
    if (depth_ == 1 && key_ == "volumenewsize") return reply.answer.new_size_bytes = value, true;
    return ignore();
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(INT64_MAX)) return ignore();
    return number_integer(static_cast<number_integer_t>(value));
  }
  bool number_float(number_float_t, const string_t&) override { return ignore(); }
  bool string(string_t& value) override {
    if (std::string* place = text_at()) return *place = std::move(value), true;
    return ignore();
  }
  bool binary(binary_t&) override { return ignore(); }
  bool start_object(std::size_t) override {
    if (depth_ == 1 && key_ == "capabilities") {
      is_in_capabilities_ = true;
    } else if (depth_ != 0 && !ignore()) {
      return false;
    }
    is_object_ = true;
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    if (depth_ == 1) is_in_capabilities_ = false;
    return true;
  }
  bool start_array(std::size_t) override {
    if (!ignore()) return false;
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool key(string_t& name) override {
    if (depth_ == 1 || is_capability()) key_ = lower(name);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    // The parser's own words would show what it read.
    error = "not JSON at byte " + std::to_string(position);
    return false;
  }

 private:
  bool is_capability() const { return is_in_capabilities_ && depth_ == 2; }
  bool fail(std::string why) {
    error = std::move(why);
    return false;
  }
  std::string* text_at() {
    if (depth_ != 1) return nullptr;
    if (key_ == "status") return &reply.status;
    if (key_ == "message") return &reply.answer.message;
    if (key_ == "device") return &reply.answer.device_path;
    if (key_ == "volumename") return &reply.answer.volume_name;
    return nullptr;
  }
  bool* boolean_at() {
    if (!is_capability()) return nullptr;
    FlexCapabilities& can = reply.answer.capabilities;
    if (key_ == "attach") return &can.attach;
    if (key_ == "selinuxrelabel") return &can.selinux_relabel;
    if (key_ == "supportsmetrics") return &can.supports_metrics;
    if (key_ == "fsgroup") return &can.fs_group;
    if (key_ == "requiresfsresize") return &can.requires_fs_resize;
    return nullptr;
  }
  /// A value that was not taken: right for a key that nobody knows, and wrong for one of ours.
  bool ignore() {
    if (depth_ == 0) return fail("it is not an object");
    const bool is_ours =
        text_at() != nullptr || boolean_at() != nullptr ||
        (depth_ == 1 && (key_ == "attached" || key_ == "capabilities" || key_ == "volumenewsize"));
    if (is_ours) return fail("the value of " + key_ + " is of the wrong type");
    return true;
  }

  std::size_t depth_ = 0;
  bool is_object_ = false;
  bool is_in_capabilities_ = false;
  std::string key_;  ///< Of the value that comes next, in small letters.
};

}  // namespace

Result<Reply> parse_reply(std::string_view output) {
  // The parser takes it for the end.
  if (const std::size_t nul = output.find('\0'); nul != std::string_view::npos)
    return refusal("BadDriverAnswer", "not JSON at byte " + std::to_string(nul));
  std::string text(output);
  // Go reads what is no UTF-8 as if a replacement character stood there.
  if (!is_valid_utf8(text)) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  }
  Taker taker;
  const bool is_whole = Json::sax_parse(text, &taker);
  if (is_whole && taker.error.empty()) return std::move(taker.reply);
  return refusal("BadDriverAnswer", taker.error.empty() ? "it is not JSON" : taker.error);
}

}  // namespace mooring::flex
