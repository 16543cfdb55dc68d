#include "operation/format_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <vector>

namespace mooring {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t size_bytes = 1ULL << 30U;
const std::string by_id = "/dev/disk/by-id/wwn-0x5000c500a0b1c2d3";

/// A blank disk that may be formatted, and that nobody formatted before; each test changes what it is about.
struct Guard : testing::Test {
  Guard() {
    step.device = {DeviceName::Kind::Path, by_id};
    step.stamp = "plugins/block.mooring.io/formatted/data";
    step.type = "ext4";
    step.policy = FormatPolicy::IfBlank;
    device.node = "/dev/sdb";
    device.size_bytes = size_bytes;
    device.wwid = "naa.5000c500a0b1c2d3";
    content.looked_at_bytes = size_bytes;
  }

  void put(const std::string& type, Signature::Usage usage = Signature::Usage::FileSystem) {
    content.signature = Signature{usage, type, "0001", "", false};
    content.data_offset = 1024;
  }
  void remember(bool is_complete) {
    stamp = FormatStamp{is_complete, "ext4", "0001", by_id, size_bytes, device.wwid};
  }
  Result<FormatDecision> decide() const { return decide_format(step, device, content, stamp); }
  void expect(FormatDecision decision) const {
    const auto decided = decide();
    ASSERT_TRUE(decided) << decided.error().text();
    EXPECT_EQ(decided.value(), decision);
  }
  Error refused(const std::string& reason) const {
    const auto decided = decide();
    if (decided) {
      ADD_FAILURE() << "it was not refused";
      return {};
    }
    EXPECT_EQ(decided.error().reason, reason) << decided.error().text();
    EXPECT_FALSE(decided.error().remedy.empty());
    EXPECT_THAT(decided.error().message, HasSubstr("/dev/sdb"));
    return decided.error();
  }
  Error refused_for_good(const std::string& reason) const {
    const Error error = refused(reason);
    EXPECT_EQ(error.kind, ErrorKind::Final);
    return error;
  }

