// Schemas ready to be compared with data, and the data as the comparison needs it. The one file behind this header
// knows the libraries: valijson compares, RapidJSON reads.
#pragma once

#include "schema_terms.hh"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace validation {

inline constexpr std::size_t kSchemaBytesMax = 1024 * 1024;
inline constexpr std::size_t kPatternTextBytesMax = 16 * 1024;  // a longer text does not fit any pattern
inline constexpr std::uint64_t kBudget = 100'000;               // schemas per event, when the schema calls itself

/// Any JSON text, at most 64 levels deep. Throws BadSchema.
[[nodiscard]] JsonTree json_tree(std::string_view text);

class CompiledSchema {
 public:
  /// Throws BadSchema, which does not name the schema.
  CompiledSchema(std::string_view text, Draft unsaid);
  ~CompiledSchema();
  CompiledSchema(CompiledSchema&&) noexcept;
  CompiledSchema& operator=(CompiledSchema&&) noexcept;

  /// $id of the document, when it has one.
  [[nodiscard]] const std::string& id() const noexcept { return id_; }
  /// Its title, when it has one: with many registries the name of the type.
  [[nodiscard]] const std::string& title() const noexcept { return title_; }

 private:
  friend class DataCheck;
  struct State;
  std::unique_ptr<State> state_;
  std::string id_, title_;
};

/// Compares data with schemas, one after the other. Not thread-safe; what it needs is kept between calls.
class DataCheck {
 public:
  DataCheck();
  ~DataCheck();
  DataCheck(const DataCheck&) = delete;
  DataCheck& operator=(const DataCheck&) = delete;

  /// Nothing when the JSON text fits; else where it does not and why: "/runs/0/rate must be …".
  [[nodiscard]] std::optional<std::string> why_not(std::string_view data, CompiledSchema& schema);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace validation
