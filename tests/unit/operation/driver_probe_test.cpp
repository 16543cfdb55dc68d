// How drivers are asked what they are (kubelet-behaviours 15.1), on drivers of the test's own making.

#include "operation/driver_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "kernel/fake/fake_drivers.h"

namespace mooring {
namespace {

using kernel::DriverAnswer;
using kernel::DriverCall;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string registry_socket = "/r/plugins_registry/d-reg.sock";
const std::string driver_socket = "/run/d.sock";

/// A driver that answers as it is told to, by method.
class DriverProbe : public testing::Test {
 protected:
  DriverProbe() {
    answers["pluginregistration.Registration/GetInfo"] = {
        CallCode::Ok, "",
        R"({"type":"CSIPlugin","name":"d.example.com","endpoint":"/run/d.sock","supported_versions":["1.0.0","1.5.0"]})"};
    answers["csi.v1.Identity/GetPluginInfo"] = {CallCode::Ok, "",
                                                R"({"name":"d.example.com","vendor_version":"v3"})"};
    answers["csi.v1.Identity/GetPluginCapabilities"] = {
        CallCode::Ok, "",
        R"({"capabilities":[{"service":{"type":"CONTROLLER_SERVICE"}},{"volume_expansion":{"type":"ONLINE"}}]})"};
    answers["csi.v1.Node/NodeGetInfo"] = {
        CallCode::Ok, "",
        R"({"node_id":"n1","max_volumes_per_node":"9","accessible_topology":{"segments":{"zone":"a"}}})"};
    answers["csi.v1.Node/NodeGetCapabilities"] = {
        CallCode::Ok, "", R"({"capabilities":[{"rpc":{"type":"STAGE_UNSTAGE_VOLUME"}}]})"};
    answers["csi.v1.Controller/ControllerGetCapabilities"] = {
        CallCode::Ok, "", R"({"capabilities":[{"rpc":{"type":"CREATE_DELETE_VOLUME"}}]})"};
    drivers.set_on_call([this](const DriverCall& call) -> Result<DriverAnswer> {
      const auto answer = answers.find(call.method);
      if (answer == answers.end()) return DriverAnswer{CallCode::Unimplemented, "unknown method", ""};
      return answer->second;
    });
  }

  Result<void> probe(ProbeCsiDriver step = {registry_socket, true, {}}) {
    outcome = Outcome{};
    return probe_csi_driver(step, drivers, outcome);
  }
  std::vector<std::string> called() const {
    std::vector<std::string> out;
    for (const DriverCall& call : drivers.calls)
      out.push_back(call.socket + " " + call.method.substr(call.method.find('/') + 1));
    return out;
  }

