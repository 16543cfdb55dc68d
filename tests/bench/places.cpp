#include "places.h"

#include <fmt/format.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace mooring::bench {

namespace fs = std::filesystem;

void give_up(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(1);
}

double milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Places make_places(const std::string& base, const std::string& daemon) {
  Places places{base,          daemon,         base + "/manifests", base + "/root",
                base + "/run", base + "/host", base + "/bus"};
  for (const std::string& dir :
       {places.manifests, places.root, places.run, places.host, base + "/prepared"}) {
    fs::create_directories(dir);
  }
  if (mount("tmpfs", places.run.c_str(), "tmpfs", 0, "mode=0755") != 0)
    give_up("cannot mount the run directory");
  write_file(base + "/bus.conf",
             fmt::format(R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
<limit name="max_incoming_bytes">1000000000</limit><limit name="max_outgoing_bytes">1000000000</limit></busconfig>)",
                         places.bus));
  return places;
}

Process start_bus(const Places& places) {
  Process bus({"dbus-daemon", "--config-file=" + places.base + "/bus.conf", "--nofork", "--nopidfile"});
  while (!fs::exists(places.bus))
    usleep(1000);
  return bus;
}

Process start_daemon(const Places& places) {
  return Process(
      {places.daemon, "--manifest-dir", places.manifests, "--root-dir", places.root, "--run-dir", places.run,
       "--bus", "unix:path=" + places.bus, "--node-name", "bench", "--log-level", "warn"},
      places.base + "/log");
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  if (!out.flush()) give_up("cannot write " + path);
}

std::string mounts_below(const std::string& path) {
  std::ifstream in("/proc/self/mountinfo");
  std::string found;
  for (std::string line; std::getline(in, line);) {
    if (line.find(path) != std::string::npos) found += line + "\n";
  }
  return found;
}

}  // namespace mooring::bench
