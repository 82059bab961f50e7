#include "core/key_order.hh"

#include "catch.hh"

using namespace sluice;

namespace {
KeyHash key(std::uint64_t n) { return {0, n}; }
Ordering bounded(std::uint64_t max_held) { return {true, "", max_held}; }
}  // namespace

TEST_CASE("key order: one of a key at a time, the rest in the order in which they came", "[core][ordering]") {
  KeyOrder order(bounded(3), false);
  CHECK(order.enter(key(1)));
  CHECK(order.enter(key(2)));
  CHECK_FALSE(order.enter(key(1)));
  const auto first = order.wait(key(1), 3);
  const auto second = order.wait(key(1), 4);
  CHECK_FALSE(order.full());
  const auto other = order.wait(key(2), 5);
  CHECK(order.full());
  CHECK(order.leave(key(1), false) == first);
  CHECK(order.fails(key(1), true));
  CHECK(order.leave(key(1), true) == second);
  CHECK(order.leave(key(1), true) == KeyOrder::kNone);
  CHECK(order.leave(key(2), false) == other);
  CHECK(order.leave(key(2), true) == KeyOrder::kNone);
  CHECK(order.keys() == 0);
  CHECK(order.waiting() == 0);
}

TEST_CASE("key order: what was given up while it waited is passed over", "[core][ordering]") {
  KeyOrder order(bounded(10), false);
  CHECK(order.enter(key(1)));
  const auto first = order.wait(key(1), 2);
  const auto second = order.wait(key(1), 3);
  order.withdraw(first);
  CHECK(order.waiting() == 1);
  CHECK_FALSE(order.waits_in(first));
  CHECK(order.leave(key(1), false) == second);
  CHECK(order.leave(key(1), true) == KeyOrder::kNone);
}

TEST_CASE("key order: what entered and was not taken leaves no trace", "[core][ordering]") {
  KeyOrder order(bounded(10), false);
  CHECK(order.enter(key(1)));
  order.step_back(key(1));
  CHECK(order.keys() == 0);
  CHECK(order.enter(key(1)));
}

TEST_CASE("key order: where the class keeps order several go together, until one fails; then they come back in order",
          "[core][ordering]") {
  KeyOrder order(bounded(10), true);
  for (int i = 0; i < 4; ++i) CHECK(order.enter(key(1)));  // 1 2 3 4
  CHECK(order.leave(key(1), false) == KeyOrder::kNone);    // 1 is delivered
  CHECK(order.fails(key(1), false));                       // 2 failed: it is held
  CHECK_FALSE(order.enter(key(1)));
  const auto fifth = order.wait(key(1), 5);
  CHECK_FALSE(order.fails(key(1), false));  // 3 and 4 failed behind it
  const auto third = order.wait(key(1), 3);
  CHECK_FALSE(order.fails(key(1), false));
  const auto fourth = order.wait(key(1), 4);
  CHECK(order.fails(key(1), true));  // 2 failed once more
  CHECK(order.leave(key(1), true) == third);
  CHECK(order.leave(key(1), true) == fourth);
  CHECK_FALSE(order.enter(key(1)));
  CHECK(order.leave(key(1), true) == fifth);
  CHECK(order.leave(key(1), true) == KeyOrder::kNone);
  CHECK(order.keys() == 0);
  CHECK(order.enter(key(1)));
  CHECK(order.enter(key(1)));
}
