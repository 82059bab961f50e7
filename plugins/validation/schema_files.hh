// Schemas by the type of an event or by its dataschema, from files. Compiled once.
#pragma once

#include "compiled_schema.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/event_view.hh>

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace validation {

struct NamedSchema {
  std::string name;  // as a reason calls it: the file
  CompiledSchema schema;
};

class SchemaFiles {
 public:
  static constexpr std::size_t kFilesMax = 1000;

  /// Reads the keys types, dataschemas, folder and draft. Throws sluice::BadConfig that names key, file and cure.
  explicit SchemaFiles(const sluice::ConfigView& config);

  /// Null when there is none for it.
  [[nodiscard]] NamedSchema* find_dataschema(std::string_view dataschema);
  [[nodiscard]] NamedSchema* find_type(std::string_view type);
  [[nodiscard]] Draft draft() const noexcept { return draft_; }
  [[nodiscard]] bool empty() const noexcept { return schemas_.empty(); }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  using ByText = std::unordered_map<std::string, NamedSchema*, TextHash, std::equal_to<>>;

  NamedSchema& read(const std::string& path, const std::string& key);
  void read_folder(const std::string& folder);

  Draft draft_;
  std::deque<NamedSchema> schemas_;
  ByText by_path_, by_type_, by_dataschema_;
};

}  // namespace validation
