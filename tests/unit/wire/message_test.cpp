#include "wire/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "sample_messages.h"

namespace mooring::wire {
namespace {

void expect_refused(std::string_view bytes) {
  const Result<Message> decoded = decode(bytes);
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error().kind, ErrorKind::Final);
  EXPECT_EQ(decoded.error().reason, "BadMessage");
}

template <class Kind>
Kind round_trip(const Kind& message) {
  const Result<Message> decoded = decode(encode(Message(message)));
  EXPECT_TRUE(decoded.has_value());
  if (!decoded || !std::holds_alternative<Kind>(decoded.value())) {
    ADD_FAILURE() << "another kind of message came back";
    return {};
  }
  return std::get<Kind>(decoded.value());
}

std::string encoded_batch(const Operation& operation) {
  return encode(Batch{{operation}});
}

/// `a` with its one byte that differs from `b` replaced by `value`.
std::string with_the_differing_byte(std::string a, const std::string& b, char value) {
  EXPECT_EQ(a.size(), b.size());
  std::size_t differing = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    a[i] = value;
    ++differing;
  }
  EXPECT_EQ(differing, 1u);
  return a;
}

TEST(RoundTrip, greeting_keeps_every_field) {
  const Welcome welcome = round_trip(Welcome{9, "/var/lib/mooring"});
  EXPECT_EQ(welcome.version, 9u);
  EXPECT_EQ(welcome.root_dir, "/var/lib/mooring");
  const Hello hello = round_trip(Hello{9, -1, "/resolved", "a problem"});
  EXPECT_EQ(hello.version, 9u);
  EXPECT_EQ(hello.pid, -1);
  EXPECT_EQ(hello.root_dir, "/resolved");
  EXPECT_EQ(hello.problem, "a problem");
  EXPECT_EQ(round_trip(Welcome{}).version, protocol_version);
}

TEST(RoundTrip, every_step_comes_back_equal) {
  for (const Step& step : every_step()) {
    Operation operation;
    operation.steps = {step};
    const Batch batch = round_trip(Batch{{operation}});
    ASSERT_EQ(batch.operations.size(), 1u);
    ASSERT_EQ(batch.operations[0].steps.size(), 1u);
    EXPECT_EQ(batch.operations[0].steps[0], step) << describe(step);
  }
}

TEST(RoundTrip, the_samples_have_every_kind_of_step) {
  std::vector<bool> seen(std::variant_size_v<AnyStep>);
  for (const Step& step : every_step())
    seen[step.index()] = true;
  EXPECT_THAT(seen, testing::Each(true));
}

TEST(RoundTrip, operations_come_back_equal_and_in_order) {
  Operation second = sample_operation();
  second.id = OperationId{2};
  second.lane = Lane::Teardown;
  const std::vector<Operation> operations{sample_operation(), second, Operation{}};
  EXPECT_EQ(round_trip(Batch{operations}).operations, operations);
  EXPECT_TRUE(round_trip(Batch{}).operations.empty());
}

TEST(RoundTrip, an_outcome_with_an_error_keeps_every_field) {
  const std::vector<Outcome> outcomes = round_trip(Outcomes{sample_outcomes()}).outcomes;
  ASSERT_EQ(outcomes.size(), sample_outcomes().size());
  const Outcome& failed = outcomes[0];
  EXPECT_EQ(failed.id, OperationId{7});
  EXPECT_EQ(failed.steps_done, 3u);
  EXPECT_TRUE(failed.changed);
  EXPECT_FALSE(failed.is_partial);
  EXPECT_FALSE(failed.tree.has_value());
  EXPECT_EQ(failed.trash_entry, "u1.g");
  EXPECT_EQ(failed.watches, (std::vector<int>{41, 42}));
  ASSERT_TRUE(failed.error.has_value());
  EXPECT_EQ(failed.error->kind, ErrorKind::Uncertain);
  EXPECT_EQ(failed.error->reason, "MountFailed");
  EXPECT_EQ(failed.error->message, "it failed");
  EXPECT_EQ(failed.error->step, "mount");
  EXPECT_EQ(failed.error->path, "pods/u1/a");
  EXPECT_EQ(failed.error->errno_value, 16);
  EXPECT_EQ(failed.error->remedy, "try it again");
  EXPECT_THAT(failed.error->context, testing::ElementsAre("inner", "outer"));
}

