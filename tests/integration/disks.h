#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mooring::integration {

constexpr std::uint64_t mebibyte = 1024 * 1024;

/// A loop device and the file, or the device, that it has.
struct Loop {
  std::string node;
  std::string backing;
};

/// A file system in memory for images. Loop devices are the whole machine's: all that stand on an image of
/// here are detached at the end, however the test ends. Make it before the node, so that it ends after it,
/// when nothing is mounted any more.
class Disks {
 public:
  Disks();
  ~Disks();
  Disks(const Disks&) = delete;
  Disks& operator=(const Disks&) = delete;

  std::string path(const std::string& name) const { return dir_ + "/" + name; }
  /// A sparse file.
  std::string make(const std::string& name, std::uint64_t size_bytes) const;
  /// One with a file system, made with these further words of mkfs.
  std::string make_formatted(const std::string& name, const std::string& type, std::uint64_t size_bytes,
                             const std::vector<std::string>& words = {}) const;
  /// Writes bytes into a file that is there.
  static void put(const std::string& path, std::uint64_t offset, std::string_view bytes);

  /// All loop devices on images of here, and those that stand on these.
  std::vector<Loop> loops() const;
  /// The nodes of those of one image, or of one device.
  std::vector<std::string> loops_of(const std::string& path) const;
  /// Attaches an image as another program would; the node.
  std::string attach(const std::string& image) const;
  /// Detaches a node, whoever attached it.
  void detach(const std::string& node) const;

 private:
  std::string dir_;
};

/// What tells one content of a file from any other.
std::string digest_of(const std::string& path);
/// What libblkid reads from an image or a device: "TYPE", "UUID"; empty if it has none.
std::string tag_of(const std::string& path, const std::string& tag);
/// What each making of an ext4 draws anew, also one with the same UUID; empty if there is none.
std::string hash_seed_of(const std::string& image);

/// What is said of a PersistentVolume besides its source.
struct Storage {
  std::string capacity = "64Mi";
  std::string mode = "Filesystem";
  std::string access = "ReadWriteOnce";
  std::string more = {};  ///< Further lines of the PersistentVolume's spec.
};
/// A PersistentVolume and the claim of the same name that has it. The source is written as in
/// "local: {path: /srv}".
std::string storage_text(const std::string& name, const std::string& source, const Storage& storage = {});
/// The source of a volume that `handle` names, of the driver block.mooring.io. The attributes are written as
/// in "image: /srv/data.img, size: 64Mi".
std::string block_source(const std::string& handle, const std::string& attributes,
                         const std::string& type = "ext4", bool read_only = false);
/// A pod's volume by a claim.
std::string claim_source(const std::string& name, bool read_only = false);
/// A pod with one container "c" that has the claim of the same name as the raw device /dev/NAME.
std::string raw_pod_text(const std::string& name, const std::string& claim);

/// The program is installed.
bool has_program(const std::string& program);
/// Online growth of an ext4 needs it, and root need not have it.
bool has_resource_capability();

}  // namespace mooring::integration
