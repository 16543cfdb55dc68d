#include "daemon/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace mooring {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

class ConfigFile : public testing::Test {
 protected:
  ConfigFile() { std::filesystem::create_directory(directory_); }
  ~ConfigFile() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& name, const std::string& content) const {
    const std::string file = directory_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << content;
    return file;
  }
  /// The error's message; empty: it was applied.
  std::string apply(const std::string& content) {
    const Result<void> applied = apply_config_file(write("mooringd.yaml", content), options_);
    return applied ? std::string() : applied.error().message;
  }

  const std::string directory_ = testing::TempDir() + "mooring-config-" + std::to_string(getpid());
  Options options_;
};

TEST_F(ConfigFile, every_key_is_applied) {
  EXPECT_EQ(apply("manifestDirs: [/a, /b]\nrootDir: /root\nrunDir: /run\nstateDir: /state\nnodeName: node\n"
                  "nodeLabels: {zone: a}\nallocatable: {cpu: 4, memory: 2Gi}\nbus: session\n"
                  "metricsListen: 'localhost:9'\nflexvolumeDir: /flex\nflexvolumeTimeoutSeconds: "
                  "7\nlogLevel: debug\nworkerSocket: /w\n"),
            "");
  EXPECT_THAT(options_.manifest_dirs, ElementsAre("/a", "/b"));
  EXPECT_EQ(options_.root_dir, "/root");
  EXPECT_EQ(options_.run_dir, "/run");
  EXPECT_EQ(options_.state_dir, "/state");
  EXPECT_EQ(options_.node_name, "node");
  EXPECT_EQ(options_.node_labels.at("zone"), "a");
  EXPECT_EQ(options_.allocatable.at("memory").text(), "2Gi");
  EXPECT_EQ(options_.bus, "session");
  EXPECT_EQ(options_.metrics_listen, "localhost:9");
  EXPECT_EQ(options_.flexvolume_dir, "/flex");
  EXPECT_EQ(options_.flexvolume_timeout_seconds, 7U);
  EXPECT_EQ(options_.log_level, "debug");
  EXPECT_EQ(options_.worker_socket, "/w");
}

TEST_F(ConfigFile, names_drivers_by_their_sockets) {
  EXPECT_EQ(
      apply("csiDrivers:\n- {name: d.example.com, socket: /run/d.sock}\n- {socket: /run/x/../other.sock}\n"),
      "");
  EXPECT_THAT(options_.csi_drivers, ElementsAre(NamedDriver{DriverName("d.example.com"), "/run/d.sock"},
                                                NamedDriver{DriverName(), "/run/other.sock"}));
}

TEST_F(ConfigFile, names_controllers_that_are_elsewhere) {
  EXPECT_EQ(apply("csiDrivers:\n- {name: d, socket: /run/d.sock, controllerSocket: /run/c.sock}\n"
                  "- {name: e, controllerSocket: /run/../e.sock}\n- {name: f, controllerSocket: /run/f}\n"),
            "");
  EXPECT_THAT(options_.csi_drivers, ElementsAre(NamedDriver{DriverName("d"), "/run/d.sock", "/run/c.sock"},
                                                NamedDriver{DriverName("e"), "", "/e.sock"},
                                                NamedDriver{DriverName("f"), "", "/run/f"}));
}

TEST_F(ConfigFile, says_who_attaches) {
  EXPECT_FALSE(options_.others_attach);
  EXPECT_EQ(apply("enableControllerAttachDetach: true\n"), "");
  EXPECT_TRUE(options_.others_attach);
  EXPECT_EQ(apply("enableControllerAttachDetach: false\n"), "");
  EXPECT_FALSE(options_.others_attach);
  EXPECT_THAT(apply("enableControllerAttachDetach: sometimes\n"), HasSubstr("enableControllerAttachDetach"));
}

TEST_F(ConfigFile, of_a_driver_that_cannot_be_says_what_and_where) {
  const std::pair<std::string, std::string> cases[] = {
      {"- {name: d}", "csiDrivers[0].socket: is required"},
      {"- {socket: run/d.sock}", "is no absolute path"},
      {"- {socket: /" + std::string(107, 'a') + "}", "is no absolute path of at most 107 bytes"},
      {"- {name: a_b, socket: /run/d.sock}", "csiDrivers[0].name: is no domain name"},
      {"- {socket: /run/d.sock, path: /x}", "unknown key"},
      {"- {socket: /run/d.sock, controllerSocket: /run/c.sock}", "csiDrivers[0].name: is required beside"},
      {"- {name: d, controllerSocket: c.sock}", "csiDrivers[0].controllerSocket: is no absolute path"},
      {"- {socket: /run/d.sock}\n- {socket: /run/./d.sock}", "the driver is there twice"},
      {"- {name: d, socket: /run/a}\n- {name: d, socket: /run/b}", "the driver is there twice"},
  };
  for (const auto& [drivers, message] : cases)
    EXPECT_THAT(apply("csiDrivers:\n" + drivers + "\n"), HasSubstr(message)) << drivers;
}

TEST_F(ConfigFile, one_without_any_setting_is_as_good_as_none) {
  EXPECT_EQ(apply(""), "");
  EXPECT_EQ(apply("# only\n  # comments\n"), "");
  EXPECT_EQ(apply("---\n# only a comment\n"), "");
  EXPECT_EQ(options_.root_dir, Options().root_dir);
}

