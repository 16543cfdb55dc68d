#pragma once

namespace mooring {

/// Locks an open directory itself for as long as the descriptor is open: no lock file, so it works on a
/// read-only file system too (flock(2)). Tries for a second, because a worker that was being started when an
/// earlier mooringd was killed has the lock until its exec. False leaves errno; EWOULDBLOCK: another process
/// has it.
bool lock_directory(int directory);

}  // namespace mooring
