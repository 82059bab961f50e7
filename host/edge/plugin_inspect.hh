// Describes a module from its file, without running any of its code: `plugin list`, `plugin explain`, `check` and the
// class catalog read modules this way.
#pragma once

#include "core/class_info.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

struct ModuleDescription {
  std::string path;
  std::uint32_t abi_minor = 0;
  std::uint32_t need_minor = 0;
  std::uint64_t table_address = 0;  // of its sluice_module, before loading
  std::uint64_t memory_bytes = 0;   // that it takes when loaded
  std::string stamp;                // which file the path named when it was read; a newer one has another
  std::vector<ClassDescription> classes;
};

/// Throws Refused.
[[nodiscard]] ModuleDescription inspect_module(const std::string& path);

/// "x.so" for "/a/b/x.so".
[[nodiscard]] std::string file_name(const std::string& path);

}  // namespace sluice
