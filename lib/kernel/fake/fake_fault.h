#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace mooring::kernel {

/// What shall go wrong with a call.
struct Fault {
  enum class What {
    None,
    Errno,  ///< The call answers with an error: asked before, nothing was done; asked after, all was done.
    Crash,  ///< The process ends here: FakeCrash is thrown.
    Hang,   ///< The call never comes back: FakeHang is thrown.
  };
  What what = What::None;
  int errno_value = 0;

  static Fault none() { return {}; }
  static Fault error(int errno_value) { return {What::Errno, errno_value}; }
  static Fault crash() { return {What::Crash, 0}; }
  static Fault hang() { return {What::Hang, 0}; }
};

/// Asked before and after each call of a port. `call` is the method's name ("make_directory", "bind"...);
/// `path` its path or target, for a host path as given. Besides, "remove_tree.entry" is asked before
/// each single removal inside a remove_tree, and "format.half" after a format() has destroyed what was there
/// and before there is a file system, so that they can be stopped half way.
using FaultHook = std::function<Fault(std::string_view call, const std::string& path, bool before)>;

/// The only exceptions of the project: a simulated process ends by one in the middle of whatever it does, and
/// its simulator catches it where it started the process. Nothing else may catch them.
struct FakeCrash {};
struct FakeHang {};

}  // namespace mooring::kernel
