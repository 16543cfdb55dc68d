// Sockets of the registry, and what becomes of the drivers behind them (kubelet-behaviours 15.1).

#include "registrar_fixture.h"

namespace mooring {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

}  // namespace
}  // namespace mooring
