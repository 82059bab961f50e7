// The circuit breaker over its three states.
#include "core/breaker.hh"

#include "catch.hh"

using namespace sluice;

namespace {

constexpr std::uint64_t kOpenNs = 2'000'000'000;

BreakerPolicy policy(double rate = 0.5, std::uint32_t window = 10, std::uint32_t least = 4) {
  BreakerPolicy made;
  made.failure_rate = rate;
  made.window = window;
  made.min_results = least;
  made.open_for = milliseconds(2000);
  return made;
}

Breaker opened(std::uint64_t now_ns) {
  Breaker breaker(policy());
  CHECK(breaker.record(false, 10, now_ns));
  return breaker;
}

}  // namespace

TEST_CASE("breaker: it stays closed while too few results are known, however bad they are") {
  Breaker breaker(policy(0.5, 10, 4));
  CHECK_FALSE(breaker.record(false, 3, 1));
  CHECK(breaker.state() == BreakerState::closed);
  CHECK(breaker.allows(1));
  CHECK(breaker.record(false, 1, 2));
  CHECK(breaker.state() == BreakerState::open);
}

TEST_CASE("breaker: it opens at the failure rate, not below it") {
  Breaker breaker(policy(0.5, 10, 4));
  CHECK_FALSE(breaker.record(true, 6, 1));
  CHECK_FALSE(breaker.record(false, 4, 1));  // 4 of 10
  CHECK(breaker.record(false, 2, 1));        // two of the successes have left the window: 6 of 10
  CHECK(breaker.state() == BreakerState::open);
}

TEST_CASE("breaker: a rate of one opens when everything fails") {
  Breaker breaker(policy(1.0, 5, 5));
  CHECK_FALSE(breaker.record(true, 1, 1));
  CHECK_FALSE(breaker.record(false, 4, 1));
  CHECK(breaker.record(false, 1, 1));
}

TEST_CASE("breaker: old results leave the window") {
  Breaker breaker(policy(0.5, 10, 4));
  CHECK_FALSE(breaker.record(true, 10, 1));
  CHECK_FALSE(breaker.record(false, 4, 1));
  CHECK_FALSE(breaker.record(true, 6, 1));  // the successes at the window's start left first: 4 of 10
  CHECK_FALSE(breaker.record(true, 4, 1));  // now the failures leave
  CHECK_FALSE(breaker.record(false, 4, 1));
  CHECK(breaker.state() == BreakerState::closed);
}

TEST_CASE("breaker: open means open until the time is over, then one probe may go") {
  Breaker breaker = opened(1000);
  CHECK(breaker.open_until_ns() == 1000 + kOpenNs);
  CHECK_FALSE(breaker.allows(1000));
  CHECK_FALSE(breaker.allows(999 + kOpenNs));
  CHECK(breaker.state() == BreakerState::open);
  CHECK(breaker.allows(1000 + kOpenNs));
  CHECK(breaker.half_open());
  breaker.probe_sent();
  CHECK_FALSE(breaker.allows(5000 + kOpenNs));
}

TEST_CASE("breaker: a probe that succeeds closes it, with nothing of the past") {
  Breaker breaker = opened(0);
  REQUIRE(breaker.allows(kOpenNs));
  breaker.probe_sent();
  CHECK(breaker.record(true, 1, kOpenNs + 5));
  CHECK(breaker.state() == BreakerState::closed);
  CHECK(breaker.allows(kOpenNs + 5));
  CHECK_FALSE(breaker.record(false, 3, kOpenNs + 6));  // three are too few again
}

TEST_CASE("breaker: a probe that fails opens it for as long again") {
  Breaker breaker = opened(0);
  REQUIRE(breaker.allows(kOpenNs));
  breaker.probe_sent();
  CHECK(breaker.record(false, 1, kOpenNs + 7));
  CHECK(breaker.state() == BreakerState::open);
  CHECK(breaker.open_until_ns() == 2 * kOpenNs + 7);
  CHECK_FALSE(breaker.allows(2 * kOpenNs));
}

TEST_CASE("breaker: a probe without an answer makes room for the next one") {
  Breaker breaker = opened(0);
  REQUIRE(breaker.allows(kOpenNs));
  breaker.probe_sent();
  CHECK_FALSE(breaker.allows(kOpenNs + 1));
  breaker.probe_void();
  CHECK(breaker.allows(kOpenNs + 2));
  CHECK(breaker.half_open());
}

TEST_CASE("breaker: stragglers of the time before do not move an open breaker") {
  Breaker breaker = opened(0);
  CHECK_FALSE(breaker.record(true, 5, 1));
  CHECK_FALSE(breaker.record(false, 5, 1));
  CHECK(breaker.state() == BreakerState::open);
  CHECK(breaker.open_until_ns() == kOpenNs);
}

TEST_CASE("breaker: more results than the window holds count as a full window") {
  Breaker breaker(policy(0.5, 10, 4));
  CHECK_FALSE(breaker.record(true, 4'000'000'000u, 1));
  CHECK_FALSE(breaker.record(false, 4, 1));
  CHECK(breaker.record(false, 1'000'000, 1));
}

TEST_CASE("breaker: switched off it allows everything and never changes") {
  BreakerPolicy off = policy();
  off.enabled = false;
  Breaker breaker(off);
  CHECK_FALSE(breaker.record(false, 1000, 1));
  CHECK(breaker.allows(1));
  CHECK(breaker.state() == BreakerState::closed);
}
