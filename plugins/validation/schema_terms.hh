// What of JSON Schema this module honours: a schema is checked keyword by keyword and put into the terms of the
// library, or refused with the place and the reason. Pure.
//
// The library compares schemas of draft 7 and lets what it does not know pass in silence. Here every keyword is either
// compared, known to be a mere note, or refused; 2020-12 is written in the words of draft 7 where they say the same.
// Whatever could cost without bound is found: references that lead nowhere but back, and schemas that multiply.
#pragma once

#include "json_tree.hh"

#include <cstddef>
#include <stdexcept>
#include <string>

namespace validation {

enum class Draft : std::uint8_t { draft_7, draft_2020_12 };

class BadSchema : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SchemaTerms {
  JsonTree schema;
  bool needs_budget = false;  // it calls itself or multiplies: an event decides how much work it is
};

inline constexpr std::size_t kSchemaDepthMax = 64;     // levels of JSON
inline constexpr std::size_t kSubschemasMax = 10'000;  // schemas within a schema
inline constexpr std::size_t kInPlaceMax = 32;         // schemas in a row for one value
inline constexpr std::size_t kPatternBytesMax = 512;
inline constexpr const char* kPatternWord = "x-sluice-pattern";  // what `pattern` becomes
inline constexpr const char* kBudgetWord = "x-sluice-budget";    // stands in every subschema when it is needed

/// `unsaid` is the draft of a schema without $schema. Throws BadSchema.
[[nodiscard]] SchemaTerms schema_terms(const JsonTree& schema, Draft unsaid);

}  // namespace validation
