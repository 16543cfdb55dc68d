#include "operation/network_steps.h"

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using kernel::FakeCrash;
using kernel::FakeHang;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* source = "server:/export";
const std::string path = layout::volume(uid, PluginName("kubernetes.io/nfs"), VolumeDirectory("data"));

/// A node with a server in its network.
class NetworkSteps : public testing::Test {
 protected:
  NetworkSteps() {
    node_.fake.put_server(source);
    node_.run_well({make_pod});
  }
  Node& node() { return node_; }
  FakeKernel& fake() { return node_.fake; }
  std::string place() const { return node_.root(path); }
  std::vector<std::string> mounted() const { return node_.mounted_at(place()); }

  static MountNetwork mount(const std::string& from = source) { return {path, "nfs", from, {"hard"}, false}; }
  void make() { ASSERT_TRUE(node_.run_well({mount()}).changed); }
  static UnmountNetwork unmount(UnmountPolicy policy = UnmountPolicy::Force, std::uint32_t attempt = 0) {
    return {path, policy, attempt};
  }
  bool hangs(const Step& step) {
    try {
      node_.run({step});
      return false;
    } catch (const FakeHang&) {
      return true;
    }
  }
  void die() { fake().set_server_answers(source, false); }
  void recover() { fake().set_server_answers(source, true); }

 private:
  Node node_;
};

TEST_F(NetworkSteps, kb_13_3_mounts_and_unmounts) {
  const Outcome made = node().run_well({mount()});
  EXPECT_TRUE(made.changed);
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  EXPECT_EQ(fake().put_file(place() + "/file", "data"), 0);
  EXPECT_TRUE(node().run_well({unmount()}).changed);
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(fake().exists(place() + "/file"));
  make();
  EXPECT_EQ(fake().read(place() + "/file"), "data");
}

TEST_F(NetworkSteps, kb_13_3_what_is_mounted_is_left_as_it_is) {
  make();
  EXPECT_FALSE(node().run_well({mount()}).changed);
  EXPECT_FALSE(node().run_well({mount("server://export/")}).changed);
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
}

TEST_F(NetworkSteps, what_is_mounted_is_not_asked_whether_it_is_there) {
  make();
  die();
  EXPECT_FALSE(node().run_well({mount()}).changed);
}

TEST_F(NetworkSteps, nothing_there_is_success) {
  EXPECT_FALSE(node().run_well({unmount()}).changed);
  fake().put_directory(place());
  EXPECT_FALSE(node().run_well({unmount()}).changed);
}

TEST_F(NetworkSteps, read_only_and_options_reach_the_mount) {
  MountNetwork step = mount();
  step.read_only = true;
  step.options = {"hard", "nfsvers=4.2"};
  node().run_well({step});
  const MountFact fact = fake().mount_facts().back();
  EXPECT_TRUE(fact.is_read_only());
  EXPECT_THAT(fact.super_options, HasSubstr("hard,nfsvers=4.2"));
}

TEST_F(NetworkSteps, something_else_that_is_mounted_there_stays) {
  fake().put_server("server:/other");
  fake().put_directory(place());
  fake().mount_foreign(place(), "nfs4", "server:/other");
  const Error other = node().run_badly({mount()});
  EXPECT_EQ(other.reason, "ForeignMount");
  EXPECT_THAT(other.message, HasSubstr("server:/other"));
  fake().unmount_foreign(place());
  fake().mount_foreign(place(), "tmpfs", "foreign");
  EXPECT_EQ(node().run_badly({mount()}).reason, "ForeignMount");
  EXPECT_EQ(node().run_badly({unmount()}).reason, "ForeignMount");
  EXPECT_EQ(node().run_badly({unmount(UnmountPolicy::Lazy, 5)}).reason, "ForeignMount");
  EXPECT_THAT(mounted(), ElementsAre("tmpfs"));
}

