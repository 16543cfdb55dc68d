#include <cerrno>

#include "kernel/errors.h"
#include "kernel/fake/fake_files.h"

namespace mooring::kernel::fake {
namespace {

class Remover {
 public:
  Remover(FakeNode& node, const Location& top) : node_(node), top_(top) {}

  Result<void> empty(const Location& directory, const std::string& path, int depth) {
    std::vector<std::string> names;
    for (const auto& [name, inode] : directory.inode->children)
      names.push_back(name);
    for (const std::string& name : names) {
      const std::string below = path + "/" + name;
      const int fault = node_.ask("remove_tree.entry", below, true);
      if (fault != 0) return file_error("cannot remove", below, fault);
      const int error = node_.remove(directory, name, false);
      if (error == 0 || error == ENOENT) continue;
      if (error == EBUSY) return mounted_below(below, EBUSY);
      if (error != EISDIR) return file_error("cannot remove", below, error);
      MOORING_TRY(remove_subdirectory(directory, name, below, depth));
    }
    return success();
  }

  bool take_hoisted() { return std::exchange(has_hoisted_, false); }

 private:
  static constexpr int depth_max = 64;

  Result<void> remove_subdirectory(const Location& parent, const std::string& name, const std::string& path,
                                   int depth) {
    int error = node_.remove(parent, name, true);
    if (error == 0 || error == ENOENT) return success();
    if (error == EBUSY) return mounted_below(path, EBUSY);
    if (error != ENOTEMPTY) return file_error("cannot remove the directory", path, error);
    if (depth >= depth_max) return hoist(parent, name, path);
    const Walk walked = walk_beneath(node_, parent, name, true);
    if (walked.error == EXDEV) return mounted_below(path, EXDEV);
    if (walked.error != 0) return file_error("cannot open the directory", path, walked.error);
    MOORING_TRY(empty(walked.found, path, depth + 1));
    error = node_.remove(parent, name, true);
    if (error == 0 || error == ENOENT) return success();
    if (error == EBUSY) return mounted_below(path, EBUSY);
    return file_error("cannot remove the directory", path, error);
  }

  Result<void> hoist(const Location& parent, const std::string& name, const std::string& path) {
    while (true) {
      const std::string aside = ".deep." + std::to_string(++hoisted_);
      const int error = node_.move(parent, name, top_, aside);
      if (error == 0) {
        has_hoisted_ = true;
        return success();
      }
      if (error == EBUSY) return mounted_below(path, EBUSY);
      if (error != EEXIST) return file_error("cannot rename", path, error);
    }
  }

  FakeNode& node_;
  const Location& top_;
  std::uint64_t hoisted_ = 0;
  bool has_hoisted_ = false;
};

}  // namespace

Result<void> empty_directory(FakeNode& node, const Location& top, const std::string& path) {
  Remover remover(node, top);
  do {
    MOORING_TRY(remover.empty(top, path, 0));
  } while (remover.take_hoisted());
  return success();
}

}  // namespace mooring::kernel::fake
