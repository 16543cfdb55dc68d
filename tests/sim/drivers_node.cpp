// What drivers do, and the node, and other programs with their mounts.

#include <algorithm>

#include "csi/volume_data.h"
#include "driver_simulation.h"
#include "step/layout.h"

namespace mooring::sim {

void DriverSimulation::daemon_started() {
  in_flight_.clear();
  in_the_works_.clear();
  told_sockets_.reset();
  told_programs_.reset();
  waits_seen_ = shell_.waited_for_server.size();
  // The first listings come some time.
  if (random_.chance(2)) tell_drivers();
}

void DriverSimulation::node_rebooted() {
  was_rebooted_ = true;
  flex_paths_.clear();
  for (const auto& driver : csi_) {
    driver->node_rebooted();
    if (random_.chance(4)) driver->change_staging();
    driver->is_up = !random_.chance(3);
  }
  for (const auto& driver : flex_)
    driver->node_rebooted();
  cut_files_short();
}

/// What was not written back when the power went.
void DriverSimulation::cut_files_short() {
  for (const std::string& line : kernel_.tree_listing(kernel_.root_dir())) {
    const std::string path = line.substr(0, line.find(' '));
    if (!path.ends_with(csi::volume_data_name) || !random_.chance(2)) continue;
    const std::string text = kernel_.read(path);
    note("node: " + path + " is cut short");
    kernel_.put_file(path, text.substr(0, random_.below(text.size() + 1)));
  }
}

bool DriverSimulation::go_on() {
  kernel_.drivers().calls.clear();
  kernel_.drivers().runs.clear();
  if (tell_drivers()) return true;
  return World::go_on();
}

bool DriverSimulation::tell_drivers() {
  if (!shell_.is_running()) return false;
  std::vector<RegistrySocket> sockets;
  for (const auto& driver : csi_) {
    if (driver->is_registered) sockets.push_back({driver->registry_socket(), driver->identity()});
  }
  std::vector<FlexProgramFact> programs;
  for (const auto& driver : flex_) {
    if (driver->is_there) programs.push_back(driver->fact());
  }
  const bool is_news = told_sockets_ != sockets || told_programs_ != programs;
  if (told_sockets_ != sockets) shell_.feed(RegistrySockets{sockets}, now());
  told_sockets_ = sockets;
  if (told_programs_ != programs) shell_.feed(FlexProgramsListed{programs}, now());
  told_programs_ = programs;
  return is_news;
}

Result<kernel::DriverAnswer> DriverSimulation::answer(const kernel::DriverCall& call) {
  for (const auto& driver : csi_) {
    if (!driver->is_up) continue;
    const bool is_its_registry = driver->is_registered && call.socket == driver->registry_socket();
    if (is_its_registry || call.socket == driver->socket()) return driver->call(call);
  }
  return kernel::DriverAnswer{CallCode::Unavailable, "nobody listens on " + call.socket, ""};
}

Result<kernel::ProgramAnswer> DriverSimulation::answer(const kernel::ProgramCall& call) {
  const auto driver = std::find_if(flex_.begin(), flex_.end(),
                                   [&](const auto& one) { return one->program() == call.program; });
  if (driver == flex_.end()) {
    broken_ = "a program is run that is no driver's: " + call.program;
    return kernel::ProgramAnswer{};
  }
  return (*driver)->run(call);
}

void DriverSimulation::node_acts() {
  switch (random_.below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return change_csi(*csi_[random_.below(csi_.size())]);
    case 4:
    case 5:
      return change_flex(*flex_[random_.below(flex_.size())]);
    case 6:
    case 7:
      return disturb();
    case 8:
      if (random_.chance(3)) return reboot();
      if (!is_listing_known_) read_manifests(false);
      return;
    case 9: {
      const bool is_full = random_.chance(4);
      if (is_full) note("node: the disk is full");
      kernel_.set_space(kernel_.root_dir(), is_full ? std::optional<std::uint64_t>(0) : std::nullopt);
      return;
    }
    default:
      shell_.end_stuck(now());
      return;
  }
}

void DriverSimulation::change_csi(CsiDriverTruth& driver) {
  const auto tell = [&](const char* what) { note("driver " + driver.name() + " " + what); };
  switch (random_.below(8)) {
    case 0:
      tell("stops");
      driver.stop();
      if (random_.chance(2)) driver.is_registered = false;
      return;
    case 1:
    case 2:
      if (driver.is_up && driver.is_registered) return;
      if (!driver.is_up) driver.start();
      driver.is_registered = true;
      return tell("is there");
    case 3:
      tell("crashes and starts again");
      driver.stop();
      return driver.start();
    case 4:
      tell("goes from the registry");
      driver.is_registered = false;
      return;
    case 5:
      tell(driver.is_hung() ? "goes on" : "hangs");
      return driver.hang(!driver.is_hung() && driver.is_up);
    case 6:
      tell("is in another mood");
      driver.mood = random_mood(random_);
      return;
    default:
      driver.mood = {};
      return tell("is kind");
  }
}

void DriverSimulation::change_flex(FlexDriverTruth& driver) {
  const auto tell = [&](const char* what) { note("driver " + driver.name() + " " + what); };
  switch (random_.below(6)) {
    case 0:
      driver.is_there = !driver.is_there;
      return tell(driver.is_there ? "is there" : "is removed");
    case 1:
      driver.replace();
      return tell("is replaced");
    case 2:
      tell(driver.is_hung() ? "goes on" : "hangs");
      return driver.hang(!driver.is_hung());
    case 3:
      driver.mood = random_mood(random_);
      return tell("is in another mood");
    default:
      driver.mood = {};
      return tell("is kind");
  }
}

/// Somebody unmounts what a driver mounted, where pods or the node have it.
void DriverSimulation::disturb() {
  if (!random_.chance(2)) return;
  const std::vector<MountFact> facts = kernel_.mount_facts();
  std::vector<std::string> mounted;
  for (const MountFact& fact : facts) {
    // Of FlexVolume drivers the mount table cannot tell what pods have.
    const bool is_of_flex = fact.mount_point.find("/volumes/sim~") != std::string::npos;
    if (fact.type == DriverMounts::type && !is_of_flex) mounted.push_back(fact.mount_point);
  }
  if (mounted.empty()) return;
  const std::string& path = mounted[random_.below(mounted.size())];
  note("somebody unmounts " + path);
  kernel_.unmount_foreign(path);
}

}  // namespace mooring::sim
