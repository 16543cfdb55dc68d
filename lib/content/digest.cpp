#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid_io.hpp>

#include "content/content.h"

namespace mooring {

std::string content_digest(const Content& content, const std::set<std::string>& directories) {
  // Each part's hash is the name space of the next one's, so nothing is copied together.
  boost::uuids::uuid sum = boost::uuids::ns::oid();
  const auto add = [&sum](const std::string& bytes) {
    sum = boost::uuids::name_generator_sha1(sum)(bytes.data(), bytes.size());
  };
  for (const auto& [path, file] : content) {
    add(path);
    add(std::to_string(file.mode));
    add(file.bytes.expose_secret());
  }
  add("directories");
  for (const std::string& directory : directories)
    add(directory);
  return boost::uuids::to_string(sum);
}

}  // namespace mooring
