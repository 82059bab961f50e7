// What one source lane picks for one observer: events of the types that it can use.
//
// Threads: one source lane.
#pragma once

#include "core/limits.hh"
#include "core/type_table.hh"
#include "core/wanted_types.hh"

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice {

class ObserverPicks {
 public:
  /// `wants` outlives it.
  explicit ObserverPicks(const ObserverWants& wants) : wants_(wants) {}

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
};

}  // namespace sluice
