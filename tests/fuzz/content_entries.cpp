#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/quote.h"
#include "content/content.h"
#include "content/downward_api.h"
#include "content/environment.h"
#include "content/go_quote.h"
#include "entries.h"
#include "manifest/base64.h"
#include "manifest/parse.h"

// What configuration volumes and subPaths are made of. The checks are written anew here and share nothing
// with the code under test, or a mistake would agree with itself.

namespace mooring::fuzz {
namespace {

const NodeName node("node-1");
const std::map<std::string, Quantity> allocatable{{"cpu", Quantity::from_integer(4)},
                                                  {"memory", Quantity::from_integer(1 << 30)}};

bool is_one_line(std::string_view text) {
  return text.find('\n') == std::string_view::npos;
}

/// What is wrong with a path that is to be below a volume; "": nothing.
std::string flaw_of(const std::string& path) {
  if (path.empty() || path.size() > 4096) return "a path that is empty or too long";
  if (path.find('\0') != std::string::npos) return "a path with a NUL";
  std::size_t begin = 0;
  while (begin <= path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string element = path.substr(begin, end - begin);
    if (element.empty()) return "a path that is absolute or not clean: " + quoted(path);
    if (element == "." || element == "..") return "a path that leads elsewhere: " + quoted(path);
    if (element.size() > 255) return "a path with an element that is too long";
    begin = end + 1;
  }
  return "";
}

std::string flaw_of_content_path(const std::string& path) {
  if (path.starts_with("..")) return "a path that could be a version's or ..data: " + quoted(path);
  return flaw_of(path);
}

/// More than any file about the pod can hold, each byte quoted at its longest.
std::size_t fields_bytes_max(const manifest::Pod& pod) {
  std::size_t size = 4096;
  for (const auto* map : {&pod.labels, &pod.annotations}) {
    for (const auto& [key, value] : *map)
      size += key.size() + 10 * value.size() + 16;
  }
  return size;
}

std::string check_files(const manifest::Pod& pod, const manifest::VolumeSource& source,
                        const Content& content) {
  for (const auto& [path, file] : content) {
    if (std::string flaw = flaw_of_content_path(path); !flaw.empty()) return flaw;
    if (file.mode > 0777) return "a file with a mode that is more than permissions";
    if (std::holds_alternative<manifest::DownwardApiSource>(source) &&
        file.bytes.expose_secret().size() > fields_bytes_max(pod)) {
      return "a file is larger than what it tells of";
    }
  }
  const std::set<std::string> none;
  return content_digest(content, none) == content_digest(Content(content), none)
             ? ""
             : "the same content has another digest";
}

Result<Content> content_for(const manifest::VolumeSource& source, const ContentRequest& request) {
  return std::visit(
      [&](const auto& kind) -> Result<Content> {
        if constexpr (requires { content_of(kind, request); }) {
          return content_of(kind, request);
        } else {
          return Content();
        }
      },
      source);
}

/// The same file, but each value of a Secret is another.
manifest::ParsedFile with_other_secrets(manifest::ParsedFile file) {
  for (manifest::Object& object : file.objects) {
    const auto* secret = std::get_if<std::shared_ptr<const manifest::Secret>>(&object);
    if (secret == nullptr) continue;
    auto other = std::make_shared<manifest::Secret>(**secret);
    for (auto& [key, value] : other->data)
      value = SecretBytes("another value");
    object = std::shared_ptr<const manifest::Secret>(std::move(other));
  }
  return file;
}

/// A Secret's value may be in the bytes of files and nowhere else: what differs only in those must give the
/// same paths and the same errors.
std::string check_volume(const manifest::Pod& pod, const manifest::Volume& volume,
                         const ContentRequest& request, const ContentRequest& other_request) {
  for (const std::string& directory : nested_mount_points(pod, volume.name)) {
    if (std::string flaw = flaw_of_content_path(directory); !flaw.empty()) return flaw;
  }
  const Result<Content> content = content_for(volume.source, request);
  const Result<Content> other = content_for(volume.source, other_request);
  if (content.has_value() != other.has_value()) return "a secret's value decides whether content can be made";
  if (!content) {
    if (!is_one_line(content.error().text())) return "an error of several lines";
    return content.error().text() == other.error().text() ? "" : "a secret's value is in an error";
  }
  const auto has_same_path = [](const auto& a, const auto& b) { return a.first == b.first; };
  if (!std::equal(content.value().begin(), content.value().end(), other.value().begin(), other.value().end(),
                  has_same_path)) {
    return "a secret's value decides what files there are";
  }
  return check_files(pod, volume.source, content.value());
}

std::string check_mount(const std::string& expression, const manifest::Container& container,
                        const ContentRequest& request, const ContentRequest& other_request) {
  const Result<std::string> path = expand_sub_path(expression, container, request);
  const Result<std::string> other = expand_sub_path(expression, container, other_request);
  if (path.has_value() != other.has_value()) return "a secret's value decides whether a path can be made";
  if (path) {
    if (path.value() != other.value()) return "a secret's value is in a path";
    return path.value().empty() ? "" : flaw_of(path.value());
  }
  if (path.error().text() != other.error().text()) return "a secret's value is in an error";
  if (!is_one_line(path.error().text())) return "an error of several lines";
  const auto objects = objects_of_environment(expression, container, request.pod.key.name_space);
  const bool is_missing =
      path.error().reason == "ConfigMapNotFound" || path.error().reason == "SecretNotFound";
  return is_missing && objects.empty() ? "what is missing is not told as needed" : "";
}

// ---- $(NAME), once more, as the anchor writes it: each value is made, in order.

using Variables = std::map<std::string, std::string>;
constexpr std::size_t expansion_bytes_max = 64 * 1024;

struct Expansion {
  std::string text;
  bool lacks_value = false;  ///< A reference to what is not defined, or is empty.
};

Expansion expansion_of(const std::string& text, const Variables& variables) {
  Expansion out;
  for (std::size_t i = 0; i < text.size() && out.text.size() <= expansion_bytes_max; ++i) {
    const std::size_t close = text.compare(i, 2, "$(") == 0 ? text.find(')', i) : std::string::npos;
    if (text.compare(i, 2, "$$") == 0) {
      out.text += text[i++];
    } else if (close != std::string::npos) {
      const auto found = variables.find(text.substr(i + 2, close - i - 2));
      out.text += found == variables.end() ? text.substr(i, close - i + 1) : found->second;
      out.lacks_value = out.lacks_value || found == variables.end() || found->second.empty();
      i = close;
    } else {
      out.text += text[i];
    }
  }
  return out;
}

std::vector<std::string> lines_of(std::string_view bytes) {
  std::vector<std::string> lines(1);
  for (const char c : bytes) {
    if (c == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += c;
    }
  }
  return lines;
}

manifest::Container container_with(const std::vector<std::string>& lines) {
  manifest::Container container;
  container.name = ContainerName("c");
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::size_t end = std::min(lines[i].find('='), lines[i].size());
    manifest::EnvironmentVariable variable;
    variable.name = lines[i].substr(0, end);
    variable.value = lines[i].substr(std::min(end + 1, lines[i].size()));
    container.environment.push_back(std::move(variable));
  }
  return container;
}

/// `path` is what the expression gave: it must be what making all values in order gives.
std::string check_expansion(const std::string& expression, const manifest::Container& container,
                            const Result<std::string>& path) {
  Variables variables;
  for (const manifest::EnvironmentVariable& variable : container.environment) {
    Expansion value = expansion_of(variable.value, variables);
    if (value.text.size() > expansion_bytes_max) return "";
    variables[variable.name] = std::move(value.text);
  }
  const Expansion whole = expansion_of(expression, variables);
  const Result<std::string> expected = clean_sub_path(whole.text);
  if (whole.lacks_value || !expected) return path ? "a path that cannot be: " + quoted(path.value()) : "";
  if (!path) return "a path is refused that is right: " + path.error().text();
  return path.value() == expected.value() ? "" : "another path than Kubernetes': " + quoted(path.value());
}

// ---- The inverses of what is checked.

std::string base64_of(std::string_view bytes) {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    const std::size_t letters_count = std::min<std::size_t>(bytes.size() - i, 3) + 1;
    for (std::size_t k = 0; k < 4; ++k)
      out += k < letters_count ? letters[bits >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

void append_utf8(std::string& out, std::uint32_t rune) {
  const auto add = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (rune < 0x80) return add(rune);
  if (rune < 0x800) {
    add(0xc0 | rune >> 6);
  } else if (rune < 0x10000) {
    add(0xe0 | rune >> 12);
    add(0x80 | (rune >> 6 & 0x3f));
  } else {
    add(0xf0 | rune >> 18);
    add(0x80 | (rune >> 12 & 0x3f));
    add(0x80 | (rune >> 6 & 0x3f));
  }
  add(0x80 | (rune & 0x3f));
}

/// What Go's strconv.Unquote gives for what Quote wrote; nullopt for what it never writes.
std::optional<std::string> go_unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  constexpr std::string_view names = "abfnrtv\\\"";
  constexpr std::string_view named = "\a\b\f\n\r\t\v\\\"";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return std::nullopt;
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (++i == text.size()) return std::nullopt;
    if (const std::size_t name = names.find(text[i]); name != std::string_view::npos) {
      out += named[name];
      continue;
    }
    const std::size_t digits = text[i] == 'x' ? 2 : text[i] == 'u' ? 4 : text[i] == 'U' ? 8 : 0;
    if (digits == 0 || i + digits >= text.size()) return std::nullopt;
    std::uint32_t rune = 0;
    for (const char c : text.substr(i + 1, digits)) {
      const std::size_t value = std::string_view("0123456789abcdef").find(c);
      if (value == std::string_view::npos) return std::nullopt;
      rune = rune << 4 | static_cast<std::uint32_t>(value);
    }
    i += digits;
    if (digits == 2) {
      out += static_cast<char>(rune);
    } else {
      append_utf8(out, rune);
    }
  }
  return out;
}

}  // namespace

