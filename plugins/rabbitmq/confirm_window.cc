#include "confirm_window.hh"

#include <bit>

namespace rabbitmq {

ConfirmWindow::ConfirmWindow(std::uint32_t places) : places_(places), ring_(std::bit_ceil(places)) {}

void ConfirmWindow::begin() {
  for (Place& place : ring_) place.open = false;
  base_ = next_ = 1;
}

void ConfirmWindow::sent(std::uint64_t ticket, std::uint64_t key) { place(next_++) = {ticket, key, true}; }

std::optional<std::uint64_t> ConfirmWindow::returned(std::uint64_t key) {
  for (std::uint64_t number = base_; number != next_; ++number) {
    Place& at = place(number);
    if (!at.open || at.key != key) continue;
    at.open = false;
    return at.ticket;
  }
  return std::nullopt;
}

}  // namespace rabbitmq
