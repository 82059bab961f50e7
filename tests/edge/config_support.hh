// Loading configurations in tests: from a file of the tests' data, or from text.
#pragma once

#include "edge/config_commands.hh"
#include "support/schema_catalog.hh"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace sluice_tests {

/// Sets variables for one test, and puts the environment back.
class Environment {
 public:
  Environment(std::initializer_list<std::pair<std::string, std::string>> variables) {
    for (const auto& [name, value] : variables) {
      const char* old = std::getenv(name.c_str());
      before_.emplace_back(name, old == nullptr ? std::nullopt : std::optional<std::string>(old));
      ::setenv(name.c_str(), value.c_str(), 1);
    }
  }
  ~Environment() {
    for (const auto& [name, value] : before_) {
      if (value) {
        ::setenv(name.c_str(), value->c_str(), 1);
      } else {
        ::unsetenv(name.c_str());
      }
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  std::vector<std::pair<std::string, std::optional<std::string>>> before_;
};

/// A file with this text, gone at the end of the test.
class TextFile {
 public:
  explicit TextFile(const std::string& text) {
    char name[] = "/tmp/sluice-config-XXXXXX";
    const int fd = ::mkstemp(name);
    path = name;
    std::ofstream(path) << text;
    ::close(fd);
  }
  ~TextFile() { std::filesystem::remove(path); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  std::string path;
};

struct Loaded {
  sluice::Config config;
  sluice::Problems problems;
  std::string lines;  // all problems, in order, without the file's name in front

  [[nodiscard]] bool ok() const { return !sluice::has_errors(problems); }
  [[nodiscard]] bool says(const std::string& text) const { return lines.find(text) != std::string::npos; }
};

inline Loaded load_file(const std::string& path, bool stdin_source = false, std::vector<std::string> sets = {}) {
  static const SchemaCatalog catalog;
  Loaded loaded;
  loaded.config = sluice::load_config({path, stdin_source, std::move(sets)}, catalog, loaded.problems);
  sluice::sort_problems(loaded.problems);
  for (const sluice::Problem& problem : loaded.problems) {
    std::string line = sluice::to_line(problem);
    if (line.starts_with(path + ":")) line.erase(0, path.size() + 1);
    loaded.lines += line + "\n";
  }
  return loaded;
}

inline Loaded load_text(const std::string& text, bool stdin_source = false, std::vector<std::string> sets = {}) {
  const TextFile file(text);
  return load_file(file.path, stdin_source, std::move(sets));
}

inline std::string scenario(const std::string& name) {
  return std::string(SLUICE_SOURCE_DIR) + "/tests/scenarios/config/" + name;
}

}  // namespace sluice_tests
