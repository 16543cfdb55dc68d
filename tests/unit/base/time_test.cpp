#include "base/time.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace mooring {
namespace {

using namespace std::chrono_literals;

TEST(Rfc3339, is_utc_with_milliseconds) {
  EXPECT_EQ(rfc3339(WallTime{}), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339(WallTime{1772366400s + 250ms}), "2026-03-01T12:00:00.250Z");
  EXPECT_EQ(rfc3339(WallTime{951782400s}), "2000-02-29T00:00:00.000Z");
}

TEST(Rfc3339, cuts_what_is_finer_than_a_millisecond) {
  EXPECT_EQ(rfc3339(WallTime{1s + 999999999ns}), "1970-01-01T00:00:01.999Z");
}

TEST(Rfc3339, of_a_time_before_1970_counts_down) {
  EXPECT_EQ(rfc3339(WallTime{-1ms}), "1969-12-31T23:59:59.999Z");
}

TEST(HumanDuration, has_at_most_two_units) {
  EXPECT_EQ(human_duration(0s), "0us");
  EXPECT_EQ(human_duration(999us), "999us");
  EXPECT_EQ(human_duration(1ms), "1ms");
  EXPECT_EQ(human_duration(250ms), "250ms");
  EXPECT_EQ(human_duration(999999us), "999ms");
  EXPECT_EQ(human_duration(1s), "1s");
  EXPECT_EQ(human_duration(18s + 900ms), "18s");
  EXPECT_EQ(human_duration(59s), "59s");
  EXPECT_EQ(human_duration(60s), "1m");
  EXPECT_EQ(human_duration(192s), "3m12s");
  EXPECT_EQ(human_duration(3599s), "59m59s");
  EXPECT_EQ(human_duration(1h), "1h");
  EXPECT_EQ(human_duration(2h + 5min), "2h5m");
  EXPECT_EQ(human_duration(2h + 30s), "2h");
  EXPECT_EQ(human_duration(23h + 59min + 59s), "23h59m");
  EXPECT_EQ(human_duration(24h), "1d");
  EXPECT_EQ(human_duration(49h + 59min), "2d1h");
}

TEST(HumanDuration, of_a_negative_time_has_a_minus) {
  EXPECT_EQ(human_duration(-192s), "-3m12s");
}

TEST(MonotonicTime, differences_are_durations) {
  const MonotonicTime start{5s};
  EXPECT_EQ((start + 2s) - start, Duration(2s));
  EXPECT_LT(start, start + 1ns);
  EXPECT_LT(WallTime{1s}, WallTime{1s} + 1ns);
}

// The values of the authors' own reference program for SplitMix64.
TEST(Random, gives_the_numbers_of_the_reference) {
  Random zero(0);
  EXPECT_EQ(zero.next(), 0xE220A8397B1DCDAFULL);
  EXPECT_EQ(zero.next(), 0x6E789E6AA1B965F4ULL);
  EXPECT_EQ(zero.next(), 0x06C45D188009454FULL);
  Random other(1234567);
  EXPECT_EQ(other.next(), 6457827717110365317ULL);
  EXPECT_EQ(other.next(), 3203168211198807973ULL);
  EXPECT_EQ(other.next(), 9817491932198370423ULL);
}

TEST(Random, below_stays_below_and_reaches_every_number) {
  Random random(7);
  unsigned seen = 0;
  for (int i = 0; i < 200; ++i) {
    const std::uint64_t number = random.below(5);
    ASSERT_LT(number, 5u);
    seen |= 1u << number;
  }
  EXPECT_EQ(seen, 0b11111u);
  EXPECT_EQ(random.below(0), 0u);
  EXPECT_EQ(random.below(1), 0u);
}

TEST(Random, chance_is_about_once_in_so_many_calls) {
  Random random(11);
  int hits = 0;
  for (int i = 0; i < 10000; ++i)
    hits += random.chance(10) ? 1 : 0;
  EXPECT_GT(hits, 850);
  EXPECT_LT(hits, 1150);
  EXPECT_TRUE(random.chance(1));
}

}  // namespace
}  // namespace mooring
