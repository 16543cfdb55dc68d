#include "kernel/linux/superblock.h"

#include <blkid.h>

#include <cerrno>
#include <memory>

namespace mooring::kernel {
namespace {

constexpr int found = 0;
constexpr int nothing = 1;
constexpr int ambivalent = -2;

std::string value_of(blkid_probe probe, const char* name) {
  const char* text = nullptr;
  return blkid_probe_lookup_value(probe, name, &text, nullptr) == 0 && text != nullptr ? text : std::string();
}

Signature::Usage usage_of(const std::string& name) {
  if (name == "filesystem") return Signature::Usage::FileSystem;
  if (name == "raid") return Signature::Usage::Raid;
  return name == "crypto" ? Signature::Usage::Crypto : Signature::Usage::Other;
}

}  // namespace

Recognised recognise(int device, bool with_partitions) {
  Recognised out;
  errno = 0;
  const std::unique_ptr<blkid_struct_probe, void (*)(blkid_probe)> probe(blkid_new_probe(),
                                                                         &blkid_free_probe);
  if (probe == nullptr || blkid_probe_set_device(probe.get(), device, 0, 0) != 0) {
    out.read_errno = errno != 0 ? errno : ENOMEM;
    return out;
  }
  blkid_probe_enable_superblocks(probe.get(), 1);
  // A superblock that is damaged is one: without BADCSUM an LVM2 member with one wrong bit would be nothing.
  blkid_probe_set_superblocks_flags(probe.get(), BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE | BLKID_SUBLKS_UUID |
                                                     BLKID_SUBLKS_LABEL | BLKID_SUBLKS_MAGIC |
                                                     BLKID_SUBLKS_BADCSUM);
  blkid_probe_enable_partitions(probe.get(), with_partitions ? 1 : 0);
  errno = 0;
  // The safe one: a full probe ends at the first match, and knows no ambivalence.
  const int answer = blkid_do_safeprobe(probe.get());
  if (answer == nothing) return out;
  if (answer == ambivalent) {
    out.is_ambivalent = true;
    return out;
  }
  if (answer != found) {
    out.read_errno = errno != 0 ? errno : EIO;
    return out;
  }
  out.partition_table = value_of(probe.get(), "PTTYPE");
  const std::string type = value_of(probe.get(), "TYPE");
  if (type.empty()) return out;
  Signature signature;
  signature.type = type;
  signature.usage = usage_of(value_of(probe.get(), "USAGE"));
  signature.uuid = value_of(probe.get(), "UUID");
  signature.label = value_of(probe.get(), "LABEL");
  signature.has_bad_checksum = blkid_probe_has_value(probe.get(), "SBBADCSUM") != 0;
  out.signature = signature;
  return out;
}

}  // namespace mooring::kernel
