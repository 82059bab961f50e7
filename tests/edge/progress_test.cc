// The progress line, with a clock that the test winds.
#include "edge/progress.hh"
#include "catch.hh"

using namespace sluice;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

TEST_CASE("progress: nothing in the first second, then at most five lines a second", "[edge][progress]") {
  Progress progress;
  int lines = 0;
  for (std::uint64_t now = kSecond; now <= 4 * kSecond; now += kSecond / 100) {
    if (!progress.line({now / 1000, 0, 0}, now)) continue;
    CHECK(now >= 2 * kSecond);
    ++lines;
  }
  CHECK(lines == 11);
}

TEST_CASE("progress: events and rate, and the time left when the end is known", "[edge][progress]") {
  Progress progress;
  CHECK_FALSE(progress.line({0, 0, 4'000'000}, 5 * kSecond));
  CHECK(progress.line({12'345, 1'000'000, 4'000'000}, 6 * kSecond) == "12,345 events  12,345/s  25 %  ETA 0:03");
  CHECK(progress.line({24'690, 2'000'000, 4'000'000}, 7 * kSecond) == "24,690 events  12,345/s  50 %  ETA 0:02");
}

TEST_CASE("progress: no end in sight, no promise", "[edge][progress]") {
  Progress unknown;
  (void)unknown.line({}, kSecond);
  CHECK(unknown.line({1'000, 500, 0}, 2 * kSecond) == "1,000 events  1,000/s");
  Progress stuck;
  (void)stuck.line({10, 10, 100}, kSecond);
  CHECK(stuck.line({10, 10, 100}, 2 * kSecond) == "10 events  0/s  10 %");
  Progress grown;  // a file that grew while it was read
  (void)grown.line({0, 0, 100}, kSecond);
  CHECK(grown.line({10, 200, 100}, 2 * kSecond) == "10 events  10/s");
}

TEST_CASE("progress: long waits are shown in hours", "[edge][progress]") {
  Progress progress;
  (void)progress.line({}, kSecond);
  CHECK(progress.line({1, 1, 3'701}, 2 * kSecond) == "1 events  1/s  0 %  ETA 1:01:40");
}
