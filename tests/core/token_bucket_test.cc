// The rate limit: no more than the rate, no less, and it says when to come again.
#include "core/token_bucket.hh"

#include "catch.hh"
#include "core/backoff.hh"

#include <algorithm>

using namespace sluice;

namespace {
constexpr std::uint64_t kSecond = 1'000'000'000;
}

TEST_CASE("token bucket: without a rate there is no limit") {
  TokenBucket bucket(0);
  CHECK_FALSE(bucket.limited());
  CHECK(bucket.available(5) == 0xffffffffu);
  bucket.spend(1'000'000);
  CHECK(bucket.available(5) == 0xffffffffu);
  CHECK(bucket.next_ns(5) == 5);
}

TEST_CASE("token bucket: it begins with a tenth of a second's worth, and at least one") {
  CHECK(TokenBucket(5000).available(1) == 500);
  CHECK(TokenBucket(2).available(1) == 1);
  CHECK(TokenBucket(0.01).available(1) == 1);
}

TEST_CASE("token bucket: what is spent drips in again at the rate, up to its size") {
  TokenBucket bucket(1000);
  CHECK(bucket.available(kSecond) == 100);
  bucket.spend(100);
  CHECK(bucket.available(kSecond) == 0);
  CHECK(bucket.available(kSecond + kSecond / 100) == 10);
  CHECK(bucket.available(kSecond + kSecond / 20) == 50);
  CHECK(bucket.available(100 * kSecond) == 100);
}

TEST_CASE("token bucket: a clock that stands still or goes back gives nothing") {
  TokenBucket bucket(1000);
  (void)bucket.available(10 * kSecond);
  bucket.spend(100);
  CHECK(bucket.available(10 * kSecond) == 0);
  CHECK(bucket.available(9 * kSecond) == 0);
}

TEST_CASE("token bucket: at the time it names one more may go, and not much before") {
  for (const double rate : {0.001, 0.5, 1.0, 3.0, 9.7, 10.0, 333.3, 5000.0, 1e6}) {
    TokenBucket bucket(rate);
    std::uint64_t now = 1'700'000'000 * kSecond;
    bucket.spend(bucket.available(now));
    for (int i = 0; i < 200; ++i) {
      const std::uint64_t next = bucket.next_ns(now);
      REQUIRE(next > now);
      REQUIRE(static_cast<double>(next - now) <= 1e9 / rate + 2);
      REQUIRE(bucket.available(next) >= 1);
      bucket.spend(bucket.available(next));
      now = next;
    }
  }
}

TEST_CASE("token bucket: over a long time the rate is kept, when it is asked more often than it fills") {
  Random random(11);
  for (const double rate : {7.0, 250.0, 40'000.0}) {
    TokenBucket bucket(rate);
    const std::uint64_t begin = kSecond;
    std::uint64_t now = begin, spent = bucket.available(now);
    bucket.spend(static_cast<std::uint32_t>(spent));
    while (now < begin + 60 * kSecond) {
      now += 1 + random.below(static_cast<std::uint64_t>(1e9 / rate / 10) + kSecond / 100);
      const std::uint32_t more = bucket.available(now);
      bucket.spend(more);
      spent += more;
    }
    const double most = rate * static_cast<double>(now - begin) / 1e9 + std::max(1.0, rate / 10);
    CHECK(static_cast<double>(spent) <= most + 1);
    CHECK(static_cast<double>(spent) >= most * 0.95 - 2);
  }
}
