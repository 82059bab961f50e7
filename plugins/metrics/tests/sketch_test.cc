// The histogram behind the percentiles, against sorted values.
#include "sketch.hh"
#include "catch.hh"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using metrics::Budget;
using metrics::Sketch;

namespace {

constexpr double kShares[] = {0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999};

/// The value that so many of them do not exceed.
double exact(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

void check_close(std::vector<double> values) {
  Budget budget(1 << 24);
  Sketch sketch(3);
  for (std::size_t i = 0; i < values.size(); ++i) {
    REQUIRE(sketch.add(static_cast<std::uint32_t>(i % 3), values[i], budget));
  }
  std::sort(values.begin(), values.end());
  std::vector<double> found(std::size(kShares));
  sketch.quantiles({2, 3}, values.front(), values.back(), kShares, found);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double wanted = exact(values, kShares[i]);
    INFO(kShares[i] << ": " << found[i] << ", wanted " << wanted);
    CHECK(std::abs(found[i] - wanted) <= Sketch::kErrorMax * std::abs(wanted));
  }
}

}  // namespace

TEST_CASE("sketch: every percentile of any spread of values is within the bound of the exact one", "[metrics]") {
  std::mt19937_64 random(7);
  std::vector<double> values;
  SECTION("over a narrow range") {
    std::uniform_real_distribution<double> draw(0.4, 1.0);
    for (int i = 0; i < 10'000; ++i) values.push_back(draw(random));
  }
  SECTION("over twelve powers of ten") {
    std::uniform_real_distribution<double> draw(-6, 6);
    for (int i = 0; i < 10'000; ++i) values.push_back(std::pow(10, draw(random)));
  }
  SECTION("below and above zero, with zeros") {
    std::normal_distribution<double> draw(0, 100);
    for (int i = 0; i < 10'000; ++i) values.push_back(i % 10 == 0 ? 0 : draw(random));
  }
  SECTION("of whole powers of two") {
    for (int i = -32; i < 48; ++i) values.push_back(std::ldexp(1, i));
  }
  SECTION("of one value only") { values.assign(5, 0.3); }
  check_close(values);
}

TEST_CASE("sketch: values out of range count at its ends, within what was really seen", "[metrics]") {
  Budget budget(1 << 20);
  Sketch sketch(1);
  for (const double value : {-1e300, 1e-300, 0.0, 1e300, 1e308}) CHECK(sketch.add(0, value, budget));
  const double shares[] = {0.1, 0.5, 0.99};
  double found[3];
  sketch.quantiles({0, 1}, -1e300, 1e300, shares, found);
  CHECK(found[0] < -1e14);
  CHECK(found[1] == 0);
  CHECK(found[2] > 1e14);
}

TEST_CASE("sketch: a pane that is cleared leaves the others as they were", "[metrics]") {
  Budget budget(1 << 20);
  Sketch sketch(2);
  const double shares[] = {0.5};
  double found[1];
  for (int i = 0; i < 3; ++i) (void)sketch.add(0, 1, budget);
  (void)sketch.add(1, 64, budget);
  sketch.quantiles({0, 2}, 1, 64, shares, found);
  CHECK(found[0] == Approx(1).epsilon(Sketch::kErrorMax));
  sketch.clear(0);
  sketch.quantiles({0, 2}, 64, 64, shares, found);
  CHECK(found[0] == 64);
  sketch.clear(1);
  sketch.quantiles({0, 2}, 0, 0, shares, found);
  CHECK(std::isnan(found[0]));
}

TEST_CASE("sketch: memory is taken once for each power of two, and never beyond the budget", "[metrics]") {
  Budget budget(2 * 32 * sizeof(std::uint32_t));  // two octaves of one pane
  Sketch sketch(1);
  CHECK(sketch.add(0, 1, budget));
  CHECK(sketch.add(0, 1.9, budget));
  CHECK(sketch.add(0, -1, budget));
  CHECK_FALSE(sketch.add(0, 2, budget));
  CHECK(sketch.add(0, 0, budget));
  CHECK(sketch.add(0, 1.5, budget));
}
