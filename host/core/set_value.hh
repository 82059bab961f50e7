// `--set path=value`: one value put into the tree from the command line, after parsing. Pure.
#pragma once

#include "core/document.hh"

#include <optional>
#include <string>

namespace sluice {

/// Puts value at the dotted path ("backends.log.config.path", "sources.in.config.paths.0"), making maps on the way.
/// Says what is wrong when the path leads through a value that is no map and no list.
[[nodiscard]] std::optional<std::string> set_value(Value& root, const std::string& path, Value value);

}  // namespace sluice
