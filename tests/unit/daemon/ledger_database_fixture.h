#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include "daemon/ledger_database.h"
#include "ledger_fixture.h"

namespace mooring {

struct LedgerDatabaseTest : testing::Test {
  /// An open file; a failure if it cannot be opened.
  LedgerDatabase open() const {
    auto database = LedgerDatabase::open(directory.path());
    if (!database) ADD_FAILURE() << database.error().text();
    return std::move(database).value();
  }
  Error error_of_open() const {
    const auto database = LedgerDatabase::open(directory.path());
    EXPECT_FALSE(database);
    return database ? Error{} : database.error();
  }
  void write(const LedgerChanges& changes) const {
    const Result<void> written = open().write(changes);
    ASSERT_TRUE(written) << written.error().text();
  }
  Ledger read() const {
    auto ledger = open().read();
    if (!ledger) ADD_FAILURE() << ledger.error().text();
    return ledger ? ledger.value() : Ledger{};
  }
  std::string content() const {
    std::ostringstream out;
    out << std::ifstream(directory.file(), std::ios::binary).rdbuf();
    return std::move(out).str();
  }

  StateDirectory directory;
};

}  // namespace mooring
