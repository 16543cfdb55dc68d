#include "base/error.h"

#include <cstring>

#include "base/quote.h"

namespace mooring {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::Transient:
      return "transient";
    case ErrorKind::Final:
      return "final";
    case ErrorKind::Uncertain:
      return "uncertain";
  }
  return "final";
}

std::string Error::text() const {
  std::string out;
  for (auto it = context.rbegin(); it != context.rend(); ++it) {
    out += *it;
    out += ": ";
  }
  if (!step.empty()) {
    out += step;
    out += ": ";
  }
  out += message;
  if (!path.empty() && message.find(path) == std::string::npos) {
    out += " (";
    out += quoted(path);
    out += ')';
  }
  if (!remedy.empty()) {
    out += "; ";
    out += remedy;
  }
  return out;
}

Error Error::within(std::string what) && {
  context.push_back(std::move(what));
  return std::move(*this);
}

std::string errno_text(int errno_value) {
  const char* name = strerrorname_np(errno_value);
  const char* description = strerrordesc_np(errno_value);
  if (name == nullptr || description == nullptr) return "errno " + std::to_string(errno_value);
  return std::string(name) + ": " + description;
}

Error system_error(ErrorKind kind, std::string reason, std::string_view what, std::string path,
                   int errno_value) {
  Error error;
  error.kind = kind;
  error.reason = std::move(reason);
  error.message = std::string(what) + ": " + errno_text(errno_value);
  error.path = std::move(path);
  error.errno_value = errno_value;
  return error;
}

Error refusal(std::string reason, std::string message, std::string remedy) {
  Error error;
  error.kind = ErrorKind::Final;
  error.reason = std::move(reason);
  error.message = std::move(message);
  error.remedy = std::move(remedy);
  return error;
}

}  // namespace mooring
