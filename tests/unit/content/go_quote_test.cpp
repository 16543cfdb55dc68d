#include "content/go_quote.h"

#include <gtest/gtest.h>

namespace mooring {
namespace {

// What Go's strconv.Quote gives.
TEST(GoQuoted, kb_13_7_is_as_go_gives_it) {
  EXPECT_EQ(go_quoted(""), "\"\"");
  EXPECT_EQ(go_quoted("dnsutils"), "\"dnsutils\"");
  EXPECT_EQ(go_quoted("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(go_quoted("\a\b\f\n\r\t\v"), R"("\a\b\f\n\r\t\v")");
  EXPECT_EQ(go_quoted(std::string("\0\x1b\x7f", 3)), R"("\x00\x1b\x7f")");
  EXPECT_EQ(go_quoted("\xff"), R"("\xff")");
  EXPECT_EQ(go_quoted("\xe4\xb8"), R"("\xe4\xb8")");
  EXPECT_EQ(go_quoted("☺ ü 世界"), "\"☺ ü 世界\"");
  EXPECT_EQ(go_quoted("\u00a0"), R"("\u00a0")") << "a blank that is not the ASCII one";
  EXPECT_EQ(go_quoted("\u200b"), R"("\u200b")") << "a format character";
  EXPECT_EQ(go_quoted("\u0085"), R"("\u0085")");
  EXPECT_EQ(go_quoted("\U000e0001"), R"("\U000e0001")");
  EXPECT_EQ(go_quoted("\U0001f600"), "\"\U0001f600\"");
  EXPECT_EQ(go_quoted("\ufffd"), "\"\ufffd\"");
}

}  // namespace
}  // namespace mooring
