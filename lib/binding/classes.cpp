#include "binding/classes.h"

#include "binding/binder.h"

namespace mooring {
namespace {

using manifest::StorageClass;

std::shared_ptr<const StorageClass> built_in() {
  // It is nobody's to destroy.
  return {std::shared_ptr<const StorageClass>(), &built_in_class()};
}

std::shared_ptr<const StorageClass> class_of_name(const ObjectStore& objects, const std::string& name) {
  auto found = objects.find_storage_class(ObjectName(name));
  if (found == nullptr && name == built_in_class().name.str()) return built_in();
  return found;
}

}  // namespace

std::shared_ptr<const StorageClass> find_default_class(const ObjectStore& objects) {
  for (const ObjectName& name : objects.storage_classes()) {
    auto found = objects.find_storage_class(name);
    if (found != nullptr && found->is_default) return found;
  }
  return nullptr;
}

ClaimClass ClaimClasses::of(const manifest::PersistentVolumeClaim& claim) const {
  ClaimClass result;
  if (claim.storage_class) {
    result.name = *claim.storage_class;
    if (!result.name.empty()) result.storage_class = class_of_name(objects_, result.name);
  } else if (default_ != nullptr) {
    result.name = default_->name.str();
    result.storage_class = default_;
  } else {
    result.storage_class = class_of_name(objects_, built_in_class().name.str());
    result.is_built_in = true;
  }
  return result;
}

std::shared_ptr<const StorageClass> find_class(const ObjectStore& objects, const std::string& name) {
  if (!name.empty()) return class_of_name(objects, name);
  if (auto found = find_default_class(objects)) return found;
  return class_of_name(objects, built_in_class().name.str());
}

}  // namespace mooring