TEST_F(NetworkSteps, nothing_is_mounted_over_data) {
  fake().put_file(place() + "/precious", "data");
  const Error error = node().run_badly({mount()});
  EXPECT_EQ(error.reason, "DirectoryNotEmpty");
  EXPECT_THAT(error.message, HasSubstr("precious"));
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_EQ(fake().read(place() + "/precious"), "data");
}

TEST_F(NetworkSteps, nothing_is_unmounted_in_a_pod_that_mooring_did_not_make) {
  make();
  fake().remove_all(node().root(layout::stamp(uid)));
  EXPECT_EQ(node().run_badly({unmount(UnmountPolicy::Lazy, 2)}).reason, "ForeignDirectory");
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
}

TEST_F(NetworkSteps, what_the_helper_says_is_the_error) {
  const Error error = node().run_badly({mount("server:/absent")});
  EXPECT_EQ(error.reason, "MountFailed");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr("mount.nfs: mounting server:/absent failed"));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, kb_13_3_a_missing_helper_is_named_with_its_package) {
  fake().set_mount_helper("nfs", false);
  const Error error = node().run_badly({mount()});
  EXPECT_EQ(error.reason, "MountHelperMissing");
  EXPECT_EQ(error.kind, ErrorKind::Final);
  EXPECT_THAT(error.message, HasSubstr("Required binary /sbin/mount.nfs is missing"));
  EXPECT_THAT(error.remedy, HasSubstr("nfs-common"));
}

TEST_F(NetworkSteps, an_error_after_a_mount_is_only_a_hint) {
  node().fail_call("mount_file_system", EIO, false);
  EXPECT_TRUE(node().run_well({mount()}).changed);
  node().fail_call("unmount_unseen", EIO, false);
  EXPECT_TRUE(node().run_well({unmount()}).changed);
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, kb_13_3_what_a_failed_mount_left_is_unmounted) {
  fake().put_server("server:/elsewhere");
  fake().set_hook([&](std::string_view call, const std::string&, bool before) {
    if (call != "mount_file_system") return Fault::none();
    if (!before) return Fault::none();
    fake().mount_foreign(place(), "nfs4", "server:/elsewhere");
    return Fault::error(EIO);
  });
  EXPECT_EQ(node().run_badly({mount()}).reason, "MountFailed");
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, a_table_that_cannot_be_read_changes_nothing) {
  make();
  node().fail_call("listed_at", EIO, true);
  EXPECT_EQ(node().run_badly({unmount()}).reason, "InputOutputError");
  EXPECT_EQ(node().run_badly({mount()}).reason, "InputOutputError");
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
}

TEST_F(NetworkSteps, a_crash_at_any_call_is_made_good_by_doing_it_again) {
  for (int calls = 1;; ++calls) {
    int left = calls;
    fake().set_hook([&](std::string_view, const std::string&, bool) {
      return --left == 0 ? Fault::crash() : Fault::none();
    });
    bool is_through = false;
    try {
      node().run_well({mount()});
      node().run_well({unmount(), RemoveDirectory{path}});
      is_through = true;
    } catch (const FakeCrash&) {
    }
    node().heal();
    node().run_well({mount()});
    EXPECT_THAT(mounted(), ElementsAre("nfs4"));
    node().run_well({unmount(), RemoveDirectory{path}});
    EXPECT_FALSE(fake().exists(place()));
    if (is_through) return;
  }
}

TEST_F(NetworkSteps, a_stack_is_unmounted_to_its_end) {
  fake().put_server("server:/other");
  make();
  fake().mount_foreign(place(), "nfs4", "server:/other");
  EXPECT_TRUE(node().run_well({unmount()}).changed);
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, one_that_is_in_use_stays_and_says_so) {
  make();
  fake().mark_open(place());
  for (std::uint32_t attempt = 0; attempt < 4; ++attempt) {
    const Error error = node().run_badly({unmount(UnmountPolicy::Force, attempt)});
    EXPECT_EQ(error.reason, "Busy");
    EXPECT_EQ(error.kind, ErrorKind::Transient);
    EXPECT_THAT(error.message, HasSubstr("server:/export is still in use"));
  }
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  fake().mark_closed(place());
  node().run_well({unmount()});
}

