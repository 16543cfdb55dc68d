#pragma once

#include <string>

namespace mooring::integration {

/// What a daemon that serves its metrics on the Unix socket `path` answers, as Prometheus would read it;
/// empty if nobody listens.
std::string scrape(const std::string& path);

}  // namespace mooring::integration