  std::map<std::string, DriverAnswer> answers;
  kernel::FakeDrivers drivers;
  Outcome outcome;
};

TEST_F(DriverProbe, asks_the_registration_and_then_the_driver) {
  ASSERT_TRUE(probe());
  EXPECT_THAT(called(), ElementsAre(registry_socket + " GetInfo", driver_socket + " GetPluginInfo",
                                    driver_socket + " GetPluginCapabilities", driver_socket + " NodeGetInfo",
                                    driver_socket + " NodeGetCapabilities",
                                    driver_socket + " ControllerGetCapabilities"));
  for (const DriverCall& call : drivers.calls) {
    EXPECT_EQ(call.request.expose_secret(), "{}");
    EXPECT_EQ(call.deadline_ms, 10'000u);
  }
}

TEST_F(DriverProbe, tells_all_that_is_known_of_the_driver) {
  ASSERT_TRUE(probe());
  ASSERT_TRUE(outcome.csi_driver);
  const CsiDriver& driver = *outcome.csi_driver;
  EXPECT_EQ(driver.name.str(), "d.example.com");
  EXPECT_EQ(driver.socket, driver_socket);
  EXPECT_EQ(driver.version, "1.5.0");
  EXPECT_EQ(driver.vendor_version, "v3");
  EXPECT_EQ(driver.node_id, "n1");
  EXPECT_EQ(driver.volumes_max, 9);
  EXPECT_EQ(driver.topology.at("zone"), "a");
  EXPECT_TRUE(driver.node.stage_unstage);
  ASSERT_TRUE(driver.controller);
  EXPECT_TRUE(driver.controller->create_delete_volume);
  EXPECT_TRUE(driver.expands_online);
  EXPECT_FALSE(outcome.changed);
}

TEST_F(DriverProbe, of_a_driver_without_a_controller_does_not_ask_one) {
  answers["csi.v1.Identity/GetPluginCapabilities"].response = "{}";
  ASSERT_TRUE(probe());
  EXPECT_FALSE(outcome.csi_driver->controller);
  EXPECT_EQ(called().size(), 5u);
}

TEST_F(DriverProbe, of_a_driver_whose_controller_is_elsewhere_goes_well) {
  answers["csi.v1.Controller/ControllerGetCapabilities"] = {CallCode::Unimplemented, "unknown service", ""};
  ASSERT_TRUE(probe());
  EXPECT_FALSE(outcome.csi_driver->controller);
}

TEST_F(DriverProbe, asks_the_controller_where_the_configuration_has_it) {
  ASSERT_TRUE(probe({driver_socket, false, {}, {{"d.example.com", "/run/c.sock"}, {"e", "/run/e.sock"}}}));
  EXPECT_EQ(called().back(), "/run/c.sock ControllerGetCapabilities");
  EXPECT_EQ(outcome.csi_driver->controller_endpoint(), "/run/c.sock");
  EXPECT_TRUE(outcome.csi_driver->controller);
  ASSERT_TRUE(probe({driver_socket, false, {}, {{"e", "/run/e.sock"}}}));
  EXPECT_EQ(outcome.csi_driver->controller_endpoint(), driver_socket);
}

TEST_F(DriverProbe, of_a_driver_whose_named_controller_does_not_answer_fails) {
  answers["csi.v1.Controller/ControllerGetCapabilities"] = {CallCode::Unavailable, "", ""};
  const auto probed = probe({driver_socket, false, {}, {{"d.example.com", "/run/c.sock"}}});
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().reason, "DriverNotAnswering");
}

TEST_F(DriverProbe, of_a_driver_that_the_configuration_names_asks_no_registration) {
  ASSERT_TRUE(probe({driver_socket, false, {}}));
  EXPECT_EQ(called().front(), driver_socket + " GetPluginInfo");
  EXPECT_EQ(outcome.csi_driver->socket, driver_socket);
  EXPECT_EQ(outcome.csi_driver->version, "1.0");
}

TEST_F(DriverProbe, of_another_driver_than_is_expected_is_refused) {
  const auto probed = probe({driver_socket, false, DriverName("other.example.com")});
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().reason, "OtherDriver");
  EXPECT_EQ(probed.error().kind, ErrorKind::Final);
  EXPECT_FALSE(outcome.csi_driver);
  answers["csi.v1.Identity/GetPluginInfo"].response = R"({"name":"liar"})";
  EXPECT_EQ(probe().error().reason, "OtherDriver");
}

TEST_F(DriverProbe, that_is_refused_by_the_rules_asks_the_driver_nothing) {
  answers["pluginregistration.Registration/GetInfo"].response = R"({"type":"DevicePlugin","name":"d"})";
  const auto probed = probe();
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().reason, "NoHandler");
  EXPECT_EQ(called().size(), 1u);
}

TEST_F(DriverProbe, with_an_empty_endpoint_asks_the_registration_socket) {
  answers["pluginregistration.Registration/GetInfo"].response =
      R"({"type":"CSIPlugin","name":"d.example.com","supported_versions":["1.0.0"]})";
  ASSERT_TRUE(probe());
  EXPECT_EQ(outcome.csi_driver->socket, registry_socket);
}

TEST_F(DriverProbe, needs_a_node_id) {
  answers["csi.v1.Node/NodeGetInfo"].response = "{}";
  const auto probed = probe();
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().reason, "NoNodeId");
  EXPECT_EQ(probed.error().kind, ErrorKind::Transient);
  EXPECT_THAT(probed.error().message, HasSubstr("NodeGetInfo at /run/d.sock"));
  EXPECT_FALSE(outcome.csi_driver);
}

