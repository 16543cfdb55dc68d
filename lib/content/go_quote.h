#pragma once

#include <string>
#include <string_view>

namespace mooring {

/// `text` as Go's fmt verb %q gives it (strconv.Quote): in double quotes, with \a \b \f \n \r \t \v \" \\,
/// \xNN for other control bytes and for bytes that are not valid UTF-8, \uNNNN and \UNNNNNNNN for runes that
/// are not printable (neither letter, mark, number, punctuation nor symbol, nor the ASCII blank).
std::string go_quoted(std::string_view text);

}  // namespace mooring
