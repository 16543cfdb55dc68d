#pragma once

#include <string>
#include <string_view>

namespace mooring::fuzz {

// Each reads the bytes as a hostile sender would have them read, and checks what must hold of any answer.
// Empty: everything held; else what did not.

std::string check_manifest(std::string_view bytes);
std::string check_mountinfo(std::string_view bytes);
std::string check_wire(std::string_view bytes);
std::string check_record(std::string_view bytes);
std::string check_stamp(std::string_view bytes);
std::string check_quantity(std::string_view bytes);

/// Ends the program if `finding` is not empty: the way to tell libFuzzer.
void require_nothing_found(const std::string& finding);

}  // namespace mooring::fuzz