TEST(RoundTrip, an_outcome_with_a_tree_keeps_every_field) {
  const std::vector<Outcome> sent = sample_outcomes();
  const std::vector<Outcome> outcomes = round_trip(Outcomes{sent}).outcomes;
  ASSERT_EQ(outcomes.size(), sample_outcomes().size());
  const Outcome& scanned = outcomes[1];
  EXPECT_TRUE(scanned.is_partial);
  EXPECT_FALSE(scanned.changed);
  EXPECT_FALSE(scanned.error.has_value());
  EXPECT_TRUE(scanned.watches.empty());
  ASSERT_TRUE(scanned.tree.has_value());
  EXPECT_EQ(scanned.tree->pods, sent[1].tree->pods);
  EXPECT_EQ(scanned.tree->trash, sent[1].tree->trash);
  EXPECT_EQ(scanned.tree->attachments.size(), 2u);
  EXPECT_EQ(scanned.tree->attachments, sent[1].tree->attachments);
}

TEST(RoundTrip, an_outcome_with_a_measurement_keeps_every_field) {
  const std::vector<Outcome> outcomes = round_trip(Outcomes{sample_outcomes()}).outcomes;
  ASSERT_EQ(outcomes.size(), sample_outcomes().size());
  EXPECT_EQ(outcomes[2].usage, (FileSystemUsage{10u << 20, 3u << 20, 7u << 20, 1000, 11, 989}));
  EXPECT_TRUE(outcomes[2].is_enforced);
  EXPECT_FALSE(outcomes[3].usage);
  EXPECT_FALSE(outcomes[3].is_enforced);
}

TEST(RoundTrip, an_outcome_with_a_driver_keeps_every_field) {
  const std::vector<Outcome> sent = sample_outcomes();
  const std::vector<Outcome> outcomes = round_trip(Outcomes{sent}).outcomes;
  ASSERT_EQ(outcomes.size(), sample_outcomes().size());
  ASSERT_TRUE(outcomes[4].csi_driver);
  EXPECT_EQ(outcomes[4].csi_driver, sent[4].csi_driver);
  EXPECT_EQ(outcomes[4].csi_driver->topology.at("zone"), "a");
  EXPECT_TRUE(outcomes[4].csi_driver->controller->clone_volume);
  EXPECT_FALSE(outcomes[3].csi_driver);
}

TEST(RoundTrip, an_outcome_with_what_a_controller_made_keeps_every_field) {
  const std::vector<Outcome> sent = sample_outcomes();
  const std::vector<Outcome> outcomes = round_trip(Outcomes{sent}).outcomes;
  ASSERT_EQ(outcomes.size(), sent.size());
  std::size_t made_count = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(outcomes[i].csi_made, sent[i].csi_made) << i;
    EXPECT_EQ(outcomes[i].csi_calls, sent[i].csi_calls) << i;
    EXPECT_EQ(outcomes[i].flex_probe, sent[i].flex_probe) << i;
    EXPECT_EQ(outcomes[i].flex_unsupported, sent[i].flex_unsupported) << i;
    EXPECT_EQ(outcomes[i].condition, sent[i].condition) << i;
    made_count += sent[i].csi_made.has_value() ? 1 : 0;
  }
  EXPECT_EQ(made_count, 4u);
}

TEST(Decode, a_key_that_is_there_twice_is_refused) {
  Outcome probed;
  probed.csi_driver.emplace().topology = {{"rack", "1"}, {"zone", "1"}};
  std::string bytes = encode(Outcomes{{probed}});
  const std::size_t second = bytes.find("zone");
  ASSERT_NE(second, std::string::npos);
  bytes.replace(second, 4, "rack");
  expect_refused(bytes);
  bytes.replace(second, 4, "aaaa");  // Nor one that is not in its order.
  expect_refused(bytes);
}

TEST(RoundTrip, the_bytes_of_a_decoded_message_are_the_same_again) {
  for (const Message& message : sample_messages()) {
    const std::string bytes = encode(message);
    const Result<Message> decoded = decode(bytes);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded.value().index(), message.index());
    EXPECT_EQ(encode(decoded.value()), bytes);
  }
}

TEST(RoundTrip, texts_may_hold_any_byte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  EXPECT_EQ(round_trip(Welcome{1, all}).root_dir, all);
}

TEST(Decode, a_message_that_is_cut_anywhere_is_refused) {
  for (const Message& message : sample_messages()) {
    const std::string bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      // A copy of its own size, so that a read past the end is one past an allocation.
      const std::vector<char> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      expect_refused({cut.data(), cut.size()});
    }
  }
}

TEST(Decode, trailing_bytes_are_refused) {
  for (const Message& message : sample_messages()) {
    expect_refused(encode(message) + '\0');
    expect_refused(encode(message) + encode(message));
  }
}

