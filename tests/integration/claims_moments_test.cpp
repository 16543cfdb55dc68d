// mooringd, its workers, or both are killed between any two things that they do to make a claim's volume,
// write down whose it is, and remove it again: in one life each, until a whole life passes.

#include "claims_node.h"
#include "moments.h"

namespace mooring::integration {
namespace {

/// A life with fewer is one in which nothing was seen.
constexpr int calls_min = 10;

class ClaimsMoments : public ClaimsNode, public ::testing::WithParamInterface<Victim> {
 protected:
  std::vector<std::string> directories() const { return volumes_in(disks_.path("pool")); }
  /// False while nobody can be asked.
  bool has_none(const char* kind) const {
    const Json list = node_.ctl().json({"get", kind});
    return list.is_object() && list.at("items").empty();
  }
  /// One claim comes, is written to, and goes. True if the moment with this number came.
  bool live(int at) {
    SCOPED_TRACE("moment " + std::to_string(at));
    const std::string name = "data-" + std::to_string(at);
    node_.kill();
    Moments moments(node_, at, GetParam());
    moments.begin();
    node_.write("claim.yaml", claim_text(name, of_class("pool")));
    // One answer for all that is asked: mooringd may be killed right after it.
    Json found;
    const bool is_bound = moments.comes_to([&] {
      found = claim(name);
      return found.is_object() && found.value("phase", "") == "Bound";
    });
    EXPECT_TRUE(is_bound) << explained("pvc/" + name);
    if (!is_bound) return false;
    SCOPED_TRACE("the moment so far: " + moments.call());
    const std::string volume = found.at("volume");
    EXPECT_EQ(volume, "pvc-" + found.at("metadata").at("uid").get<std::string>());
    EXPECT_EQ(directories(), std::vector<std::string>{volume}) << "another was made, or none";
    write_in_place(disks_.path("pool") + "/" + volume + "/file", name);

    node_.remove("claim.yaml");
    EXPECT_TRUE(moments.comes_to([&] { return has_none("pvc") && has_none("pv"); }))
        << explained("pvc/" + name) << explained("pv/" + volume);
    SCOPED_TRACE("the moment: " + moments.call());
    EXPECT_TRUE(directories().empty()) << directories().at(0) << " is left behind";
    return moments.has_come();
  }
};

TEST_P(ClaimsMoments, AVolumeIsMadeOnceAndRemovedWhenever) {
  write_class("pool", "directory.mooring.io");
  int at = 1;
  while (live(at) && !HasFailure())
    ++at;
  RecordProperty("moments", at - 1);
  if (HasFailure()) return;
  EXPECT_GE(at, calls_min);
}

INSTANTIATE_TEST_SUITE_P(Moments, ClaimsMoments,
                         ::testing::Values(Victim::All, Victim::Daemon, Victim::Caller), victim_name);

}  // namespace
}  // namespace mooring::integration
