// `sluice check CONFIG…` and `sluice graph CONFIG`: a configuration is read, checked and shown; nothing runs.
#pragma once

#include "edge/config_loader.hh"

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

/// Finds the classes in these folders. What it cannot load it notes as a problem.
using OpenCatalog = std::function<std::unique_ptr<ClassCatalog>(const std::vector<std::string>& folders, Problems&)>;

/// Prints every problem of every file, one per line, and "FILE: ok …" for a file without errors.
/// Returns kClean or kBadConfig; notes do not fail. `try_nodes` asks the classes themselves, when nothing else is
/// wrong.
using TryNodes = std::function<void(const Config&, ClassCatalog&, Problems&)>;
[[nodiscard]] int check_command(const std::vector<LoadOptions>& files, const OpenCatalog& open_catalog,
                                std::ostream& out, const TryNodes& try_nodes = {});

enum class GraphFormat : std::uint8_t { text, dot, mermaid };

/// Prints the graph to out, or the problems to err.
[[nodiscard]] int graph_command(const LoadOptions& file, GraphFormat format, const OpenCatalog& open_catalog,
                                std::ostream& out, std::ostream& err);

/// In the order of the file, each once.
void sort_problems(Problems& problems);

}  // namespace sluice
