#include "block_node.h"

namespace mooring::integration {

std::string BlockNode::stamp(const std::string& handle) const {
  return read_file(node_.root() + "/plugins/kubernetes.io/block/formatted/" + handle);
}

bool BlockNode::is_all_gone() const {
  return node_.is_empty() && names_in(node_.run_dir() + "/devices").empty() &&
         mounts_below(node_.root() + "/plugins").empty() && disks_.loops().empty();
}

void BlockNode::expect_gone(const std::string& pod) {
  node_.remove(pod + ".yaml");
  EXPECT_TRUE(node_.becomes_gone(pod)) << node_.ctl()({"explain", "pod/" + pod}).out;
}

void BlockNode::expect_all_gone() {
  EXPECT_TRUE(node_.eventually([&] { return is_all_gone(); })) << what_is_there();
}

std::string BlockNode::what_is_there() const {
  std::string text;
  for (const Loop& loop : disks_.loops())
    text += loop.node + " has " + loop.backing + "\n";
  for (const std::string& line : mount_lines(node_.root()))
    text += line + "\n";
  for (const std::string& name : names_in(node_.run_dir() + "/devices"))
    text += "record " + name + "\n";
  return text + node_.ctl()({"status"}).out;
}

}  // namespace mooring::integration
