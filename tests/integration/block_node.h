#pragma once

#include <gtest/gtest.h>

#include <string>

#include "disks.h"
#include "node.h"

namespace mooring::integration {

/// A node with disks. A volume `data` of the driver block.mooring.io, on the image `data`, has a claim
/// `data`.
class BlockNode : public ::testing::Test {
 protected:
  explicit BlockNode(NodeOptions options = {}) : node_(std::move(options)) { node_.start(); }

  std::string image(const std::string& name = "data") const { return disks_.path(name); }
  /// Attributes of an image that is made with this size.
  std::string sized(const std::string& size = "64Mi", const std::string& name = "data") const {
    return "image: " + image(name) + ", size: " + size;
  }
  void write_storage(const std::string& name, const std::string& source, const Storage& storage = {}) const {
    node_.write(name + "-storage.yaml", storage_text(name, source, storage));
  }
  void write_block(const std::string& attributes, const std::string& type = "ext4",
                   const Storage& storage = {}) const {
    write_storage("data", block_source("data", attributes, type), storage);
  }
  /// A pod that has the claim at /v.
  void write_pod(const std::string& pod, const std::string& claim = "data", bool read_only = false) const {
    node_.write(pod + ".yaml", pod_text(pod, {{"v", claim_source(claim, read_only)}}));
  }
  void make_ready(const std::string& pod, const std::string& claim = "data") {
    write_pod(pod, claim);
    ASSERT_TRUE(node_.becomes_ready(pod)) << node_.ctl()({"explain", "pod/" + pod}).out;
  }
  std::string path_in(const std::string& pod, const std::string& file) const {
    return node_.ctl().path(pod, "v") + "/" + file;
  }
  /// Where a volume of block.mooring.io is mounted for the node.
  std::string staged(const std::string& handle = "data") const {
    return node_.root() + "/plugins/kubernetes.io/block/mounts/" + handle;
  }
  /// The stamp of its formatting; "(none)" if there is none.
  std::string stamp(const std::string& handle = "data") const;

  /// Nothing of any pod, no file system of a device, no record, and no loop device on an image of here.
  bool is_all_gone() const;
  void expect_gone(const std::string& pod);
  void expect_all_gone();
  std::string what_is_there() const;

  Disks disks_;
  Node node_;
};

}  // namespace mooring::integration
