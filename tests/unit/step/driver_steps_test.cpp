#include "step/driver_steps.h"

#include <gtest/gtest.h>

#include "step/step.h"

namespace mooring {
namespace {

TEST(DescribeDriverSteps, names_what_is_asked_and_told) {
  EXPECT_EQ(describe(ProbeCsiDriver{"/r/a.sock", true, {}}), "ask who registers at /r/a.sock");
  EXPECT_EQ(describe(ProbeCsiDriver{"/r/a b.sock", false, {}}),
            "ask which driver listens at \"/r/a b.sock\"");
  EXPECT_EQ(describe(NotifyRegistration{"/r/a.sock", true, ""}), "tell /r/a.sock that it is registered");
  EXPECT_EQ(describe(NotifyRegistration{"/r/a.sock", false, "why"}), "tell /r/a.sock that it is refused");
}

}  // namespace
}  // namespace mooring
