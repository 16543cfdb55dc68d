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

// The content of configuration volumes, in content_entries.cpp.

/// A manifest file: the content of every volume and the subPathExpr of every mount of its pods.
std::string check_content(std::string_view bytes);
/// A first line that is a subPath and a subPathExpr, then NAME=value lines: the environment of the latter.
std::string check_sub_path(std::string_view bytes);
/// The fieldPath of a downwardAPI item, and the resource of one.
std::string check_field_path(std::string_view bytes);
/// What a Secret's data is decoded from.
std::string check_base64(std::string_view bytes);
/// The value of a label as a downwardAPI file shows it.
std::string check_go_quote(std::string_view bytes);

// What drivers outside answer, in driver_entries.cpp.

/// A CSI driver, or who registers it, that is asked what it is.
std::string check_registration_answers(std::string_view bytes);
/// A CSI driver that is asked about a volume.
std::string check_volume_answers(std::string_view bytes);
/// vol_data.json.
std::string check_volume_data(std::string_view bytes);
/// A first line that is a directory's name, then what a FlexVolume driver writes.
std::string check_flex_answer(std::string_view bytes);

/// Ends the program if `finding` is not empty: the way to tell libFuzzer.
void require_nothing_found(const std::string& finding);

}  // namespace mooring::fuzz
