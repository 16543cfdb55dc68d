#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace mooring::bench {

/// A client of the daemon's bus that counts its signals.
class BusWatch {
 public:
  /// Ends the program with a message if the bus cannot be reached.
  explicit BusWatch(const std::string& address);
  ~BusWatch();
  BusWatch(const BusWatch&) = delete;
  BusWatch& operator=(const BusWatch&) = delete;

  /// Waits until so many PodReady (PodGone) signals came since the last reset; false when the time is over.
  bool wait_ready(unsigned count, std::chrono::seconds limit);
  bool wait_gone(unsigned count, std::chrono::seconds limit);
  void reset();

  /// Waits until the daemon's PodsReady property is `count` and every manifest was read; false when the time
  /// is over.
  bool wait_pods_ready(unsigned count, std::chrono::seconds limit);

 private:
  struct State;
  bool wait(const std::function<bool()>& done, std::chrono::seconds limit);
  std::unique_ptr<State> state_;
};

}  // namespace mooring::bench
