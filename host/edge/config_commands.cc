#include "edge/config_commands.hh"

#include "core/exit_code.hh"
#include "core/graph_text.hh"

#include <algorithm>
#include <ostream>
#include <tuple>

namespace sluice {
namespace {

Config load(const LoadOptions& file, const OpenCatalog& open_catalog, Problems& problems,
            const TryNodes& try_nodes = {}) {
  Config config = read_config(file, problems);
  if (!config.nodes.empty()) {
    const auto catalog = open_catalog(config.plugin_path, problems);
    check_classes(config, *catalog, problems);
    if (try_nodes && !has_errors(problems)) try_nodes(config, *catalog, problems);
  }
  sort_problems(problems);
  return config;
}

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string summary(const Config& config) {
  if (!config.disabled.empty()) return "ok, but nothing runs";
  std::size_t kinds[3] = {};
  for (const NodeConfig& node : config.nodes) ++kinds[static_cast<std::size_t>(node.kind)];
  return "ok: " + counted(kinds[0], "source") + ", " + counted(kinds[1], "consumer") + ", " +
         counted(kinds[2], "backend");
}

}  // namespace

void sort_problems(Problems& problems) {
  std::ranges::stable_sort(problems, [](const Problem& a, const Problem& b) {
    return std::tie(a.mark.line, a.mark.column) < std::tie(b.mark.line, b.mark.column);
  });
  const auto same = [](const Problem& a, const Problem& b) { return to_line(a) == to_line(b); };
  problems.erase(std::unique(problems.begin(), problems.end(), same), problems.end());
}

int check_command(const std::vector<LoadOptions>& files, const OpenCatalog& open_catalog, std::ostream& out,
                  const TryNodes& try_nodes) {
  int code = kClean;
  for (const LoadOptions& file : files) {
    Problems problems;
    const Config config = load(file, open_catalog, problems, try_nodes);
    for (const Problem& problem : problems) out << to_line(problem) << '\n';
    if (has_errors(problems)) {
      const auto errors = std::ranges::count(problems, Severity::error, &Problem::severity);
      out << file.path << ": " << counted(static_cast<std::size_t>(errors), "error") << '\n';
      code = kBadConfig;
    } else {
      out << file.path << ": " << summary(config) << '\n';
    }
  }
  return code;
}

int graph_command(const LoadOptions& file, GraphFormat format, const OpenCatalog& open_catalog, std::ostream& out,
                  std::ostream& err) {
  Problems problems;
  const Config config = load(file, open_catalog, problems);
  if (has_errors(problems)) {
    for (const Problem& problem : problems) err << to_line(problem) << '\n';
    return kBadConfig;
  }
  switch (format) {
    case GraphFormat::text:
      out << graph_as_text(config);
      break;
    case GraphFormat::dot:
      out << graph_as_dot(config);
      break;
    case GraphFormat::mermaid:
      out << graph_as_mermaid(config);
      break;
  }
  return kClean;
}

}  // namespace sluice
