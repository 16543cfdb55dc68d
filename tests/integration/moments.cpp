#include "moments.h"

#include <linux/filter.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <utility>
#include <vector>

namespace mooring::integration {
namespace {

struct Watched {
  unsigned number;
  const char* name;
};
constexpr auto calls = std::to_array<Watched>({
    {SYS_mount, "mount"},         {SYS_umount2, "umount2"},     {SYS_move_mount, "move_mount"},
    {SYS_mkdirat, "mkdirat"},     {SYS_renameat, "renameat"},   {SYS_renameat2, "renameat2"},
    {SYS_unlinkat, "unlinkat"},   {SYS_linkat, "linkat"},       {SYS_symlinkat, "symlinkat"},
    {SYS_ftruncate, "ftruncate"}, {SYS_fsync, "fsync"},         {SYS_pwrite64, "pwrite64"},
    {SYS_sendmsg, "sendmsg"},     {SYS_fdatasync, "fdatasync"},
#ifdef SYS_mkdir
    {SYS_mkdir, "mkdir"},         {SYS_rename, "rename"},       {SYS_unlink, "unlink"},
    {SYS_rmdir, "rmdir"},         {SYS_symlink, "symlink"},     {SYS_link, "link"},
#endif
});
constexpr std::array<unsigned, 3> loop_commands{LOOP_CONFIGURE, LOOP_CLR_FD, LOOP_SET_CAPACITY};
/// mkfs writes some hundred times.
constexpr int writes_for_a_moment = 32;

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}

/// Stops this thread, and all that it starts, at each of the calls; the descriptor that tells of them, or -1.
int install_filter() {
  std::vector<sock_filter> program{load(offsetof(seccomp_data, nr))};
  const auto stop_at = [&](unsigned value) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  };
  for (const Watched& call : calls)
    stop_at(call.number);
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  program.push_back(load(offsetof(seccomp_data, args) + sizeof(std::uint64_t)));
  for (const unsigned command : loop_commands)
    stop_at(command);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
  return static_cast<int>(
      syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &whole));
}

/// The process of a thread; the thread's own number if it is gone.
pid_t process_of(pid_t thread) {
  std::ifstream status("/proc/" + std::to_string(thread) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("Tgid:")) return std::stoi(line.substr(5));
  }
  return thread;
}

const char* name_of(int number) {
  const auto* found = std::find_if(calls.begin(), calls.end(), [&](const Watched& call) {
    return call.number == static_cast<unsigned>(number);
  });
  return found == calls.end() ? "ioctl of a loop device" : found->name;
}

}  // namespace

std::string victim_name(const ::testing::TestParamInfo<Victim>& info) {
  return info.param == Victim::All      ? "AllKilled"
         : info.param == Victim::Daemon ? "MooringdKilled"
                                        : "WorkerKilled";
}

Moments::Moments(Node& node, int at, Victim victim) : node_(node), at_(at), victim_(victim) {
  thread_ = std::thread([this] { watch(); });
  EXPECT_TRUE(node_.eventually([&] { return is_started_ && node_.bus().owner() == daemon_; }))
      << "mooringd is not on the bus";
}

Moments::~Moments() {
  if (node_.daemon().pid() == daemon_) node_.kill();
  is_over_ = true;
  thread_.join();
}

void Moments::restart_if_killed() {
  if (is_restarted_ || !has_come_ || victim_ == Victim::Caller) return;
  is_restarted_ = true;
  node_.kill();
  node_.start();
}

bool Moments::comes_to(const std::function<bool()>& condition) {
  return node_.eventually([&] {
    restart_if_killed();
    return condition();
  });
}

/// The daemon is this thread's child: it inherits the filter, and ends with it.
void Moments::watch() {
  const int listener = install_filter();
  if (listener < 0) {
    ADD_FAILURE() << "no filter: " << std::strerror(errno);
  } else {
    node_.start_without_waiting();
    daemon_ = node_.daemon().pid();
  }
  is_started_ = true;
  if (listener >= 0) serve(listener);
  // What is left would see its calls fail from here on. Workers of a mooringd that was killed are children of
  // this process; none of another's are among those that were seen.
  for (const pid_t child : children_of(getpid())) {
    if (!watched_.contains(child)) continue;
    ::kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  if (listener >= 0) close(listener);
}

void Moments::serve(int listener) {
  constexpr int look_up_ms = 20;  // For is_over_.
  while (!is_over_) {
    pollfd item{listener, POLLIN, 0};
    if (poll(&item, 1, look_up_ms) <= 0) continue;
    seccomp_notif request{};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) continue;  // It was killed meanwhile.
    const Call call{process_of(static_cast<pid_t>(request.pid)), request.data.nr};
    if (call.caller != daemon_) watched_.insert(call.caller);
    if (is_moment(call)) kill_victim(call);
    seccomp_notif_resp answer{};
    answer.id = request.id;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);  // Nobody is there to hear it if it was killed.
  }
}

bool Moments::is_moment(const Call& call) {
  if (!is_counting_ || has_come_) return false;
  const bool is_of_daemon = call.caller == daemon_;
  // Of what mooringd sends, only the records of it change anything; its workers' answers may be lost.
  if (is_of_daemon && (call.number == SYS_sendmsg || victim_ == Victim::Caller)) return false;
  if (call.number == SYS_pwrite64 && ++writes_ % writes_for_a_moment != 0) return false;
  return ++count_ == at_;
}

void Moments::kill_victim(const Call& call) {
  call_ = name_of(call.number);
  std::vector<pid_t> victims{victim_ == Victim::Caller ? call.caller : daemon_};
  for (const pid_t worker : children_of(daemon_)) {
    watched_.insert(worker);
    for (const pid_t helper : children_of(worker)) {
      watched_.insert(helper);
      if (victim_ == Victim::All) victims.push_back(helper);
    }
    if (victim_ == Victim::All) victims.push_back(worker);
  }
  for (const pid_t victim : victims)
    ::kill(victim, SIGKILL);
  has_come_ = true;
}

}  // namespace mooring::integration
