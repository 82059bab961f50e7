#include "run/line_limit.hh"

#include "catch.hh"

namespace {
using sluice::LineLimit;
constexpr std::uint64_t kSecond = 1'000'000'000;
}  // namespace

TEST_CASE("line limit: so many lines in a second, the others are counted and told once in the next", "[lanes][log]") {
  LineLimit lines(2);
  CHECK(lines.left_out(5 * kSecond) == 0);
  CHECK(lines.admit());
  CHECK(lines.admit());
  CHECK_FALSE(lines.admit());
  CHECK_FALSE(lines.admit());
  CHECK(lines.left_out(5 * kSecond + kSecond - 1) == 0);  // the second is not over
  CHECK_FALSE(lines.admit());
  CHECK(lines.left_out(6 * kSecond) == 3);
  CHECK(lines.admit());
  CHECK(lines.left_out(7 * kSecond) == 0);
}

TEST_CASE("line limit: at the end what was left out is told although the second is not over", "[lanes][log]") {
  LineLimit lines(1);
  CHECK(lines.left_out(kSecond) == 0);
  CHECK(lines.admit());
  CHECK_FALSE(lines.admit());
  CHECK(lines.left_out_so_far() == 1);
  CHECK(lines.left_out_so_far() == 0);
}

TEST_CASE("line limit: none a second admits nothing", "[lanes][log]") {
  LineLimit lines(0);
  CHECK_FALSE(lines.admit());
  CHECK(lines.left_out_so_far() == 1);
}
