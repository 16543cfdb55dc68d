// The steps on volumes of claims, with every call of the kernel failing once, and with a crash at every call:
// what is repeated comes to the same end, and what belongs to others stays.

#include <gmock/gmock.h>

#include <functional>

#include "device_fixture.h"

namespace mooring {
namespace {

const ObjectName mine("pvc-1");
const std::string base = "/srv/volumes";
const std::string memory = "plugins/directory.mooring.io/made/pvc-1";
const std::string place = "plugins/kubernetes.io/nfs/provisioner/pvc-1";
const std::string base_memory = "plugins/directory.mooring.io/bases/x";
const std::string export_memory = "plugins/kubernetes.io/nfs/bases/x";
const MakeVolumeDirectory make{base, "pvc-1", mine, 0777, memory, "t1", base_memory};
const LimitDirectory limit{"pvc-1", 1U << 20U, base};
const MountNetwork mount{place, "nfs", "server:/export", {}, false};
const MakeVolumeDirectory make_there{place, "shop/data", mine, 0777, {}, {}, export_memory};
const UnmountNetwork unmount{place};
const RemoveDirectory tidy{place};
const RemoveImage remove_image{"/srv/images/pvc-1.img", "plugins/b/images/pvc-1", "plugins/b/formatted/pvc-1",
                               mine, "t1"};
const PrepareImage prepare{remove_image.path, mine, "t1", "plugins/directory.mooring.io/bases/i"};

struct Case {
  std::string name;
  std::function<void(Node&)> set_up;
  std::vector<Step> steps;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

std::vector<Case> cases() {
  const auto nothing = [](Node&) {};
  const auto made = [](Node& node) {
    node.run_well({make, limit});
    node.fake.put_file(base + "/pvc-1/a/file", "data");
    node.fake.put_file(base + "/pvc-1/b", "data");
  };
  const auto made_there = [](Node& node) {
    node.run_well({mount, make_there});
    node.fake.put_file(node.root(place) + "/shop/data/file", "data");
    node.run_well({unmount, tidy});
  };
  return {
      {"make", nothing, {make, limit}},
      {"remove", made, {RemoveVolumeDirectory{base, "pvc-1", mine, memory, "t1"}}},
      {"set_aside", made, {SetAsideVolumeDirectory{base, "pvc-1", mine, "archived-pvc-1", "t1"}}},
      {"make_on_a_server", nothing, {mount, make_there, unmount, tidy}},
      {"remove_from_a_server",
       made_there,
       {mount, RemoveVolumeDirectory{place, "shop/data", mine, {}, {}, export_memory}, unmount, tidy}},
      {"set_aside_on_a_server",
       made_there,
       {mount, SetAsideVolumeDirectory{place, "shop/data", mine, "archived-data", {}, export_memory}, unmount,
        tidy}},
      {"empty",
       [](Node& node) {
         node.fake.put_file("/srv/data/a/b", "data");
         node.fake.put_file("/srv/data/c", "data");
       },
       {EmptyDirectory{"/srv/data"}}},
      {"prepare_image", nothing, {prepare}},
      {"prepare_image_after_another_making",
       [](Node& node) {
         node.run_well({PrepareImage{remove_image.path, mine, "t0"}});
       },
       {prepare}},
      {"make_after_another_making",
       [](Node& node) {
         node.run_well({MakeVolumeDirectory{base, "pvc-1", mine, 0777, memory, "t0"}});
         node.fake.remove_all(base + "/pvc-1");
       },
       {make, limit}},
      {"remove_image",
       [](Node& node) {
         node.run_well({prepare});
         node.fake.put_file(remove_image.path, "data");
         node.fake.put_file(node.root(remove_image.image_stamp), "x");
         node.fake.put_file(node.root(remove_image.format_stamp), "x");
       },
       {remove_image}},
  };
}

/// A node set up for a case, with volumes and files of others beside it all.
struct Stage {
  explicit Stage(const Case& one) {
    node.fake.put_directory("/look");
    node.fake.put_server("server:/export");
    node.fake.set_project_quotas("/", true);
    node.run_well({MakeVolumeDirectory{base, "pvc-2", ObjectName("pvc-2"), 0777, {}}});
    node.fake.put_file(base + "/pvc-2/file", "precious");
    node.fake.put_file("/precious/file", "precious");
    one.set_up(node);
  }
  void expect_others_untouched() const {
    EXPECT_EQ(node.fake.read("/precious/file"), "precious");
    EXPECT_EQ(node.fake.read(base + "/pvc-2/file"), "precious");
  }
  void fault_at(int number, bool before, Fault fault) {
    node.fake.set_hook([this, number, before, fault](std::string_view, const std::string&, bool is_before) {
      if (is_before != before || ++calls != number) return Fault::none();
      return fault;
    });
  }
  /// What is on the node, and what is on the server once that is mounted.
  std::vector<std::string> picture() {
    node.heal();
    std::vector<std::string> lines = node.picture();
    node.fake.mount_foreign("/look", "nfs4", "server:/export");
    for (std::string& line : node.fake.tree_listing("/look"))
      lines.push_back(std::move(line));
    node.fake.unmount_foreign("/look");
    return lines;
  }
  Node node;
  int calls = 0;
};

class VolumeFaults : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    Stage stage(GetParam());
    stage.fault_at(0, true, Fault::none());
    stage.node.run_well(GetParam().steps);
    calls_ = stage.calls;
    done_ = stage.picture();
    ASSERT_GT(calls_, 0);
  }
  void expect_repeatable(Stage& stage) {
    stage.node.heal();
    stage.node.run_well(GetParam().steps);
    EXPECT_EQ(stage.picture(), done_);
    stage.expect_others_untouched();
  }
  int calls_ = 0;
  std::vector<std::string> done_;
};

TEST_P(VolumeFaults, what_is_reported_as_done_is_done_and_what_failed_can_be_repeated) {
  int errors = 0;
  for (const bool before : {true, false}) {
    for (const int errno_value : {EIO, ENOSPC, EROFS, EACCES, EBUSY}) {
      for (int number = 1; number <= calls_; ++number) {
        SCOPED_TRACE(std::string(before ? "before" : "after") + " call " + std::to_string(number) + ": " +
                     errno_text(errno_value));
        Stage stage(GetParam());
        stage.fault_at(number, before, Fault::error(errno_value));
        const Outcome outcome = stage.node.run(GetParam().steps);
        if (outcome.error) {
          ++errors;
        } else {
          EXPECT_EQ(stage.picture(), done_);
        }
        stage.expect_others_untouched();
        expect_repeatable(stage);
      }
    }
  }
  EXPECT_GT(errors, 0);
}

TEST_P(VolumeFaults, after_a_crash_at_any_call_it_can_be_repeated) {
  for (const bool before : {true, false}) {
    for (int number = 1; number <= calls_; ++number) {
      SCOPED_TRACE(std::string(before ? "before" : "after") + " call " + std::to_string(number));
      Stage stage(GetParam());
      stage.fault_at(number, before, Fault::crash());
      bool has_crashed = false;
      try {
        stage.node.run(GetParam().steps);
      } catch (const kernel::FakeCrash&) {
        has_crashed = true;
      }
      // Single removals in a remove_tree are asked of before only.
      EXPECT_TRUE(has_crashed || !before);
      stage.expect_others_untouched();
      expect_repeatable(stage);
    }
  }
}

TEST_P(VolumeFaults, done_again_it_ends_the_same) {
  Stage stage(GetParam());
  stage.node.run_well(GetParam().steps);
  expect_repeatable(stage);
}

INSTANTIATE_TEST_SUITE_P(Steps, VolumeFaults, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST(VolumePowerCut, a_node_that_loses_power_in_the_middle_goes_on) {
  for (int number = 1; number < 40; ++number) {
    SCOPED_TRACE(number);
    Node node;
    int calls = 0;
    node.fake.set_hook([&](std::string_view, const std::string&, bool is_before) {
      return is_before && ++calls == number ? Fault::crash() : Fault::none();
    });
    try {
      node.run({make, RemoveVolumeDirectory{base, "pvc-1", mine, memory, "t1"}});
    } catch (const kernel::FakeCrash&) {
    }
    node.heal();
    node.fake.reboot();
    node.run_well({RemoveVolumeDirectory{base, "pvc-1", mine, memory, "t1"}});
    EXPECT_FALSE(node.fake.exists(base + "/pvc-1"));
    node.run_well({make});
    EXPECT_EQ(node.fake.status(base + "/pvc-1")->mode, 0777U);
  }
}

}  // namespace
}  // namespace mooring
