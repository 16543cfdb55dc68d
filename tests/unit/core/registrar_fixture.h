#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/registrar.h"

namespace mooring {

using Kind = RegistrarChange::Kind;

inline const std::string a = "/r/a-reg.sock";
inline const std::string b = "/r/b-reg.sock";

inline CsiDriver driver(const std::string& name = "d", const std::string& version = "1.0.0") {
  CsiDriver out;
  out.name = DriverName(name);
  out.socket = "/run/" + name + ".sock";
  out.version = version;
  out.node_id = "n";
  return out;
}

inline Error silent(const std::string& socket) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "DriverNotAnswering";
  error.message = "no answer";
  error.path = socket;
  return error;
}
inline Error unready() {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "NoNodeId";
  error.message = "no node id";
  error.path = "/run/d.sock";
  return error;
}

class RegistrarTest : public testing::Test {
 protected:
  /// Lists these sockets, each with its inode.
  void list(const std::vector<std::pair<std::string, std::uint64_t>>& sockets) {
    std::vector<RegistrySocket> all;
    for (const auto& [path, inode] : sockets)
      all.push_back({path, {1, inode, 0}});
    registrar.list(all);
  }
  /// The one piece of work that is due, which must be of this kind.
  template <class Step>
  RegistrarWork take() {
    std::vector<RegistrarWork> work = registrar.take_work(now);
    EXPECT_EQ(work.size(), 1u);
    if (work.size() != 1) return {};
    EXPECT_TRUE(std::holds_alternative<Step>(work[0].step));
    return work[0];
  }
  void end(const RegistrarWork& work, Result<CsiDriver> found) {
    registrar.probe_ended(work, std::move(found), now, random);
  }
  /// From the listing to the notification.
  void registers(const std::string& socket, const CsiDriver& found) {
    end(take<ProbeCsiDriver>(), found);
    const RegistrarWork told = take<NotifyRegistration>();
    EXPECT_EQ(told.socket, socket);
    EXPECT_TRUE(std::get<NotifyRegistration>(told.step).is_registered);
    registrar.notify_ended(told);
    registrar.take_changes();
  }
  std::vector<Kind> changes() {
    std::vector<Kind> kinds;
    for (const RegistrarChange& change : registrar.take_changes())
      kinds.push_back(change.kind);
    return kinds;
  }
  bool has(const std::string& name) const { return registrar.drivers().contains(DriverName(name)); }
  void wake() {
    ASSERT_TRUE(registrar.next_wake());
    now = *registrar.next_wake();
  }

  Registrar registrar{RegistrarOptions{}, {}};
  Random random{1};
  MonotonicTime now;
};

}  // namespace mooring
