// kubelet-behaviours 13.2: what a hostPath accepts, refuses and makes.

#include "operation/host_path_check.h"

#include <gmock/gmock.h>

#include "operation_fixture.h"

namespace mooring {
namespace {

using testing::HasSubstr;

enum class There { Nothing, Directory, File, Socket, CharDevice, BlockDevice, Fifo };

struct Row {
  HostPathType type;
  /// What is to become of each that may be there, in the order of There: 'y' accepted, 'n' refused, 'm' made.
  std::string_view answers;
};

constexpr Row rows[] = {
    {HostPathType::Unset, "yyyyyyy"},      {HostPathType::DirectoryOrCreate, "mynnnnn"},
    {HostPathType::Directory, "nynnnnn"},  {HostPathType::FileOrCreate, "mnynnnn"},
    {HostPathType::File, "nnynnnn"},       {HostPathType::Socket, "nnnynnn"},
    {HostPathType::CharDevice, "nnnnynn"}, {HostPathType::BlockDevice, "nnnnnyn"},
};
constexpr There all_there[] = {There::Nothing,    There::Directory,   There::File, There::Socket,
                               There::CharDevice, There::BlockDevice, There::Fifo};

void put(FakeKernel& fake, There what, const std::string& path) {
  fake.put_directory("/data");
  switch (what) {
    case There::Nothing:
      return;
    case There::Directory:
      fake.put_directory(path);
      return;
    case There::File:
      fake.put_file(path, "content");
      return;
    case There::Socket:
      fake.put_socket(path);
      return;
    case There::CharDevice:
      fake.put_char_device(path);
      return;
    case There::BlockDevice:
      fake.put_block_device(path);
      return;
    case There::Fifo:
      fake.put_fifo(path);
      return;
  }
}

void expect_answer(char answer, const Result<bool>& result) {
  if (answer == 'n') {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().reason, "HostPathCheckFailed");
    EXPECT_EQ(result.error().kind, ErrorKind::Transient);
    EXPECT_THAT(result.error().message, HasSubstr("hostPath type check failed"));
    EXPECT_FALSE(result.error().remedy.empty());
  } else {
    ASSERT_TRUE(result) << result.error().text();
    EXPECT_EQ(result.value(), answer == 'm');
  }
}

TEST(HostPathCheck, kb_13_2_the_table_of_eight_types) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < std::size(all_there); ++i) {
      SCOPED_TRACE(std::string(to_string(row.type)) + " of " + std::to_string(i));
      FakeKernel fake("/var/lib/mooring");
      put(fake, all_there[i], "/data/x");
      const auto before = fake.tree_listing("/data");
      expect_answer(row.answers[i], check_host_path({"/data/x", row.type, std::nullopt}, fake.ports().files));
      EXPECT_EQ(fake.tree_listing("/data") == before, row.answers[i] != 'm');
    }
  }
}

TEST(HostPathCheck, kb_13_2_symbolic_links_are_followed) {
  for (const Row& row : rows) {
    for (std::size_t i = 1; i < std::size(all_there); ++i) {
      SCOPED_TRACE(std::string(to_string(row.type)) + " of " + std::to_string(i));
      FakeKernel fake("/var/lib/mooring");
      put(fake, all_there[i], "/data/x");
      fake.put_symlink("/links/a", "../data");
      fake.put_symlink("/links/b", "a/x");
      expect_answer(row.answers[i],
                    check_host_path({"/links/b", row.type, std::nullopt}, fake.ports().files));
    }
  }
}

TEST(HostPathCheck, kb_13_2_a_directory_is_made_with_its_parents) {
  FakeKernel fake("/var/lib/mooring");
  const CheckHostPath step{"/data/a/b", HostPathType::DirectoryOrCreate, std::nullopt};
  EXPECT_TRUE(check_host_path(step, fake.ports().files).value());
  EXPECT_THAT(fake.tree_listing("/data"),
              testing::ElementsAre("/data/a directory 755", "/data/a/b directory 755"));
  EXPECT_FALSE(check_host_path(step, fake.ports().files).value());
}

