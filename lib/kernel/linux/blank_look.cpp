#include "kernel/linux/blank_look.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "kernel/linux/descriptor.h"

namespace mooring::kernel {
namespace {

constexpr std::uint64_t kibibyte = 1024;
constexpr std::uint64_t mebibyte = 1024 * kibibyte;
constexpr std::uint64_t gibibyte = 1024 * mebibyte;
constexpr std::uint64_t edge_bytes = 16 * mebibyte;
constexpr std::uint64_t sample_bytes = 64 * kibibyte;
constexpr std::uint64_t spread_samples = 64;
/// Where btrfs and others keep copies of their superblocks.
constexpr std::uint64_t known_places[] = {64 * mebibyte, 128 * mebibyte, 256 * gibibyte};
/// What direct I/O needs of offsets, sizes and memory on any disk.
constexpr std::uint64_t alignment = 4096;
constexpr std::uint64_t buffer_bytes = mebibyte;

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

std::optional<std::uint64_t> first_byte(const char* bytes, std::size_t size) {
  // The bytes are zero if the first is and each is what its predecessor is.
  if (size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0)) return std::nullopt;
  const char* found = std::find_if(bytes, bytes + size, [](char byte) { return byte != 0; });
  return static_cast<std::uint64_t>(found - bytes);
}

/// pread(2) until something is there. -1 leaves errno.
ssize_t read_at(int device, char* buffer, std::size_t size, std::uint64_t offset) {
  ssize_t got = 0;
  do {
    got = pread(device, buffer, size, static_cast<off_t>(offset));
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

std::vector<ByteRange> ranges_to_look_at(std::uint64_t size_bytes) {
  std::vector<ByteRange> ranges;
  const auto add = [&](std::uint64_t begin, std::uint64_t length) {
    begin = begin / alignment * alignment;
    if (begin < size_bytes) ranges.push_back({begin, std::min(begin + length, size_bytes)});
  };
  add(0, edge_bytes);
  for (const std::uint64_t place : known_places)
    add(place, sample_bytes);
  for (std::uint64_t i = 1; i <= spread_samples; ++i)
    add(size_bytes / (spread_samples + 1) * i, sample_bytes);
  if (size_bytes > edge_bytes) add(size_bytes - edge_bytes, edge_bytes + alignment);
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.begin < b.begin; });
  std::vector<ByteRange> merged;
  for (const ByteRange& range : ranges) {
    if (merged.empty() || range.begin > merged.back().end) {
      merged.push_back(range);
    } else {
      merged.back().end = std::max(merged.back().end, range.end);
    }
  }
  return merged;
}

std::optional<std::vector<ByteRange>> data_ranges(int file, std::uint64_t size_bytes) {
  std::vector<ByteRange> ranges;
  std::uint64_t at = 0;
  while (at < size_bytes) {
    const off_t begin = lseek(file, static_cast<off_t>(at), SEEK_DATA);
    if (begin < 0 && errno == ENXIO) break;  // Nothing but a hole from here on.
    const off_t end = begin < 0 ? -1 : lseek(file, begin, SEEK_HOLE);
    if (end < 0) return std::nullopt;
    const std::uint64_t from = static_cast<std::uint64_t>(begin) / alignment * alignment;
    at = static_cast<std::uint64_t>(end);
    if (from < size_bytes) ranges.push_back({from, std::min(at, size_bytes)});
  }
  return ranges;
}

LookResult look_at(int device, const std::vector<ByteRange>& ranges) {
  LookResult result;
  const std::unique_ptr<char, Free> buffer(static_cast<char*>(std::aligned_alloc(alignment, buffer_bytes)));
  if (buffer == nullptr) {
    result.read_errno = ENOMEM;
    return result;
  }
  const Descriptor direct(
      open(("/proc/self/fd/" + std::to_string(device)).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  bool is_direct = static_cast<bool>(direct);
  for (const ByteRange& range : ranges) {
    for (std::uint64_t at = range.begin; at < range.end;) {
      const std::size_t wanted = static_cast<std::size_t>(std::min(buffer_bytes, range.end - at));
      const ssize_t got = read_at(is_direct ? direct.get() : device, buffer.get(), wanted, at);
      if (got <= 0 && is_direct && (got == 0 || errno == EINVAL)) {
        is_direct = false;  // It wants another alignment.
        continue;
      }
      if (got <= 0) {
        result.read_errno = got == 0 ? EIO : errno;  // The device has shrunk.
        result.read_offset = at;
        return result;
      }
      result.looked_at_bytes += static_cast<std::uint64_t>(got);
      if (const auto offset = first_byte(buffer.get(), static_cast<std::size_t>(got))) {
        result.data_offset = at + *offset;
        return result;
      }
      at += static_cast<std::uint64_t>(got);
    }
  }
  return result;
}

}  // namespace mooring::kernel
