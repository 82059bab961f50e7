// `sluice report`: what event logs say of a run, to look at instead of to read.
#pragma once

#include "core/run_report.hh"

#include <iosfwd>
#include <string>
#include <vector>

namespace sluice {

struct ReportCommand {
  std::vector<std::string> files;  // none: standard input
  std::string svg;                 // file to write the chart to; empty: none
  bool json = false;
  ReportOptions options;
};

/// Files are read in the order of their first events, whatever order they were named in. Lines that are no events are
/// named in `err`. Returns 0; 1 when some lines were no events or a file ended too early; throws SetupError (64) for a
/// file that cannot be read or written.
[[nodiscard]] int run_report(const ReportCommand& command, std::ostream& out, std::ostream& err);

}  // namespace sluice
