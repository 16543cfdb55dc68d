// Sockets of the registry, and what becomes of the drivers behind them (kubelet-behaviours 15.1).

#include "core/registrar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mooring {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = RegistrarChange::Kind;

const std::string a = "/r/a-reg.sock";
const std::string b = "/r/b-reg.sock";

CsiDriver driver(const std::string& name = "d", const std::string& version = "1.0.0") {
  CsiDriver out;
  out.name = DriverName(name);
  out.socket = "/run/" + name + ".sock";
  out.version = version;
  out.node_id = "n";
  return out;
}

Error silent(const std::string& socket) {
  Error error;
  error.kind = ErrorKind::Transient;
  error.reason = "DriverNotAnswering";
  error.message = "no answer";
  error.path = socket;
  return error;
}
Error unready() {
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

TEST_F(RegistrarTest, a_socket_is_asked_and_told_that_its_driver_is_registered) {
  list({{a, 1}});
  const RegistrarWork probe = take<ProbeCsiDriver>();
  EXPECT_EQ(std::get<ProbeCsiDriver>(probe.step), (ProbeCsiDriver{a, true, {}}));
  EXPECT_FALSE(has("d"));
  end(probe, driver());
  EXPECT_TRUE(has("d"));
  const RegistrarWork told = take<NotifyRegistration>();
  EXPECT_EQ(std::get<NotifyRegistration>(told.step), (NotifyRegistration{a, true, ""}));
  EXPECT_THAT(changes(), ElementsAre(Kind::Registered));
  registrar.notify_ended(told);
  EXPECT_THAT(registrar.take_work(now), IsEmpty());
  EXPECT_FALSE(registrar.next_wake());
}

TEST_F(RegistrarTest, the_same_listing_again_changes_nothing) {
  list({{a, 1}});
  registers(a, driver());
  list({{a, 1}});
  EXPECT_THAT(registrar.take_work(now), IsEmpty());
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(RegistrarTest, a_socket_that_is_gone_takes_its_driver_with_it_and_brings_it_back) {
  list({{a, 1}});
  registers(a, driver());
  list({});
  EXPECT_FALSE(has("d"));
  EXPECT_THAT(changes(), ElementsAre(Kind::Gone));
  EXPECT_TRUE(registrar.entries().empty());
  list({{a, 1}});
  registers(a, driver());
  EXPECT_TRUE(has("d"));
}

TEST_F(RegistrarTest, a_socket_that_is_made_anew_is_registered_anew) {
  list({{a, 1}});
  registers(a, driver());
  list({{a, 2}});
  EXPECT_FALSE(has("d"));
  EXPECT_THAT(changes(), ElementsAre(Kind::Gone));
  registers(a, driver("d", "1.0.0"));
  EXPECT_TRUE(has("d"));
}

TEST_F(RegistrarTest, a_socket_of_the_same_inode_and_another_time_is_another_one) {
  registrar.list({{a, {1, 1, 100}}});
  registers(a, driver());
  registrar.list({{a, {1, 1, 200}}});
  EXPECT_FALSE(has("d"));
}

TEST_F(RegistrarTest, what_a_socket_answered_that_was_made_anew_meanwhile_counts_no_more) {
  list({{a, 1}});
  const RegistrarWork old = take<ProbeCsiDriver>();
  list({{a, 2}});
  EXPECT_THAT(registrar.take_work(now), IsEmpty()) << "never two probes of a path";
  end(old, driver("old"));
  EXPECT_FALSE(has("old"));
  registers(a, driver("new"));
  EXPECT_TRUE(has("new"));
}

TEST_F(RegistrarTest, what_a_socket_answered_that_is_gone_counts_no_more) {
  list({{a, 1}});
  const RegistrarWork old = take<ProbeCsiDriver>();
  list({});
  list({{a, 2}});
  list({});
  EXPECT_THAT(registrar.take_work(now), IsEmpty());
  end(old, driver());
  EXPECT_FALSE(has("d"));
  EXPECT_TRUE(registrar.entries().empty());
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(RegistrarTest, an_end_that_is_told_twice_counts_once) {
  list({{a, 1}});
  const RegistrarWork probe = take<ProbeCsiDriver>();
  end(probe, driver());
  end(probe, driver("other"));
  EXPECT_TRUE(has("d"));
  EXPECT_FALSE(has("other"));
}

TEST_F(RegistrarTest, one_that_does_not_answer_is_asked_again_with_growing_pauses) {
  list({{a, 1}});
  Duration last{0};
  for (int i = 0; i < 4; ++i) {
    end(take<ProbeCsiDriver>(), silent(a));
    const MonotonicTime before = now;
    EXPECT_THAT(registrar.take_work(now), IsEmpty());
    wake();
    EXPECT_GT(now - before, last);
    last = now - before;
  }
  EXPECT_THAT(changes(), ElementsAre(Kind::NotAnswering)) << "the same is told once";
  registers(a, driver());
  EXPECT_TRUE(has("d"));
}

TEST_F(RegistrarTest, who_registers_is_not_told_at_once_of_a_driver_that_only_starts_slowly) {
  list({{a, 1}});
  for (int i = 0; i < 4; ++i) {
    end(take<ProbeCsiDriver>(), unready());
    EXPECT_THAT(registrar.take_work(now), IsEmpty());
    wake();
  }
  end(take<ProbeCsiDriver>(), unready());
  const RegistrarWork told = take<NotifyRegistration>();
  EXPECT_EQ(std::get<NotifyRegistration>(told.step), (NotifyRegistration{a, false, "no node id"}));
  registrar.notify_ended(told);
  wake();
  end(take<ProbeCsiDriver>(), unready());
  EXPECT_THAT(registrar.take_work(now), IsEmpty()) << "it is told once";
}

TEST_F(RegistrarTest, a_registration_socket_that_nobody_answers_on_is_told_nothing) {
  list({{a, 1}});
  for (int i = 0; i < 10; ++i) {
    end(take<ProbeCsiDriver>(), silent(a));
    EXPECT_THAT(registrar.take_work(now), IsEmpty());
    wake();
  }
}

TEST_F(RegistrarTest, one_that_is_refused_is_told_so_and_asked_again_after_the_longest_pause) {
  list({{a, 1}});
  end(take<ProbeCsiDriver>(), refusal("NoHandler", "no handler registered", "x"));
  EXPECT_EQ(registrar.entries().at(a).state, Registrar::State::Refused);
  EXPECT_THAT(changes(), ElementsAre(Kind::Refused));
  const RegistrarWork told = take<NotifyRegistration>();
  EXPECT_EQ(std::get<NotifyRegistration>(told.step), (NotifyRegistration{a, false, "no handler registered"}));
  registrar.notify_ended(told);
  const MonotonicTime before = now;
  wake();
  EXPECT_GT(now - before, 90s);
  end(take<ProbeCsiDriver>(), refusal("NoHandler", "no handler registered", "x"));
  EXPECT_THAT(changes(), IsEmpty());
  EXPECT_THAT(registrar.take_work(now), IsEmpty()) << "it knows that";
}

TEST_F(RegistrarTest, a_second_socket_of_the_same_name_and_no_higher_version_is_refused) {
  list({{a, 1}});
  registers(a, driver("d", "1.2.0"));
  list({{a, 1}, {b, 2}});
  CsiDriver other = driver("d", "1.2.0");
  other.socket = "/run/other.sock";
  end(take<ProbeCsiDriver>(), other);
  EXPECT_EQ(registrar.drivers().at(DriverName("d")).socket, "/run/d.sock");
  EXPECT_EQ(registrar.entries().at(b).failure->reason, "AlreadyRegistered");
  const RegistrarWork told = take<NotifyRegistration>();
  EXPECT_EQ(told.socket, b);
  EXPECT_FALSE(std::get<NotifyRegistration>(told.step).is_registered);
  EXPECT_THAT(std::get<NotifyRegistration>(told.step).error, HasSubstr("already registered"));
}

TEST_F(RegistrarTest, the_refused_second_one_is_registered_when_the_first_goes) {
  list({{a, 1}});
  registers(a, driver());
  list({{a, 1}, {b, 2}});
  end(take<ProbeCsiDriver>(), driver());
  registrar.notify_ended(take<NotifyRegistration>());
  list({{b, 2}});
  EXPECT_FALSE(has("d"));
  registrar.take_changes();
  registers(b, driver());
  EXPECT_TRUE(has("d"));
}

TEST_F(RegistrarTest, a_second_socket_with_a_higher_version_replaces_the_first) {
  list({{a, 1}});
  registers(a, driver("d", "1.2.0"));
  list({{a, 1}, {b, 2}});
  CsiDriver next = driver("d", "1.10.0");
  next.socket = "/run/next.sock";
  registers(b, next);
  EXPECT_EQ(registrar.drivers().at(DriverName("d")).socket, "/run/next.sock");
  EXPECT_EQ(registrar.entries().at(a).failure->reason, "Superseded");
  list({{b, 2}});
  EXPECT_TRUE(has("d")) << "the old one's end takes nothing with it";
  EXPECT_THAT(changes(), IsEmpty());
}

TEST_F(RegistrarTest, drivers_that_hang_leave_places_to_others) {
  RegistrarOptions options;
  options.probes_max = 2;
  registrar = Registrar(options, {});
  list({{"/r/1", 1}, {"/r/2", 2}, {"/r/3", 3}});
  const std::vector<RegistrarWork> work = registrar.take_work(now);
  ASSERT_EQ(work.size(), 2u);
  EXPECT_THAT(registrar.take_work(now), IsEmpty());
  end(work[0], silent("/r/1"));
  EXPECT_EQ(take<ProbeCsiDriver>().socket, "/r/3");
}

class ConfiguredDriver : public RegistrarTest {
 protected:
  ConfiguredDriver() { registrar = Registrar({}, {{DriverName("d"), "/run/d.sock"}}); }
};

TEST_F(ConfiguredDriver, is_asked_on_its_own_socket_and_told_nothing) {
  const RegistrarWork probe = take<ProbeCsiDriver>();
  EXPECT_EQ(std::get<ProbeCsiDriver>(probe.step), (ProbeCsiDriver{"/run/d.sock", false, DriverName("d")}));
  end(probe, driver());
  EXPECT_TRUE(has("d"));
  EXPECT_THAT(registrar.take_work(now), IsEmpty());
}

TEST_F(ConfiguredDriver, is_looked_at_again_and_what_it_says_then_counts) {
  end(take<ProbeCsiDriver>(), driver());
  registrar.take_changes();
  wake();
  EXPECT_EQ(now.since_start, 60s);
  end(take<ProbeCsiDriver>(), driver());
  EXPECT_THAT(changes(), IsEmpty()) << "it is what it was";
  wake();
  CsiDriver next = driver();
  next.vendor_version = "v2";
  end(take<ProbeCsiDriver>(), next);
  EXPECT_THAT(changes(), ElementsAre(Kind::Registered));
  EXPECT_EQ(registrar.drivers().at(DriverName("d")).vendor_version, "v2");
}

TEST_F(ConfiguredDriver, stays_registered_while_it_does_not_answer) {
  end(take<ProbeCsiDriver>(), driver());
  wake();
  end(take<ProbeCsiDriver>(), silent("/run/d.sock"));
  EXPECT_TRUE(has("d"));
  EXPECT_THAT(changes(), ElementsAre(Kind::Registered, Kind::NotAnswering));
  EXPECT_THAT(registrar.take_work(now), IsEmpty());
  wake();
  end(take<ProbeCsiDriver>(), driver());
  EXPECT_THAT(changes(), ElementsAre(Kind::Registered));
}

TEST_F(ConfiguredDriver, whose_place_another_took_is_gone) {
  end(take<ProbeCsiDriver>(), driver());
  wake();
  end(take<ProbeCsiDriver>(), refusal("OtherDriver", "another one", "x"));
  EXPECT_FALSE(has("d"));
  EXPECT_THAT(changes(), ElementsAre(Kind::Registered, Kind::Gone, Kind::Refused));
}

TEST_F(ConfiguredDriver, of_no_name_is_whoever_listens_now) {
  registrar = Registrar({}, {{DriverName(), "/run/d.sock"}});
  end(take<ProbeCsiDriver>(), driver("one"));
  wake();
  end(take<ProbeCsiDriver>(), driver("two"));
  EXPECT_FALSE(has("one"));
  EXPECT_TRUE(has("two"));
  EXPECT_THAT(changes(), ElementsAre(Kind::Registered, Kind::Gone, Kind::Registered));
}

TEST_F(ConfiguredDriver, does_not_go_with_a_listing_of_the_registry) {
  end(take<ProbeCsiDriver>(), driver());
  list({});
  EXPECT_TRUE(has("d"));
}

TEST_F(ConfiguredDriver, is_tried_at_once_when_somebody_asks_for_it) {
  end(take<ProbeCsiDriver>(), silent("/run/d.sock"));
  EXPECT_THAT(registrar.take_work(now), IsEmpty());
  registrar.hurry();
  end(take<ProbeCsiDriver>(), driver());
  EXPECT_TRUE(has("d"));
}

/// Whatever flaps, in whatever order: a registered driver belongs to a socket that is there, and no path has
/// two probes in flight.
TEST(RegistrarLife, keeps_its_word_in_any_order_of_events) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Random random(seed);
    Registrar registrar({}, {{DriverName(), "/run/c.sock"}});
    std::vector<RegistrarWork> open;
    MonotonicTime now;
    for (int i = 0; i < 120; ++i) {
      now = now + Duration(std::chrono::seconds(random.below(100)));
      switch (random.below(3)) {
        case 0: {
          std::vector<RegistrySocket> sockets;
          for (const std::string& path : {a, b}) {
            if (random.chance(2)) sockets.push_back({path, {1, 1 + random.below(2), 0}});
          }
          registrar.list(sockets);
          break;
        }
        case 1:
          for (RegistrarWork& work : registrar.take_work(now))
            open.push_back(std::move(work));
          break;
        default:
          if (open.empty()) break;
          const std::size_t which = random.below(open.size());
          const RegistrarWork work = open[which];
          open.erase(open.begin() + static_cast<std::ptrdiff_t>(which));
          if (std::holds_alternative<NotifyRegistration>(work.step)) {
            registrar.notify_ended(work);
          } else if (random.chance(3)) {
            registrar.probe_ended(work,
                                  random.chance(2) ? Result<CsiDriver>(silent(work.socket))
                                                   : Result<CsiDriver>(refusal("No", "no", "x")),
                                  now, random);
          } else {
            registrar.probe_ended(
                work, driver(random.chance(2) ? "d" : "e", random.chance(2) ? "1.0" : "1.1"), now, random);
          }
      }
      std::map<DriverName, int> owners;
      for (const auto& [socket, entry] : registrar.entries()) {
        if (entry.is_registered()) ++owners[entry.driver];
        EXPECT_FALSE(entry.is_gone && entry.is_registered());
      }
      ASSERT_EQ(owners.size(), registrar.drivers().size()) << "seed " << seed;
      for (const auto& [name, count] : owners) {
        ASSERT_EQ(count, 1) << "seed " << seed;
        ASSERT_TRUE(registrar.drivers().contains(name));
      }
      std::map<std::string, int> probes;
      for (const RegistrarWork& work : open) {
        if (std::holds_alternative<ProbeCsiDriver>(work.step)) {
          ASSERT_EQ(++probes[work.socket], 1) << "seed " << seed;
        }
      }
    }
  }
}

}  // namespace
}  // namespace mooring
