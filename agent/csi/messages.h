#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_bytes.h"

namespace google::protobuf {
class Descriptor;
}

namespace mooring::csi_call {

/// A method of the services that Mooring knows (agent/csi/proto).
struct Method {
  std::string name;  ///< "csi.v1.Node/NodeStageVolume".
  const google::protobuf::Descriptor* request = nullptr;
  const google::protobuf::Descriptor* response = nullptr;
};

/// The method of a name; nullopt: there is none.
std::optional<Method> find_method(std::string_view name);

/// All of them.
std::vector<Method> all_methods();

/// The message that a JSON text says, as it is sent; names of fields as in the .proto or in camelCase.
/// nullopt: the text is no such message, or has a field that the message does not have. Why is not told:
/// protobuf's own words quote the text, which may hold secrets.
std::optional<SecretBytes> to_wire(const google::protobuf::Descriptor& type, std::string_view json);

/// What was sent, as JSON: names as in the .proto, enumerations by their names, 64-bit numbers as strings (as
/// protobuf maps them), fields that are not there with their defaults, unless they are messages. Fields that
/// the message does not have are passed over. nullopt: the bytes are no such message.
std::optional<std::string> to_json(const google::protobuf::Descriptor& type, std::string_view wire);

/// The values of all fields that are marked as secret.
std::vector<SecretBytes> secrets_in(const google::protobuf::Descriptor& type, std::string_view wire);

}  // namespace mooring::csi_call
