// Which sockets register a driver, and which drivers may (kubelet-behaviours 15.1).

#include "driver/registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/quote.h"

namespace mooring {
namespace {

using testing::HasSubstr;

const std::string socket_path = "/var/lib/mooring/plugins_registry/d-reg.sock";

RegistrationInfo info_of(const std::vector<std::string>& versions = {"1.0.0"}) {
  return {"CSIPlugin", "d.example.com", "/run/d/csi.sock", versions};
}

TEST(Registry, names_that_start_with_a_dot_do_not_count) {
  EXPECT_TRUE(counts_in_registry("d.example.com-reg.sock"));
  EXPECT_FALSE(counts_in_registry(".d.example.com-reg.sock"));
  EXPECT_FALSE(counts_in_registry(".."));
  EXPECT_FALSE(counts_in_registry(""));
}

TEST(DriverVersion, is_read_as_kubernetes_reads_it) {
  const std::pair<const char*, const char*> cases[] = {{"1.0.0", "1.0.0"},
                                                       {"v1.2", "1.2"},
                                                       {"1.9.0-rc1", "1.9.0"},
                                                       {"  1.3", "1.3"},
                                                       {"0.3", "0.3"},
                                                       {"1.2.3.4.5", "1.2.3.4.5"},
                                                       {"1.2.", "1.2"},
                                                       {"1.10.0+x", "1.10.0"},
                                                       {"1", nullptr},
                                                       {"", nullptr},
                                                       {"v", nullptr},
                                                       {"one.two", nullptr},
                                                       {"1.02", nullptr},
                                                       {"01.2", nullptr},
                                                       {"vv1.2", nullptr},
                                                       {".1.2", nullptr},
                                                       {"1.-2", nullptr},
                                                       {"1.9999999999", nullptr},
                                                       {"1.1.1.1.1.1.1.1.1", nullptr}};
  for (const auto& [text, expected] : cases) {
    const auto version = DriverVersion::parse(text);
    EXPECT_EQ(version.has_value(), expected != nullptr) << text;
    if (version && expected != nullptr) {
      EXPECT_EQ(version->text(), expected) << text;
    }
  }
}

TEST(DriverVersion, is_compared_number_by_number) {
  const auto of = [](const char* text) { return *DriverVersion::parse(text); };
  EXPECT_LT(of("1.9.0"), of("1.10.0"));
  EXPECT_LT(of("0.9"), of("1.0"));
  EXPECT_EQ(of("1.2"), of("1.2.0"));
  EXPECT_GT(of("1.2.1"), of("1.2"));
}

TEST(Version, the_highest_with_major_1_is_chosen) {
  const std::pair<std::vector<std::string>, const char*> cases[] = {
      {{"1.0.0"}, "1.0.0"},          {{"1.0.0", "1.3.0", "1.2.0"}, "1.3.0"}, {{"0.3.0", "1.1.0"}, "1.1.0"},
      {{"2.0.0", "1.1.0"}, "1.1.0"}, {{"garbage", "1.1.0", ""}, "1.1.0"},
  };
  for (const auto& [versions, expected] : cases) {
    const auto chosen = choose_version("d", versions);
    ASSERT_TRUE(chosen) << expected;
    EXPECT_EQ(chosen.value().text(), expected);
  }
}

TEST(Version, none_with_major_1_is_refused) {
  for (const std::vector<std::string>& versions :
       {std::vector<std::string>{}, {"0.3.0"}, {"2.0.0", "0.1.0"}, {"garbage"}}) {
    const auto chosen = choose_version("d", versions);
    ASSERT_FALSE(chosen);
    EXPECT_EQ(chosen.error().reason, "UnsupportedVersion");
    EXPECT_EQ(chosen.error().kind, ErrorKind::Final);
    EXPECT_THAT(chosen.error().message, HasSubstr("no supported CSI version"));
  }
}

TEST(Version, of_a_driver_that_names_thousands_makes_no_long_message) {
  const auto chosen = choose_version("d", std::vector<std::string>(5000, std::string(1000, 'x')));
  ASSERT_FALSE(chosen);
  EXPECT_LT(chosen.error().message.size(), 1024u);
}

TEST(Registration, goes_on_with_the_endpoint_that_it_names) {
  const auto registration = check_registration(info_of(), socket_path);
  ASSERT_TRUE(registration);
  EXPECT_EQ(registration.value().name.str(), "d.example.com");
  EXPECT_EQ(registration.value().endpoint, "/run/d/csi.sock");
  EXPECT_EQ(registration.value().version.text(), "1.0.0");
}

TEST(Registration, with_an_empty_endpoint_is_of_the_socket_itself) {
  RegistrationInfo info = info_of();
  info.endpoint.clear();
  EXPECT_EQ(check_registration(info, socket_path).value().endpoint, socket_path);
}

TEST(Registration, may_name_its_endpoint_as_a_url) {
  RegistrationInfo info = info_of();
  info.endpoint = "unix:///run/d/csi.sock";
  EXPECT_EQ(check_registration(info, socket_path).value().endpoint, "/run/d/csi.sock");
}

TEST(Registration, of_another_type_has_no_handler) {
  for (const char* type : {"DevicePlugin", "DRAPlugin", ""}) {
    RegistrationInfo info = info_of();
    info.type = type;
    const auto registration = check_registration(info, socket_path);
    ASSERT_FALSE(registration);
    EXPECT_EQ(registration.error().reason, "NoHandler");
    EXPECT_EQ(registration.error().message,
              std::string("no handler registered for plugin type: ") + type + " at socket " + socket_path);
  }
}

TEST(Registration, needs_a_name_that_a_driver_may_have) {
  for (const char* name : {"d", "csi.example.com", "Hostpath.CSI.k8s.io", "a-b.c"})
    EXPECT_TRUE(check_driver_name(name)) << name;
  for (const std::string& name :
       {std::string(), std::string("a/b"), std::string("a_b"), std::string("-a"), std::string("a-"),
        std::string("a..b"), std::string(".a"), std::string("a."), std::string("a.-b"), std::string("a b"),
        std::string("../x"), std::string(64, 'a'), std::string("a\n"), std::string("a\0b", 3)}) {
    const auto checked = check_driver_name(name);
    ASSERT_FALSE(checked) << name;
    EXPECT_EQ(checked.error().reason, "BadName");
    EXPECT_EQ(checked.error().kind, ErrorKind::Final);
  }
}

TEST(Registration, needs_an_endpoint_that_a_server_can_listen_at) {
  for (const std::string& endpoint : {std::string("csi.sock"), std::string("tcp://10.0.0.1:1"),
                                      "/" + std::string(107, 'a'), std::string("/run/a\0b", 8)}) {
    RegistrationInfo info = info_of();
    info.endpoint = endpoint;
    const auto registration = check_registration(info, socket_path);
    ASSERT_FALSE(registration) << endpoint;
    EXPECT_EQ(registration.error().reason, "BadEndpoint");
  }
  EXPECT_TRUE(check_endpoint("/" + std::string(106, 'a')));
}

TEST(Successor, has_the_name_only_with_a_higher_version) {
  const DriverName name("d.example.com");
  EXPECT_TRUE(check_successor(name, "1.0.0", "/a", "1.1.0"));
  for (const char* version : {"1.0.0", "1.0", "0.9.0"}) {
    const auto checked = check_successor(name, "1.0.0", "/a", version);
    ASSERT_FALSE(checked) << version;
    EXPECT_EQ(checked.error().reason, "AlreadyRegistered");
    EXPECT_THAT(checked.error().message,
                HasSubstr("is already registered with a higher or equal supported version"));
    EXPECT_THAT(checked.error().message, HasSubstr("/a"));
  }
}

TEST(DriverWords, are_on_one_line_and_bounded) {
  EXPECT_EQ(driver_words("no such volume"), "no such volume");
  EXPECT_EQ(driver_words("a\nb\tc"), "a b c");
  EXPECT_EQ(driver_words("\x1b[31mred"), "\\x1b[31mred");
  EXPECT_LE(driver_words(std::string(100'000, 'x')).size(), 1024u + 3);
  EXPECT_LE(driver_words(std::string(100'000, '\x01')).size(), 1024u + 3);
  const std::string cut = driver_words(std::string(1023, 'x') + "ä" + std::string(10, 'y'));
  EXPECT_EQ(cut, std::string(1023, 'x') + "...");
  EXPECT_TRUE(is_valid_utf8(cut));
}

}  // namespace
}  // namespace mooring
