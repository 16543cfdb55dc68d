#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/linux/descriptor.h"

namespace mooring {

/// The manifest directories on disk: listing, reading, and inotify watches on every directory of them. Plain
/// system calls, no event loop.
class ManifestTree {
 public:
  struct Listing {
    std::vector<std::string> files;               ///< Absolute, sorted: every *.yaml, *.yml and *.json.
    std::map<std::string, std::string> failures;  ///< Directories that could not be listed whole, and why.
  };
  /// What a file's content depends on: as long as it is the same, it was not written.
  struct Signature {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const Signature&, const Signature&) = default;
  };
  struct Change {
    enum class Kind {
      File,  ///< Read it.
      New,   ///< A regular file got this name: it is being written, and will tell when it is closed, or it is
             ///< whole already.
      Tree,  ///< List everything again.
    };
    Kind kind = Kind::Tree;
    std::string path;  ///< Of File and New.
  };

  static Result<ManifestTree> open(std::vector<std::string> directories);

  int inotify() const { return inotify_.get(); }
  /// Lists all directories, watching each before it is read, so that nothing is missed in between.
  Listing list();
  /// Takes what inotify has to tell. Never waits.
  std::vector<Change> take_changes();

  enum class Presence { There, Absent, Unknown };
  /// Whether there is anything of this name (a link counts).
  static Presence presence(const std::string& file);
  /// nullopt if it cannot be told.
  static bool read_signature(const std::string& file, Signature& out);
  /// The content of a regular file of at most `size_max` bytes (larger: "TooLarge").
  static Result<std::string> read(const std::string& file, std::size_t size_max);
  static bool is_manifest_name(std::string_view name);

 private:
  ManifestTree(std::vector<std::string> directories, kernel::Descriptor inotify)
      : directories_(std::move(directories)), inotify_(std::move(inotify)) {}
  void list_directory(const std::string& directory, int depth, Listing& listing);
  void watch_ancestor(const std::string& directory);
  void watch_links(const std::string& directory);
  void watch(const std::string& directory, std::uint32_t mask);

  std::vector<std::string> directories_;
  kernel::Descriptor inotify_;
  std::map<int, std::string> watched_;                      ///< By watch descriptor.
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen_;  ///< Directories of the listing in progress.
};

}  // namespace mooring
