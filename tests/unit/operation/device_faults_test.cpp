// The steps on devices, with every call of the kernel failing, or the process ending, once: done again they
// end as if nothing had happened, no device is formatted twice, and nothing of others is ever touched.

#include <functional>

#include "device_fixture.h"

namespace mooring {
namespace {

struct Case {
  std::string name;
  std::function<void(DeviceNode&)> set_up;
  std::vector<Step> steps;
  std::string device;             ///< That the steps work on.
  std::uint32_t formats_max = 0;  ///< How often it may be formatted.
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

const std::string map_directory = layout::device_map(block, element);
const std::string link = layout::device(uid, block, VolumeDirectory("data"));
const std::vector<Step> stage_image{AttachDevice{image, 64 * mebibyte, false}, format_of(image),
                                    CheckFileSystem{image, staged_path, "ext4"}, mount_of(image),
                                    GrowFileSystem{image, staged_path, "ext4", 128 * mebibyte}};
const std::vector<Step> stage_disk{AttachDevice{disk, std::nullopt, false}, format_of(disk), check_disk,
                                   mount_of(disk), GrowFileSystem{disk, staged_path, "ext4", std::nullopt}};
const std::vector<Step> map_image{AttachDevice{image, 64 * mebibyte, false},
                                  MapDevice{image, map_directory, uid, link, false}};

std::vector<Case> cases() {
  const auto nothing = [](DeviceNode&) {};
  return {
      {"stage_image", nothing, stage_image, image_path, 1},
      {"stage_disk", nothing, stage_disk, disk_node, 1},
      {"stage_data", [](DeviceNode& n) { n.put_data(disk_node); }, stage_disk, disk_node, 0},
      {"unstage_image",
       [](DeviceNode& n) { n.run_well(stage_image); },
       {unmount_image, DetachDevice{image}},
       image_path,
       1},
      {"unstage_data",
       [](DeviceNode& n) {
         n.put_data(disk_node);
         n.run_well(stage_disk);
       },
       {unmount_staged, DetachDevice{disk}},
       disk_node,
       0},
      {"map", nothing, map_image, image_path, 0},
      {"unmap",
       [](DeviceNode& n) { n.run_well(map_image); },
       {UnmapDevice{map_directory, uid, link}, DetachDevice{image}},
       image_path,
       0},
  };
}

/// A node set up for a case, with a disk of somebody else's beside it all.
struct Stage {
  explicit Stage(const Case& one) : tested(one) {
    node.disks().put_device("/dev/precious", 64 * mebibyte, "naa.9");
    node.put_data("/dev/precious");
    one.set_up(node);
    had_data = node.has_data(one.device);
  }
  void fault_at(int number, bool before, Fault fault) {
    node.fake.set_hook([this, number, before, fault](std::string_view, const std::string&, bool is_before) {
      if (is_before != before || ++calls != number) return Fault::none();
      return fault;
    });
  }
  void expect_nothing_lost() {
    EXPECT_LE(node.disks().formats(tested.device), tested.formats_max);
    EXPECT_EQ(node.disks().formats("/dev/precious"), 0u);
    EXPECT_TRUE(node.has_data("/dev/precious"));
    if (had_data) {
      EXPECT_TRUE(node.has_data(tested.device));
    }
  }
  /// All that is there, with how far the stamp is.
  std::vector<std::string> picture() {
    std::vector<std::string> lines = node.picture();
    const auto stamp = node.stamp();
    lines.push_back(!stamp ? "no stamp" : stamp->is_complete ? "a complete stamp" : "an incomplete stamp");
    lines.push_back(std::to_string(node.disks().loop_count()) + " loop devices");
    lines.push_back(std::to_string(node.disks().size_bytes(tested.device)) + " bytes");
    return lines;
  }
  const Case& tested;
  DeviceNode node;
  int calls = 0;
  bool had_data = false;
};

class DeviceFaults : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    Stage stage(GetParam());
    stage.fault_at(0, true, Fault::none());
    stage.node.run_well(GetParam().steps);
    calls_ = stage.calls;
    stage.node.heal();
    done_ = stage.picture();
    ASSERT_GT(calls_, 0);
  }
  /// Runs the steps up to the crash. There may be none: not every call is asked about when it ended.
  void crash(Stage& stage) {
    try {
      stage.node.run(GetParam().steps);
    } catch (const kernel::FakeCrash&) {
      ++crashes_;
    }
    stage.node.heal();
  }
  void expect_repeatable(Stage& stage) {
    stage.node.heal();
    stage.node.run_well(GetParam().steps);
    EXPECT_EQ(stage.picture(), done_);
    stage.expect_nothing_lost();
    EXPECT_FALSE(stage.node.run_well(GetParam().steps).changed);
  }
  int calls_ = 0;
  int crashes_ = 0;
  std::vector<std::string> done_;
};

TEST_P(DeviceFaults, what_failed_can_be_repeated) {
  int errors = 0;
  for (const bool before : {true, false}) {
    for (const int errno_value : {EIO, ENOSPC, EBUSY, EACCES}) {
      for (int number = 1; number <= calls_; ++number) {
        SCOPED_TRACE(std::string(before ? "before" : "after") + " call " + std::to_string(number) + ": " +
                     errno_text(errno_value));
        Stage stage(GetParam());
        stage.fault_at(number, before, Fault::error(errno_value));
        if (stage.node.run(GetParam().steps).error) ++errors;
        stage.expect_nothing_lost();
        expect_repeatable(stage);
      }
    }
  }
  EXPECT_GT(errors, 0);
}

TEST_P(DeviceFaults, after_a_crash_at_any_call_it_can_be_repeated) {
  for (const bool reboots : {false, true}) {
    for (const bool before : {true, false}) {
      for (int number = 1; number <= calls_; ++number) {
        SCOPED_TRACE(std::string(before ? "before" : "after") + " call " + std::to_string(number) +
                     (reboots ? ", with a reboot" : ""));
        Stage stage(GetParam());
        stage.fault_at(number, before, Fault::crash());
        crash(stage);
        if (reboots) stage.node.fake.reboot();
        stage.expect_nothing_lost();
        if (!reboots) {
          expect_repeatable(stage);
          continue;
        }
        stage.node.run_well(GetParam().steps);
        stage.expect_nothing_lost();
      }
    }
  }
  EXPECT_GE(crashes_, 4 * calls_ - 2);
}

TEST_P(DeviceFaults, two_crashes_in_a_row_lose_nothing) {
  for (int first = 1; first <= calls_; ++first) {
    for (int second = 1; second <= calls_; ++second) {
      SCOPED_TRACE("calls " + std::to_string(first) + " and " + std::to_string(second));
      Stage stage(GetParam());
      for (const int number : {first, second}) {
        stage.calls = 0;
        stage.fault_at(number, false, Fault::crash());
        crash(stage);
      }
      stage.node.run_well(GetParam().steps);
      EXPECT_EQ(stage.picture(), done_);
      stage.expect_nothing_lost();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, DeviceFaults, testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace mooring
