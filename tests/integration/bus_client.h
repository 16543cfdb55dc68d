#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mooring::integration {

struct BusEvent {
  std::string reason;
  std::string object;
  std::string message;
};

/// A client of the daemon's bus that keeps every signal of it.
class BusClient {
 public:
  explicit BusClient(const std::string& address);
  ~BusClient();
  BusClient(const BusClient&) = delete;
  BusClient& operator=(const BusClient&) = delete;

  int descriptor() const;
  /// Takes in what has come.
  void process();

  /// The names of the pods of PodReady and PodGone, in order.
  const std::vector<std::string>& ready() const;
  const std::vector<std::string>& gone() const;
  const std::vector<BusEvent>& events() const;
  bool has_event(const std::string& reason, const std::string& part_of_message) const;
  void forget_signals();

  /// The process that has the daemon's name now; 0: none.
  pid_t owner() const;
  /// Asks WaitForPod; "" if it answered well, else the error's name without its prefix.
  std::string wait_for_pod(const std::string& name, const std::string& condition, std::uint64_t timeout_ms);
  /// How many mounts GetContainerMounts gives; -1 and the error's name if it refuses.
  int container_mounts(const std::string& pod, const std::string& container, std::string& error);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mooring::integration
