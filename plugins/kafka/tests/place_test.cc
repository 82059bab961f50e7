#include "place.hh"

#include "catch.hh"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

using kafka::Place;

TEST_CASE("place: only what is settled without a hole may be committed", "[kafka][place]") {
  Place place;
  CHECK(place.next() == -1);
  const auto a = place.take(10), b = place.take(11), c = place.take(15);
  place.settle(c, true);
  CHECK(place.next() == -1);
  place.settle(a, true);
  CHECK(place.next() == 11);
  place.settle(b, true);
  CHECK(place.next() == 16);
  CHECK(place.unsettled() == 0);
  CHECK(place.oldest() == 16);
}

TEST_CASE("place: what was settled before or is unknown changes nothing", "[kafka][place]") {
  Place place;
  const auto a = place.take(3);
  place.settle(a, true);
  place.settle(a, false);
  place.settle(a + 7, true);
  CHECK(place.next() == 4);
  CHECK(place.failed() == 0);
  CHECK_FALSE(place.wants(3));
  CHECK(place.wants(4));
}

TEST_CASE("place: a failed message is wanted again, and those behind it are not", "[kafka][place]") {
  Place place;
  const auto a = place.take(1), b = place.take(2), c = place.take(3);
  place.settle(b, false);
  place.settle(a, true);
  place.settle(c, true);
  CHECK(place.next() == 2);
  CHECK(place.failed() == 1);
  CHECK(place.lowest_failed() == 2);
  CHECK_FALSE(place.under_way());
  place.reads_again();
  CHECK_FALSE(place.wants(1));
  REQUIRE(place.wants(2));
  const auto again = place.take(2);
  CHECK(place.under_way());
  CHECK_FALSE(place.wants(2));
  CHECK_FALSE(place.wants(3));
  CHECK(place.wants(4));
  place.settle(again, true);
  CHECK(place.next() == 4);
}

TEST_CASE("place: a failed message that is deleted before it came again is counted as lost, and blocks nothing",
          "[kafka][place]") {
  Place place;
  const auto a = place.take(1), b = place.take(2);
  place.settle(a, false);
  place.settle(b, true);
  place.reads_again();
  const auto later = place.take(9);  // 1 to 8 are gone
  CHECK(place.lost() == 1);
  CHECK(place.next() == 3);
  place.settle(later, true);
  CHECK(place.next() == 10);
}

TEST_CASE("place: in any order of settling, with failures, everything is delivered once and the commit is exact",
          "[kafka][place]") {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    std::mt19937 die(seed);
    std::vector<std::int64_t> offsets;  // with holes
    for (std::int64_t offset = 0; offsets.size() < 200; ++offset) {
      if (die() % 4 != 0) offsets.push_back(offset);
    }
    Place place;
    std::map<std::int64_t, int> delivered;
    std::map<std::uint64_t, std::int64_t> open;
    std::size_t at = 0;
    bool waits = false;
    while (delivered.size() < offsets.size()) {
      if (!waits && at < offsets.size() && (open.empty() || die() % 2 == 0)) {
        const std::int64_t offset = offsets[at++];
        if (place.wants(offset)) open.emplace(place.take(offset), offset);
      } else if (!open.empty()) {
        auto one = std::next(open.begin(), static_cast<long>(die() % open.size()));
        const bool well = die() % 5 != 0;
        if (well) ++delivered[one->second];
        place.settle(one->first, well);
        waits = waits || !well;
        open.erase(one);
      } else if (waits) {
        waits = false;
        place.reads_again();
        at = static_cast<std::size_t>(std::find(offsets.begin(), offsets.end(), place.lowest_failed()) -
                                      offsets.begin());
      }
      for (const auto& [number, offset] : open) REQUIRE(place.next() <= offset);
      if (place.failed() > 0) REQUIRE(place.next() <= place.lowest_failed());
    }
    for (const auto& [offset, times] : delivered) REQUIRE(times == 1);
    REQUIRE(place.next() == offsets.back() + 1);
    REQUIRE(place.lost() == 0);
  }
}
