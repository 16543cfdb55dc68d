#include "csi_call/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mooring::csi_call {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<SecretBytes> secrets(const std::vector<std::string>& texts) {
  std::vector<SecretBytes> out;
  for (const std::string& text : texts)
    out.emplace_back(text);
  return out;
}

TEST(WordsToTell, HaveNoSecrets) {
  EXPECT_EQ(words_to_tell("login failed: root:hunter22", secrets({"hunter22"})), "login failed: root:***");
  EXPECT_EQ(words_to_tell("hunter22 hunter", secrets({"hunter", "hunter22"})), "*** ***");
  EXPECT_EQ(words_to_tell("two\nlines", secrets({"two\nlines"})), "***");
  EXPECT_EQ(words_to_tell("a", secrets({"", "a"})), "a") << "too short to be one";
}

TEST(WordsToTell, AreOneLineWithoutControlCharacters) {
  EXPECT_EQ(words_to_tell("a\n\tb\x1b[2J\x7f\r\n", {}), "a  b\\x1b[2J\\x7f");
  EXPECT_EQ(words_to_tell("\xff", {}), "\\xff");
}

TEST(WordsToTell, AreBoundedAtTheEndOfACharacter) {
  EXPECT_EQ(words_to_tell(std::string(5000, 'x'), {}).size(), 1024U);
  const std::string cut = words_to_tell(std::string(1023, 'x') + "\xc3\xa4", {});
  EXPECT_EQ(cut, std::string(1023, 'x'));
}

/// Header and rest of an output.
struct Said {
  json header;
  std::string response;
};

Said said(const std::string& output) {
  const std::size_t newline = output.find('\n');
  EXPECT_NE(newline, std::string::npos);
  Said out{json::parse(output.substr(0, newline)), output.substr(newline + 1)};
  EXPECT_EQ(out.header["response_bytes"], out.response.size());
  return out;
}

constexpr const char* header = R"({"socket":"/s","method":"csi.v1.Node/NodeGetInfo","deadline_ms":7})";

TEST(ServeOne, CallsWhatItIsToldAndSaysTheAnswer) {
  const Said answer = said(serve_one(std::string(header) + "\n{}", [](const Call& call) {
    EXPECT_EQ(call.socket, "/s");
    EXPECT_EQ(call.method.name, "csi.v1.Node/NodeGetInfo");
    EXPECT_EQ(call.deadline.count(), 7);
    EXPECT_EQ(call.request.expose_secret(), "");
    return Answer{CallCode::Ok, "", "\x0a\x01n"};
  }));
  EXPECT_EQ(answer.header["code"], 0);
  EXPECT_EQ(json::parse(answer.response), json({{"node_id", "n"}, {"max_volumes_per_node", "0"}}));
}

TEST(ServeOne, SaysAnErrorAndNothingThatCameWithIt) {
  const Said answer = said(serve_one(std::string(header) + "\n{}", [](const Call&) {
    return Answer{CallCode::Aborted, "busy\n", "\x0a\x01n"};
  }));
  EXPECT_EQ(answer.header["code"], 10);
  EXPECT_EQ(answer.header["message"], "busy");
  EXPECT_EQ(answer.response, "");
}

TEST(ServeOne, AnAnswerThatIsNoMessageTellsNothing) {
  const Said answer = said(serve_one(std::string(header) + "\n{}", [](const Call&) {
    return Answer{CallCode::Ok, "", "\xff"};
  }));
  EXPECT_EQ(answer.header["code"], 14);
  EXPECT_EQ(answer.header["message"], "the driver's answer is no message of csi.v1.Node/NodeGetInfo");
}

TEST(ServeOne, AnInputThatIsNoneIsNotSent) {
  const std::string secret = R"({"secrets":{"key":"hunter22"},"no_field":"hunter22"})";
  for (const std::string& first :
       {std::string(), std::string("x"), std::string("{}"), std::string("[1]"),
        std::string(R"({"socket":1,"method":"csi.v1.Node/NodePublishVolume","deadline_ms":7})"),
        std::string(R"({"socket":"/s","method":"csi.v1.Node/NodePublishVolume","deadline_ms":-1})"),
        std::string(R"({"socket":"/s","method":"csi.v1.Node/Explode","deadline_ms":7})")}) {
    const std::string output = serve_one(first + "\n" + secret, [](const Call&) {
      ADD_FAILURE() << "it was called";
      return Answer();
    });
    EXPECT_EQ(said(output).header["code"], 3) << first;
    EXPECT_THAT(output, Not(HasSubstr("hunter22")));
  }
  EXPECT_EQ(said(serve_one("", [](const Call&) { return Answer(); })).header["code"], 3);
}

// As the word of a driver it would say that an earlier call of the same never did anything.
TEST(ServeOne, ARequestThatIsNoMessageIsNotSentAndSaysNothingOfTheVolume) {
  const std::string secret = R"({"secrets":{"key":"hunter22"},"no_field":"hunter22"})";
  const std::string first = R"({"socket":"/s","method":"csi.v1.Node/NodePublishVolume","deadline_ms":7})";
  const std::string output = serve_one(first + "\n" + secret, [](const Call&) {
    ADD_FAILURE() << "it was called";
    return Answer();
  });
  EXPECT_EQ(said(output).header["code"], 14);
  EXPECT_THAT(output, Not(HasSubstr("hunter22")));
}

}  // namespace
}  // namespace mooring::csi_call