TEST(Decode, an_unknown_kind_of_message_is_refused) {
  for (const Message& message : sample_messages()) {
    std::string bytes = encode(message);
    bytes[0] = static_cast<char>(std::variant_size_v<Message>);
    expect_refused(bytes);
    bytes[0] = '\xff';
    expect_refused(bytes);
  }
}

TEST(Decode, an_unknown_kind_of_step_is_refused) {
  Operation operation;
  operation.steps = {ScanTree{}};
  std::string bytes = encoded_batch(operation);
  ASSERT_EQ(bytes.back(), static_cast<char>(std::variant_size_v<AnyStep> - 1));
  bytes.back() = static_cast<char>(std::variant_size_v<AnyStep>);
  expect_refused(bytes);
}

TEST(Decode, a_value_outside_its_enumeration_is_refused) {
  Operation local;
  Operation own;
  own.lane = Lane::Own;
  const auto with_lane = [&](char value) {
    return with_the_differing_byte(encoded_batch(local), encoded_batch(own), value);
  };
  EXPECT_TRUE(decode(with_lane(1)).has_value());
  expect_refused(with_lane(3));
  expect_refused(with_lane('\xff'));

  local.steps = {CheckHostPath{"/a", HostPathType::Unset, std::nullopt}};
  own = local;
  own.steps = {CheckHostPath{"/a", HostPathType::File, std::nullopt}};
  EXPECT_TRUE(decode(with_lane(7)).has_value());
  expect_refused(with_lane(8));

  Outcome transient;
  transient.error.emplace().kind = ErrorKind::Transient;
  Outcome final_one;
  final_one.error.emplace().kind = ErrorKind::Final;
  const std::string first = encode(Outcomes{{transient}});
  const std::string second = encode(Outcomes{{final_one}});
  EXPECT_TRUE(decode(with_the_differing_byte(first, second, 2)).has_value());
  expect_refused(with_the_differing_byte(first, second, 3));
}

TEST(Decode, a_truth_value_that_is_neither_0_nor_1_is_refused) {
  Outcome changed;
  changed.changed = true;
  expect_refused(with_the_differing_byte(encode(Outcomes{{Outcome{}}}), encode(Outcomes{{changed}}), 2));
}

TEST(Decode, an_impossible_count_is_refused_and_reserves_nothing) {
  for (const std::uint32_t count : {1u, 2u, 0x7fffffffu, 0xffffffffu}) {
    for (const Message& empty : {Message(Batch{}), Message(Outcomes{})}) {
      std::string bytes = encode(empty);
      ASSERT_EQ(bytes.size(), 5u);
      std::memcpy(bytes.data() + 1, &count, sizeof count);
      expect_refused(bytes);
      // With as many bytes behind it as it may claim, each too few for an element.
      if (count < 3) expect_refused(bytes + std::string(count, '\0'));
    }
  }
}

TEST(Decode, an_impossible_length_of_a_text_is_refused) {
  std::string bytes = encode(Welcome{1, "abc"});
  const std::size_t at = bytes.find("abc") - sizeof(std::uint32_t);
  for (const std::uint32_t length : {2u, 4u, 20u, 0x80000000u, 0xffffffffu}) {
    std::memcpy(bytes.data() + at, &length, sizeof length);
    expect_refused(bytes);
  }
  const std::uint32_t right = 3;
  std::memcpy(bytes.data() + at, &right, sizeof right);
  EXPECT_TRUE(decode(bytes).has_value());
}

TEST(Decode, an_error_says_what_to_do) {
  const Result<Message> decoded = decode("nonsense");
  ASSERT_FALSE(decoded);
  EXPECT_THAT(decoded.error().message, testing::HasSubstr("8 bytes"));
  EXPECT_FALSE(decoded.error().remedy.empty());
}

TEST(EncodedSize, of_the_operations_adds_up_to_the_batch) {
  Batch batch;
  std::size_t expected = encode(batch).size();
  Operation small;
  small.steps = {ScanTree{}};
  for (const Operation& operation : {sample_operation(), small, Operation{}, sample_operation()}) {
    EXPECT_GT(encoded_size(operation), 0u);
    batch.operations.push_back(operation);
    expected += encoded_size(operation);
    EXPECT_EQ(encode(batch).size(), expected);
  }
}

TEST(EncodedSize, grows_by_exactly_the_text_that_is_added) {
  Operation operation = sample_operation();
  const std::size_t before = encoded_size(operation);
  operation.what += "12345";
  EXPECT_EQ(encoded_size(operation), before + 5);
}

}  // namespace
}  // namespace mooring::wire
