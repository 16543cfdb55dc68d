#pragma once

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <boost/outcome/try.hpp>

#include "base/error.h"

namespace mooring {

/// A value or an Error. Taking the value of an error is a programmer's mistake and ends the program.
/// (Boost.Outcome, because std::expected is not in C++20 and boost::system::result 1.81 wants an error_code.)
template <class T>
using Result = boost::outcome_v2::basic_result<T, Error, boost::outcome_v2::policy::terminate>;

/// The value of a Result<void> that succeeded.
inline constexpr auto success() {
  return boost::outcome_v2::success();
}

}  // namespace mooring

/// MOORING_TRY(auto value, expression): the value, or return the error to the caller.
#define MOORING_TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
