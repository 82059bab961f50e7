// A run report as people look at it: a chart of letters for the terminal, and an SVG. Pure.
#pragma once

#include "core/run_report.hh"

#include <string>

namespace sluice {

/// "92.0%"
[[nodiscard]] std::string percent_text(double ratio);
/// "2025-10-10T12:00:00.000Z"
[[nodiscard]] std::string moment_text(std::int64_t unix_ns);

/// Eight rows of blocks, one column per slice of time: the success rate of everything up to there. Empty without times.
[[nodiscard]] std::string terminal_chart(const RunReport& report, std::size_t columns = 60);

/// Bars: the rate within each slice; the line: the rate so far; dashed: the threshold; the dot: the first drop.
[[nodiscard]] std::string svg_chart(const RunReport& report);

}  // namespace sluice
