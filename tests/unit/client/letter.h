#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <functional>

namespace mooring {

/// A message that is written and then read, without a bus.
class Letter {
 public:
  Letter() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    other_end_ = ends[1];
    EXPECT_GE(sd_bus_new(&bus_), 0);
    EXPECT_GE(sd_bus_set_fd(bus_, ends[0], ends[0]), 0);
    EXPECT_GE(sd_bus_start(bus_), 0);
    EXPECT_GE(sd_bus_message_new_signal(bus_, &message_, "/x", "x.y", "Z"), 0);
  }
  ~Letter() {
    sd_bus_message_unref(message_);
    sd_bus_close(bus_);
    sd_bus_unref(bus_);
    close(other_end_);
  }
  Letter(const Letter&) = delete;
  Letter& operator=(const Letter&) = delete;

  sd_bus_message* get() { return message_; }
  /// aa{sv} of what `append` writes.
  sd_bus_message* list_of(const std::function<int(sd_bus_message*)>& append) {
    EXPECT_GE(sd_bus_message_open_container(message_, 'a', "a{sv}"), 0);
    EXPECT_GE(append(message_), 0);
    EXPECT_GE(sd_bus_message_close_container(message_), 0);
    return sealed();
  }
  sd_bus_message* sealed() {
    EXPECT_GE(sd_bus_message_seal(message_, 1, 0), 0);
    EXPECT_GE(sd_bus_message_rewind(message_, 1), 0);
    return message_;
  }

 private:
  sd_bus* bus_ = nullptr;
  sd_bus_message* message_ = nullptr;
  int other_end_ = -1;
};

}  // namespace mooring
