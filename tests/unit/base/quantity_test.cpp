#include "base/quantity.h"

#include <gtest/gtest.h>

#include <limits>

namespace mooring {
namespace {

constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();

Quantity quantity(std::string_view text) {
  const Result<Quantity> parsed = Quantity::parse(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return parsed ? parsed.value() : Quantity();
}

std::int64_t number(std::string_view text) {
  return quantity(text).rounded_up();
}

TEST(Quantity, reads_binary_suffixes) {
  EXPECT_EQ(number("1Ki"), 1024);
  EXPECT_EQ(number("3Mi"), std::int64_t{3} << 20);
  EXPECT_EQ(number("3Gi"), std::int64_t{3} << 30);
  EXPECT_EQ(number("3Ti"), std::int64_t{3} << 40);
  EXPECT_EQ(number("3Pi"), std::int64_t{3} << 50);
  EXPECT_EQ(number("3Ei"), std::int64_t{3} << 60);
}

TEST(Quantity, reads_decimal_suffixes) {
  EXPECT_EQ(number("7"), 7);
  EXPECT_EQ(number("7k"), 7'000);
  EXPECT_EQ(number("7M"), 7'000'000);
  EXPECT_EQ(number("7G"), 7'000'000'000);
  EXPECT_EQ(number("7T"), 7'000'000'000'000);
  EXPECT_EQ(number("7P"), 7'000'000'000'000'000);
  EXPECT_EQ(number("7E"), 7'000'000'000'000'000'000);
  EXPECT_EQ(number("7000m"), 7);
  EXPECT_EQ(number("7000000u"), 7);
  EXPECT_EQ(number("7000000000n"), 7);
}

TEST(Quantity, reads_exponents) {
  EXPECT_EQ(number("1e3"), 1000);
  EXPECT_EQ(number("1E3"), 1000);
  EXPECT_EQ(number("12e+2"), 1200);
  EXPECT_EQ(number("12300e-2"), 123);
  EXPECT_EQ(number("1.5e3"), 1500);
  EXPECT_EQ(quantity("0e999"), Quantity());
}

TEST(Quantity, reads_decimals) {
  EXPECT_EQ(number("1.5Gi"), std::int64_t{3} << 29);
  EXPECT_EQ(quantity("0.1"), quantity("100m"));
  EXPECT_EQ(quantity(".5"), quantity("500m"));
  EXPECT_EQ(quantity("5."), quantity("5"));
  EXPECT_EQ(quantity("+5"), quantity("5"));
  EXPECT_EQ(quantity("005"), quantity("5"));
  EXPECT_EQ(quantity("1.5000000000000000000000000000"), quantity("1500m"));
}

TEST(Quantity, rounds_up_to_a_whole_number) {
  EXPECT_EQ(number("1m"), 1);
  EXPECT_EQ(number("1n"), 1);
  EXPECT_EQ(number("1001m"), 2);
  EXPECT_EQ(number("2000m"), 2);
  EXPECT_EQ(number("0.3Ki"), 308);
  EXPECT_EQ(number("0"), 0);
}

TEST(Quantity, rounds_what_is_finer_than_a_billionth_up) {
  EXPECT_EQ(quantity("0.1n"), quantity("1n"));
  EXPECT_EQ(quantity("1.0000000001"), quantity("1000000001n"));
  EXPECT_EQ(quantity("0.0000000000000000000000000001"), quantity("1n"));
  EXPECT_EQ(quantity("1e-99"), quantity("1n"));
  EXPECT_EQ(quantity("0.0000000010"), quantity("1n"));
}

TEST(Quantity, compares_by_value_and_not_by_writing) {
  EXPECT_EQ(quantity("1024Mi"), quantity("1Gi"));
  EXPECT_EQ(quantity("1000m"), quantity("1"));
  EXPECT_LT(quantity("1G"), quantity("1Gi"));
  EXPECT_LT(quantity("999m"), quantity("1"));
  EXPECT_LT(quantity("-1"), quantity("0"));
  EXPECT_GT(quantity("1n"), quantity("0"));
  EXPECT_NE(quantity("1Ki"), quantity("1k"));
}

TEST(Quantity, knows_its_sign) {
  EXPECT_TRUE(quantity("-1n").is_negative());
  EXPECT_FALSE(quantity("-0").is_negative());
  EXPECT_TRUE(quantity("-0").is_zero());
  EXPECT_TRUE(Quantity().is_zero());
  EXPECT_FALSE(quantity("1n").is_zero());
  EXPECT_EQ(number("-5Ki"), -5120);
}

TEST(Quantity, adds_exactly) {
  EXPECT_EQ(quantity("64Mi") + quantity("64Mi"), quantity("128Mi"));
  EXPECT_EQ(quantity("100m") + quantity("900m"), quantity("1"));
  EXPECT_EQ(quantity("1") + quantity("-1"), Quantity());
  EXPECT_EQ((quantity("64Mi") + quantity("64Mi")).text(), "128Mi");
  EXPECT_EQ((quantity("1k") + quantity("1")).text(), "1001");
}

TEST(Quantity, a_sum_that_is_too_large_stays_at_the_top) {
  Quantity sum = quantity("1e28");
  for (int i = 0; i < 200; ++i)
    sum = sum + quantity("1e28");
  EXPECT_GE(sum, quantity("1e28"));
  EXPECT_EQ(sum, sum + quantity("1"));
  EXPECT_EQ(sum.rounded_up(), int64_max);
}

TEST(Quantity, saturates_at_the_ends_of_int64) {
  EXPECT_EQ(number("9223372036854775807"), int64_max);
  EXPECT_EQ(number("9223372036854775808"), int64_max);
  EXPECT_EQ(number("8Ei"), int64_max);
  EXPECT_EQ(number("-9223372036854775808"), int64_min);
  EXPECT_EQ(number("-100Ei"), int64_min);
  EXPECT_EQ(Quantity::from_integer(int64_max).rounded_up(), int64_max);
  EXPECT_EQ(Quantity::from_integer(int64_min).rounded_up(), int64_min);
}

TEST(Quantity, is_divided_and_rounded_up_for_the_downward_api) {
  EXPECT_EQ(quantity("64Mi").divided_rounded_up(quantity("1Mi")), 64);
  EXPECT_EQ(quantity("1").divided_rounded_up(quantity("1Mi")), 1);
  EXPECT_EQ(quantity("65Mi").divided_rounded_up(quantity("64Mi")), 2);
  EXPECT_EQ(quantity("250m").divided_rounded_up(quantity("1m")), 250);
  EXPECT_EQ(quantity("250m").divided_rounded_up(quantity("1")), 1);
  EXPECT_EQ(quantity("5").divided_rounded_up(quantity("0")), 5);
  EXPECT_EQ(quantity("9E").divided_rounded_up(quantity("1n")), int64_max);
}

TEST(Quantity, has_a_canonical_text) {
  EXPECT_EQ(quantity("0").text(), "0");
  EXPECT_EQ(quantity("1024Ki").text(), "1Mi");
  EXPECT_EQ(quantity("1.5Gi").text(), "1536Mi");
  EXPECT_EQ(quantity("1000").text(), "1k");
  EXPECT_EQ(quantity("1024").text(), "1024");
  EXPECT_EQ(quantity("0.5").text(), "500m");
  EXPECT_EQ(quantity("1.000001").text(), "1000001u");
  EXPECT_EQ(quantity("1.000000001").text(), "1000000001n");
  EXPECT_EQ(quantity("-1500m").text(), "-1500m");
  EXPECT_EQ(quantity("-2Gi").text(), "-2Gi");
  EXPECT_EQ(Quantity::from_integer(2000000).text(), "2M");
}

TEST(Quantity, the_text_of_each_is_read_as_the_same_value) {
  for (const char* text : {"1n", "999u", "1.5", "128Mi", "0.3Ki", "7E", "7Ei", "-12m", "1e18", "123456789"})
    EXPECT_EQ(quantity(quantity(text).text()), quantity(text)) << text;
}

TEST(Quantity, too_large_a_value_is_refused_and_not_wrapped) {
  for (const char* text : {"1e30", "1e400", "-1e30", "99999999999999Ei", "1000000000000E",
                           "999999999999999999999999999999999999999999"}) {
    const Result<Quantity> parsed = Quantity::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find("too large"), std::string::npos);
  }
  EXPECT_EQ(quantity("1e28"), quantity("10000000000E"));
}

TEST(Quantity, malformed_text_is_refused_with_the_text_and_a_remedy) {
  for (const char* text : {"",     " ",   "Mi",  ".",   "-",    "+",    "--1", "1 Gi",   " 1",    "1 ",
                           "1ki",  "1K",  "1mi", "1Zi", "1gi",  "1e",   "1e+", "1e1.5",  "1.2.3", "1e3Mi",
                           "0x10", "1,5", "Inf", "NaN", "1Mib", "1MiB", "e3",  "1e1000", "1m\n"}) {
    const Result<Quantity> parsed = Quantity::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::Final);
    EXPECT_EQ(parsed.error().reason, "InvalidQuantity");
    EXPECT_FALSE(parsed.error().remedy.empty());
    EXPECT_EQ(parsed.error().text().find('\n'), std::string::npos);
  }
  EXPECT_NE(Quantity::parse("12 apples").error().message.find("12 apples"), std::string::npos);
}

TEST(Quantity, an_endless_text_is_refused_and_not_repeated) {
  const Result<Quantity> parsed = Quantity::parse(std::string(100'000, '1'));
  ASSERT_FALSE(parsed);
  EXPECT_LT(parsed.error().message.size(), 200u);
}

}  // namespace
}  // namespace mooring
