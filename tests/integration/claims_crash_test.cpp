// mooringd and its workers are killed at random moments while a hundred claims come and go. Whatever the
// moment was: no volume is two claims', no claim gets another volume, nobody's data is lost or another's, and
// in the end everything that can be bound is, and what is to be gone is gone.

#include "claims_storm.h"

namespace mooring::integration {
namespace {

constexpr int rounds = 20;
constexpr Millis settling{60'000};  ///< Of all claims together, on a busy machine.

class ClaimsCrash : public ClaimsStorm {
 protected:
  void kill_while_it_starts() {
    node_.start_without_waiting();
    node_.let_pass(Millis(pick(80)));
    node_.kill();
    expect_sound();
  }
  void expect_settled() {
    std::string open = "not looked at";
    EXPECT_TRUE(node_.eventually(
        [&] {
          open = what_is_open();
          return open.empty();
        },
        settling))
        << open << what_pods_say() << node_.ctl()({"status"}).out;
  }
};

TEST_F(ClaimsCrash, NothingIsBoundTwiceNorLostWhateverTheMomentWas) {
  write_all();
  for (int round = 0; round < rounds && !HasFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    // However slow the machine is, there must be something to lose.
    if (round % 5 == 4) {
      expect_settled();
      look();
    }
    wait_for_a_moment();
    if (pick(3) == 0) {
      kill_workers();
      wait_for_a_moment();
    }
    node_.kill();
    expect_sound();
    if (pick(2) == 0) change_something();  // While nobody looks.
    if (pick(3) == 0) kill_while_it_starts();
    node_.start();
    look();
    change_something();
  }
  node_.kill();
  expect_sound();
  node_.start();
  expect_settled();
  renew_pods();
  expect_settled();
  look();
  if (HasFailure()) return;
  expect_enough_was_seen();
  expect_pods_see_their_claims();
  for (const char* storage_class : {"kept", "gone", "mooring"})
    expect_directories(storage_class);

  drop_everything();
  expect_settled();
  expect_only_what_is_kept();
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); })) << what_is_there();
}

}  // namespace
}  // namespace mooring::integration
