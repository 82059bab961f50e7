// `sluice plugin list | explain | check | new`: what they do, without their command line. Each prints to `out` and
// returns the exit code.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace sluice {

/// Modules and classes in the search path, without running any of their code. 78 when a file or folder is refused.
[[nodiscard]] int plugin_list(const std::vector<std::string>& search_path, std::ostream& out);

/// What a class can be told, from the schema in its module. 78 when there is no such class.
[[nodiscard]] int plugin_explain(const std::string& class_name, const std::vector<std::string>& search_path,
                                 std::ostream& out);

struct PluginCheckOptions {
  std::string file;
  std::optional<std::uint64_t> seed;       // nothing: a fresh one
  std::chrono::seconds timeout{30};        // for each test
  std::string program = "/proc/self/exe";  // runs one test per process: `PROGRAM plugin check-one …`
};
/// The conformance tests that every module must pass. 78 when one fails.
[[nodiscard]] int plugin_check(const PluginCheckOptions& options, std::ostream& out);
/// One of them, in this process: what plugin_check calls. The arguments are its own business.
[[nodiscard]] int plugin_check_one(const std::vector<std::string>& arguments);

/// A plugin project that builds and passes the check as it is. 64 for a name that cannot be, 78 when the folder is
/// there already or cannot be written.
[[nodiscard]] int plugin_new(const std::string& kind, const std::string& name, const std::string& folder,
                             std::ostream& out);

}  // namespace sluice