std::string check_content(std::string_view bytes) {
  manifest::ParsedFile file = manifest::parse_file(bytes, "fuzz.yaml");
  ObjectStore other_objects;
  other_objects.apply(with_other_secrets(file));
  ObjectStore objects;
  objects.apply(std::move(file));
  for (const PodUid& uid : objects.pods()) {
    const manifest::Pod& pod = *objects.find_pod(uid)->pod;
    const ContentRequest request{pod, objects, allocatable, node};
    const ContentRequest other_request{pod, other_objects, allocatable, node};
    for (const manifest::Volume& volume : pod.volumes) {
      std::string finding = check_volume(pod, volume, request, other_request);
      if (!finding.empty()) return finding;
    }
    for (const manifest::Container& container : pod.containers) {
      for (const manifest::VolumeMount& mount : container.mounts) {
        std::string finding = check_mount(mount.sub_path_expression, container, request, other_request);
        if (!finding.empty()) return finding;
      }
    }
  }
  return "";
}

std::string check_sub_path(std::string_view bytes) {
  const std::vector<std::string> lines = lines_of(bytes);
  const manifest::Container container = container_with(lines);
  const manifest::Pod pod;
  const ObjectStore objects;
  const ContentRequest request{pod, objects, allocatable, node};
  const Result<std::string> expanded = expand_sub_path(lines[0], container, request);
  for (const Result<std::string>& path : {clean_sub_path(bytes), clean_sub_path(lines[0]), expanded}) {
    if (!path) {
      if (path.error().reason != "InvalidSubPath") return "an error of another kind";
      if (!is_one_line(path.error().text())) return "an error of several lines";
      continue;
    }
    if (path.value().empty()) continue;
    if (std::string flaw = flaw_of(path.value()); !flaw.empty()) return flaw;
    const bool has_control = std::any_of(path.value().begin(), path.value().end(),
                                         [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
    if (has_control || !is_valid_utf8(path.value())) return "a path that is no text";
    const Result<std::string> again = clean_sub_path(path.value());
    if (!again || again.value() != path.value()) return "a clean path is not clean";
  }
  manifest::DownwardApiSource source;
  source.items = {{std::string(bytes), manifest::FieldReference{"metadata.name"}, {}}};
  if (const Result<Content> content = content_of(source, request); content) {
    const std::string& path = content.value().begin()->first;
    if (std::string flaw = flaw_of_content_path(path); !flaw.empty()) return flaw;
  }
  if (!objects_of_environment(lines[0], container, Namespace("default")).empty())
    return "plain values need objects";
  return check_expansion(lines[0], container, expanded);
}

std::string check_field_path(std::string_view bytes) {
  manifest::Pod pod;
  pod.key = {Namespace("default"), ObjectName("web")};
  pod.uid = PodUid("u1");
  pod.labels = {{"app", "dns"}, {"tier", "a\"b\n"}};
  pod.annotations = {{"note", "two\nlines"}, {"']", "odd"}};
  manifest::Container container;
  container.name = ContainerName("c");
  container.limits = {{"cpu", Quantity::from_integer(2)}, {"", Quantity::from_integer(1)}};
  pod.containers = {container};
  const std::string path(bytes);
  const Result<std::string> text = field_text(pod, path);
  constexpr std::array<std::string_view, 8> texts{
      "web", "default", "u1", "app=\"dns\"\ntier=\"a\\\"b\\n\"", "two\nlines", "dns", "", "odd"};
  if (text && !path.starts_with("metadata.")) return "a field is told that is none of metadata";
  if (text && text.value() != pod.labels.at("tier") && !text.value().starts_with("']=\"odd\"\nnote=") &&
      std::find(texts.begin(), texts.end(), text.value()) == texts.end()) {
    return "a field has a text that the pod has not: " + quoted(text.value());
  }
  for (const auto& [key, value] : pod.labels) {
    if (path == "metadata.labels['" + key + "']" && (!text || text.value() != value))
      return "a label is told wrongly";
  }
  if (!text && (text.error().reason != "InvalidReference" || !is_one_line(text.error().text())))
    return "an error of another kind";
  const ObjectStore objects;
  const Result<std::string> amount = resource_text({pod, objects, allocatable, node}, {"c", path});
  if (!amount) return is_one_line(amount.error().text()) ? "" : "an error of several lines";
  const bool is_number =
      std::all_of(amount.value().begin(), amount.value().end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number && !amount.value().empty() ? "" : "a resource is no number: " + quoted(amount.value());
}

std::string check_base64(std::string_view bytes) {
  const std::string encoded = base64_of(bytes);
  if (manifest::decode_base64(encoded) != std::string(bytes)) return "what was encoded is not decoded";
  const std::optional<std::string> decoded = manifest::decode_base64(bytes);
  if (!decoded) return "";
  std::string letters(bytes);
  std::erase_if(letters, [](char c) { return c == '\n' || c == '\r'; });
  const std::string again = base64_of(*decoded);
  if (again.size() != letters.size()) return "decoded to too much or too little";
  // The last group may hold bits that no byte needs.
  const std::size_t certain = letters.size() - std::min<std::size_t>(4, letters.size());
  return again.compare(0, certain, letters, 0, certain) == 0 ? "" : "decoded to other bytes";
}

std::string check_go_quote(std::string_view bytes) {
  const std::string text = go_quoted(bytes);
  if (!is_valid_utf8(text)) return "a quoted text that is not UTF-8";
  if (clean(text) != text) return "a quoted text with control characters";
  if (go_unquoted(text) != std::string(bytes)) return "a quoted text is another: " + text;
  return "";
}

}  // namespace mooring::fuzz
