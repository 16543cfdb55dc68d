#include "kernel/linux/group_map.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include "kernel/errors.h"

namespace mooring::kernel {
namespace {

constexpr std::uint64_t ids = 0xffffffffULL;  ///< All but the last, which means "no id".

/// A child that does nothing but be in a new user namespace, until this object ends. By unshare(2), whose
/// flags a seccomp filter can tell apart (RestrictNamespaces=user), and not by clone3(2).
class Holder {
 public:
  Holder() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      errno_ = errno;
      return;
    }
    const Descriptor reading(ends[0]);
    Descriptor writing(ends[1]);
    const pid_t parent = getpid();
    pid_ = fork();
    if (pid_ == 0) hold(writing.get(), parent);
    errno_ = pid_ < 0 ? errno : 0;
    writing.reset();
    if (pid_ > 0 && read(reading.get(), &errno_, sizeof errno_) != sizeof errno_) errno_ = ECHILD;
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;
  ~Holder() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }

  int error() const { return errno_; }
  Descriptor open_file(const char* name, int flags) const {
    const std::string path = "/proc/" + std::to_string(pid_) + "/" + name;
    return Descriptor(open(path.c_str(), flags | O_CLOEXEC));
  }

 private:
  [[noreturn]] static void hold(int answer, pid_t parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int error = unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
    if (write(answer, &error, sizeof error) != sizeof error) _exit(1);
    while (error == 0 && getppid() == parent)
      pause();
    _exit(0);
  }

  pid_t pid_ = -1;
  int errno_ = 0;
};

bool write_map(const Holder& holder, const char* name, const std::string& text) {
  const Descriptor file = holder.open_file(name, O_WRONLY);
  return file && write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

Error cannot(const char* what, int errno_value) {
  Error error = system_error(ErrorKind::Final, "CannotMapGroups", what, {}, errno_value);
  error.remedy = "leave out mooring.io/fs-group-strategy: the files are given to the group one by one then";
  return error;
}

}  // namespace

std::string group_map_text(const GroupSwap& groups) {
  const std::uint64_t low = std::min(groups.on_disk, groups.shown);
  const std::uint64_t high = std::max(groups.on_disk, groups.shown);
  std::string text;
  const auto line = [&](std::uint64_t inside, std::uint64_t outside, std::uint64_t count) {
    if (count != 0)
      text += std::to_string(inside) + " " + std::to_string(outside) + " " + std::to_string(count) + "\n";
  };
  line(0, 0, low);
  if (low == high) {
    line(low, low, ids - low);
    return text;
  }
  line(low, high, 1);
  line(low + 1, low + 1, high - low - 1);
  line(high, low, 1);
  line(high + 1, high + 1, ids - high - 1);
  return text;
}

Result<Descriptor> make_group_map(const GroupSwap& groups) {
  const Holder holder;
  if (holder.error() != 0) return cannot("cannot make a user namespace", holder.error());
  if (!write_map(holder, "uid_map", "0 0 " + std::to_string(ids) + "\n"))
    return cannot("cannot map the users of a user namespace", errno);
  if (!write_map(holder, "gid_map", group_map_text(groups)))
    return cannot("cannot map the groups of a user namespace", errno);
  Descriptor user_namespace = holder.open_file("ns/user", O_RDONLY);
  if (!user_namespace) return cannot("cannot open a user namespace", errno);
  return user_namespace;
}

}  // namespace mooring::kernel
