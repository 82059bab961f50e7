// Single steps through a JSON Schema: references, flags, members. Shared by what walks schemas. Pure.
#pragma once

#include "core/document.hh"

#include <string>

namespace sluice {

inline constexpr std::size_t kDeepestSchema = 64;  // levels, and references in a row

/// A local "#/definitions/x" reference, followed to its end; null when it leads nowhere.
[[nodiscard]] const Value* resolve(const Value& root, const Value* schema);
/// Where one such pointer leads, without following references there.
[[nodiscard]] const Value* pointed_at(const Value& root, const std::string& pointer);
[[nodiscard]] bool flag(const Value& schema, const char* key);
/// The schema of a member: by its name, else what "additionalProperties" says of every other; null when none does.
[[nodiscard]] const Value* member_schema(const Value& root, const Value& schema, const std::string& key);

}  // namespace sluice
