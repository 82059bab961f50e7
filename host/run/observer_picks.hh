// What one source lane picks for one observer: events of the types that it can use, and, when they are few of their
// pull, in memory of their own. An observer may be far behind; what waits for it must not hold whole pulls.
//
// Threads: one source lane. The memory is read by others, and outlives this.
#pragma once

#include "core/block.hh"
#include "core/limits.hh"
#include "core/type_table.hh"
#include "core/wanted_types.hh"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace sluice {

class ObserverPicks {
 public:
  /// Both outlive it.
  ObserverPicks(const ObserverWants& wants, BlockPool& blocks) : wants_(wants), blocks_(blocks) {}

  /// Once for a stretch of events. False: it wants every type, so there is nothing to ask.
  [[nodiscard]] bool by_type() {
    if (seen_ != wants_.version()) look_again();
    return !types_.everything();
  }
  [[nodiscard]] bool wants(const sluice_event& event) noexcept {
    Answer& known = known_[type_id(event) % limits::kTypes];
    if (known == Answer::ask) known = ask(event);
    return known == Answer::ask ? types_.match(type_of(event)) : known == Answer::yes;
  }

  /// Where events of a pull lie for the observer, and the memory that this takes: the pull's, or a copy when they are
  /// less than half of their part of it. bytes: of the events; share: what the pull's memory holds for this stretch.
  [[nodiscard]] std::pair<BlockRef, const sluice_event*> hold(const BlockRef& pull, std::uint64_t share,
                                                              std::span<const sluice_event> events,
                                                              std::uint64_t bytes);

 private:
  enum class Answer : std::uint8_t { ask, yes, no };

  [[nodiscard]] static std::string_view type_of(const sluice_event& event) noexcept {
    return {event.text + event.type.at, event.type.len};
  }
  /// Id 0 stands for many types: there the patterns are asked about each event.
  [[nodiscard]] Answer ask(const sluice_event& event) const noexcept {
    if (type_id(event) == 0) return Answer::ask;
    return types_.match(type_of(event)) ? Answer::yes : Answer::no;
  }
  void look_again();

  const ObserverWants& wants_;
  WantedTypes types_;
  std::uint64_t seen_ = 0;                      // version of what is in types_
  std::array<Answer, limits::kTypes> known_{};  // by type id
  BlockPool& blocks_;
  BlockRef own_;  // copies go here until it is as large as a pull; readers only read what lies in front
};

}  // namespace sluice
