// mock_csi: a CSI driver for tests. See driver.h for what it does, script.h for how it fails.

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "driver.h"
#include "server.h"

namespace {

using mooring::mock_csi::Options;

std::set<std::string> set_of(const std::vector<std::string>& words) {
  std::set<std::string> out;
  for (const std::string& word : words)
    if (!word.empty()) out.insert(word);
  return out;
}

/// True if the program is to go on; else `status` is its exit status.
bool parse(int argc, char** argv, Options& options, int& status) {
  std::vector<std::string> plugin{"CONTROLLER_SERVICE"};
  std::vector<std::string> node{"STAGE_UNSTAGE_VOLUME", "GET_VOLUME_STATS", "EXPAND_VOLUME"};
  std::vector<std::string> controller{"CREATE_DELETE_VOLUME", "CREATE_DELETE_SNAPSHOT", "CLONE_VOLUME",
                                      "EXPAND_VOLUME"};
  CLI::App app("mock_csi: a CSI driver for tests");
  app.add_option("--endpoint", options.endpoint, "where the driver listens")->required();
  app.add_option("--registration-socket", options.registration_socket, "where it is registered");
  app.add_option("--data", options.data, "where its volumes are")->required();
  app.add_option("--script", options.script, "how its calls go");
  app.add_option("--log", options.log, "one line of JSON for each request, with its secrets");
  app.add_option("--name", options.name, "GetPluginInfo");
  app.add_option("--vendor-version", options.version, "GetPluginInfo");
  app.add_option("--node-id", options.node_id, "NodeGetInfo");
  app.add_option("--volumes-max", options.volumes_max, "NodeGetInfo");
  app.add_option("--registration-type", options.registration_type, "GetInfo of the registration");
  app.add_option("--supported-versions", options.supported_versions, "GetInfo of the registration")
      ->delimiter(',');
  app.add_option("--expansion", options.expansion, "ONLINE or OFFLINE");
  app.add_option("--plugin-capabilities", plugin, "A,B; an empty word: none")->delimiter(',');
  app.add_option("--node-capabilities", node, "A,B; an empty word: none")->delimiter(',');
  app.add_option("--controller-capabilities", controller, "A,B; an empty word: none")->delimiter(',');
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    status = app.exit(error);
    return false;
  }
  options.plugin_capabilities = set_of(plugin);
  options.node_capabilities = set_of(node);
  options.controller_capabilities = set_of(controller);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  int status = 0;
  if (!parse(argc, argv, options, status)) return status;
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  sigprocmask(SIG_BLOCK, &ends, nullptr);  // Before there are threads.
  mooring::mock_csi::Server server(options);
  server.listen(options.endpoint);
  if (!options.registration_socket.empty()) server.listen(options.registration_socket);
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  sigwait(&ends, &signal);
  unlink(options.endpoint.c_str());
  if (!options.registration_socket.empty()) unlink(options.registration_socket.c_str());
  std::_Exit(0);
}
