// The ledger's file: what is written is read again, and what must not be is kept out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "daemon/ledger_rows.h"
#include "ledger_database_fixture.h"

namespace mooring {
namespace {

using manifest::ClaimOwner;
using testing::HasSubstr;

TEST_F(LedgerDatabaseTest, a_new_file_is_empty_and_of_nobody_else) {
  const Ledger ledger = read();
  EXPECT_TRUE(ledger.claims.empty());
  EXPECT_TRUE(ledger.volumes.empty());
  EXPECT_TRUE(ledger.snapshots.empty());
  struct stat about {};
  ASSERT_EQ(stat(directory.file().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 07777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(directory.file() + ".new"));
}

TEST_F(LedgerDatabaseTest, makes_its_directory) {
  const std::string below = directory.path() + "/a/state";
  ASSERT_TRUE(LedgerDatabase::open(below));
  EXPECT_TRUE(std::filesystem::exists(below + "/claims.db"));
}

TEST_F(LedgerDatabaseTest, every_field_of_a_claim_is_read_as_it_was_written) {
  LedgerClaim full = ledger_claim("full", "pv-1");
  full.claim.labels = {{"a", "b"}};
  full.claim.annotations = {{"note", "ä \"x\"\n\u2028"}};
  full.claim.storage_class = "";
  full.claim.volume_mode = manifest::VolumeMode::Block;
  full.claim.has_selector = true;
  full.claim.match_expressions = {{"k", "In", {"v"}}};
  full.claim.is_being_deleted = true;
  full.claim.owner = {ClaimOwner::Kind::StatefulSet, claim_key("db"), "", true, false};
  full.was_chosen = true;
  full.is_being_deleted = true;
  std::vector<LedgerClaim> claims{ledger_claim("plain"), full};
  claims.push_back(ledger_claim("of-pod"));
  claims.back().claim.owner = {ClaimOwner::Kind::Pod, claim_key("web"), "pod-uid", false, true};
  claims.push_back(ledger_claim("making", "pvc-1"));
  claims.back().is_bound = false;
  claims.push_back(ledger_claim("lost"));
  claims.back().is_lost = true;
  LedgerChanges changes;
  for (const LedgerClaim& each : claims)
    changes.claims[each.claim.key] = each;
  write(changes);
  const Ledger ledger = read();
  ASSERT_EQ(ledger.claims.size(), claims.size());
  for (const LedgerClaim& each : claims)
    EXPECT_TRUE(ledger.claims.at(each.claim.key) == each) << each.claim.key.text();
}

TEST_F(LedgerDatabaseTest, every_field_and_state_of_a_volume_is_read_as_it_was_written) {
  using State = LedgerVolume::State;
  LedgerChanges changes;
  for (const State state : {State::Provisioning, State::Bound, State::Released, State::Deleting,
                            State::Recycling, State::Failed}) {
    const std::string name = "pv-" + std::to_string(static_cast<int>(state));
    changes.volumes[ObjectName(name)] = ledger_volume(name, "c-" + name, state);
  }
  // As `mooringctl release` leaves one that was provisioned.
  changes.volumes[ObjectName("pv-free")] = ledger_volume("pv-free", "", State::Available);
  LedgerVolume full = ledger_volume("full", "", State::Failed);
  full.was_chosen = true;
  full.provisioner = "directory.mooring.io";
  full.parameters = {{"path", "/srv/\"x\""}, {"onDelete", ""}};
  full.made_capacity = Quantity::parse("3Gi").value();
  full.message = "no, because 'x'\n";
  changes.volumes[ObjectName("full")] = full;
  write(changes);
  const Ledger ledger = read();
  ASSERT_EQ(ledger.volumes.size(), changes.volumes.size());
  for (const auto& [name, volume] : changes.volumes)
    EXPECT_TRUE(ledger.volumes.at(name) == *volume) << name.str();
}

TEST_F(LedgerDatabaseTest, each_state_stands_in_the_file_under_its_name) {
  using State = LedgerVolume::State;
  const auto name_of = [](State state) {
    return encode_row(ObjectName("pv"), ledger_volume("pv", "c", state)).value().state;
  };
  EXPECT_EQ(name_of(State::Provisioning), "Provisioning");
  EXPECT_EQ(name_of(State::Available), "Available");
  EXPECT_EQ(name_of(State::Bound), "Bound");
  EXPECT_EQ(name_of(State::Released), "Released");
  EXPECT_EQ(name_of(State::Deleting), "Deleting");
  EXPECT_EQ(name_of(State::Recycling), "Recycling");
  EXPECT_EQ(name_of(State::Failed), "Failed");
}

TEST_F(LedgerDatabaseTest, every_field_and_state_of_a_snapshot_is_read_as_it_was_written) {
  using State = LedgerSnapshot::State;
  LedgerChanges changes;
  for (const State state : {State::Making, State::Ready, State::Released, State::Deleting}) {
    LedgerSnapshot row = ledger_snapshot(std::string("s-") + to_string(state));
    row.state = state;
    changes.snapshots[content_name(row)] = row;
  }
  LedgerSnapshot full = ledger_snapshot("full");
  full.snapshot_class = "keep";
  full.is_retained = true;
  full.parameters = {{"pool", "\"x\"\n"}, {"empty", ""}};
  full.secret = claim_key("secret");
  full.restore_size = Quantity::from_integer(5LL << 30);
  full.creation_time = "2026-01-01T00:00:00Z";
  changes.snapshots[content_name(full)] = full;
  LedgerSnapshot asked = ledger_snapshot("asked");
  asked.state = State::Making;
  asked.handle.clear();
  asked.message = "no, because 'x'\n";
  changes.snapshots[content_name(asked)] = asked;
  write(changes);
  const Ledger ledger = read();
  ASSERT_EQ(ledger.snapshots.size(), changes.snapshots.size());
  for (const auto& [name, row] : changes.snapshots)
    EXPECT_TRUE(ledger.snapshots.at(name) == *row) << name.str();
  LedgerChanges gone;
  gone.snapshots[content_name(full)] = std::nullopt;
  gone.snapshots[content_name(asked)] = ledger_snapshot("asked");
  write(gone);
  EXPECT_FALSE(read().snapshots.contains(content_name(full)));
  EXPECT_EQ(read().snapshots.at(content_name(asked)).handle, "snap-of-asked");
}

TEST_F(LedgerDatabaseTest, a_file_of_version_1_becomes_one_of_version_2_with_all_that_it_holds) {
  LedgerChanges before = bound_pair("a", "pv-a");
  before.claims[claim_key("b")] = ledger_claim("b");
  before.volumes[ObjectName("pv-c")] = ledger_volume("pv-c", "c", LedgerVolume::State::Released);
  write(before);
  Ledger expected = read();
  ASSERT_TRUE(directory.run("DROP TABLE snapshots; PRAGMA user_version = 1"));
  EXPECT_TRUE(is_same(read(), expected));
  LedgerChanges changes;
  changes.snapshots[content_name(ledger_snapshot("s"))] = ledger_snapshot("s");
  write(changes);
  apply(expected, changes);
  EXPECT_TRUE(is_same(read(), expected));
  EXPECT_TRUE(
      directory.run("CREATE TABLE is_it_2 (v INTEGER CHECK (v = 2)); "
                    "INSERT INTO is_it_2 SELECT user_version FROM pragma_user_version"));
}

TEST_F(LedgerDatabaseTest, a_snapshot_that_is_ready_and_has_no_handle_is_kept_out) {
  LedgerSnapshot row = ledger_snapshot("s");
  row.handle.clear();
  LedgerChanges changes = bound_pair("a", "pv-a");
  changes.snapshots[content_name(row)] = row;
  const Result<void> written = open().write(changes);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().reason, "LedgerConflict");
  EXPECT_TRUE(read().claims.empty()) << "all of it, or nothing";
}

TEST_F(LedgerDatabaseTest, what_is_changed_or_goes_is_so_after_it_was_opened_again) {
  write(bound_pair("a", "pv-a"));
  write(bound_pair("b", "pv-b"));
  LedgerChanges changes;
  changes.claims[claim_key("a")] = std::nullopt;
  changes.volumes[ObjectName("pv-a")] = ledger_volume("pv-a", "a", LedgerVolume::State::Released);
  changes.volumes[ObjectName("pv-none")] = std::nullopt;  // It never was.
  write(changes);
  const Ledger ledger = read();
  EXPECT_EQ(ledger.claims.size(), 1u);
  EXPECT_EQ(ledger.volumes.at(ObjectName("pv-a")).state, LedgerVolume::State::Released);
  EXPECT_EQ(ledger.volumes.at(ObjectName("pv-b")).state, LedgerVolume::State::Bound);
}

TEST_F(LedgerDatabaseTest, a_volume_may_pass_from_one_claim_to_another_in_one_write) {
  write(bound_pair("b", "pv"));
  LedgerChanges changes = bound_pair("a", "pv");  // "a" is written before "b" is changed.
  changes.claims[claim_key("b")] = ledger_claim("b");
  write(changes);
  EXPECT_EQ(read().claims.at(claim_key("a")).volume.str(), "pv");
  LedgerChanges swap = bound_pair("a", "pv-2");
  swap.volumes[ObjectName("pv")] = ledger_volume("pv", "a", LedgerVolume::State::Released);
  write(swap);
  EXPECT_EQ(read().claims.at(claim_key("a")).volume.str(), "pv-2");
}

TEST_F(LedgerDatabaseTest, nothing_is_two_claims_and_nothing_of_such_a_write_stays) {
  write(bound_pair("a", "pv"));
  const Ledger before = read();
  const auto refused = [&](const LedgerChanges& changes) {
    const Result<void> written = open().write(changes);
    EXPECT_FALSE(written);
    EXPECT_TRUE(is_same(read(), before));
    return written ? std::string() : written.error().reason;
  };
  LedgerChanges second_claim;
  second_claim.claims[claim_key("other")] = ledger_claim("other");
  second_claim.claims[claim_key("b")] = ledger_claim("b", "pv");
  EXPECT_EQ(refused(second_claim), "LedgerConflict");
  LedgerChanges second_volume;
  second_volume.claims[claim_key("other")] = ledger_claim("other");
  second_volume.volumes[ObjectName("pv-2")] = ledger_volume("pv-2", "a", LedgerVolume::State::Provisioning);
  EXPECT_EQ(refused(second_volume), "LedgerConflict");
  LedgerChanges nobodys;
  nobodys.volumes[ObjectName("pv-2")] = ledger_volume("pv-2", "");
  EXPECT_EQ(refused(nobodys), "LedgerConflict");
}

TEST_F(LedgerDatabaseTest, a_lost_claim_may_name_the_volume_that_another_has) {
  write(bound_pair("a", "pv"));
  LedgerChanges changes;
  changes.claims[claim_key("b")] = ledger_claim("b", "pv");
  changes.claims[claim_key("b")]->is_lost = true;
  write(changes);
  EXPECT_EQ(read().claims.size(), 2u);
}

TEST_F(LedgerDatabaseTest, what_could_not_be_read_again_is_not_written) {
  const auto reason = [&](const LedgerChanges& changes) {
    const Result<void> written = open().write(changes);
    return written ? std::string() : written.error().reason;
  };
  LedgerChanges changes;
  changes.claims[claim_key("a")] = ledger_claim("a");
  changes.claims[claim_key("a")]->claim.access_modes.clear();
  EXPECT_EQ(reason(changes), "LedgerUnwritable");
  changes.claims[claim_key("a")] = ledger_claim("b");
  EXPECT_EQ(reason(changes), "LedgerUnwritable") << "another claim's";
  changes.claims[claim_key("a")] = ledger_claim("a");
  changes.claims[claim_key("a")]->claim.uid.clear();
  EXPECT_EQ(reason(changes), "LedgerUnwritable");
  changes.claims.clear();
  auto volume = std::make_shared<manifest::PersistentVolume>(*ledger_volume("pv", "a").volume);
  volume->source = manifest::EmptyDirSource{};
  changes.volumes[ObjectName("pv")] = ledger_volume("pv", "a");
  changes.volumes[ObjectName("pv")]->volume = volume;
  EXPECT_EQ(reason(changes), "LedgerUnwritable");
  changes.volumes[ObjectName("pv")]->volume = nullptr;
  EXPECT_EQ(reason(changes), "LedgerUnwritable");
  changes.volumes.clear();
  changes.snapshots[ObjectName("snapcontent-other")] = ledger_snapshot("s");
  EXPECT_EQ(reason(changes), "LedgerUnwritable") << "another snapshot's";
  EXPECT_TRUE(read().volumes.empty());
}

TEST_F(LedgerDatabaseTest, any_mix_of_changes_is_what_is_read) {
  Random random(7);
  Ledger expected;
  for (int round = 0; round < 60; ++round) {
    LedgerChanges changes;
    for (int i = 0; i < 4; ++i) {
      const std::string name = "c" + std::to_string(random.below(8));
      if (random.chance(3)) {
        changes.claims[claim_key(name)] = std::nullopt;
        changes.volumes[ObjectName("pv-" + name)] = std::nullopt;
      } else {
        LedgerChanges pair = bound_pair(name, "pv-" + name);
        pair.claims.begin()->second->was_chosen = random.chance(2);
        changes.claims.insert_or_assign(claim_key(name), pair.claims.begin()->second);
        changes.volumes.insert_or_assign(ObjectName("pv-" + name), pair.volumes.begin()->second);
      }
    }
    write(changes);
    apply(expected, changes);
    ASSERT_TRUE(is_same(read(), expected)) << round;
  }
}

TEST_F(LedgerDatabaseTest, a_second_process_is_told_so) {
  const LedgerDatabase held = open();
  const pid_t child = fork();
  if (child == 0) {
    const auto second = LedgerDatabase::open(directory.path());
    const bool is_told = !second && second.error().reason == "LedgerBusy" &&
                         second.error().kind == ErrorKind::Transient &&
                         second.error().message.find("another mooringd") != std::string::npos;
    _exit(is_told ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST_F(LedgerDatabaseTest, a_person_may_read_it_meanwhile) {
  LedgerDatabase database = open();
  ASSERT_TRUE(database.write(bound_pair("a", "pv")));
  EXPECT_TRUE(directory.run(
      "SELECT claims.name, volumes.state FROM claims JOIN volumes ON claims.volume = volumes.name"));
  EXPECT_TRUE(database.write(bound_pair("b", "pv-2")));
}

TEST_F(LedgerDatabaseTest, a_file_that_others_could_read_is_closed_to_them) {
  write(bound_pair("a", "pv"));
  std::filesystem::permissions(directory.file(), std::filesystem::perms(0666));
  open();
  EXPECT_EQ(std::filesystem::status(directory.file()).permissions(), std::filesystem::perms(0640));
}

TEST_F(LedgerDatabaseTest, what_is_left_of_a_file_that_was_being_made_does_not_matter) {
  std::ofstream(directory.file() + ".new") << "half";
  write(bound_pair("a", "pv"));
  EXPECT_EQ(read().claims.size(), 1u);
}

}  // namespace
}  // namespace mooring
