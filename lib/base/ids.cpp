#include "base/ids.h"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace mooring {

PodUid derived_pod_uid(const Namespace& name_space, const ObjectName& name) {
  static const boost::uuids::uuid mooring_namespace =
      boost::uuids::string_generator()("8f2cb4a6-5e0e-4d6c-9a3d-6d6f6f72696e");
  boost::uuids::name_generator_sha1 generate(mooring_namespace);
  return PodUid(boost::uuids::to_string(generate(name_space.str() + "/" + name.str())));
}

}  // namespace mooring