TEST(HostPathCheck, kb_13_2_a_file_is_made_empty_and_without_parents) {
  FakeKernel fake("/var/lib/mooring");
  const CheckHostPath step{"/data/x", HostPathType::FileOrCreate, std::nullopt};
  const Result<bool> orphan = check_host_path(step, fake.ports().files);
  ASSERT_FALSE(orphan);
  EXPECT_EQ(orphan.error().reason, "HostPathCheckFailed");
  EXPECT_THAT(orphan.error().message, HasSubstr("nor is its directory"));
  EXPECT_FALSE(fake.exists("/data"));
  fake.put_directory("/data");
  EXPECT_TRUE(check_host_path(step, fake.ports().files).value());
  EXPECT_THAT(fake.tree_listing("/data"), testing::ElementsAre("/data/x file 644"));
  EXPECT_EQ(fake.read("/data/x"), "");
}

TEST(HostPathCheck, kb_13_2_what_is_there_keeps_its_mode_and_content) {
  FakeKernel fake("/var/lib/mooring");
  fake.put_file("/data/x", "content", 0600);
  fake.put_directory("/data/d", 0700);
  const auto before = fake.tree_listing("/data");
  EXPECT_FALSE(
      check_host_path({"/data/x", HostPathType::FileOrCreate, std::nullopt}, fake.ports().files).value());
  EXPECT_FALSE(check_host_path({"/data/d", HostPathType::DirectoryOrCreate, std::nullopt}, fake.ports().files)
                   .value());
  EXPECT_EQ(fake.tree_listing("/data"), before);
  EXPECT_EQ(fake.read("/data/x"), "content");
}

TEST(HostPathCheck, kb_13_2_a_refusal_says_what_is_there_and_what_was_asked_for) {
  FakeKernel fake("/var/lib/mooring");
  fake.put_socket("/data/x");
  const Result<bool> result =
      check_host_path({"/data/x", HostPathType::Directory, std::nullopt}, fake.ports().files);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("socket"));
  EXPECT_THAT(result.error().message, HasSubstr("type Directory asks for a directory"));
  EXPECT_EQ(result.error().path, "/data/x");
}

TEST(HostPathCheck, kb_13_2_without_a_type_the_kernel_is_not_asked) {
  FakeKernel fake("/var/lib/mooring");
  fake.set_hook([](std::string_view, const std::string&, bool) { return Fault::error(EIO); });
  EXPECT_FALSE(check_host_path({"/data", HostPathType::Unset, std::nullopt}, fake.ports().files).value());
}

TEST(HostPathCheck, what_cannot_be_looked_at_is_neither_there_nor_missing) {
  for (const HostPathType type : {HostPathType::DirectoryOrCreate, HostPathType::FileOrCreate}) {
    Node node;
    node.fail_call("host_status", EACCES, true);
    const Error error = node.run_badly({CheckHostPath{"/data", type, std::nullopt}});
    EXPECT_EQ(error.reason, "PermissionDenied");
    EXPECT_FALSE(node.fake.exists("/data"));
  }
}

TEST(HostPathCheck, what_cannot_be_made_says_why) {
  Node node;
  node.fake.put_directory("/data");
  node.fake.set_read_only("/", true);
  for (const HostPathType type : {HostPathType::DirectoryOrCreate, HostPathType::FileOrCreate}) {
    const Outcome outcome = node.run({CheckHostPath{"/data/x", type, "/"}});
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->reason, "ReadOnlyFileSystem");
    EXPECT_FALSE(outcome.changed);
  }
}

TEST(HostPathCheck, a_confined_look_up_that_leaves_its_mount_says_so_and_makes_nothing) {
  Node node;
  node.fake.put_directory("/far");
  node.fake.mount_foreign("/far", "nfs4", "server:/export");
  node.fake.put_symlink("/data/link", "/far");
  const CheckHostPath confined{"/data/link/x", HostPathType::DirectoryOrCreate, "/"};
  EXPECT_EQ(node.run_badly({confined}).reason, "LeavesMount");
  EXPECT_FALSE(node.fake.exists("/far/x"));
  node.run_well({CheckHostPath{confined.path, confined.type, std::nullopt}});
  EXPECT_TRUE(node.fake.exists("/far/x"));
}

}  // namespace
}  // namespace mooring
