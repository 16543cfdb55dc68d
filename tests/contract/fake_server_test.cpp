// The servers of the fake kernel, which can die. What they do is what was measured of NFS with hard mounts on
// Linux.

#include <gmock/gmock.h>

#include "kernel/fake/fake_kernel.h"
#include "node.h"

namespace mooring::kernel::contract {
namespace {

using ::testing::HasSubstr;

void must(int error) {
  ASSERT_EQ(error, 0) << errno_text(error);
}

/// Whether a call waits for ever.
template <class Call>
bool hangs(Call call) {
  try {
    static_cast<void>(call());
    return false;
  } catch (const FakeHang&) {
    return true;
  }
}

class FakeServer : public ::testing::Test {
 protected:
  static constexpr const char* source = "10.0.0.1:/export";

  FakeServer() {
    kernel_.put_server(source);
    must(kernel_.put_directory("/root/volume"));
  }
  Mounts& mounts() { return kernel_.ports().mounts; }
  Files& files() { return kernel_.ports().files; }
  Result<void> mount() {
    FileSystemMount request;
    request.source = source;
    request.type = "nfs";
    request.target = "volume";
    return mounts().mount_file_system(request);
  }
  bool is_listed() { return mounts().listed_at("volume").value().has_value(); }
  void die() { kernel_.set_server_answers(source, false); }
  FakeKernel& kernel() { return kernel_; }

 private:
  FakeKernel kernel_{"/root"};
};

TEST_F(FakeServer, KeepsWhatIsWrittenAndIsNfs4) {
  ASSERT_TRUE(succeeds(mount()));
  EXPECT_EQ(mounts().listed_at("volume").value()->type, "nfs4");
  must(kernel().put_file("/root/volume/file", "content"));
  kernel().reboot();
  EXPECT_FALSE(is_listed());
  ASSERT_TRUE(succeeds(mount()));
  EXPECT_EQ(kernel().read("/root/volume/file"), "content");
}

TEST_F(FakeServer, AMissingHelperIsNamedWithItsPackage) {
  kernel().set_mount_helper("nfs", false);
  const auto mounted = mount();
  EXPECT_TRUE(fails(mounted, "MountHelperMissing", 0, ErrorKind::Final));
  EXPECT_THAT(mounted.error().message, HasSubstr("Required binary /sbin/mount.nfs is missing"));
  EXPECT_THAT(mounted.error().remedy, HasSubstr("nfs-common"));
}

TEST_F(FakeServer, ADeadOneLetsWhoeverAsksItWait) {
  ASSERT_TRUE(succeeds(mount()));
  die();
  EXPECT_TRUE(hangs([&] { return files().status("volume"); }));
  EXPECT_TRUE(hangs([&] { return mounts().at("volume"); }));
  EXPECT_TRUE(hangs([&] { return mounts().usage("volume"); }));
  EXPECT_TRUE(hangs([&] { return files().host_status({"/root/volume/file", std::nullopt}); }));
  EXPECT_FALSE(hangs([&] { return files().list("volume"); }));  // It refuses to cross the mount.
  EXPECT_FALSE(hangs([&] { return mounts().table(); }));
  EXPECT_TRUE(is_listed());
  EXPECT_TRUE(kernel().exists("/root/volume"));  // What a test does asks nobody.
  kernel().set_server_answers(source, true);
  EXPECT_TRUE(succeeds(files().status("volume")));
}

TEST_F(FakeServer, ADeadOneIsNotMounted) {
  die();
  EXPECT_TRUE(hangs([&] { return mount(); }));
  EXPECT_FALSE(is_listed());
}

TEST_F(FakeServer, AnUnmountFromADeadOneLeavesTheNamespaceAndWaits) {
  ASSERT_TRUE(succeeds(mount()));
  die();
  EXPECT_TRUE(hangs([&] { return mounts().unmount_unseen("volume", UnmountForce::None); }));
  EXPECT_FALSE(is_listed());
}

TEST_F(FakeServer, ForceAbortsWhoeverWaits) {
  ASSERT_TRUE(succeeds(mount()));
  must(kernel().mark_open("/root/volume"));
  die();
  EXPECT_TRUE(fails(mounts().unmount_unseen("volume", UnmountForce::None), "Busy", EBUSY));
  EXPECT_TRUE(fails(mounts().unmount_unseen("volume", UnmountForce::Abort), "Busy", EBUSY));
  EXPECT_TRUE(succeeds(mounts().unmount_unseen("volume", UnmountForce::Abort)));
  EXPECT_FALSE(is_listed());
}

TEST_F(FakeServer, DetachingNeedsNoServer) {
  ASSERT_TRUE(succeeds(mount()));
  must(kernel().mark_open("/root/volume"));
  die();
  EXPECT_TRUE(succeeds(mounts().unmount_unseen("volume", UnmountForce::Detach)));
  EXPECT_FALSE(is_listed());
  must(kernel().mark_closed("/root/volume"));
}

}  // namespace
}  // namespace mooring::kernel::contract
