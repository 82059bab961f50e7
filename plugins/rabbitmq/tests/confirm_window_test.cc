#include "confirm_window.hh"

#include "catch.hh"

#include <utility>

using rabbitmq::ConfirmWindow;

namespace {

using Ranges = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

Ranges confirm(ConfirmWindow& window, std::uint64_t number, bool multiple) {
  Ranges got;
  window.confirm(number, multiple, [&](std::uint64_t ticket, std::uint32_t count) { got.emplace_back(ticket, count); });
  return got;
}

void send(ConfirmWindow& window, std::uint64_t first_ticket, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) window.sent(first_ticket + i);
}

}  // namespace

TEST_CASE("confirm window: one confirm of many messages is one range of tickets") {
  ConfirmWindow window(8);
  send(window, 100, 8);
  CHECK(window.free() == 0);
  CHECK(confirm(window, 5, true) == Ranges{{100, 5}});
  CHECK(window.free() == 5);
  CHECK(confirm(window, 8, true) == Ranges{{105, 3}});
  CHECK(window.empty());
}

TEST_CASE("confirm window: number 0 with multiple confirms everything so far") {
  ConfirmWindow window(8);
  send(window, 7, 3);
  CHECK(confirm(window, 0, true) == Ranges{{7, 3}});
  CHECK(window.empty());
}

TEST_CASE("confirm window: single confirms in any order settle each ticket once") {
  ConfirmWindow window(4);
  send(window, 1, 4);
  CHECK(confirm(window, 3, false) == Ranges{{3, 1}});
  CHECK(window.free() == 0);  // the places before it are still taken
  CHECK(confirm(window, 3, false).empty());
  CHECK(confirm(window, 4, true) == Ranges{{1, 2}, {4, 1}});
  CHECK(window.free() == 4);
}

TEST_CASE("confirm window: tickets with a gap are ranges of their own") {
  ConfirmWindow window(8);
  send(window, 10, 2);
  send(window, 20, 2);
  CHECK(confirm(window, 4, true) == Ranges{{10, 2}, {20, 2}});
}

TEST_CASE("confirm window: numbers that were never sent, or are long confirmed, mean nothing") {
  ConfirmWindow window(4);
  send(window, 1, 2);
  CHECK(confirm(window, 9, true).empty());
  CHECK(confirm(window, 2, true) == Ranges{{1, 2}});
  CHECK(confirm(window, 1, false).empty());
  CHECK(confirm(window, 2, true).empty());
}

TEST_CASE("confirm window: a returned message is found by its key, oldest first, and is not settled again") {
  ConfirmWindow window(8);
  window.sent(1, 77);
  window.sent(2, 88);
  window.sent(3, 77);
  CHECK(window.returned(77) == 1u);
  CHECK(window.returned(77) == 3u);
  CHECK_FALSE(window.returned(77).has_value());
  CHECK(confirm(window, 3, true) == Ranges{{2, 1}});
  CHECK(window.empty());
}

TEST_CASE("confirm window: it turns over its ring for ever, also when its size is no power of two") {
  ConfirmWindow window(5);
  std::uint64_t ticket = 1, confirmed = 0;
  for (int round = 0; round < 1000; ++round) {
    while (window.free() > 0) window.sent(ticket++);
    for (const auto& [first, count] : confirm(window, confirmed + 3, true)) {
      CHECK(first == confirmed + 1);
      confirmed += count;
    }
  }
  CHECK(confirmed == 3000);
}

TEST_CASE("confirm window: a fresh channel counts from 1, and what was given up is told once") {
  ConfirmWindow window(4);
  send(window, 5, 3);
  Ranges given_up;
  window.give_up([&](std::uint64_t ticket, std::uint32_t count) { given_up.emplace_back(ticket, count); });
  CHECK(given_up == Ranges{{5, 3}});
  window.begin();
  send(window, 8, 1);
  CHECK(confirm(window, 1, false) == Ranges{{8, 1}});
}
