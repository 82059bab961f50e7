// Windows stepped by hand: times are plain numbers.
#include "windows.hh"
#include "catch.hh"

#include <string>
#include <vector>

using metrics::Figures;
using metrics::Windows;

namespace {

/// Two series, one field, a slide of 10; windows are told as "start-end:count,count".
struct Stepped {
  explicit Stepped(std::uint32_t panes, std::uint32_t lateness = 0) : windows({10, panes, lateness, 1, 1 << 20}) {
    windows.add_series();
    windows.add_series();
  }
  bool event(std::int64_t time, std::uint32_t series = 0, double value = 1) {
    const auto slot = windows.slot_of(time);
    if (!slot) return false;
    windows.count(*slot, series);
    CHECK(windows.add(*slot, series, 0, value));
    return true;
  }
  std::vector<std::string> advance(std::int64_t time) {
    std::vector<std::string> told;
    windows.advance(time, [&](const Windows::Closed& closed) {
      told.push_back(std::to_string(closed.start_ns()) + "-" + std::to_string(closed.end_ns()) + ":" +
                     std::to_string(closed.count(0)) + "," + std::to_string(closed.count(1)));
      const Figures figures = closed.figures(0, 0);
      CHECK(figures.count == closed.count(0));
      sums.push_back(figures.sum);
    });
    return told;
  }
  using Texts = std::vector<std::string>;
  Windows windows;
  std::vector<double> sums;
};
using Texts = Stepped::Texts;

}  // namespace

TEST_CASE("windows: side by side, each event is in one, and one closes when its end is reached", "[metrics]") {
  Stepped w(1);
  w.windows.begin(0);
  CHECK(w.event(0));
  CHECK(w.event(9));
  CHECK(w.advance(9).empty());
  CHECK(w.advance(10) == Texts{"0-10:2,0"});
  CHECK(w.event(15, 1));
  CHECK(w.advance(20) == Texts{"10-20:0,1"});
  CHECK_FALSE(w.event(19));  // its window is closed
}

TEST_CASE("windows: overlapping ones count an event in each that it lies in", "[metrics]") {
  Stepped w(3);
  w.windows.begin(0);
  CHECK(w.event(5, 0, 2));
  CHECK(w.advance(20).empty());
  CHECK(w.event(25, 0, 3));
  CHECK(w.advance(30) == Texts{"0-30:2,0"});
  CHECK(w.advance(40) == Texts{"10-40:1,0"});
  CHECK(w.event(44, 0, 4));
  CHECK(w.advance(60) == Texts{"20-50:2,0", "30-60:1,0"});
  CHECK(w.sums == std::vector<double>{5, 3, 7, 4});
}

TEST_CASE("windows: after a silence one empty window is told, and the next begin where time is", "[metrics]") {
  Stepped w(2);
  w.windows.begin(0);
  CHECK(w.event(5));
  CHECK(w.advance(1'000'000) == Texts{"0-20:1,0", "10-30:0,0"});
  CHECK(w.windows.held() == 0);
  CHECK(w.event(1'000'003));
  CHECK(w.advance(1'000'010) == Texts{"999990-1000010:1,0"});
}

TEST_CASE("windows: what comes late is counted as long as one of its windows is open", "[metrics]") {
  Stepped w(1, 2);  // by event time, two panes of lateness
  CHECK(w.advance(100 - 20).empty());
  CHECK(w.event(100));
  CHECK(w.event(85));  // late, in time
  CHECK(w.advance(109 - 20).empty());
  CHECK(w.event(109));
  CHECK(w.advance(110 - 20) == Texts{"80-90:1,0"});
  CHECK(w.event(110));
  CHECK_FALSE(w.event(89));
  CHECK(w.event(90));
  CHECK(w.advance(150 - 20) == Texts{"90-100:1,0", "100-110:2,0", "110-120:1,0", "120-130:0,0"});
}

TEST_CASE("windows: the newest event fits wherever it lies between two steps of time", "[metrics]") {
  for (std::int64_t jump = 0; jump < 200; ++jump) {
    Stepped w(4, 3);
    (void)w.advance(1000 - 30);
    REQUIRE(w.event(1000));
    (void)w.advance(1000 + jump - 30);
    REQUIRE(w.event(1000 + jump));
    REQUIRE(w.windows.held() >= 1);
  }
}

TEST_CASE("windows: times before the epoch lie in windows like others", "[metrics]") {
  Stepped w(1);
  CHECK(w.advance(-25).empty());
  CHECK(w.event(-25));
  CHECK(w.advance(-19) == Texts{"-30--20:1,0"});
}

TEST_CASE("windows: a series that comes later begins with nothing", "[metrics]") {
  Stepped w(2);
  w.windows.begin(0);
  CHECK(w.event(5));
  w.windows.add_series();
  CHECK(w.event(15, 2, 7));
  std::vector<std::uint64_t> counts;
  w.windows.advance(20, [&](const Windows::Closed& closed) {
    for (std::uint32_t i = 0; i < closed.series(); ++i) counts.push_back(closed.count(i));
  });
  CHECK(counts == std::vector<std::uint64_t>{1, 0, 1});
}
