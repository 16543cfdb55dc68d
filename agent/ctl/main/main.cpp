// mooringctl: asks and tells mooringd from the command line.

#include <exception>

#include "ctl/commands.h"
#include "ctl/output.h"

int main(int argc, char** argv) {
  try {
    return mooring::ctl::run(argc, argv);
  } catch (const std::exception& error) {
    mooring::ctl::message(error.what());
    return static_cast<int>(mooring::ctl::ExitStatus::Failed);
  }
}