TEST_F(ConfigFile, a_timeout_of_drivers_that_is_none_is_an_error) {
  for (const char* seconds : {"0", "-1", "3601"}) {
    EXPECT_THAT(apply(std::string("flexvolumeTimeoutSeconds: ") + seconds + "\n"),
                EndsWith("is not a number from 1 to 3600"));
  }
  EXPECT_EQ(options_.flexvolume_timeout_seconds, 120U);
}

TEST_F(ConfigFile, an_unknown_key_is_an_error_with_its_place) {
  EXPECT_THAT(apply("rootDir: /a\nrotDir: /b\n"), EndsWith("mooringd.yaml:2:9: error: rotDir: unknown key"));
}

TEST_F(ConfigFile, a_label_written_as_a_number_is_taken_as_its_text) {
  EXPECT_EQ(apply("nodeLabels: {rack: 7, spare: true}\n"), "");
  EXPECT_EQ(options_.node_labels.at("rack"), "7");
  EXPECT_EQ(options_.node_labels.at("spare"), "true");
}

TEST_F(ConfigFile, what_is_not_a_mapping_is_an_error) {
  EXPECT_THAT(apply("[1]\n"), HasSubstr(":1:2: error: must be a mapping, and is a list"));
  EXPECT_THAT(apply("rootDir\n"), HasSubstr(":1:1: error: must be a mapping, and is a string"));
}

TEST_F(ConfigFile, a_value_of_another_type_is_an_error_with_its_place) {
  EXPECT_THAT(apply("bus: system\nrootDir: 7\n"), HasSubstr(":2:10: error: rootDir: must be a string"));
  EXPECT_THAT(apply("logLevel: loud\n"), HasSubstr(":1:11: error: logLevel: is not trace"));
  EXPECT_THAT(apply("rootDir: [\n"), HasSubstr("not valid YAML"));
}

TEST_F(ConfigFile, nfs_exports_are_provisioners) {
  EXPECT_EQ(apply("nfsProvisioners:\n- {name: example.com/nfs, server: 10.0.0.1, path: /srv//export/, "
                  "mountOptions: [hard, nfsvers=4.2]}\n- {name: other, server: s, path: /}\n"),
            "");
  ASSERT_EQ(options_.nfs_provisioners.size(), 2u);
  const NfsExport& first = options_.nfs_provisioners[0];
  EXPECT_EQ(first.provisioner, "example.com/nfs");
  EXPECT_EQ(first.server, "10.0.0.1");
  EXPECT_EQ(first.path, "/srv/export");
  EXPECT_THAT(first.mount_options, ElementsAre("hard", "nfsvers=4.2"));
  EXPECT_EQ(options_.nfs_provisioners[1].path, "/");
  EXPECT_EQ(apply("nfsProvisioners: []\n"), "");
  EXPECT_TRUE(options_.nfs_provisioners.empty());
}

TEST_F(ConfigFile, an_nfs_export_that_is_not_whole_is_an_error_with_its_place) {
  const auto of = [&](const std::string& item) {
    return apply("bus: none\nnfsProvisioners:\n- " + item + "\n");
  };
  const std::string rest = ", server: s, path: /p}";
  EXPECT_THAT(of("{server: s, path: /p}"), HasSubstr(":3:4: error: nfsProvisioners[0]: name is required"));
  EXPECT_THAT(of("{name: x, path: /p}"), HasSubstr(":3:4: error: nfsProvisioners[0]: server is required"));
  EXPECT_THAT(of("{name: x, server: s}"), HasSubstr(":3:4: error: nfsProvisioners[0]: path is required"));
  EXPECT_THAT(of("{name: x, server: s, path: p}"), HasSubstr("nfsProvisioners[0].path: must be absolute"));
  EXPECT_THAT(of("{name: x, server: s, path: /a/../b}"), HasSubstr("path: must not contain '..'"));
  EXPECT_THAT(of("{name: x, server: s, path: /p, mountOption: [a]}"), HasSubstr("mountOption: unknown key"));
  EXPECT_THAT(of("{name: x, server: s, path: /p, mountOptions: ['']}"), HasSubstr("must not be empty"));
  EXPECT_THAT(of("{name: x" + rest + "\n- {name: x" + rest),
              HasSubstr(":4:10: error: nfsProvisioners[1].name: is there twice"));
  EXPECT_THAT(of("{name: directory.mooring.io" + rest),
              HasSubstr("name: is the name of a provisioner that is built in"));
}

TEST_F(ConfigFile, a_later_file_wins_and_labels_are_merged) {
  EXPECT_EQ(apply("rootDir: /a\nnodeLabels: {a: x, b: x}\n"), "");
  EXPECT_EQ(apply("rootDir: /b\nnodeLabels: {b: y}\n"), "");
  EXPECT_EQ(options_.root_dir, "/b");
  EXPECT_EQ(options_.node_labels.at("a"), "x");
  EXPECT_EQ(options_.node_labels.at("b"), "y");
}

TEST_F(ConfigFile, a_named_file_has_to_exist_and_brings_its_drop_ins) {
  const Result<std::vector<std::string>> none = find_config_files(directory_ + "/nothing.yaml");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("does not exist"));
  const std::string file = write("my.yaml", "");
  const std::string second = write("my.yaml.d/20-b.yaml", "");
  const std::string first = write("my.yaml.d/10-a.yaml", "");
  write("my.yaml.d/.hidden.yaml", "");
  write("my.yaml.d/30-c.yaml.bak", "");
  const Result<std::vector<std::string>> files = find_config_files(file);
  ASSERT_TRUE(files);
  EXPECT_THAT(files.value(), ElementsAre(file, first, second));
}

}  // namespace
}  // namespace mooring
