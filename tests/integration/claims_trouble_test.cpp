// What goes wrong around claims: manifests that cannot be read, a ledger that is damaged, a disk that is
// full. Nothing is bound or removed on half of the truth, who runs goes on, and what is mended goes on by
// itself.

#include <filesystem>
#include <fstream>

#include "claims_node.h"

namespace mooring::integration {
namespace {

namespace fs = std::filesystem;

constexpr const char* broken = "apiVersion: v1\nkind: [PersistentVolumeClaim\n";
/// Nothing may happen for this long: more than what the built-in class waits, and than work takes.
constexpr Millis quiet{1'500};

class ClaimsTrouble : public ClaimsNode {
 protected:
  std::string ledger() const { return node_.root() + "/state/claims.db"; }
  /// The bound claim `data` with a file in its directory.
  void make_claim() {
    node_.write("claim.yaml", claim_text("data"));
    wait_for("data", "bound");
    directory_ = directory_of("data");
    write_in_place(directory_ + "/file", "kept");
  }
  bool is_kept() const { return read_file(directory_ + "/file") == "kept"; }
  void restart() {
    node_.kill();
    node_.start();
  }
  /// Overwrites all but the header of the file.
  void damage_ledger() const {
    const std::uintmax_t size = fs::file_size(ledger());
    std::fstream file(ledger(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(4096);
    for (std::uintmax_t at = 4096; at < size; ++at)
      file.put('x');
  }

  std::string directory_;
};

// ---- Manifests.

TEST_F(ClaimsTrouble, AClaimWhoseManifestCannotBeReadStaysWithItsVolume) {
  make_claim();
  node_.write("claim.yaml", broken);
  EXPECT_TRUE(node_.gets_problem("claim.yaml"));
  EXPECT_TRUE(node_.stays([&] { return is_kept(); }, quiet));
  EXPECT_EQ(claim_field("data", "phase"), "Bound");
  make_ready("web");
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  expect_gone("web");

  node_.kill();
  node_.start();  // It never read what the file held.
  EXPECT_TRUE(node_.gets_problem("claim.yaml"));
  EXPECT_TRUE(node_.stays([&] { return is_kept(); }, quiet));
  EXPECT_EQ(claim_field("data", "phase"), "Bound");

  node_.remove("claim.yaml");
  wait_for("data", "gone");
  EXPECT_TRUE(node_.eventually([&] { return !is_there(directory_); }));
}

TEST_F(ClaimsTrouble, AVolumeWhoseManifestCannotBeReadStaysItsClaims) {
  const std::string directory = node_.dir() + "/data";
  fs::create_directory(directory);
  write_in_place(directory + "/file", "kept");
  node_.write(
      "volume.yaml",
      "{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {capacity: {storage: 1Gi}, "
      "accessModes: [ReadWriteOnce], persistentVolumeReclaimPolicy: Recycle, storageClassName: old, "
      "hostPath: {path: " +
          directory + "}}}\n");
  node_.write("claim.yaml", claim_text("data", of_class("old")));
  wait_for("data", "bound");
  node_.write("volume.yaml", broken);
  EXPECT_TRUE(node_.gets_problem("volume.yaml"));
  restart();
  make_ready("web");
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  EXPECT_EQ(volume_field("pv", "phase"), "Bound");
}

TEST_F(ClaimsTrouble, ADirectoryOfManifestsThatIsGoneDeletesNothing) {
  make_claim();
  fs::rename(node_.manifests(), node_.dir() + "/elsewhere");
  EXPECT_TRUE(node_.stays([&] { return is_kept(); }, quiet));
  restart();
  EXPECT_TRUE(node_.stays([&] { return is_kept(); }, quiet));
  EXPECT_EQ(claim_field("data", "phase"), "Bound");
  fs::rename(node_.dir() + "/elsewhere", node_.manifests());
  EXPECT_TRUE(node_.eventually([&] { return !claim("data").value("origin", "").empty(); }));
  EXPECT_TRUE(is_kept());
}

// ---- The ledger.

TEST_F(ClaimsTrouble, ALedgerThatIsDamagedIsToldOfAndNothingIsBoundOrRemoved) {
  make_claim();
  node_.write("other.yaml", claim_text("other"));
  wait_for("other", "bound");
  const std::string other = directory_of("other");
  make_ready("web");
  const std::string place = node_.ctl().path("web", "v");
  ASSERT_EQ(node_.stop(), 0);
  const std::string backup = node_.dir() + "/backup.db";
  fs::copy_file(ledger(), backup);
  damage_ledger();
  const std::string damaged = read_file(ledger());
  node_.remove("other.yaml");
  node_.write("new.yaml", claim_text("new"));

  node_.start();
  EXPECT_TRUE(node_.gets_problem("damaged"));
  EXPECT_EQ(node_.ctl()({"status"}).status, 3);
  EXPECT_TRUE(gets_reason("new", "LedgerDamaged")) << explained("pvc/new");
  EXPECT_TRUE(node_.stays([&] { return is_kept() && is_there(other) && !mounts_at(place).empty(); }, quiet));
  EXPECT_EQ(claim_field("new", "volume"), "");
  EXPECT_EQ(read_file(place + "/file"), "kept");
  EXPECT_EQ(volumes_in(node_.root() + "/volumes").size(), 2U);
  EXPECT_EQ(node_.ctl()({"delete", "pvc/data"}).status, 1);
  ASSERT_EQ(node_.stop(), 0);
  EXPECT_EQ(read_file(ledger()), damaged) << "it was written to";

  // The backup is put back: all is as it was, and what was asked for meanwhile is done.
  fs::copy_file(backup, ledger(), fs::copy_options::overwrite_existing);
  node_.start();
  ASSERT_TRUE(node_.becomes_ready("web")) << explained("pod/web");
  EXPECT_EQ(read_file(place + "/file"), "kept");
  EXPECT_TRUE(node_.loses_problem("damaged"));
  wait_for("new", "bound");
  wait_for("other", "gone");
  EXPECT_TRUE(node_.eventually([&] { return !is_there(other); }));
  EXPECT_TRUE(is_kept());
}

TEST_F(ClaimsTrouble, APodOfAClaimThatNobodyHasSaysSoWhenTheLedgerIsMended) {
  make_claim();
  ASSERT_EQ(node_.stop(), 0);
  const std::string backup = node_.dir() + "/backup.db";
  fs::copy_file(ledger(), backup);
  damage_ledger();
  write_pod("web", "nothing");
  node_.start();
  EXPECT_TRUE(node_.gets_reason("web", "v", "LedgerDamaged"));
  fs::copy_file(backup, ledger(), fs::copy_options::overwrite_existing);
  EXPECT_EQ(node_.ctl()({"retry"}).status, 0);  // It need not be started anew.
  EXPECT_TRUE(node_.loses_problem("damaged"));
  EXPECT_TRUE(node_.gets_reason("web", "v", "ClaimNotFound"));
}

TEST_F(ClaimsTrouble, APodGoesThoughTheLedgerIsDamagedAndItsClaimsDataStays) {
  make_claim();
  make_ready("web");
  ASSERT_EQ(node_.stop(), 0);
  damage_ledger();
  node_.remove("web.yaml");
  node_.remove("claim.yaml");
  node_.start();
  EXPECT_TRUE(node_.gets_problem("damaged"));
  EXPECT_TRUE(node_.eventually([&] { return node_.is_empty(); })) << what_is_there();
  EXPECT_TRUE(node_.stays([&] { return is_kept(); }, quiet));
}

TEST_F(ClaimsTrouble, AFullDiskOfTheLedgerIsToldAndAllGoesOnWhenThereIsRoom) {
  ASSERT_EQ(node_.stop(), 0);
  mount_tmpfs(node_.root() + "/state", "size=512k");
  node_.start();
  make_claim();
  const std::string filler = node_.root() + "/state/filler";
  fill_up(filler);
  node_.write("new.yaml", claim_text("new"));
  // What the ledger itself frees when it is opened anew is taken too.
  EXPECT_TRUE(node_.eventually([&] {
    fill_up(filler);
    return claim_field("new", "reason") == "LedgerFailed";
  })) << explained("pvc/new");
  EXPECT_NE(node_.ctl().problems().find("No space left"), std::string::npos) << node_.ctl().problems();
  EXPECT_EQ(claim_field("data", "phase"), "Bound");
  make_ready("web");  // What is bound is of use all the same.
  EXPECT_EQ(read_file(path_in("web", "file")), "kept");
  node_.write("plain.yaml", pod_text("plain", {{"v", empty_dir}}));
  EXPECT_TRUE(node_.becomes_ready("plain"));

  fs::remove(filler);
  EXPECT_EQ(node_.ctl()({"retry"}).status, 0);
  wait_for("new", "bound");
  EXPECT_TRUE(node_.loses_problem("No space left"));
  restart();
  wait_for("new", "bound");
  EXPECT_EQ(claim_field("data", "phase"), "Bound");
  EXPECT_TRUE(is_kept());
}

TEST_F(ClaimsTrouble, ALedgerThatIsLostBindsNothingTwiceAndRemovesNothing) {
  make_claim();
  ASSERT_EQ(node_.stop(), 0);
  fs::remove_all(node_.root() + "/state");
  node_.start();
  wait_for("data", "bound");  // A claim of that name without a uid: another one.
  EXPECT_NE(directory_of("data"), directory_);
  EXPECT_TRUE(node_.stays([&] { return is_kept(); }, quiet));
}

}  // namespace
}  // namespace mooring::integration
