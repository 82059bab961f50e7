// How long a retry waits: the steps, their bound, and the jitter over many seeds.
#include "core/backoff.hh"

#include "catch.hh"

#include <algorithm>
#include <set>

using namespace sluice;
using Backoff = RetryPolicy::Backoff;

namespace {

RetryPolicy policy(Backoff backoff, RetryPolicy::Jitter jitter = RetryPolicy::Jitter::none) {
  RetryPolicy made;
  made.backoff = backoff;
  made.jitter = jitter;
  made.delay = milliseconds(100);
  made.max_delay = milliseconds(1000);
  return made;
}

std::vector<int> delays(Backoff backoff) {
  Random random(1);
  std::vector<int> out;
  for (std::uint32_t attempt = 1; attempt <= 6; ++attempt) {
    out.push_back(static_cast<int>(retry_delay(policy(backoff), attempt, random).count()));
  }
  return out;
}

}  // namespace

TEST_CASE("back-off: exponential doubles up to the bound") {
  CHECK(delays(Backoff::exponential) == std::vector{100, 200, 400, 800, 1000, 1000});
}

TEST_CASE("back-off: linear adds the delay each time, up to the bound") {
  RetryPolicy slow = policy(Backoff::linear);
  slow.max_delay = milliseconds(450);
  Random random(1);
  CHECK(delays(Backoff::linear) == std::vector{100, 200, 300, 400, 500, 600});
  CHECK(retry_delay(slow, 5, random) == milliseconds(450));
}

TEST_CASE("back-off: constant stays, and keeps the bound too") {
  RetryPolicy high = policy(Backoff::constant);
  high.delay = milliseconds(5000);
  Random random(1);
  CHECK(delays(Backoff::constant) == std::vector{100, 100, 100, 100, 100, 100});
  CHECK(retry_delay(high, 1, random) == milliseconds(1000));
}

TEST_CASE("back-off: a huge number of attempts stays at the bound") {
  Random random(1);
  for (const Backoff backoff : {Backoff::exponential, Backoff::linear}) {
    CHECK(retry_delay(policy(backoff), 0xffffffff, random) == milliseconds(1000));
  }
  RetryPolicy none = policy(Backoff::exponential);
  none.delay = milliseconds(0);
  CHECK(retry_delay(none, 1000, random) == milliseconds(0));
  CHECK(retry_delay(policy(Backoff::exponential), 0, random) == milliseconds(100));
}

TEST_CASE("back-off: full jitter spreads over everything from nothing to the delay, for any seed") {
  for (const Backoff backoff : {Backoff::exponential, Backoff::linear, Backoff::constant}) {
    for (const std::uint32_t attempt : {1u, 3u, 9u}) {
      Random none(1);
      const auto bound = retry_delay(policy(backoff), attempt, none).count();
      std::int64_t least = bound, most = 0, sum = 0;
      constexpr int kSeeds = 4000;
      for (int seed = 0; seed < kSeeds; ++seed) {
        Random random(static_cast<std::uint64_t>(seed));
        const auto wait = retry_delay(policy(backoff, RetryPolicy::Jitter::full), attempt, random).count();
        REQUIRE(wait >= 0);
        REQUIRE(wait < bound);
        least = std::min(least, wait);
        most = std::max(most, wait);
        sum += wait;
      }
      CHECK(least <= bound / 50);
      CHECK(most >= bound - bound / 50);
      CHECK(static_cast<double>(sum) / kSeeds == Approx(static_cast<double>(bound) / 2).epsilon(0.05));
    }
  }
}

TEST_CASE("back-off: a lane whose far side is away waits between half the step and the step, 100 ms to 5 s") {
  for (const auto& [failures, step] :
       {std::pair{0u, 100}, {1u, 100}, {2u, 200}, {6u, 3200}, {7u, 5000}, {900u, 5000}}) {
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      Random random(seed);
      const auto wait = away_delay(failures, random).count();
      REQUIRE(wait >= step / 2);
      REQUIRE(wait <= step);
    }
  }
}

TEST_CASE("random: one seed gives one sequence, and neighbouring seeds differ") {
  Random a(7), again(7);
  for (int i = 0; i < 100; ++i) CHECK(a.next() == again.next());
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) firsts.insert(Random(seed).next());
  CHECK(firsts.size() == 1000);
}

TEST_CASE("random: numbers below a bound reach each value and never the bound") {
  Random random(3);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.below(7));
  CHECK(seen == std::set<std::uint64_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(random.below(0) == 0);
  for (int i = 0; i < 1000; ++i) {
    const double unit = random.unit();
    REQUIRE(unit >= 0);
    REQUIRE(unit < 1);
  }
}
