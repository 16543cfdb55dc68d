#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernel/linux/group_queue.h"
#include "kernel/linux/group_setter.h"
#include "kernel/linux/group_tally.h"

namespace mooring::kernel {

/// What would meet each entry as it met one: EIO, EROFS and their like.
bool ends_the_walk(int errno_value);

/// One thread's part of a walk.
class GroupWorker {
 public:
  /// `checkpoint` is called after each entry, if it is given: one may take long.
  GroupWorker(const GroupSetter& setter, GroupTally& tally, GroupQueue& queue,
              const std::function<void()>& checkpoint);

  void run(const GroupTask& task);

 private:
  struct Entry {
    std::uint64_t inode;
    const char* name;    ///< In the buffer.
    unsigned char type;  ///< DT_DIR and its like.
  };
  void enter(const SharedDirectory& parent, const char* name);
  void read(const SharedDirectory& directory);
  bool fill(int directory, bool& is_at_end);
  void parse(std::size_t used_bytes);
  void set_files(const SharedDirectory& directory);
  bool set_file(int directory, const char* name);
  void settle(const GroupSetter::Answer& answer, int directory, const char* name);
  bool go_on();

  const GroupSetter& setter_;
  GroupTally& tally_;
  GroupCounts& counts_;
  GroupQueue& queue_;
  const std::function<void()>& checkpoint_;
  bool is_likely_right_ = true;  ///< As the file before was.
  std::vector<char> buffer_;
  std::vector<Entry> entries_;
};

}  // namespace mooring::kernel
