// Credit: promised to one, counted by all, and nobody who waits for it is forgotten.
#include "run/credit_pool.hh"

#include "catch.hh"

#include <atomic>
#include <thread>
#include <vector>

using namespace sluice;

namespace {

struct Waiter final : Wakeable {
  std::atomic<int> woken{0};
  void wake() noexcept override { woken.fetch_add(1); }
};

using Used = std::pair<std::uint64_t, std::uint64_t>;

}  // namespace

TEST_CASE("credit: taken up to both bounds and not beyond either") {
  CreditPool pool(10, 1000);
  CHECK(pool.max_events() == 10);
  CHECK(pool.max_bytes() == 1000);
  CHECK(pool.try_take(10, 1000, nullptr));
  CHECK_FALSE(pool.try_take(1, 0, nullptr));
  CHECK_FALSE(pool.try_take(0, 1, nullptr));
  CHECK(pool.try_take(0, 0, nullptr));
  pool.give_back(1, 0);
  CHECK_FALSE(pool.try_take(1, 1, nullptr));
  CHECK(pool.try_take(1, 0, nullptr));
}

TEST_CASE("credit: all or nothing, so that a refusal leaves nothing behind") {
  CreditPool pool(10, 1000);
  CHECK(pool.try_take(4, 400, nullptr));
  CHECK_FALSE(pool.try_take(7, 1, nullptr));
  CHECK_FALSE(pool.try_take(1, 601, nullptr));
  CHECK(pool.used() == Used{4, 400});
}

TEST_CASE("credit: who could not take is woken when half is free again, not at each crumb") {
  CreditPool pool(10, 1000);
  Waiter waiter;
  REQUIRE(pool.try_take(10, 100, nullptr));
  CHECK_FALSE(pool.try_take(1, 1, &waiter));
  for (int i = 0; i < 4; ++i) pool.give_back(1, 10);
  CHECK(waiter.woken == 0);  // 6 of 10 are taken
  pool.give_back(1, 10);
  CHECK(waiter.woken == 1);
}

TEST_CASE("credit: bytes hold the waker back as events do") {
  CreditPool pool(10, 1000);
  Waiter waiter;
  REQUIRE(pool.try_take(4, 900, nullptr));
  CHECK_FALSE(pool.try_take(1, 200, &waiter));
  pool.give_back(2, 100);
  CHECK(waiter.woken == 0);
  pool.give_back(1, 300);
  CHECK(waiter.woken == 1);
}

TEST_CASE("credit: a waiter is woken once for one refusal, and again for the next") {
  CreditPool pool(4, 1000);
  Waiter waiter;
  REQUIRE(pool.try_take(4, 0, nullptr));
  CHECK_FALSE(pool.try_take(4, 0, &waiter));
  CHECK_FALSE(pool.try_take(4, 0, &waiter));  // asked twice, waits once
  pool.give_back(2, 0);
  CHECK(waiter.woken == 1);
  pool.give_back(1, 0);
  CHECK(waiter.woken == 1);  // it has been told; what it does now is its business
  CHECK_FALSE(pool.try_take(4, 0, &waiter));
  pool.give_back(1, 0);
  CHECK(waiter.woken == 2);
  CHECK(pool.try_take(4, 0, &waiter));
}

TEST_CASE("credit: who asks for all of it is not lost, when it is woken too early") {
  CreditPool pool(8, 1000);
  Waiter waiter;
  REQUIRE(pool.try_take(8, 0, nullptr));
  CHECK_FALSE(pool.try_take(8, 0, &waiter));
  int tries = 0;
  for (int given = 1; given <= 8; ++given) {
    pool.give_back(1, 0);
    while (waiter.woken > 0) {
      waiter.woken.fetch_sub(1);
      ++tries;
      if (pool.try_take(8, 0, &waiter)) {
        CHECK(given == 8);
        CHECK(tries <= 5);
        return;
      }
    }
  }
  FAIL("everything is free and nobody was told");
}

TEST_CASE("credit: all waiters are woken, each once") {
  CreditPool pool(2, 1000);
  Waiter first, second;
  REQUIRE(pool.try_take(2, 0, nullptr));
  CHECK_FALSE(pool.try_take(1, 0, &first));
  CHECK_FALSE(pool.try_take(1, 0, &second));
  pool.give_back(2, 0);
  CHECK(first.woken == 1);
  CHECK(second.woken == 1);
}

TEST_CASE("credit: one oversized record may overdraw, and all of it comes back") {
  CreditPool pool(10, 1000);
  Waiter waiter;
  REQUIRE(pool.try_take(2, 500, nullptr));
  pool.take_more(1, 5000);
  CHECK(pool.used() == Used{3, 5500});
  CHECK_FALSE(pool.try_take(1, 0, &waiter));  // overdrawn: nothing more, not even one without bytes
  CHECK_FALSE(pool.try_take(0, 1, nullptr));
  pool.give_back(3, 5500);
  CHECK(pool.used() == Used{0, 0});
  CHECK(waiter.woken == 1);
}

TEST_CASE("credit: a pool of one event wakes when it is free") {
  CreditPool pool(1, 1);
  Waiter waiter;
  REQUIRE(pool.try_take(1, 1, nullptr));
  CHECK_FALSE(pool.try_take(1, 1, &waiter));
  pool.give_back(1, 1);
  CHECK(waiter.woken == 1);
}

TEST_CASE("credit: takers and givers on several threads end with nothing taken and nobody asleep") {
  // Each thread takes a share, gives it back in crumbs, and sleeps until it is woken when there was none.
  CreditPool pool(64, 64 * 100);
  struct Sleeper final : Wakeable {
    std::atomic<bool> called{false};
    void wake() noexcept override {
      called.store(true);
      called.notify_one();
    }
  };
  std::vector<Sleeper> sleepers(4);
  std::vector<std::thread> threads;
  std::atomic<std::uint64_t> beyond{0};
  for (std::size_t self = 0; self < sleepers.size(); ++self) {
    threads.emplace_back([&, self] {
      const std::uint64_t share = 16 + 12 * self;  // 16 28 40 52: two of them rarely fit together
      for (int round = 0; round < 2000; ++round) {
        while (!pool.try_take(share, share * 100, &sleepers[self])) {
          sleepers[self].called.wait(false);
          sleepers[self].called.store(false);
        }
        if (pool.used().first > 64) beyond.fetch_add(1);
        for (std::uint64_t i = 0; i < share; i += 4) pool.give_back(4, 400);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();  // a lost waiter would hang here until the test's time limit
  CHECK(beyond == 0);
  CHECK(pool.used() == Used{0, 0});
}
