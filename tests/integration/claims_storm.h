#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "claims_node.h"

namespace mooring::integration {

/// A hundred claims, sixty volumes and a dozen pods, drawn from a seed, and what must hold of them at any
/// time. MOORING_SEED repeats the decisions of a run, though not the kernel's timing.
class ClaimsStorm : public ClaimsNode {
 protected:
  ClaimsStorm();

  /// A claim that was seen bound.
  struct Bound {
    std::string name;
    std::string volume;
    std::string directory;  ///< Of the volume, on the node.
  };

  int pick(int count) { return std::uniform_int_distribution<int>(0, count - 1)(random_); }

  // What is asked for.

  /// All classes, volumes and claims at once.
  void write_all();
  /// Some claims and pods come or go.
  void change_something();
  void drop_everything();
  void wait_for_a_moment();
  /// Some of mooringd's workers.
  void kill_workers();

  // What is there.

  /// All of a kind, by name; fails the test if nobody answers.
  std::map<std::string, Json> all(const char* kind);
  /// Remembers who has what, and marks what a claim has for the first time: it must be nobody's till then.
  /// Only after a start, with nothing changed since: what was dropped and came again before is one claim
  /// then.
  void look();
  /// The file of the ledger, while no mooringd has it, and what is in the volumes.
  void expect_sound();
  /// Why claims and volumes are not yet as they will stay; empty: they are.
  std::string what_is_open();
  /// For people.
  std::string what_pods_say() const;
  /// Ends the pods that were written anew with another claim while nobody looked, and so wait with what the
  /// earlier pod had, and writes them again.
  void renew_pods();
  void expect_pods_see_their_claims();
  /// The directories of a class are those of its volumes, and no others.
  void expect_directories(const std::string& storage_class);
  /// Else what holds of all that was bound says nothing.
  void expect_enough_was_seen() const;
  /// When all claims are gone: what is kept holds what its last claim wrote, and the rest is empty.
  void expect_only_what_is_kept();

 private:
  std::string volume_text(int number);
  std::string draw_claim(int number);
  void want(const std::string& claim);
  void drop(const std::string& claim);
  void note_bound(const std::string& uid, const Bound& now);
  void expect_marks() const;
  std::vector<std::vector<std::string>> ask_ledger(const char* query) const;
  std::string base_of(const std::string& storage_class) const;
  std::string host() const { return node_.dir() + "/host/"; }
  template <class T, std::size_t N>
  const T& one_of(const std::array<T, N>& every) {
    return every.at(static_cast<std::size_t>(pick(static_cast<int>(N))));
  }

  const std::uint64_t seed_;
  ::testing::ScopedTrace trace_;
  std::mt19937_64 random_;
  std::map<std::string, std::string> claim_texts_;
  std::set<std::string> wanted_;
  std::map<std::string, std::string> pods_;  ///< And the claim that each has.
  std::map<std::string, Bound> bound_;       ///< By uid; all that ever were.
  /// Of those the ones whose manifests are there and were not touched since they were seen.
  std::set<std::string> untouched_;
};

}  // namespace mooring::integration
