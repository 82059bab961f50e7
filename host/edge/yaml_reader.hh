// YAML bytes become a tree of values with their places. The only file that knows yaml-cpp.
#pragma once

#include "core/document.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

struct YamlBounds {
  std::uint64_t bytes = 1024 * 1024;  // of the file
  std::uint32_t values = 50'000;      // of the tree, aliases written out
  std::uint32_t depth = 64;
};

/// Reads a file. On a problem that leaves no tree: nothing, and the problem. Problems that leave one (duplicate keys,
/// tags, keys that are no text) are noted with their path, and the tree is returned: the caller knows which of its
/// parts are its business.
[[nodiscard]] std::optional<Value> read_yaml_file(const std::string& path, Problems& problems, YamlBounds bounds = {});
/// The same from memory; `file` is what the places say.
[[nodiscard]] std::optional<Value> read_yaml(std::string_view text, const std::string& file, Problems& problems,
                                             YamlBounds bounds = {});

}  // namespace sluice