TEST_F(NetworkSteps, an_unmount_from_a_dead_server_is_out_of_the_tree_before_it_comes_back) {
  make();
  die();
  EXPECT_TRUE(hangs(unmount()));
  EXPECT_THAT(mounted(), IsEmpty());
  EXPECT_FALSE(node().run_well({unmount(UnmountPolicy::Force, 1)}).changed);
}

TEST_F(NetworkSteps, kb_9_2_force_ends_those_who_wait_for_a_dead_server) {
  make();
  fake().mark_open(place());
  die();
  EXPECT_EQ(node().run_badly({unmount()}).reason, "Busy");
  // The first call of the two is in the way of those whom it ends, the second is not; and it may wait.
  EXPECT_TRUE(hangs(unmount(UnmountPolicy::Force, 1)));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, an_idle_one_of_a_dead_server_is_gone_at_once_by_force) {
  make();
  die();
  EXPECT_TRUE(node().run_well({unmount(UnmountPolicy::Force, 1)}).changed);
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, lazy_takes_away_what_is_in_use_and_only_at_the_last) {
  make();
  fake().mark_open(place());
  for (const std::uint32_t attempt : {0U, 1U}) {
    EXPECT_EQ(node().run_badly({unmount(UnmountPolicy::Lazy, attempt)}).reason, "Busy");
  }
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  EXPECT_TRUE(node().run_well({unmount(UnmountPolicy::Lazy, 2)}).changed);
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, force_is_not_used_while_another_pod_has_the_same_file_system) {
  make();
  const std::string other = fake().root_dir() + "/pods/u2/volumes/kubernetes.io~nfs/v";
  fake().put_directory(other);
  ASSERT_EQ(fake().mount_foreign(other, "nfs4", source), 0);
  fake().mark_open(place());
  die();
  const Error error = node().run_badly({unmount(UnmountPolicy::Force, 1)});
  EXPECT_EQ(error.reason, "Busy");
  EXPECT_NE(error.message.find(other), std::string::npos) << error.message;
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  fake().unmount_foreign(other);
  hangs(unmount(UnmountPolicy::Force, 1));
  EXPECT_THAT(mounted(), IsEmpty());
}

TEST_F(NetworkSteps, wait_never_forces) {
  make();
  fake().mark_open(place());
  die();
  for (std::uint32_t attempt = 0; attempt < 4; ++attempt) {
    EXPECT_EQ(node().run_badly({unmount(UnmountPolicy::Wait, attempt)}).reason, "Busy");
  }
  EXPECT_THAT(mounted(), ElementsAre("nfs4"));
  recover();
  fake().mark_closed(place());
  EXPECT_TRUE(node().run_well({unmount(UnmountPolicy::Wait, 4)}).changed);
}

TEST_F(NetworkSteps, content_is_never_removed) {
  make();
  fake().put_file(place() + "/file", "data");
  EXPECT_EQ(node().run_badly({RemoveDirectory{path}}).reason, "MountedBelow");
  node().run_well({unmount(), RemoveDirectory{path}});
  EXPECT_FALSE(fake().exists(place()));
  fake().put_file(place() + "/left", "data");
  EXPECT_EQ(node().run_badly({unmount(), RemoveDirectory{path}}).reason, "NotEmpty");
  EXPECT_EQ(fake().read(place() + "/left"), "data");
}

TEST_F(NetworkSteps, what_containers_left_is_looked_for_without_a_question_to_a_dead_server) {
  make();
  die();
  node().run_well({UnmountLeftovers{path, 1}, unmount(UnmountPolicy::Force, 1), RemoveDirectory{path}});
  EXPECT_FALSE(fake().exists(place()));
}

}  // namespace
}  // namespace mooring
