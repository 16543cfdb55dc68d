#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "kernel/fake/fake_disk.h"

namespace mooring::sim {

enum class StorageKind {
  Image,           ///< A file that is made and formatted.
  RawImage,        ///< Likewise made, and given to pods as a device.
  Disk,            ///< Blank, and may be formatted.
  RawDisk,         ///< Blank, and given to pods as a device.
  LocalDisk,       ///< Blank, of a `local` PersistentVolume.
  LocalDirectory,  ///< Of a `local` PersistentVolume.
  Data,            ///< Holds an ext4 with somebody's data; named by its UUID.
  // May be formatted if they are blank, which they are not:
  Luks,
  Partitions,
  Unreadable,
  Ambivalent,
  Unsigned,   ///< Data that nothing recognises.
  OtherType,  ///< An xfs where ext4 is asked for.
};

/// A volume that outlives pods: a PersistentVolume, the claim that it is bound to, and what there is of it on
/// the node.
struct Storage {
  std::string name;  ///< Of the PersistentVolume, of the claim, and of what is staged.
  StorageKind kind = StorageKind::Image;
  std::uint64_t number = 0;
  bool is_named_by_link = false;  ///< A disk's; else by its WWID.
  bool is_read_only = false;
  bool may_be_formatted = true;
  std::uint64_t capacity_mebibytes = 64;

  bool is_written = true;  ///< Its manifest is there, and can be read.
  std::string node;        ///< Of a disk: its present name; empty: it is unplugged...
  std::string unplugged;   ///< ...and this was its name.
  std::shared_ptr<kernel::fake::Disk> disk;
  std::map<std::string, std::string> files;  ///< What must be on it: content by name.
  std::uint32_t formats_seen = 0;            ///< Of what it is now.
  std::uint32_t formats_total = 0;           ///< That ended, ever...
  std::uint32_t formats_forgiven = 0;        ///< ...and that Mooring does not know of, of what was erased.
  bool is_half_formatted = false;            ///< What is on it is Mooring's own unfinished work.
  bool is_dead = false;             ///< It was unplugged while it was used, and somebody still has that.
  bool is_stage_disturbed = false;  ///< Somebody unmounted it where it is staged.
  std::set<std::string> open{};     ///< What others have open of it: nodes, and paths of mounts.
  bool is_held = false;             ///< Somebody has it exclusively.
  std::string mounted_elsewhere;    ///< Where somebody mounted it.

  bool is_image() const { return kind == StorageKind::Image || kind == StorageKind::RawImage; }
  bool is_raw() const { return kind == StorageKind::RawImage || kind == StorageKind::RawDisk; }
  bool is_directory() const { return kind == StorageKind::LocalDirectory; }
  bool is_device() const { return !is_directory() && !is_image(); }
  bool is_local() const { return is_directory() || kind == StorageKind::LocalDisk; }
  /// It can be had from the first moment.
  bool is_good() const { return kind < StorageKind::Luks; }
  bool is_staged() const { return !is_raw() && !is_directory(); }

  std::string image() const { return "/srv/images/" + name + ".img"; }
  std::string directory() const { return "/srv/local/" + name; }
  std::string link() const { return "/dev/disk/by-id/wwn-" + std::to_string(number); }
  std::string wwid() const { return "naa." + std::to_string(number); }
  std::string uuid() const { return "0000-" + std::to_string(number); }
  const char* plugin() const { return is_local() ? "kubernetes.io/local-volume" : "kubernetes.io/block"; }
};

/// What a volume of a simulated pod is. It is called what it is, so that a pod that comes after another one
/// of its name never asks for something else under the same name.
struct PodVolume {
  enum class Kind { Claim, Nfs, Disk, Memory, Secret };
  std::string name;
  Kind kind = Kind::Claim;
  std::uint64_t server = 0;  ///< Of Nfs.
  std::string storage{};     ///< Of Claim: its name.

  /// What its directory is called.
  const std::string& directory() const { return kind == Kind::Claim ? storage : name; }
};

struct StoragePod {
  std::string name;
  std::string unmount_policy;
  std::vector<PodVolume> volumes;
};

/// A few volumes of all kinds, good ones most of all.
std::vector<Storage> random_storages(Random& random);
/// One to three volumes, some shared with other pods.
StoragePod random_storage_pod(const std::string& name, const std::vector<Storage>& storages, Random& random);

std::string server_source(std::uint64_t server);
constexpr std::uint64_t server_count = 2;
/// What no record and no log may hold.
constexpr const char* secret_value = "hunter2-of-the-simulation";

// As a person would write them.

std::string manifest_of(const Storage& storage);
std::string manifest_of(const StoragePod& pod, const std::vector<Storage>& storages);
std::string manifest_of_secret();

}  // namespace mooring::sim
