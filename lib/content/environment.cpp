#include "content/environment.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/quote.h"
#include "content/downward_api.h"

namespace mooring {
namespace {

using manifest::EnvironmentSource;
using manifest::EnvironmentVariable;
using Names = std::set<std::string_view>;

/// A value that is used is a part of the path, so one that is longer than any path need not be made. Without
/// this a few variables, each twice the one before, would fill the memory.
constexpr std::size_t value_bytes_max = 4096;

Error about(const std::string& variable, Error error) {
  error.message = "variable " + quoted(variable) + ": " + error.message;
  return error;
}

Error secret_refusal(const std::string& variable, const std::string& secret) {
  return refusal("SecretInPath",
                 "variable " + quoted(variable) + " comes from secret " + quoted(secret) +
                     " and cannot be a part of a path: paths are shown",
                 "take the part of the path from a ConfigMap, a label or a plain value");
}

/// Calls text() for what stands for itself and variable() for the name in each "$(NAME)", from left to right.
template <class Text, class Variable>
void walk(std::string_view expression, Text text, Variable variable) {
  bool may_close = true;  // Once no ")" follows, none does later: looking again each time would cost squares.
  while (!expression.empty()) {
    const std::size_t dollar = expression.find('$');
    text(expression.substr(0, dollar));
    if (dollar == std::string_view::npos) return;
    expression.remove_prefix(dollar);
    std::size_t taken = std::min<std::size_t>(2, expression.size());
    if (expression.starts_with("$$")) {
      text(expression.substr(0, 1));
    } else if (!expression.starts_with("$(") || !may_close) {
      text(expression.substr(0, taken));
    } else if (const std::size_t close = expression.find(')'); close == std::string_view::npos) {
      may_close = false;
      text(expression.substr(0, taken));
    } else {
      variable(expression.substr(2, close - 2));
      taken = close + 1;
    }
    expression.remove_prefix(taken);
  }
}

void add_references(std::string_view expression, Names& names) {
  walk(
      expression, [](std::string_view) {}, [&](std::string_view name) { names.insert(name); });
}

/// What an expression needs of an environment.
struct Needs {
  std::vector<const EnvironmentVariable*> variables;  ///< Of env, in its order.
  Names from_objects;                                 ///< What env does not define for certain.
};

/// Goes through env from its end, because a value sees only what is before it. `may_lack`: true for a
/// variable whose definition may not count.
template <class MayLack>
Needs needs_of(std::string_view expression, const manifest::Container& container, MayLack may_lack) {
  Needs needs;
  Names& open = needs.from_objects;
  add_references(expression, open);
  const auto& environment = container.environment;
  for (auto variable = environment.rbegin(); variable != environment.rend(); ++variable) {
    if (!open.contains(variable->name)) continue;
    needs.variables.push_back(&*variable);
    if (!may_lack(*variable)) open.erase(variable->name);
    add_references(variable->value, open);
  }
  std::reverse(needs.variables.begin(), needs.variables.end());
  return needs;
}

/// The key of an envFrom object that would be the variable `name`. Kubernetes skips keys that are no name of
/// a variable as shells know it: letters, digits, '-', '_', '.', not starting with a digit or "..".
std::optional<std::string> key_for(const EnvironmentSource& source, std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
  };
  const auto is_fit = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  if (name.empty() || !is_letter(name.front()) || !std::all_of(name.begin(), name.end(), is_fit))
    return std::nullopt;
  if (name == "." || name.starts_with("..") || !name.starts_with(source.prefix)) return std::nullopt;
  return std::string(name.substr(source.prefix.size()));
}

/// The object that a variable's value comes from, and whether it may be missing.
struct Origin {
  ObjectReference object;
  bool optional = false;
};

std::optional<Origin> origin_of(const EnvironmentVariable& variable, const Namespace& name_space) {
  if (const auto* map = std::get_if<manifest::ConfigMapKeyReference>(&variable.source))
    return Origin{{ObjectReference::Kind::ConfigMap, {name_space, ObjectName(map->name)}}, map->optional};
  if (const auto* secret = std::get_if<manifest::SecretKeyReference>(&variable.source))
    return Origin{{ObjectReference::Kind::Secret, {name_space, ObjectName(secret->name)}}, secret->optional};
  return std::nullopt;
}

Origin origin_of(const EnvironmentSource& source, const Namespace& name_space) {
  const bool is_secret = source.kind == EnvironmentSource::Kind::Secret;
  return {{is_secret ? ObjectReference::Kind::Secret : ObjectReference::Kind::ConfigMap,
           {name_space, ObjectName(source.name)}},
          source.optional};
}

/// The values of the variables that an expression needs.
class Environment {
 public:
  Environment(const manifest::Container& container, const ContentRequest& request)
      : container_(container), request_(request) {}

