// Every step, with every call of the kernel failing once: what is reported as done is done, what failed can
// be done again, and nothing of others is ever touched.

#include <gmock/gmock.h>

#include <functional>

#include "operation_fixture.h"

namespace mooring {
namespace {

struct Case {
  std::string name;
  std::function<void(Node&)> set_up;
  std::vector<Step> steps;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

const std::vector<Step> publish_disk{make_pod, MakeDirectory{volume_path, 0777}};
const std::vector<Step> publish_memory{make_pod, MakeDirectory{volume_path, 0777},
                                       MountTmpfs{volume_path, 1U << 20U, 01777}};
const std::vector<Step> unpublish{Unmount{volume_path, {"tmpfs", "hugetlbfs"}},
                                  DiscardDirectory{volume_path, "t"}};
constexpr std::uint64_t two_mebibytes = 2U << 20U;

std::vector<Case> cases() {
  const auto nothing = [](Node&) {};
  const auto memory = [](Node& node) { node.run_well(publish_memory); };
  const auto disk = [](Node& node) { node.run_well(publish_disk); };
  const auto data = [](Node& node) {
    node.run_well(publish_disk);
    node.fake.put_file(node.volume + "/sub/file", "data");
  };
  return {
      {"publish_disk", nothing, publish_disk},
      {"publish_disk_over_a_cut_stamp", [](Node& n) { n.fake.put_file(n.root("pods/u1/mooring.json"), "{"); },
       publish_disk},
      {"publish_memory", nothing, publish_memory},
      {"publish_huge_pages",
       nothing,
       {make_pod, MakeDirectory{volume_path, 0777}, MountHugetlbfs{volume_path, two_mebibytes}}},
      {"bind",
       [](Node& n) {
         n.fake.put_file("/data/sub/file", "data");
         n.fake.put_directory(n.root("target"));
       },
       {BindMount{"/data", "target", false, true}}},
      {"bind_read_only",
       [](Node& n) {
         n.fake.put_file("/data/sub/file", "data");
         n.fake.put_directory(n.root("target"));
       },
       {BindMount{"/data", "target", true, true}}},
      {"unpublish_memory", memory, unpublish},
      {"unpublish_an_empty_directory", disk, unpublish},
      {"unpublish_a_directory_with_data", data, unpublish},
      {"empty_trash", [](Node& n) { n.fake.put_file(n.root("trash/t/a/b"), "data"); }, {EmptyTrash{"t"}}},
      {"remove_pod_directory",
       [disk](Node& n) {
         disk(n);
         n.run_well(unpublish);
         n.fake.put_file(n.root("pods/u1/.mooring.json.17.new"), "");
       },
       {RemovePodDirectory{uid}}},
      {"make_a_host_directory", nothing, {CheckHostPath{"/data/a/b", HostPathType::DirectoryOrCreate, "/"}}},
      {"make_a_host_file",
       [](Node& n) { n.fake.put_directory("/data"); },
       {CheckHostPath{"/data/file", HostPathType::FileOrCreate, "/"}}},
      {"check_a_socket",
       [](Node& n) { n.fake.put_socket("/data/s"); },
       {CheckHostPath{"/data/s", HostPathType::Socket, "/"}}},
      {"watch", nothing, {WatchHostPath{"/data/x/y", "/"}}},
      {"scan", data, {ScanTree{}}},
  };
}

/// A node set up for a case, with something of others beside it all.
struct Stage {
  explicit Stage(const Case& one) {
    node.fake.put_file("/precious/file", "precious");
    node.fake.put_directory(node.root("pods/foreign/mnt"));
    node.fake.mount_foreign(node.root("pods/foreign/mnt"), "ext4", "/dev/foreign");
    node.fake.put_file(node.root("pods/foreign/mnt/file"), "precious");
    one.set_up(node);
  }
  void expect_others_untouched() const {
    EXPECT_EQ(node.fake.read("/precious/file"), "precious");
    EXPECT_EQ(node.fake.read(node.root("pods/foreign/mnt/file")), "precious");
  }
  /// The fault happens at one call, and to every single removal inside a remove_tree.
  void fault_at(int number, bool before, Fault fault) {
    node.fake.set_hook([this, number, before, fault](std::string_view, const std::string&, bool is_before) {
      if (is_before != before || ++calls != number) return Fault::none();
      return fault;
    });
  }
  Node node;
  int calls = 0;
};

class Faults : public testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    Stage stage(GetParam());
    stage.fault_at(0, true, Fault::none());
    stage.node.run_well(GetParam().steps);
    calls_ = stage.calls;
    done_ = stage.node.picture();
    ASSERT_GT(calls_, 0);
  }
  /// Repeated without a fault it ends as if there had been none.
  void expect_repeatable(Stage& stage) {
    stage.node.heal();
    stage.node.run_well(GetParam().steps);
    EXPECT_EQ(stage.node.picture(), done_);
    stage.expect_others_untouched();
  }
  int calls_ = 0;
  std::vector<std::string> done_;
};

TEST_P(Faults, what_is_reported_as_done_is_done_and_what_failed_can_be_repeated) {
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
          EXPECT_EQ(stage.node.picture(), done_);
        }
        stage.expect_others_untouched();
        expect_repeatable(stage);
      }
    }
  }
  EXPECT_GT(errors, 0);
}

TEST_P(Faults, after_a_crash_at_any_call_it_can_be_repeated) {
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

TEST_P(Faults, done_again_it_changes_nothing) {
  Stage stage(GetParam());
  stage.node.run_well(GetParam().steps);
  const Outcome again = stage.node.run_well(GetParam().steps);
  EXPECT_EQ(stage.node.picture(), done_);
  EXPECT_FALSE(again.changed);
}

INSTANTIATE_TEST_SUITE_P(Steps, Faults, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST(FullDisk, nothing_can_be_made_on_a_full_or_read_only_disk_and_it_goes_on_when_it_can) {
  Node node;
  node.fake.set_read_only("/", true);
  EXPECT_EQ(node.run_badly(publish_memory).reason, "ReadOnlyFileSystem");
  node.fake.set_read_only("/", false);
  node.fake.set_space("/", 0);
  EXPECT_EQ(node.run_badly(publish_memory).reason, "NoSpace");
  node.fake.set_space("/", std::nullopt);
  node.run_well(publish_memory);
  EXPECT_THAT(node.mounted_at(node.volume), testing::ElementsAre("tmpfs"));
}

}  // namespace
}  // namespace mooring
