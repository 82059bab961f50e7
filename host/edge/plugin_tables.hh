// What a module's tables must hold before the host believes them. The same rules for tables in memory and for the copy
// that plugin_inspect reads from the file. Pure.
#pragma once

#include "core/class_info.hh"

#include <sluice/module.h>

#include <string>
#include <vector>

namespace sluice {

/// Throws Refused, naming `path`, what was expected and what was found. Null is one of the faults.
void check_tables(const std::string& path, const sluice_module* module, std::uint32_t host_minor = SLUICE_ABI_MINOR);

/// Requires: check_tables() passed.
[[nodiscard]] ClassDescription describe(const std::string& path, const sluice_class& table);

/// Requires of the table: check_tables() passed, or would as far as the kind goes.
[[nodiscard]] NodeKind kind_of(const sluice_class& table) noexcept;
/// The class of that name and kind; null when the module has none.
[[nodiscard]] const sluice_class* class_in(const sluice_module& module, const ClassDescription& description) noexcept;

[[nodiscard]] const char* to_text(NodeKind kind) noexcept;

}  // namespace sluice
