#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>

#include "facts/driver_name.h"
#include "step/step.h"

namespace mooring {

/// The operations that wait for a worker of their own (Lane::Own), and who gets the next one. Pure.
///
/// First come, first served; but a driver outside may hang, and then each of its volumes holds a worker until
/// the call's deadline. So a driver gets another worker only while it has fewer than half as many as are
/// free: one that hangs has a third of all in the end, n of them leave 2/(n+2) to all others. One that has
/// none may always have one. Nothing else is held back.
class OwnQueue {
 public:
  /// `workers_max`: how many there may be at once.
  explicit OwnQueue(std::size_t workers_max);

  /// An operation that got a worker, and the driver that it asks (asked_driver()).
  struct Taken {
    Operation operation;
    std::optional<DriverName> driver;
  };

  void push(Operation operation);
  /// True if a worker is free for an operation that waits.
  bool has_next() const;
  /// The operation whose turn it is; it has a worker until release(). nullopt: see has_next().
  std::optional<Taken> take();
  /// The worker of an operation that asked this driver is gone, or does not count any more.
  void release(const std::optional<DriverName>& driver);
  /// How many operations wait.
  std::size_t size() const { return size_; }

 private:
  struct Waiting {
    std::uint64_t number = 0;
    Operation operation;
  };
  struct Line {
    std::deque<Waiting> waiting;
    std::size_t workers = 0;
  };
  /// By the driver that is asked; those of none among them.
  using Lines = std::map<std::optional<DriverName>, Line>;

  bool may_have_another(const Lines::value_type& entry) const;
  Lines::const_iterator next() const;

  std::size_t workers_max_;
  std::size_t workers_ = 0;
  std::size_t size_ = 0;
  std::uint64_t last_number_ = 0;
  Lines lines_;  ///< None without anything in it.
};

}  // namespace mooring
