#include "claims_node.h"

#include <filesystem>

namespace mooring::integration {
namespace {

std::string field_of(const Json& object, const char* field) {
  return object.is_object() ? object.value(field, "") : "";
}

std::string with_comma(const std::string& text) {
  return text.empty() ? "" : ", " + text;
}

}  // namespace

std::string claim_text(const std::string& name, const ClaimWish& wish) {
  return "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: " + name +
         "}, spec: {accessModes: [" + wish.access + "], resources: {requests: {storage: " + wish.size + "}}" +
         with_comma(wish.more) + "}}\n";
}

ClaimWish of_class(const std::string& name, const std::string& more) {
  ClaimWish wish;
  wish.more = "storageClassName: '" + name + "'" + with_comma(more);
  return wish;
}

std::string class_text(const std::string& name, const std::string& provisioner, const std::string& more) {
  return "{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: " + name +
         "}, provisioner: " + provisioner + with_comma(more) + "}\n";
}

std::string ClaimsNode::claim_field(const std::string& name, const char* field) const {
  return field_of(claim(name), field);
}

std::string ClaimsNode::volume_field(const std::string& name, const char* field) const {
  return field_of(volume(name), field);
}

bool ClaimsNode::gets_phase(const std::string& name, const std::string& phase) {
  return node_.eventually([&] { return claim_field(name, "phase") == phase; });
}

bool ClaimsNode::gets_reason(const std::string& name, const std::string& reason) {
  return node_.eventually([&] { return claim_field(name, "reason") == reason; });
}

bool ClaimsNode::volume_gets_phase(const std::string& name, const std::string& phase) {
  return node_.eventually([&] { return volume_field(name, "phase") == phase; });
}

void ClaimsNode::wait_for(const std::string& name, const std::string& condition) {
  const Ran ran = node_.ctl()({"wait", "pvc/" + name, "--for=" + condition, "--timeout", "20s"});
  ASSERT_EQ(ran.status, 0) << ran.err << explained("pvc/" + name);
}

void ClaimsNode::write_class(const std::string& name, const std::string& provisioner,
                             const std::string& parameters, const std::string& more) const {
  std::filesystem::create_directory(disks_.path(name));
  node_.write(name + ".yaml", class_text(name, provisioner,
                                         "parameters: {path: " + disks_.path(name) + with_comma(parameters) +
                                             "}" + with_comma(more)));
}

}  // namespace mooring::integration
