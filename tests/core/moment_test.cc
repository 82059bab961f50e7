// Points in time as people type them.
#include "core/moment.hh"
#include "catch.hh"

using namespace sluice;

TEST_CASE("moment: times, dates, and times ago") {
  constexpr std::int64_t kSecond = 1'000'000'000, kNow = 1'000'000 * kSecond;
  CHECK(parse_moment("1970-01-01T00:01:00Z", kNow) == 60 * kSecond);
  CHECK(parse_moment("1970-01-01T01:01:00+01:00", kNow) == 60 * kSecond);
  CHECK(parse_moment("1970-01-01T00:01:00.5", kNow) == 60 * kSecond + kSecond / 2);
  CHECK(parse_moment("1970-01-02", kNow) == 86'400 * kSecond);
  CHECK(parse_moment("now", kNow) == kNow);
  CHECK(parse_moment("-2h", kNow) == kNow - 7'200 * kSecond);
  CHECK(parse_moment("-1d", kNow) == kNow - 86'400 * kSecond);
}

TEST_CASE("moment: what is none is none") {
  for (const char* text :
       {"", "-", "yesterday", "2h", "-2", "2026-13-01", "2026-03-01T25:00:00Z", "9999-01-01", "1-1-1"}) {
    INFO(text);
    CHECK_FALSE(parse_moment(text, 0));
  }
}
