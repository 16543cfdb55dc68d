// FlexVolume drivers: real programs that a real worker runs.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

/// A directory for drivers.
class Drivers {
 public:
  Drivers() : path_((fs::temp_directory_path() / "mooring-flex-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory can be made");
  }
  ~Drivers() { fs::remove_all(path_); }
  Drivers(const Drivers&) = delete;
  Drivers& operator=(const Drivers&) = delete;

  const std::string& path() const { return path_; }
  NodeOptions options() const { return NodeOptions{.flags = {"--flexvolume-dir", path_}}; }
  /// Under a hidden name first, as people are told to do it.
  void install(const std::string& directory, const std::string& name, const std::string& text) const {
    fs::create_directories(path_ + "/" + directory);
    const std::string hidden = path_ + "/" + directory + "/." + name;
    write_in_place(hidden, text);
    chmod(hidden.c_str(), 0755);
    fs::rename(hidden, path_ + "/" + directory + "/" + name);
  }

 private:
  std::string path_;
};

std::string example(const std::string& file) {
  return read_file(std::string(EXAMPLES_DIR) + "/flexvolume/" + file);
}

TEST(Flex, TheDriverInTheDocumentationWorks) {
  const Drivers drivers;
  Node node(drivers.options());
  node.start();
  node.write("scratch.yaml", example("pod.yaml"));
  EXPECT_TRUE(node.gets_reason("scratch", "work", "DriverNotFound"));
  drivers.install("example.com~scratch", "scratch", example("scratch"));
  ASSERT_TRUE(node.becomes_ready("scratch"));
  const Json driver = node.ctl().json({"get", "drivers", "example.com/scratch"});
  EXPECT_EQ(driver["kind"], "FlexVolume");
  EXPECT_EQ(driver["state"], "Registered") << driver;
  const std::string path = node.ctl().path("scratch", "work");
  EXPECT_TRUE(path.ends_with("/volumes/example.com~scratch/work")) << path;
  const auto mounts = mounts_at(path);
  ASSERT_EQ(mounts.size(), 1U);
  EXPECT_EQ(mounts.front().type, "tmpfs");
  node.remove("scratch.yaml");
  EXPECT_TRUE(node.becomes_gone("scratch"));
  EXPECT_TRUE(node.is_empty());
}

TEST(Flex, TheDocumentationShowsTheDriverAsItIs) {
  const std::string page = read_file(std::string(EXAMPLES_DIR) + "/../plugins.md");
  std::istringstream lines(example("scratch"));
  for (std::string line; std::getline(lines, line);)
    EXPECT_NE(page.find("\n    " + line + "\n"), std::string::npos) << line;
}

TEST(Flex, ADriverThatHangsDelaysOnlyItsOwnVolumes) {
  const Drivers drivers;
  drivers.install("example.com~scratch", "scratch", example("scratch"));
  drivers.install("hangs", "hangs",
                  "#!/bin/sh\n[ \"$1\" = init ] || exec sleep 1000\n"
                  "echo '{\"status\":\"Success\",\"capabilities\":{\"attach\":false}}'\n");
  Node node(drivers.options());
  node.start();
  node.write("hangs.yaml", pod_text("hangs", {{"v", "flexVolume: {driver: hangs}"}}));
  node.write("scratch.yaml", example("pod.yaml"));
  EXPECT_TRUE(node.becomes_ready("scratch"));
  node.remove("scratch.yaml");
  EXPECT_TRUE(node.becomes_gone("scratch"));
}

TEST(Flex, ADriverThatAnswersGarbageIsToldOf) {
  const Drivers drivers;
  drivers.install(
      "garbage", "garbage",
      "#!/bin/sh\n[ \"$1\" = init ] || head -c 1048576 /dev/zero | tr '\\0' x\n"
      "[ \"$1\" != init ] || echo '{\"status\":\"Success\",\"capabilities\":{\"attach\":false}}'\n");
  Node node(drivers.options());
  node.start();
  node.write("web.yaml", pod_text("web", {{"v", "flexVolume: {driver: garbage}"}}));
  EXPECT_TRUE(node.gets_reason("web", "v", "BadDriverAnswer"));
}

}  // namespace
}  // namespace mooring::integration
