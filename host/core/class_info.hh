// What the configuration needs to know about the classes that plugins offer, without knowing how they were found.
#pragma once

#include "core/config.hh"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A class as its module describes it.
struct ClassDescription {
  NodeKind kind = NodeKind::source;
  std::string name;
  std::string module_path;
  std::string version;
  std::string summary;
  std::string schema_json;         // JSON Schema of its config
  std::uint32_t flags = 0;         // sluice_class.flags
  std::vector<std::string> ports;  // output ports beyond port 0: ports[0] is port 1
};

/// The classes that were found.
class ClassCatalog {
 public:
  virtual ~ClassCatalog() = default;
  /// Null when there is none of that name and kind. Valid as long as the catalog.
  [[nodiscard]] virtual const ClassDescription* find(NodeKind kind, std::string_view name) const = 0;
  /// Of any kind: one name may be a source, a consumer and a backend at once, each a class of its own.
  [[nodiscard]] const ClassDescription* find(std::string_view name) const {
    for (const NodeKind kind : {NodeKind::source, NodeKind::consumer, NodeKind::backend}) {
      if (const ClassDescription* found = find(kind, name)) return found;
    }
    return nullptr;
  }
  [[nodiscard]] virtual std::vector<std::string> names() const = 0;
  /// For people: the folders that were searched.
  [[nodiscard]] virtual std::string where_looked() const = 0;
};

}  // namespace sluice
