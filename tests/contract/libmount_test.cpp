#include <libmount.h>
#include <sys/sysmacros.h>

#include "node.h"

namespace mooring::kernel::contract {
namespace {

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

std::vector<MountFact> facts_by_libmount() {
  std::vector<MountFact> facts;
  libmnt_table* table = mnt_new_table_from_file("/proc/self/mountinfo");
  libmnt_iter* position = mnt_new_iter(MNT_ITER_FORWARD);
  libmnt_fs* entry = nullptr;
  while (table != nullptr && mnt_table_next_fs(table, position, &entry) == 0) {
    MountFact fact;
    fact.id = static_cast<std::uint64_t>(mnt_fs_get_id(entry));
    fact.parent_id = static_cast<std::uint64_t>(mnt_fs_get_parent_id(entry));
    fact.device_major = major(mnt_fs_get_devno(entry));
    fact.device_minor = minor(mnt_fs_get_devno(entry));
    fact.root = text_of(mnt_fs_get_root(entry));
    fact.mount_point = text_of(mnt_fs_get_target(entry));
    fact.options = text_of(mnt_fs_get_vfs_options(entry));
    fact.type = text_of(mnt_fs_get_fstype(entry));
    fact.source = text_of(mnt_fs_get_source(entry));
    fact.super_options = text_of(mnt_fs_get_fs_options(entry));
    facts.push_back(fact);
  }
  mnt_free_iter(position);
  mnt_unref_table(table);
  return facts;
}

TEST(LinuxOnly, TheMountTableIsReadAsLibmountReadsIt) {
  const std::unique_ptr<Node> node = make_linux_node(true);
  const Kernel ports = node->ports();
  for (const char* name : {"a blank", "a\ttab", "a\\backslash", "a\nnewline", "a\\040b", "#hash", "plain"}) {
    node->put_directory(node->root(name));
    ASSERT_TRUE(succeeds(ports.mounts.mount_tmpfs(name, {4096, 0700})));
    node->put_directory(node->host(name));
    const std::string bound = std::string("bound ") + name;
    node->put_directory(node->root(bound));
    ASSERT_TRUE(succeeds(ports.mounts.bind({node->host(name), bound, true})));
  }
  const auto table = ports.mounts.table();
  ASSERT_TRUE(succeeds(table));
  const std::vector<MountFact> expected = facts_by_libmount();
  ASSERT_EQ(table.value().mounts().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    MountFact fact = table.value().mounts()[i];
    fact.peer_group = 0;  // Libmount keeps these in a text of its own.
    fact.master_group = 0;
    EXPECT_EQ(fact, expected[i]) << fact.mount_point << " against " << expected[i].mount_point;
  }
}

}  // namespace
}  // namespace mooring::kernel::contract
