#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "kernel/linux/descriptor.h"

struct inotify_event;

namespace mooring {

/// The manifest directories on disk: listing, reading, and inotify watches on every directory of them and on
/// the way to what links lead to. Plain system calls, no event loop.
///
/// A directory that was unmounted, covered by a mount or exchanged, and in whose place is now one without any
/// manifest, is not an empty one: nobody removed what it held. It fails until it holds a manifest or is again
/// what it was. Who removes the manifests, or the directory, means it.
class ManifestTree {
 public:
  struct Listing {
    std::vector<std::string> files;               ///< Absolute, sorted: every *.yaml, *.yml and *.json.
    std::map<std::string, std::string> failures;  ///< Directories that could not be listed whole, and why.
    std::string watch_problem;  ///< What cannot be watched, why, and what to do; empty: all is.
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
    friend bool operator==(const Change&, const Change&) = default;
  };

  static Result<ManifestTree> open(std::vector<std::string> directories);

  int inotify() const { return inotify_.get(); }
  /// Lists all directories, watching each before it is read, so that nothing is missed in between.
  Listing list();
  /// Takes what inotify has to tell. Never waits.
  std::vector<Change> take_changes();
  /// The file was looked for and is gone: its directory does not hold it any more.
  void forget(const std::string& file) { files_.erase(file); }
  /// True if the directory is the one that was listed: not removed, unmounted, covered or exchanged since.
  /// Only what is absent from such a one was removed from it.
  bool is_as_listed(const std::string& directory) const;
  /// True if a directory is another one than at the last listing, as after a mount, which inotify does not
  /// tell.
  bool is_exchanged() const;

  enum class Presence { There, Absent, Unknown };
  /// Whether there is anything of this name (a link counts).
  static Presence presence(const std::string& file);
  /// False if it cannot be told.
  static bool read_signature(const std::string& file, Signature& out);
  /// The content of a regular file of at most `size_max` bytes (larger: "TooLarge").
  static Result<std::string> read(const std::string& file, std::size_t size_max);
  static bool is_manifest_name(std::string_view name);

 private:
  /// Which directory it is, and through which mount it is seen; all 0: none.
  struct Identity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t mount = 0;
    friend bool operator==(const Identity&, const Identity&) = default;
  };
  struct Directory {
    Identity counts;  ///< The one that held what `files_` says.
    Identity seen;    ///< The one of the last listing: another one if that failed.
  };
  struct Watch {
    bool is_used = false;   ///< By the last listing, or since.
    std::string directory;  ///< Of the tree, by which it is watched; empty: it is on the way to something.
    std::set<std::string> steps;                             ///< Names that lead to a directory of the tree.
    std::map<std::string, std::set<std::string>> manifests;  ///< Names that lead to manifests, and to which.
  };
  struct Entry {
    bool is_link = false;
    std::string name;
    bool is_directory = false;
  };

  ManifestTree(std::vector<std::string> directories, kernel::Descriptor inotify)
      : directories_(std::move(directories)), inotify_(std::move(inotify)) {}
  static Identity identify(int at, const std::string& path);
  void list_directory(const std::string& directory, int depth, Listing& listing);
  void take_entry(const std::string& directory, const char* name, unsigned char type, std::vector<Entry>& out,
                  Listing& listing);
  bool came_with_parent(const std::string& directory) const;
  void settle(Listing& listing);
  Watch* watch(const std::string& path, const std::string& name, std::uint32_t mask);
  void watch_way(std::string from, const std::string& path, const std::string& manifest, bool is_end_told);
  void drop_unused_watches();
  bool take_event(const inotify_event& event, const std::string& name, std::vector<Change>& changes);

  std::vector<std::string> directories_;
  kernel::Descriptor inotify_;
  std::map<int, Watch> watched_;             ///< By watch descriptor.
  std::map<std::string, Directory> listed_;  ///< Directories of the tree, by path.
  std::set<std::string> hidden_;  ///< Of them, what has another one without a manifest in its place.
  std::set<std::string> files_;   ///< What they held, by what is known.
  /// Directories of the listing in progress, by device and inode, with the name that each is listed by.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> seen_;
  std::map<std::string, Identity> found_;  ///< The same by path, with every name that one has.
  std::string watch_problem_;
};

}  // namespace mooring
