// The ledger's file, damaged or of somebody else: it stays as it is, and is not read.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "ledger_database_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;
using LedgerDatabaseDamage = LedgerDatabaseTest;

TEST_F(LedgerDatabaseDamage, a_file_that_is_no_database_stays_as_it_is) {
  for (const std::string& text : {std::string(), std::string("hello"), std::string(8192, 'x')}) {
    std::ofstream(directory.file(), std::ios::trunc) << text;
    const Error error = error_of_open();
    EXPECT_EQ(error.reason, "LedgerDamaged") << error.text();
    EXPECT_EQ(error.kind, ErrorKind::Final);
    EXPECT_EQ(error.path, directory.file());
    EXPECT_NE(error.remedy, "");
    EXPECT_EQ(content(), text);
  }
}

TEST_F(LedgerDatabaseDamage, a_file_with_a_bad_page_is_not_read) {
  LedgerChanges changes;
  for (int i = 0; i < 200; ++i) {
    LedgerClaim each = ledger_claim("c" + std::to_string(i));
    changes.claims[each.claim.key] = each;
  }
  write(changes);
  const std::string good = content();
  ASSERT_GT(good.size(), 5u * 4096);
  for (std::size_t page = 1; page * 4096 < good.size(); ++page) {
    std::string bad = good;
    bad.replace(page * 4096, 512, 512, '\x5a');
    std::ofstream(directory.file(), std::ios::binary | std::ios::trunc) << bad;
    auto database = LedgerDatabase::open(directory.path());
    Result<Ledger> ledger = database ? database.value().read() : Result<Ledger>(database.error());
    ASSERT_FALSE(ledger) << page;
    EXPECT_EQ(ledger.error().reason, "LedgerDamaged") << ledger.error().text();
  }
}

TEST_F(LedgerDatabaseDamage, a_file_that_is_cut_is_not_read) {
  LedgerChanges changes;
  for (int i = 0; i < 200; ++i)
    changes.claims[claim_key("c" + std::to_string(i))] = ledger_claim("c" + std::to_string(i));
  write(changes);
  std::filesystem::resize_file(directory.file(), std::filesystem::file_size(directory.file()) / 2);
  EXPECT_EQ(error_of_open().reason, "LedgerDamaged");
}

TEST_F(LedgerDatabaseDamage, a_log_without_its_file_is_not_played_into_a_new_one) {
  std::ofstream(directory.file() + "-wal") << "frames";
  EXPECT_EQ(error_of_open().reason, "LedgerDamaged");
  EXPECT_FALSE(std::filesystem::exists(directory.file()));
}

TEST_F(LedgerDatabaseDamage, a_row_that_says_two_things_or_none_is_not_read) {
  const auto reason_after = [&](const std::string& statement) {
    std::filesystem::remove(directory.file());
    LedgerChanges changes = bound_pair("a", "pv");
    changes.snapshots[content_name(ledger_snapshot("s"))] = ledger_snapshot("s");
    write(changes);
    EXPECT_TRUE(directory.run(statement)) << statement;
    const Result<Ledger> ledger = open().read();
    EXPECT_FALSE(ledger) << statement;
    if (ledger) return std::string();
    EXPECT_EQ(ledger.error().path, directory.file());
    EXPECT_THAT(ledger.error().message, HasSubstr("the row of ")) << statement;
    return ledger.error().reason;
  };
  for (const char* change : {"claims SET claim = 'x'",
                             "claims SET claim = '{}'",
                             "claims SET uid = 'other'",
                             "claims SET name = 'b'",
                             "claims SET capacity = 'much'",
                             "claims SET owner_kind = 'Job'",
                             "claims SET claim = (SELECT volume FROM volumes)",
                             "volumes SET volume = ''",
                             "volumes SET name = 'b'",
                             "volumes SET claim_uid = 'other'",
                             "volumes SET claim_name = 'b'",
                             "volumes SET parameters = '[]'",
                             "volumes SET parameters = '{\"a\":1}'",
                             "volumes SET made_capacity = ''",
                             "snapshots SET name = 'snapcontent-x'",
                             "snapshots SET uid = ''",
                             "snapshots SET snapshot = ''",
                             "snapshots SET driver = ''",
                             "snapshots SET parameters = '[]'",
                             "snapshots SET secret_name = 'x'",
                             "snapshots SET restore_size = 'much'"})
    EXPECT_EQ(reason_after(std::string("UPDATE ") + change), "LedgerDamaged") << change;
}

TEST_F(LedgerDatabaseDamage, missing_tables_are_damage) {
  for (const char* table : {"volumes", "snapshots"}) {
    std::filesystem::remove(directory.file());
    write(bound_pair("a", "pv"));
    ASSERT_TRUE(directory.run(std::string("DROP TABLE ") + table));
    const Result<Ledger> ledger = open().read();
    ASSERT_FALSE(ledger) << table;
    EXPECT_EQ(ledger.error().reason, "LedgerDamaged");
  }
}

TEST_F(LedgerDatabaseDamage, a_later_versions_and_another_programs_file_are_refused_unchanged) {
  write(bound_pair("a", "pv"));
  ASSERT_TRUE(directory.run("PRAGMA user_version = 3"));
  std::string before = content();
  const Error error = error_of_open();
  EXPECT_EQ(error.reason, "LedgerTooNew");
  EXPECT_THAT(error.message, HasSubstr("has the version 3, and this mooringd knows up to 2"));
  EXPECT_EQ(content(), before);
  ASSERT_TRUE(directory.run("PRAGMA user_version = 0"));
  EXPECT_EQ(error_of_open().reason, "LedgerDamaged");
  ASSERT_TRUE(directory.run("PRAGMA application_id = 7"));
  std::filesystem::permissions(directory.file(), std::filesystem::perms(0644));
  before = content();
  EXPECT_EQ(error_of_open().reason, "LedgerForeign");
  EXPECT_EQ(content(), before);
  EXPECT_EQ(std::filesystem::status(directory.file()).permissions(), std::filesystem::perms(0644));
}

TEST_F(LedgerDatabaseDamage, what_is_no_file_is_no_ledger) {
  std::filesystem::create_directory(directory.file());
  EXPECT_FALSE(LedgerDatabase::open(directory.path()));
  std::filesystem::remove(directory.file());
  std::filesystem::create_symlink("/etc/passwd", directory.file());
  EXPECT_FALSE(LedgerDatabase::open(directory.path()));
}

}  // namespace
}  // namespace mooring
