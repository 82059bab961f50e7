// What became of an event. The order is the severity: folding two outcomes takes the larger one for `all` and lists of
// nodes, the smaller one for `any` (DESIGN: the ledger alone answers).
#pragma once

#include <sluice/source.h>

#include <cstdint>

namespace sluice {

enum class Outcome : std::uint8_t {
  delivered = SLUICE_WAS_DELIVERED,
  dropped = SLUICE_WAS_DROPPED,
  rejected = SLUICE_WAS_REJECTED,
  retry = SLUICE_NOT_DELIVERED,
};

[[nodiscard]] constexpr const char* to_text(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::delivered:
      return "delivered";
    case Outcome::dropped:
      return "dropped";
    case Outcome::rejected:
      return "rejected";
    case Outcome::retry:
      return "retry";
  }
  return "retry";
}

}  // namespace sluice
