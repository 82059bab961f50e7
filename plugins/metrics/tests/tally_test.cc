// Counting by type, throughput over time, and the words of the summary.
#include "tally.hh"

#include "catch.hh"

namespace {

metrics::Types plain_types() {
  return metrics::Types([](std::string_view type) { return metrics::TypeCount{std::string(type)}; });
}

}  // namespace

TEST_CASE("types: one number per type, however often and in whatever order", "[metrics]") {
  metrics::Types types = plain_types();
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 200; ++i) ++types[types.number_of("type." + std::to_string(i))].count;
    ++types[types.number_of("")].count;
  }
  CHECK(types.all().size() == 201);
  for (const auto& one : types.all()) CHECK(one.count == 3);
}

TEST_CASE("types: beyond the bound everything new is 'other'", "[metrics]") {
  metrics::Types types = plain_types();
  for (int i = 0; i < 10'000; ++i) ++types[types.number_of("type." + std::to_string(i))].count;
  CHECK(types.all().size() == metrics::Types::kTypesMax + 1);
  CHECK(types[types.number_of("other")].count == 10'000 - metrics::Types::kTypesMax);
}

TEST_CASE("throughput: over the window and over all", "[metrics]") {
  constexpr std::uint64_t kSecond = 1'000'000'000;
  metrics::Throughput throughput(10 * kSecond);
  for (std::uint64_t ms = 0; ms < 60'000; ms += 10) throughput.add(100 * kSecond + ms * 1'000'000, 5);
  CHECK(throughput.overall() == Approx(500).epsilon(0.01));
  CHECK(throughput.now(160 * kSecond) == Approx(500).epsilon(0.05));
  CHECK(throughput.now(1000 * kSecond) == 0);  // nothing comes any more
}

TEST_CASE("throughput: one batch has no duration, and that is no division by zero", "[metrics]") {
  metrics::Throughput throughput(1'000'000'000);
  throughput.add(5, 100);
  CHECK(throughput.overall() == 0);
  CHECK(throughput.events() == 100);
}

TEST_CASE("summary: types by count, the rate, and each field", "[metrics]") {
  metrics::Types types = plain_types();
  types[types.number_of("specimen.failed")].count = 2;
  types[types.number_of("specimen.completed")].count = 23;
  metrics::Throughput throughput(1'000'000'000);
  throughput.add(1'000'000'000, 5);
  throughput.add(3'000'000'000, 20);
  metrics::FieldStats stats;
  for (const double value : {1.0, 0.5, 0.25}) stats.add(value);
  CHECK(summary_text(types, throughput, 23, 2, {{"rate", stats}, {"/none", {}}}) ==
        "events: 25 in 2.0 s (12.5/s)\n"
        "  specimen.completed  23\n"
        "  specimen.failed     2\n"
        "success rate: 92.0% (23 of 25)\n"
        "rate: mean 0.583333, min 0.25, max 1, last 0.25, sum 1.75 (3 values)\n"
        "/none: never seen\n");
}
