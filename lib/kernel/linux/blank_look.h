#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace mooring::kernel {

/// A part of a device, [begin, end).
struct ByteRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  friend bool operator==(const ByteRange&, const ByteRange&) = default;
};

/// What is read of a device of this size to see whether it is blank: its head and tail, where superblocks,
/// partition tables and their backups are, and samples between them. All of it if it is small. In ascending
/// order, and none twice.
std::vector<ByteRange> ranges_to_look_at(std::uint64_t size_bytes);

/// The parts of an open regular file that anything was ever written to, as its file system knows them
/// (SEEK_DATA); nullopt if it does not tell.
std::optional<std::vector<ByteRange>> data_ranges(int file, std::uint64_t size_bytes);

struct LookResult {
  std::optional<std::uint64_t> data_offset;  ///< The first byte that is not zero; the look ends there.
  std::uint64_t looked_at_bytes = 0;
  int read_errno = 0;  ///< The look ends there too.
  std::uint64_t read_offset = 0;
};

/// Reads the ranges, past the page cache where that can be.
LookResult look_at(int device, const std::vector<ByteRange>& ranges);

}  // namespace mooring::kernel
