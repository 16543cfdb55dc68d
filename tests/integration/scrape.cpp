#include "scrape.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace mooring::integration {

std::string scrape(const std::string& path) {
  const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(&address.sun_path[0], path.c_str(), sizeof address.sun_path - 1);
  std::string text;
  const void* plain = &address;
  if (::connect(file, static_cast<const sockaddr*>(plain), sizeof address) == 0) {
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(::write(file, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    char buffer[4096];
    for (ssize_t got = ::read(file, buffer, sizeof buffer); got > 0;
         got = ::read(file, buffer, sizeof buffer))
      text.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(file);
  return text;
}

}  // namespace mooring::integration