TEST_F(DriverProbe, each_call_that_fails_is_told_by_its_name_and_only_an_unknown_one_is_final) {
  const char* methods[] = {
      "pluginregistration.Registration/GetInfo", "csi.v1.Identity/GetPluginInfo",
      "csi.v1.Identity/GetPluginCapabilities",   "csi.v1.Node/NodeGetInfo",
      "csi.v1.Node/NodeGetCapabilities",         "csi.v1.Controller/ControllerGetCapabilities"};
  const std::pair<CallCode, const char*> codes[] = {
      {CallCode::Unavailable, "DriverNotAnswering"}, {CallCode::DeadlineExceeded, "DriverNotAnswering"},
      {CallCode::Unknown, "DriverRefused"},          {CallCode::Internal, "DriverRefused"},
      {CallCode::PermissionDenied, "DriverRefused"}, {CallCode::Unimplemented, "DriverRefused"}};
  for (const char* method : methods) {
    for (const auto& [code, reason] : codes) {
      const bool is_controller = std::string_view(method).starts_with("csi.v1.Controller");
      if (is_controller && code == CallCode::Unimplemented) continue;  // Is a fact: see above.
      const DriverAnswer before = std::exchange(answers[method], {code, "its own words", ""});
      const auto probed = probe();
      answers[method] = before;
      ASSERT_FALSE(probed) << method;
      EXPECT_EQ(probed.error().reason, reason) << method;
      EXPECT_EQ(probed.error().kind,
                code == CallCode::Unimplemented ? ErrorKind::Final : ErrorKind::Transient);
      EXPECT_THAT(probed.error().message, HasSubstr(method));
      EXPECT_THAT(probed.error().message, HasSubstr("its own words"));
      EXPECT_NE(probed.error().remedy, "");
      EXPECT_FALSE(outcome.csi_driver);
    }
  }
}

TEST_F(DriverProbe, each_answer_that_is_garbage_is_told_by_its_name) {
  for (auto& [method, answer] : answers) {
    for (const std::string& garbage : {std::string("[]"), std::string(1'100'000, 'x'), std::string("\xff")}) {
      const DriverAnswer before = std::exchange(answer, {CallCode::Ok, "", garbage});
      const auto probed = probe();
      answer = before;
      ASSERT_FALSE(probed) << method;
      EXPECT_EQ(probed.error().reason, "BadAnswer") << method;
      EXPECT_THAT(probed.error().message, HasSubstr(method));
      EXPECT_LT(probed.error().message.size(), 1024u);
    }
  }
}

TEST_F(DriverProbe, a_drivers_words_are_bounded_and_clean) {
  answers["csi.v1.Node/NodeGetInfo"] = {CallCode::Internal, "\x1b[2J" + std::string(1'000'000, 'x'), ""};
  const auto probed = probe();
  ASSERT_FALSE(probed);
  EXPECT_LT(probed.error().message.size(), 1300u);
  EXPECT_EQ(probed.error().message.find('\x1b'), std::string::npos);
}

TEST_F(DriverProbe, that_could_not_be_made_is_the_error_of_the_call) {
  drivers.set_on_call([](const DriverCall&) -> Result<DriverAnswer> {
    Error error;
    error.kind = ErrorKind::Uncertain;
    error.reason = "DriverCallLost";
    return error;
  });
  EXPECT_EQ(probe().error().reason, "DriverCallLost");
}

TEST_F(DriverProbe, a_notification_says_what_became_of_the_registration) {
  answers["pluginregistration.Registration/NotifyRegistrationStatus"] = {CallCode::Ok, "", "{}"};
  ASSERT_TRUE(notify_registration({registry_socket, true, ""}, drivers));
  ASSERT_TRUE(notify_registration({registry_socket, false, "why"}, drivers));
  ASSERT_EQ(drivers.calls.size(), 2u);
  EXPECT_EQ(drivers.calls[0].socket, registry_socket);
  EXPECT_EQ(drivers.calls[0].request.expose_secret(), R"({"plugin_registered":true,"error":""})");
  EXPECT_EQ(drivers.calls[1].request.expose_secret(), R"({"plugin_registered":false,"error":"why"})");
  EXPECT_EQ(drivers.calls[0].deadline_ms, 5'000u);
}

TEST_F(DriverProbe, a_notification_that_nobody_hears_is_an_error_of_the_call_alone) {
  answers["pluginregistration.Registration/NotifyRegistrationStatus"] = {CallCode::Unavailable, "", ""};
  EXPECT_EQ(notify_registration({registry_socket, true, ""}, drivers).error().reason, "DriverNotAnswering");
}

}  // namespace
}  // namespace mooring
