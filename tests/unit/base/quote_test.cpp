#include "base/quote.h"

#include <gtest/gtest.h>

#include <vector>

namespace mooring {
namespace {

using namespace std::string_literals;

TEST(Quoted, escapes_what_would_break_a_line_or_the_quotes) {
  EXPECT_EQ(quoted(""), R"("")");
  EXPECT_EQ(quoted("a b"), R"("a b")");
  EXPECT_EQ(quoted("say \"hi\""), R"("say \"hi\"")");
  EXPECT_EQ(quoted("a\\b"), R"("a\\b")");
  EXPECT_EQ(quoted("a\nb\tc\rd"), R"("a\nb\tc\rd")");
  EXPECT_EQ(quoted("\x01\x1b[31m\x7f"), R"("\x01\x1b[31m\x7f")");
  EXPECT_EQ(mooring::quoted("a\0b"s), R"("a\x00b")");
}

TEST(Quoted, keeps_valid_utf8_and_escapes_each_byte_of_invalid_utf8) {
  EXPECT_EQ(quoted("grün €"), "\"grün €\"");
  EXPECT_EQ(quoted("\xff"), R"("\xff")");
  EXPECT_EQ(quoted("\xc3("), R"("\xc3(")");
  EXPECT_EQ(quoted("\xe2\x82"), R"("\xe2\x82")");
}

TEST(QuotedIfNeeded, leaves_a_plain_word_bare) {
  EXPECT_EQ(quoted_if_needed("pods/u-1/volumes/kubernetes.io~empty-dir/cache"),
            "pods/u-1/volumes/kubernetes.io~empty-dir/cache");
  EXPECT_EQ(quoted_if_needed("größe"), "größe");
}

TEST(QuotedIfNeeded, quotes_everything_else) {
  EXPECT_EQ(quoted_if_needed(""), R"("")");
  EXPECT_EQ(quoted_if_needed("a b"), R"("a b")");
  EXPECT_EQ(quoted_if_needed("it's"), R"("it's")");
  EXPECT_EQ(quoted_if_needed("a\"b"), R"("a\"b")");
  EXPECT_EQ(quoted_if_needed("a\\b"), R"("a\\b")");
  EXPECT_EQ(quoted_if_needed("a\tb"), R"("a\tb")");
  EXPECT_EQ(quoted_if_needed("a\xff"), R"("a\xff")");
}

TEST(DecodeOctalEscapes, decodes_every_three_digit_escape) {
  EXPECT_EQ(decode_octal_escapes(R"(/a\040b\011c\012d\134e)"), "/a b\tc\nd\\e");
  EXPECT_EQ(decode_octal_escapes(R"(\043)"), "#");
  EXPECT_EQ(decode_octal_escapes(R"(\303\274)"), "ü");
  EXPECT_EQ(decode_octal_escapes(R"(\377\000)"), "\xff\0"s);
  EXPECT_EQ(decode_octal_escapes("plain"), "plain");
  EXPECT_EQ(decode_octal_escapes(""), "");
}

TEST(DecodeOctalEscapes, does_not_decode_twice) {
  EXPECT_EQ(decode_octal_escapes(R"(\134040)"), R"(\040)");
}

TEST(DecodeOctalEscapes, leaves_an_incomplete_or_impossible_escape_as_it_is) {
  for (const std::string text : {R"(\)", R"(a\0)", R"(a\04)", R"(\08x)", R"(\0a0)", R"(\400)", R"(\777)",
                                 R"(\n)", R"(\9)", R"(\ 40)"}) {
    EXPECT_EQ(decode_octal_escapes(text), text);
  }
  EXPECT_EQ(decode_octal_escapes(R"(\\040)"), "\\ ");
  EXPECT_EQ(decode_octal_escapes(R"(\04\040)"), "\\04 ");
}

TEST(EncodeOctalEscapes, escapes_what_the_kernel_escapes_and_nothing_else) {
  EXPECT_EQ(encode_octal_escapes("a b\tc\nd\\e#f"), R"(a\040b\011c\012d\134e\043f)");
  EXPECT_EQ(encode_octal_escapes("/srv/größe,x=\"y\""), "/srv/größe,x=\"y\"");
  EXPECT_EQ(encode_octal_escapes(""), "");
}

TEST(OctalEscapes, every_byte_comes_back) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  const std::string encoded = encode_octal_escapes(all + R"(\040)" + all);
  EXPECT_EQ(encoded.find_first_of(" \t\n#"), std::string::npos);
  EXPECT_EQ(decode_octal_escapes(encoded), all + R"(\040)" + all);
}

TEST(JsonString, escapes_as_json_demands) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(json_string("\n\t\r\x01\x1f"), R"("\n\t\u000d\u0001\u001f")");
  EXPECT_EQ(json_string("a\0b"s), R"("a\u0000b")");
  EXPECT_EQ(json_string("größe 😀"), "\"größe 😀\"");
}

TEST(JsonString, replaces_invalid_utf8) {
  EXPECT_EQ(json_string("a\xff"
                        "b"),
            "\"a\xEF\xBF\xBD"
            "b\"");
  EXPECT_EQ(json_string("\xc3\""), "\"\xEF\xBF\xBD\\\"\"");
}

TEST(ShellWord, leaves_a_safe_word_bare) {
  EXPECT_EQ(shell_word("/srv/a-b_c.d:e=f@g%h+i,j"), "/srv/a-b_c.d:e=f@g%h+i,j");
}

TEST(ShellWord, quotes_what_a_shell_would_read) {
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("a b"), "'a b'");
  EXPECT_EQ(shell_word("$(reboot)"), "'$(reboot)'");
  EXPECT_EQ(shell_word("it's"), R"('it'\''s')");
  EXPECT_EQ(shell_word("'"), R"(''\''')");
  for (const char special : {'*', '?', '[', ';', '&', '|', '<', '>', '`', '"', '\\', '\n', '#', '!', '('}) {
    EXPECT_EQ(shell_word(std::string(1, special)), "'" + std::string(1, special) + "'");
  }
}

TEST(ShellWord, quotes_a_leading_tilde_because_a_shell_expands_it) {
  EXPECT_EQ(shell_word("~root/x"), "'~root/x'");
  EXPECT_EQ(shell_word("volumes/kubernetes.io~empty-dir"), "volumes/kubernetes.io~empty-dir");
}

TEST(Utf8, accepts_each_well_formed_length_and_its_ends) {
  for (const std::string& text : std::vector<std::string>{
           "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
           "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\0"s, "aü€😀z"}) {
    EXPECT_TRUE(is_valid_utf8(text)) << mooring::quoted(text);
  }
}

TEST(Utf8, refuses_overlong_forms_surrogates_and_cut_sequences) {
  for (const std::string& text : std::vector<std::string>{
           "\x80", "\xbf", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2\x41", "\xe0\x9f\xbf", "\xe2\x82",
           "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
           "\xf0\x9f\x98", "\xfe", "\xff", "good\xffgood"}) {
    EXPECT_FALSE(is_valid_utf8(text)) << mooring::quoted(text);
  }
}

}  // namespace
}  // namespace mooring
