// sim [--world pods|devices|claims|drivers|controllers] [--seeds COUNT] [--seed N] [--first N]: runs
// simulated lives of a node; `--seed N` replays one and tells it. In the world "devices" volumes outlive
// their pods; in "claims" they are made for claims, and go with them; in "drivers" programs of somebody
// else's make them, and in "controllers" those make and attach what claims ask for.

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "claim_simulation.h"
#include "controller_simulation.h"
#include "device_simulation.h"
#include "driver_simulation.h"
#include "simulation.h"

namespace {

template <class Life>
bool run_one(std::uint64_t seed, bool is_told, std::uint64_t& operations, std::uint64_t& ready) {
  Life simulation(seed);
  const auto broken = simulation.run();
  operations += simulation.operations_run();
  ready += simulation.pods_became_ready();
  if (is_told || broken) {
    for (const std::string& line : simulation.trace())
      std::printf("%s\n", line.c_str());
  }
  if (broken) std::printf("FAILED seed %llu: %s\n", static_cast<unsigned long long>(seed), broken->c_str());
  return !broken;
}

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t count = 200;
  std::uint64_t first = 1;
  bool is_told = false;
  std::string world = "pods";
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::uint64_t number = std::strtoull(argv[i + 1], nullptr, 10);
    if (std::strcmp(argv[i], "--seeds") == 0) count = number;
    if (std::strcmp(argv[i], "--first") == 0) first = number;
    if (std::strcmp(argv[i], "--world") == 0) world = argv[i + 1];
    if (std::strcmp(argv[i], "--seed") == 0) {
      first = number;
      count = 1;
      is_told = true;
    }
  }
  std::uint64_t operations = 0;
  std::uint64_t ready = 0;
  const auto run = world == "devices"       ? run_one<mooring::sim::DeviceSimulation>
                   : world == "claims"      ? run_one<mooring::sim::ClaimSimulation>
                   : world == "drivers"     ? run_one<mooring::sim::DriverSimulation>
                   : world == "controllers" ? run_one<mooring::sim::ControllerSimulation>
                                            : run_one<mooring::sim::Simulation>;
  for (std::uint64_t seed = first; seed < first + count; ++seed) {
    if (!run(seed, is_told, operations, ready)) return 1;
  }
  std::printf("%llu seeds, %llu operations run, %llu times a pod became ready, no invariant broken\n",
              static_cast<unsigned long long>(count), static_cast<unsigned long long>(operations),
              static_cast<unsigned long long>(ready));
  // A simulation in which nothing comes to be proves nothing.
  return ready == 0 && count > 1 ? 1 : 0;
}
