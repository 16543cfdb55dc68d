#include "csi_call/messages.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/unknown_field_set.h>
#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <array>
#include <memory>

#include "csi_call/descriptors.h"

namespace mooring::csi_call {
namespace {

namespace pb = google::protobuf;

constexpr std::array services{"csi.v1.Identity", "csi.v1.Controller", "csi.v1.Node",
                              "pluginregistration.Registration"};
constexpr int csi_secret_number =
    1059;  ///< The extension of FieldOptions, which nobody here was compiled with.

/// The descriptions of all messages, as protoc wrote them when this was built. Nothing is generated for each
/// message: they go through here as JSON and as bytes only.
class Descriptions {
 public:
  Descriptions() {
    pb::FileDescriptorSet files;
    files.ParseFromArray(descriptor_set, static_cast<int>(descriptor_set_size));
    for (const pb::FileDescriptorProto& file : files.file())
      pool_.BuildFile(file);
  }
  const pb::ServiceDescriptor* service(const std::string& name) const {
    return pool_.FindServiceByName(name);
  }
  std::unique_ptr<pb::Message> make(const pb::Descriptor& type) {
    return std::unique_ptr<pb::Message>(factory_.GetPrototype(&type)->New());
  }

 private:
  pb::DescriptorPool pool_;
  pb::DynamicMessageFactory factory_;
};

/// Never destroyed: the process may end while another thread is in it.
Descriptions& descriptions() {
  static Descriptions& all = *new Descriptions;
  return all;
}

std::unique_ptr<pb::Message> parse(const pb::Descriptor& type, std::string_view wire) {
  std::unique_ptr<pb::Message> message = descriptions().make(type);
  if (!message->ParseFromArray(wire.data(), static_cast<int>(wire.size()))) return nullptr;
  return message;
}

bool is_secret(const pb::FieldDescriptor& field) {
  const pb::UnknownFieldSet& options = field.options().unknown_fields();
  for (int i = 0; i < options.field_count(); ++i) {
    if (options.field(i).number() == csi_secret_number) return true;
  }
  return false;
}

Method method_of(const pb::MethodDescriptor& method) {
  return {method.service()->full_name() + "/" + method.name(), method.input_type(), method.output_type()};
}

}  // namespace

std::optional<Method> find_method(std::string_view name) {
  for (Method& method : all_methods()) {
    if (method.name == name) return std::move(method);
  }
  return std::nullopt;
}

std::vector<Method> all_methods() {
  std::vector<Method> methods;
  for (const char* name : services) {
    const pb::ServiceDescriptor* service = descriptions().service(name);
    for (int i = 0; service != nullptr && i < service->method_count(); ++i)
      methods.push_back(method_of(*service->method(i)));
  }
  return methods;
}

std::optional<SecretBytes> to_wire(const pb::Descriptor& type, std::string_view json) {
  const std::unique_ptr<pb::Message> message = descriptions().make(type);
  const pb::util::JsonParseOptions strict;
  if (!pb::util::JsonStringToMessage({json.data(), json.size()}, message.get(), strict).ok())
    return std::nullopt;
  std::string wire;
  if (!message->SerializeToString(&wire)) return std::nullopt;
  return SecretBytes(std::move(wire));
}

std::optional<std::string> to_json(const pb::Descriptor& type, std::string_view wire) {
  const std::unique_ptr<pb::Message> message = parse(type, wire);
  if (message == nullptr) return std::nullopt;
  pb::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  if (!pb::util::MessageToJsonString(*message, &json, options).ok()) return std::nullopt;
  return json;
}

namespace {

/// The tokens of the pod's service account (kubelet-behaviours 15.3), which may be in any map.
constexpr std::string_view tokens_key = "csi.storage.k8s.io/serviceAccount.tokens";
/// No word of that JSON is as long that is not a token, or might be a piece of one.
constexpr std::size_t token_bytes_min = 24;

/// A driver may repeat one token alone: each long word between quotation marks is a secret of its own.
void add_words(const SecretBytes& json, std::vector<SecretBytes>& secrets) {
  const std::string_view text = json.expose_secret();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('"', begin), text.size());
    if (end - begin >= token_bytes_min) secrets.emplace_back(std::string(text.substr(begin, end - begin)));
    begin = end + 1;
  }
}

}  // namespace

std::vector<SecretBytes> secrets_in(const pb::Descriptor& type, std::string_view wire) {
  std::vector<SecretBytes> secrets;
  const std::unique_ptr<pb::Message> message = parse(type, wire);
  if (message == nullptr) return secrets;
  const pb::Reflection& reflection = *message->GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const pb::FieldDescriptor& field = *type.field(i);
    if (!field.is_map()) continue;
    const pb::FieldDescriptor* key = field.message_type()->map_key();
    const pb::FieldDescriptor* value = field.message_type()->map_value();
    if (key->cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING ||
        value->cpp_type() != pb::FieldDescriptor::CPPTYPE_STRING)
      continue;
    for (int entry = 0; entry < reflection.FieldSize(*message, &field); ++entry) {
      const pb::Message& pair = reflection.GetRepeatedMessage(*message, &field, entry);
      const bool are_tokens = pair.GetReflection()->GetString(pair, key) == tokens_key;
      if (!are_tokens && !is_secret(field)) continue;
      SecretBytes bytes(pair.GetReflection()->GetString(pair, value));
      if (are_tokens) add_words(bytes, secrets);
      secrets.push_back(std::move(bytes));
    }
  }
  return secrets;
}

}  // namespace mooring::csi_call
