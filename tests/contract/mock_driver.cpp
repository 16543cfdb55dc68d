#include "mock_driver.h"

#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>

namespace mooring::kernel::contract {

MockDriver::MockDriver(const std::vector<std::string>& options) {
  directory_ = "/tmp/mooring-csi-XXXXXX";
  EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  std::vector<std::string> words{
      MOCK_CSI,   "--endpoint", socket(),   "--registration-socket", registration_socket(),
      "--data",   path("data"), "--script", path("script"),          "--log",
      path("log")};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe(ends.data()), 0);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execv(MOCK_CSI, arguments.data());
    _exit(127);
  }
  close(ends[1]);
  char ready = 0;
  EXPECT_EQ(read(ends[0], &ready, 1), 1) << "mock_csi did not start";
  close(ends[0]);
}

MockDriver::~MockDriver() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  std::filesystem::remove_all(directory_);
}

void MockDriver::set_script(const nlohmann::json& script) const {
  std::ofstream(path("script.new")) << script.dump();
  std::filesystem::rename(path("script.new"), path("script"));
}

std::vector<nlohmann::json> MockDriver::requests() const {
  std::vector<nlohmann::json> all;
  std::ifstream in(path("log"));
  for (std::string line; std::getline(in, line);)
    all.push_back(nlohmann::json::parse(line));
  return all;
}

}  // namespace mooring::kernel::contract
