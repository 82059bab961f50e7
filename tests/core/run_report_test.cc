// The figures of a report, whatever the times of the events are, and its charts.
#include "core/run_report.hh"
#include "core/report_chart.hh"

#include "catch.hh"

using namespace sluice;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
const std::string kPassed = "specimen.completed", kFailed = "specimen.failed";

}  // namespace

TEST_CASE("report: counts by type, the most frequent first, and other types are no outcomes") {
  RunReport report({});
  for (int i = 0; i < 3; ++i) report.add("b", {});
  report.add("c", {});
  report.add("a", {});
  CHECK(report.events() == 5);
  CHECK(report.types() == std::vector<std::pair<std::string, std::uint64_t>>{{"b", 3}, {"a", 1}, {"c", 1}});
  CHECK(report.outcomes().all() == 0);
  CHECK(terminal_chart(report).empty());
}

TEST_CASE("report: the types are bounded") {
  RunReport report({});
  for (int i = 0; i < 5000; ++i) report.add("type." + std::to_string(i), {});
  CHECK(report.types().size() == RunReport::kTypesMax + 1);
  CHECK(report.types().front() == std::pair<std::string, std::uint64_t>{"other", 5000 - RunReport::kTypesMax});
}

TEST_CASE("report: the first drop is judged from the given number of outcomes on, and told once") {
  ReportOptions options;
  options.threshold = 0.6;
  RunReport report(options);
  report.add(kFailed, 0);
  CHECK_FALSE(report.first_drop());  // one of one says nothing
  for (int i = 1; i <= 3; ++i) report.add(kPassed, i * kSecond);
  report.add(kFailed, 4 * kSecond);  // 3 of 5: not below
  CHECK_FALSE(report.first_drop());
  report.add(kFailed, 5 * kSecond);
  report.add(kFailed, 6 * kSecond);
  REQUIRE(report.first_drop());
  CHECK(report.first_drop()->outcome == 6);
  CHECK(report.first_drop()->rate == 0.5);
  CHECK(report.first_drop()->unix_ns == 5 * kSecond);
}

TEST_CASE("report: slots of time are bounded and lose no outcome, in any order and before 1970") {
  OutcomeTimes times;
  std::uint64_t added = 0;
  for (std::int64_t step = 1; step < 40; ++step) {
    for (const std::int64_t sign : {1, -1}) {
      times.add(sign * (std::int64_t{1} << step) * 1'000'000, {1, 0});
      ++added;
    }
  }
  const auto columns = times.columns(60);
  CHECK(columns.size() == 60);
  CHECK(columns.back().so_far.successes == added);
  CHECK(times.columns(100'000).size() <= OutcomeTimes::kSlots);
  for (std::size_t i = 1; i < columns.size(); ++i) CHECK(columns[i - 1].from_unix_ns < columns[i].from_unix_ns);
}

TEST_CASE("report: the terminal's chart falls with the rate and marks the threshold") {
  ReportOptions options;
  options.threshold = 0.5;
  RunReport report(options);
  report.add(kPassed, 0);
  report.add(kFailed, 1000 * kSecond);
  report.add(kFailed, 2000 * kSecond);
  report.add(kFailed, 3000 * kSecond);
  CHECK(terminal_chart(report, 4) ==
        "100% ┤█   \n"
        "     │█   \n"
        "     │█   \n"
        "     │█   \n"
        " 50% ┤██┄┄┄ threshold 50.0%\n"
        "     │██▅ \n"
        "     │████\n"
        "  0% ┤████\n"
        "      1970-01-01T00:00:00.000Z  1970-01-01T00:50:00.000Z\n");
}

TEST_CASE("report: the SVG has the line, the threshold and the drop; and says so when there is nothing to draw") {
  ReportOptions options;
  options.threshold = 0.6;
  options.after = 1;
  RunReport report(options);
  CHECK(svg_chart(report).find("no outcome with a time") != std::string::npos);
  report.add(kPassed, kSecond);
  report.add(kFailed, 2 * kSecond);
  const std::string svg = svg_chart(report);
  CHECK(svg.find("Success rate 50.0% (1 of 2)") != std::string::npos);
  CHECK(svg.find("<polyline") != std::string::npos);
  CHECK(svg.find("stroke-dasharray") != std::string::npos);
  CHECK(svg.find("<circle") != std::string::npos);
}
