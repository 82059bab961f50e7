// Counters and histograms.
#include "core/stats.hh"

#include "catch.hh"
#include "core/backoff.hh"

#include <algorithm>
#include <vector>

using namespace sluice;

TEST_CASE("histogram: buckets and their bounds agree, for every power of two and its neighbours") {
  std::vector<std::uint64_t> values{0, 1, 2, 3};
  for (unsigned power = 2; power < 64; ++power) {
    for (std::uint64_t quarter = 0; quarter < 4; ++quarter) {
      const std::uint64_t at = (std::uint64_t{1} << power) + (quarter << (power - 2));
      for (const std::uint64_t value : {at - 1, at, at + 1}) values.push_back(value);
    }
  }
  values.push_back(~std::uint64_t{0});
  for (const std::uint64_t value : values) {
    const std::size_t bucket = Histogram::bucket_of(value);
    CAPTURE(value, bucket);
    REQUIRE(bucket < Histogram::kBuckets);
    REQUIRE(value <= Histogram::upper_bound(bucket));
    if (bucket > 0) REQUIRE(value > Histogram::upper_bound(bucket - 1));
    REQUIRE(Histogram::bucket_of(Histogram::upper_bound(bucket)) == bucket);
  }
}

TEST_CASE("histogram: bounds rise with the bucket and never wrap") {
  for (std::size_t i = 1; i < Histogram::kBuckets; ++i) {
    CAPTURE(i);
    REQUIRE(Histogram::upper_bound(i) >= Histogram::upper_bound(i - 1));
  }
}

TEST_CASE("histogram: count and sum are exact") {
  Histogram histogram;
  histogram.add(10);
  histogram.add(1000, 3);
  CHECK(histogram.count() == 4);
  CHECK(histogram.sum() == 3010);
  CHECK(histogram.bucket(Histogram::bucket_of(1000)) == 3);
}

TEST_CASE("histogram: a percentile is within 19 % of the truth") {
  Random random(5);
  for (int round = 0; round < 50; ++round) {
    Histogram histogram;
    std::vector<std::uint64_t> values;
    const std::uint64_t scale = std::uint64_t{1} << (4 + random.below(40));
    for (int i = 0; i < 500; ++i) {
      values.push_back(4 + random.below(scale) * (random.below(10) == 0 ? 100 : 1));
      histogram.add(values.back());
    }
    std::ranges::sort(values);
    for (const double q : {0.0, 0.5, 0.95, 0.99, 1.0}) {
      const double truth = static_cast<double>(values[static_cast<std::size_t>(q * 499)]);
      CAPTURE(round, q, truth);
      REQUIRE(static_cast<double>(histogram.percentile(q)) == Approx(truth).epsilon(0.19));
    }
  }
}

TEST_CASE("histogram: one value is its own percentile within 19 %, wherever in its bucket it lies") {
  for (unsigned power = 2; power < 63; ++power) {
    for (std::uint64_t quarter = 0; quarter < 4; ++quarter) {
      const std::uint64_t least = (std::uint64_t{1} << power) + (quarter << (power - 2));
      for (const std::uint64_t value : {least, Histogram::upper_bound(Histogram::bucket_of(least))}) {
        Histogram histogram;
        histogram.add(value);
        CAPTURE(value);
        REQUIRE(static_cast<double>(histogram.percentile(0.99)) == Approx(static_cast<double>(value)).epsilon(0.19));
      }
    }
  }
}

TEST_CASE("histogram: small values are exact, and an empty one says zero") {
  Histogram histogram;
  CHECK(histogram.percentile(0.5) == 0);
  for (std::uint64_t value = 0; value < 4; ++value) histogram.add(value);
  CHECK(histogram.percentile(0) == 0);
  CHECK(histogram.percentile(0.5) == 1);
  CHECK(histogram.percentile(1) == 3);
}

TEST_CASE("node stats: totals add up over all types, and the last error keeps its time") {
  NodeStats stats;
  stats.by_type[0].out.add(2);
  stats.by_type[limits::kTypes - 1].out.add(3);
  stats.by_type[1].in.add_shared(7);
  CHECK(total(stats, &TypeCounters::out) == 5);
  CHECK(total(stats, &TypeCounters::in) == 7);
  CHECK(stats.error() == std::pair<std::string, std::int64_t>("", 0));
  stats.set_error("refused", 9);
  CHECK(stats.error() == std::pair<std::string, std::int64_t>("refused", 9));
}
