#include "sources.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <set>

#include "manifest/parse.h"

namespace mooring::ctl {
namespace {

namespace fs = std::filesystem;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

bool is_manifest_name(const fs::path& path) {
  const std::string name = path.filename().string();
  const std::string extension = path.extension().string();
  return !name.starts_with('.') && (extension == ".yaml" || extension == ".yml" || extension == ".json");
}

class Collector {
 public:
  explicit Collector(Sources& sources) : sources_(sources) {}

  void add(const std::string& name) {
    if (name == "-") return add_file(name, "<stdin>");
    std::error_code error;
    if (fs::is_directory(name, error)) return add_directory(name);
    add_file(name, name);
  }

 private:
  void add_directory(const fs::path& directory) {
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    std::vector<fs::path> paths;
    for (; !error && entries != fs::directory_iterator(); entries.increment(error))
      paths.push_back(entries->path());
    if (error) sources_.unreadable.push_back(directory.string() + ": " + error.message());
    std::sort(paths.begin(), paths.end());
    for (const fs::path& path : paths) {
      if (path.filename().string().starts_with('.')) continue;
      std::error_code ignored;
      if (fs::is_directory(path, ignored)) {
        // A link may lead around in a circle; the daemon does not follow one to a directory either.
        if (!fs::is_symlink(path, ignored)) add_directory(path);
      } else if (is_manifest_name(path)) {
        add_file(path.string(), path.string());
      }
    }
  }

  void add_file(const std::string& path, const std::string& name) {
    if (!seen_.insert(name).second) return;
    std::FILE* raw = path == "-" ? stdin : std::fopen(path.c_str(), "rbe");
    if (raw == nullptr) {
      sources_.unreadable.push_back(name + ": " + errno_text(errno));
      return;
    }
    const std::unique_ptr<std::FILE, CloseFile> file(raw == stdin ? nullptr : raw);
    const std::size_t most = manifest::Limits{}.file_bytes_max + 1;
    std::string bytes;
    char buffer[64 * 1024];
    std::size_t count = 0;
    while (bytes.size() < most && (count = std::fread(buffer, 1, sizeof buffer, raw)) > 0)
      bytes.append(buffer, count);
    if (std::ferror(raw) != 0) {
      sources_.unreadable.push_back(name + ": " + errno_text(errno));
      return;
    }
    sources_.files.push_back(manifest::parse_file(bytes, name));
  }

  Sources& sources_;
  std::set<std::string> seen_;
};

}  // namespace

Sources read_sources(const std::vector<std::string>& names) {
  Sources sources;
  Collector collector(sources);
  for (const std::string& name : names)
    collector.add(name);
  std::sort(sources.files.begin(), sources.files.end(),
            [](const auto& a, const auto& b) { return a.file < b.file; });
  return sources;
}

}  // namespace mooring::ctl