  FormatDevice step;
  DeviceFacts device;
  DeviceContent content;
  std::optional<FormatStamp> stamp;
};

TEST_F(Guard, formats_what_is_proven_blank) {
  expect(FormatDecision::Format);
}

TEST_F(Guard, kb_9_4_makes_each_type_that_it_can_make_and_no_other) {
  for (const char* type : {"ext2", "ext3", "ext4", "xfs", "btrfs"}) {
    step.type = type;
    expect(FormatDecision::Format);
  }
  for (const char* type : {"vfat", "ntfs", "swap", "", "ext", "EXT4"}) {
    step.type = type;
    refused_for_good("UnsupportedFileSystem");
  }
}

TEST_F(Guard, kb_9_4_uses_the_file_system_that_is_asked_for_whatever_else_is_so) {
  for (const char* type : {"ext2", "ext3", "ext4", "xfs", "btrfs", "vfat", "f2fs"}) {
    step.type = type;
    put(type);
    for (const bool is_read_only : {false, true}) {
      step.read_only = is_read_only;
      device.is_read_only = is_read_only;
      for (const FormatPolicy policy : {FormatPolicy::Never, FormatPolicy::IfBlank}) {
        step.policy = policy;
        expect(FormatDecision::Use);
      }
    }
  }
}

TEST_F(Guard, kb_9_4_another_file_system_is_an_error_and_never_a_format) {
  for (const char* type : {"ext2", "ext3", "xfs", "btrfs", "vfat", "zfs_member", "iso9660"}) {
    put(type);
    const Error error = refused_for_good("FilesystemMismatch");
    EXPECT_THAT(
        error.message,
        HasSubstr(std::string(R"(failed to mount the volume as "ext4", it already contains )") + type));
  }
}

TEST_F(Guard, kb_9_4_partitions_are_never_formatted_also_beside_a_file_system) {
  content.partition_table = "gpt";
  const Error error = refused_for_good("DeviceHasPartitions");
  EXPECT_THAT(error.message, HasSubstr("unknown data, probably partitions"));
  EXPECT_THAT(error.message, HasSubstr("gpt"));
  content.partition_table = "dos";
  put("ext4");
  refused_for_good("DeviceHasPartitions");
}

TEST_F(Guard, kb_9_4_ambivalent_content_is_never_formatted) {
  content.is_ambivalent = true;
  refused_for_good("DeviceAmbivalent");
  put("ext4");
  refused_for_good("DeviceAmbivalent");
}

TEST_F(Guard, never_touches_encrypted_raid_lvm_and_swap) {
  const std::vector<std::pair<std::string, Signature::Usage>> others{
      {"crypto_LUKS", Signature::Usage::Crypto},
      {"LVM2_member", Signature::Usage::Raid},
      {"linux_raid_member", Signature::Usage::Raid},
      {"swap", Signature::Usage::Other},
      {"ext4", Signature::Usage::Other}};
  for (const auto& [type, usage] : others) {
    put(type, usage);
    for (const bool has_bad_checksum : {false, true}) {
      content.signature->has_bad_checksum = has_bad_checksum;
      EXPECT_THAT(refused_for_good("DeviceNotBlank").message, HasSubstr(type));
    }
  }
}

TEST_F(Guard, a_read_error_is_not_blank_and_is_tried_again) {
  content.read_errno = EIO;
  content.read_offset = 4096;
  const Error error = refused("DeviceUnreadable");
  EXPECT_EQ(error.kind, ErrorKind::Transient);
  EXPECT_THAT(error.message, HasSubstr("4096"));
  EXPECT_THAT(error.message, HasSubstr("EIO"));
  put("ext4");
  refused("DeviceUnreadable");
}

TEST_F(Guard, a_device_without_a_size_is_not_blank) {
  device.size_bytes = 0;
  content.looked_at_bytes = 0;
  EXPECT_EQ(refused("DeviceUnreadable").kind, ErrorKind::Transient);
}

TEST_F(Guard, a_device_that_nobody_looked_at_is_not_proven_blank) {
  for (const std::uint64_t looked_at :
       {std::uint64_t{0}, std::uint64_t{4096}, (std::uint64_t{1} << 20U) - 1}) {
    content.looked_at_bytes = looked_at;
    EXPECT_EQ(refused("DeviceUnreadable").kind, ErrorKind::Transient);
  }
  content.looked_at_bytes = 1ULL << 20U;
  expect(FormatDecision::Format);
  device.size_bytes = 512;
  content.looked_at_bytes = 511;
  refused("DeviceUnreadable");
  content.looked_at_bytes = 512;
  expect(FormatDecision::Format);
}

TEST_F(Guard, data_that_nothing_recognises_is_data) {
  content.data_offset = 1 << 20U;
  const Error error = refused_for_good("DeviceNotBlank");
  EXPECT_THAT(error.message, HasSubstr("unknown data at byte 1048576"));
  content.data_offset = 0;
  refused_for_good("DeviceNotBlank");
}

TEST_F(Guard, a_bad_checksum_is_damage) {
  for (const char* type : {"ext4", "xfs"}) {
    put(type);
    content.signature->has_bad_checksum = true;
    refused_for_good("FilesystemDamaged");
  }
}

TEST_F(Guard, kb_9_4_an_unformatted_disk_is_not_formatted_read_only) {
  const auto expect_refusal = [&] {
    EXPECT_THAT(refused_for_good("UnformattedReadOnly").message,
                HasSubstr("cannot mount unformatted disk " + by_id +
                          " (/dev/sdb) as we are manipulating it in read-only mode"));
  };
  step.read_only = true;
  expect_refusal();
  step.read_only = false;
  device.is_read_only = true;
  expect_refusal();
}

TEST_F(Guard, formats_only_what_its_volume_permits) {
  step.policy = FormatPolicy::Never;
  EXPECT_THAT(refused_for_good("FormatForbidden").remedy, HasSubstr("format: IfBlank"));
}

TEST_F(Guard, never_formats_a_volume_that_was_formatted_once) {
  remember(true);
  const Error error = refused_for_good("FormattedBefore");
  EXPECT_THAT(error.message, HasSubstr("0001"));
  EXPECT_THAT(error.remedy, HasSubstr(step.stamp));
  stamp->size_bytes += 1;
  stamp->wwid = "other";
  refused_for_good("FormattedBefore");
  content.data_offset = 512;
  refused_for_good("DeviceNotBlank");
  put("ext4");
  expect(FormatDecision::Use);
}

TEST_F(Guard, goes_on_where_formatting_was_cut_off) {
  remember(false);
  expect(FormatDecision::Format);
  content.data_offset = 65536;
  expect(FormatDecision::FormatAgain);
  put("ext4");
  expect(FormatDecision::CompleteStamp);
}

TEST_F(Guard, an_incomplete_stamp_is_completed_by_whatever_file_system_is_there) {
  // Were it not, and the superblock went bad one day, the stamp would permit to format over the data.
  remember(false);
  stamp->uuid = "0002";
  stamp->wwid = "other";
  put("ext4");
  expect(FormatDecision::CompleteStamp);
}

TEST_F(Guard, does_not_go_on_on_another_device) {
  const std::vector<std::function<void()>> differences{
      [&] { stamp->wwid = "naa.5000c500a0b1c2d4"; }, [&] { stamp->wwid.clear(); },
      [&] { stamp->size_bytes = size_bytes - 512; }, [&] { stamp->device = "/dev/disk/by-id/other"; }};
  for (const auto& change : differences) {
    content.data_offset.reset();
    remember(false);
    change();
    EXPECT_THAT(refused_for_good("FormattedBefore").remedy, HasSubstr(step.stamp));
    content.data_offset = 65536;
    refused_for_good("DeviceNotBlank");
  }
}

TEST_F(Guard, formats_over_unknown_data_only_what_is_proven_to_be_the_same_device) {
  const std::vector<std::pair<DeviceName, bool>> names{
      {{DeviceName::Kind::Path, "/dev/sdb"}, false},
      {{DeviceName::Kind::Path, "/dev/disk/by-path/pci-0000:00"}, false},
      {{DeviceName::Kind::Uuid, "0001"}, false},
      {{DeviceName::Kind::Label, "data"}, false},
      {{DeviceName::Kind::Path, "/dev/disk/by-id/virtio-1"}, true},
      {{DeviceName::Kind::Path, "/dev/disk/by-partuuid/1"}, true},
      {{DeviceName::Kind::Wwid, "eui.1"}, true},
      {{DeviceName::Kind::Image, "/srv/data.img"}, true}};
  for (const auto& [name, stays] : names) {
    for (const char* wwid : {"", "naa.5"}) {
      step.device = name;
      device.wwid = wwid;
      remember(false);
      stamp->device = name.text();
      content.data_offset = 65536;
      if (stays || !device.wwid.empty()) {
        expect(FormatDecision::FormatAgain);
      } else {
        refused_for_good("DeviceNotBlank");
      }
      content.data_offset.reset();
      expect(FormatDecision::Format);
    }
  }
}

TEST_F(Guard, what_was_cut_off_is_still_not_formatted_without_permission) {
  remember(false);
  content.data_offset = 65536;
  step.policy = FormatPolicy::Never;
  refused_for_good("FormatForbidden");
  step.policy = FormatPolicy::IfBlank;
  step.read_only = true;
  refused_for_good("UnformattedReadOnly");
  step.read_only = false;
  step.type = "vfat";
  refused_for_good("UnsupportedFileSystem");
}

/// Calls `with` for each combination of what can be so.
template <class... Choices>
void for_each_combination(const std::function<void()>& with, const Choices&... choices) {
  const std::vector<std::vector<std::function<void()>>> all{choices...};
  std::function<void(std::size_t)> choose = [&](std::size_t at) {
    if (at == all.size()) return with();
    for (const auto& one : all[at]) {
      one();
      choose(at + 1);
    }
  };
  choose(0);
}

using Choice = std::vector<std::function<void()>>;

TEST_F(Guard, whatever_is_combined_only_proof_permits_to_format) {
  const Choice signatures{[&] { content.signature.reset(); },
                          [&] { put("ext4"); },
                          [&] { put("xfs"); },
                          [&] { put("crypto_LUKS", Signature::Usage::Crypto); },
                          [&] { put("LVM2_member", Signature::Usage::Raid); },
                          [&] {
                            put("ext4");
                            content.signature->has_bad_checksum = true;
                          }};
  const Choice tables{[&] { content.partition_table.clear(); }, [&] { content.partition_table = "gpt"; }};
  const Choice claims{[&] { content.is_ambivalent = false; }, [&] { content.is_ambivalent = true; }};
  const Choice reads{[&] { content.read_errno = 0; }, [&] { content.read_errno = EIO; }};
  const Choice data{[&] { content.data_offset.reset(); }, [&] { content.data_offset = 0; },
                    [&] { content.data_offset = 4096; }};
  const Choice looks{[&] { content.looked_at_bytes = 0; }, [&] { content.looked_at_bytes = size_bytes; }};
  const Choice sizes{[&] { device.size_bytes = size_bytes; }, [&] { device.size_bytes = 0; }};
  const Choice writability{[&] { device.is_read_only = false; }, [&] { device.is_read_only = true; }};
  const Choice wishes{[&] { step.read_only = false; }, [&] { step.read_only = true; }};
  const Choice policies{[&] { step.policy = FormatPolicy::IfBlank; },
                        [&] { step.policy = FormatPolicy::Never; }};
  const Choice names{[&] { step.device.value = by_id; }, [&] { step.device.value = "/dev/sdb"; }};
  const Choice wwids{[&] { device.wwid = "naa.5"; }, [&] { device.wwid.clear(); }};
  const Choice types{[&] { step.type = "ext4"; }, [&] { step.type = "vfat"; }};
  const Choice stamps{[&] { stamp.reset(); }, [&] { remember(true); }, [&] { remember(false); },
                      [&] {
                        remember(false);
                        stamp->size_bytes += 512;
                      },
                      [&] {
                        remember(false);
                        stamp->wwid = "other";
                      }};
  std::size_t formats = 0;
  std::size_t uses = 0;
  const auto check = [&] {
    const auto decided = decide();
    if (!decided) {
      ASSERT_FALSE(decided.error().reason.empty());
      return;
    }
    const bool is_readable = content.read_errno == 0 && !content.is_ambivalent &&
                             content.partition_table.empty() && device.size_bytes != 0;
    ASSERT_TRUE(is_readable);
    if (decided.value() == FormatDecision::Use || decided.value() == FormatDecision::CompleteStamp) {
      ++uses;
      ASSERT_TRUE(content.signature && content.signature->type == step.type &&
                  !content.signature->has_bad_checksum);
      ASSERT_EQ(decided.value() == FormatDecision::CompleteStamp, stamp && !stamp->is_complete);
      return;
    }
    ++formats;
    ASSERT_FALSE(content.signature);
    ASSERT_FALSE(device.is_read_only || step.read_only || step.policy == FormatPolicy::Never ||
                 step.type == "vfat");
    const bool is_same = stamp && stamp->size_bytes == device.size_bytes && stamp->wwid == device.wwid &&
                         stamp->device == step.device.text();
    ASSERT_TRUE(!stamp || (!stamp->is_complete && is_same));
    if (decided.value() == FormatDecision::Format) {
      ASSERT_TRUE(!content.data_offset && content.looked_at_bytes == size_bytes);
    } else {
      ASSERT_TRUE(stamp && content.data_offset && (!device.wwid.empty() || step.device.value == by_id));
    }
  };
  for_each_combination(check, data, signatures, tables, claims, reads, looks, sizes, writability, wishes,
                       policies, names, wwids, types, stamps);
  EXPECT_GT(formats, 10u);
  EXPECT_GT(uses, 100u);
}

}  // namespace
}  // namespace mooring
