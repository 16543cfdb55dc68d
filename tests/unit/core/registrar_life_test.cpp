// Drivers that the configuration names, and whatever else may happen in any order.

#include "registrar_fixture.h"

namespace mooring {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

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
