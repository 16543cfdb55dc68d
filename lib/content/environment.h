#pragma once

#include <set>
#include <string>
#include <string_view>

#include "base/result.h"
#include "content/content.h"

namespace mooring {

/// The path inside a volume that a subPathExpr means for a container (kubelet-behaviours 11.1), clean, as
/// clean_sub_path() gives it. "$(NAME)" is the value of a variable of the container's environment, "$$" is
/// "$", and a "$(" that is never closed stands for itself.
///
/// The environment is Kubernetes': envFrom first, then env; a later definition wins; a value may refer to
/// variables before it. Only variables that the expression uses, directly or through others, are looked at:
/// what is wrong with the rest is not this path's business.
///
/// What a Secret gives is refused, because paths are in logs, records and mount tables. Final errors:
/// "InvalidSubPath", "SecretInPath", "ConfigMapNotFound", "SecretNotFound", "KeyNotFound",
/// "InvalidReference". None holds the value of a Secret. The caller says which mount it is about.
Result<std::string> expand_sub_path(std::string_view expression, const manifest::Container& container,
                                    const ContentRequest& request);

/// The objects, there or not, that may decide what expand_sub_path() answers.
std::set<ObjectReference> objects_of_environment(std::string_view expression,
                                                 const manifest::Container& container,
                                                 const Namespace& name_space);

/// A subPath without empty and "." elements; "" is the whole volume. "InvalidSubPath" if it is absolute, has
/// a ".." element, an element of more than 255 bytes or more than 4096 bytes in all, or holds control
/// characters or bytes that are not UTF-8.
Result<std::string> clean_sub_path(std::string_view path);

}  // namespace mooring
