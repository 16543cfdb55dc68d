#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mooring::house {

/// Something in a source file that the architecture forbids.
struct Finding {
  std::string rule;  ///< "room", "kernel", "bus", "length" or "pragma".
  std::string text;  ///< "lib/step/step.h:7: ...".
};

inline constexpr std::size_t file_lines_max = 400;

/// Checks one source file by its path, relative to the root of the source tree, and its content.
std::vector<Finding> check_file(std::string_view path, std::string_view content);

/// The room of lib/ that a file is in ("step", "kernel/linux"); empty if it is in none.
std::string room_of(std::string_view path);

/// True if the table of rooms knows the room.
bool is_known_room(std::string_view room);

}  // namespace mooring::house
