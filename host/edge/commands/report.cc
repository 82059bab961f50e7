// sluice report.
#include "edge/command_help.hh"
#include "edge/command_syntax.hh"

namespace sluice {

void declare_report(CommandSyntax& top) {
  CommandSyntax report = top.command("report", "Show what event logs say of a run.", help::kReport);
  auto& asked = report.makes<ReportCommand>();
  report.option("FILE", asked.files, "Event logs, also rotated and gzipped; standard input when left out");
  report.option("--threshold", asked.options.threshold, "Say where the success rate first fell below this, 0 to 1")
      .shown_as("RATIO")
      .between(0.0, 1.0);
  report.option("--after", asked.options.after, "Judge the threshold from this many outcomes on (default 5)")
      .shown_as("N")
      .between(std::uint64_t{1}, std::uint64_t{1'000'000'000});
  const auto types = [&](const char* option, std::vector<std::string>& into, const char* what) {
    report.option(option, into, what).shown_as("TYPE").one_each_time();
  };
  types("--success", asked.options.success_types, "Type that is a success (default specimen.completed)");
  types("--failure", asked.options.failure_types, "Type that is a failure (default specimen.failed)");
  report.option("--svg", asked.svg, "Write the chart to this file, too").shown_as("FILE");
  report.flag("--json", asked.json, "One JSON object instead of text");
}

}  // namespace sluice