  Result<std::string> expand(std::string_view expression);

 private:
  using Values = std::map<std::string_view, std::string>;

  const Namespace& name_space() const { return request_.pod.key.name_space; }
  bool is_missing(const EnvironmentVariable& variable) const;
  Result<void> add_from_objects(std::string_view name);
  Result<void> add(const EnvironmentVariable& variable);
  Result<std::string> value_of(const EnvironmentVariable& variable) const;
  Result<std::string> expanded(std::string_view text) const;
  Result<std::string> field(const std::string& path) const;
  Result<std::string> map_value(const manifest::ConfigMapKeyReference& reference) const;

  const manifest::Container& container_;
  const ContentRequest& request_;
  Values values_;
};

/// An optional one whose object or key is not there defines nothing, not even an empty value.
bool Environment::is_missing(const EnvironmentVariable& variable) const {
  if (const auto* reference = std::get_if<manifest::ConfigMapKeyReference>(&variable.source)) {
    const auto map = request_.objects.find_config_map({name_space(), ObjectName(reference->name)});
    return reference->optional && (!map || !map->data.contains(reference->key));
  }
  if (const auto* reference = std::get_if<manifest::SecretKeyReference>(&variable.source)) {
    const auto secret = request_.objects.find_secret({name_space(), ObjectName(reference->name)});
    return reference->optional && (!secret || !secret->data.contains(reference->key));
  }
  return false;
}

Result<void> Environment::add_from_objects(std::string_view name) {
  const auto& sources = container_.environment_from;
  for (auto source = sources.rbegin(); source != sources.rend(); ++source) {
    const auto key = key_for(*source, name);
    if (!key) continue;
    const Origin origin = origin_of(*source, name_space());
    const std::string object = origin.object.key.text();
    const bool is_secret = origin.object.kind == ObjectReference::Kind::Secret;
    const auto map = is_secret ? nullptr : request_.objects.find_config_map(origin.object.key);
    const auto secret = is_secret ? request_.objects.find_secret(origin.object.key) : nullptr;
    if (!map && !secret) {
      if (source->optional) continue;
      return about(std::string(name), refusal(is_secret ? "SecretNotFound" : "ConfigMapNotFound",
                                              (is_secret ? "secret " : "configmap ") + quoted(object) +
                                                  " of envFrom, which may define it, is not found",
                                              "put a manifest of it beside the pod's"));
    }
    if (secret && secret->data.contains(*key)) return secret_refusal(std::string(name), object);
    if (!map) continue;
    const auto found = map->data.find(*key);
    if (found == map->data.end()) continue;
    values_[name] = found->second;
    return success();
  }
  return success();
}

Result<std::string> Environment::field(const std::string& path) const {
  if (path == "spec.nodeName") return request_.node.str();
  if (path == "spec.serviceAccountName") {
    const std::string& account = request_.pod.service_account;
    return account.empty() ? "default" : account;
  }
  if (path.starts_with("status.")) {
    return refusal("InvalidSubPath",
                   path + " is not known here: it is for the container runtime to give addresses",
                   "use a field of metadata, spec.nodeName or a plain value in subPathExpr");
  }
  return field_text(request_.pod, path);
}

Result<std::string> Environment::map_value(const manifest::ConfigMapKeyReference& reference) const {
  const ObjectKey key{name_space(), ObjectName(reference.name)};
  const auto map = request_.objects.find_config_map(key);
  if (!map) {
    return refusal("ConfigMapNotFound", "configmap " + quoted(key.text()) + " not found",
                   "put a manifest of it beside the pod's");
  }
  const auto found = map->data.find(reference.key);
  if (found != map->data.end()) return found->second;
  return refusal("KeyNotFound",
                 "couldn't find key " + quoted(reference.key) + " in configmap " + quoted(key.text()),
                 "add the key, or set optional: true");
}

/// As Kubernetes does it in a value: a reference to what is not defined yet stays as it is written.
Result<std::string> Environment::expanded(std::string_view text) const {
  std::string out;
  const auto append = [&](std::string_view part) {
    if (out.size() <= value_bytes_max) out += part;
  };
  walk(text, append, [&](std::string_view name) {
    const auto found = values_.find(name);
    if (found != values_.end()) return append(found->second);
    append("$(");
    append(name);
    append(")");
  });
  return out;
}

Result<std::string> Environment::value_of(const EnvironmentVariable& variable) const {
  if (const auto* reference = std::get_if<manifest::FieldReference>(&variable.source))
    return field(reference->field_path);
  if (const auto* reference = std::get_if<manifest::ConfigMapKeyReference>(&variable.source))
    return map_value(*reference);
  if (const auto* reference = std::get_if<manifest::ResourceReference>(&variable.source)) {
    manifest::ResourceReference resource = *reference;
    if (resource.container_name.empty()) resource.container_name = container_.name.str();
    return resource_text(request_, resource);
  }
  if (const auto* other = std::get_if<manifest::OtherSource>(&variable.source))
    return refusal("InvalidSubPath", other->kind + " cannot be read for subPathExpr");
  return expanded(variable.value);
}

Result<void> Environment::add(const EnvironmentVariable& variable) {
  if (is_missing(variable)) return success();
  if (const auto* secret = std::get_if<manifest::SecretKeyReference>(&variable.source)) {
    return secret_refusal(variable.name, ObjectKey{name_space(), ObjectName(secret->name)}.text());
  }
  Result<std::string> value = value_of(variable);
  if (!value) return about(variable.name, std::move(value.error()));
  if (value.value().size() > value_bytes_max) {
    return refusal("InvalidSubPath",
                   "variable " + quoted(variable.name) + " has more bytes than a path may have");
  }
  values_[variable.name] = std::move(value.value());
  return success();
}

Result<std::string> Environment::expand(std::string_view expression) {
  const Needs needs =
      needs_of(expression, container_, [this](const auto& variable) { return is_missing(variable); });
  for (const std::string_view name : needs.from_objects) {
    MOORING_TRY(add_from_objects(name));
  }
  for (const EnvironmentVariable* variable : needs.variables) {
    MOORING_TRY(add(*variable));
  }
  Names used;
  add_references(expression, used);
  std::string missing;
  for (const std::string_view name : used) {
    const auto found = values_.find(name);
    if (found == values_.end() || found->second.empty())
      missing += (missing.empty() ? "" : ", ") + quoted(name);
  }
  if (!missing.empty()) {
    return refusal("InvalidSubPath", "missing value for " + missing,
                   "define it in env, with a value that is not empty");
  }
  MOORING_TRY(const std::string path, expanded(expression));
  return clean_sub_path(path);
}

}  // namespace

Result<std::string> expand_sub_path(std::string_view expression, const manifest::Container& container,
                                    const ContentRequest& request) {
  return Environment(container, request).expand(expression);
}

std::set<ObjectReference> objects_of_environment(std::string_view expression,
                                                 const manifest::Container& container,
                                                 const Namespace& name_space) {
  const auto is_optional = [&](const EnvironmentVariable& variable) {
    const auto origin = origin_of(variable, name_space);
    return origin && origin->optional;
  };
  const Needs needs = needs_of(expression, container, is_optional);
  std::set<ObjectReference> objects;
  for (const EnvironmentVariable* variable : needs.variables) {
    if (auto origin = origin_of(*variable, name_space)) objects.insert(std::move(origin->object));
  }
  for (const EnvironmentSource& source : container.environment_from) {
    const auto& names = needs.from_objects;
    const bool may_define = std::any_of(
        names.begin(), names.end(), [&](std::string_view name) { return key_for(source, name).has_value(); });
    if (may_define) objects.insert(origin_of(source, name_space).object);
  }
  return objects;
}

}  // namespace mooring
