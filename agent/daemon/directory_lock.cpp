#include "daemon/directory_lock.h"

#include <sys/file.h>

#include <cerrno>
#include <ctime>

namespace mooring {

bool lock_directory(int directory) {
  constexpr int tries = 50;
  constexpr timespec pause{0, 20'000'000};
  for (int i = 0; i < tries; ++i) {
    if (flock(directory, LOCK_EX | LOCK_NB) == 0) return true;
    if (errno != EWOULDBLOCK && errno != EINTR) return false;
    nanosleep(&pause, nullptr);
  }
  errno = EWOULDBLOCK;
  return false;
}

}  // namespace mooring
