#include "edge/plugin_tables.hh"

#include "edge/plugin_elf.hh"

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

namespace sluice {
namespace {

constexpr std::uint32_t kClassesMax = 256;
constexpr std::size_t kNameBytesMax = 64;
constexpr std::uint32_t kPortsMax = 252;

// Sizes of ABI 1.0: what every v1 table has at least. They never change; what came later is asked for by SLUICE_HAS.
constexpr std::uint32_t kModuleBytes = 24;
constexpr std::uint32_t kClassBytes = 128;
constexpr std::uint32_t kSourceBytes = 24;
constexpr std::uint32_t kConsumerBytes = 32;
constexpr std::uint32_t kBackendBytes = 24;
static_assert(sizeof(sluice_module) >= kModuleBytes && sizeof(sluice_class) >= kClassBytes);
static_assert(sizeof(sluice_source) >= kSourceBytes && sizeof(sluice_consumer) >= kConsumerBytes);
static_assert(sizeof(sluice_backend) >= kBackendBytes);

void want_bytes(const std::string& path, const std::string& table, std::uint32_t least, std::uint32_t found) {
  if (found < least) {
    throw Refused(path, table + " of at least " + std::to_string(least) + " bytes",
                  "a truncated one of " + std::to_string(found));
  }
}

void want_slot(const std::string& path, const std::string& owner, const char* slot, bool present) {
  if (!present) throw Refused(path, owner + " with a " + slot + "()", "null in that required slot");
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

void check_kind(const std::string& path, const std::string& who, const sluice_class& table) {
  const int kinds = (table.source != nullptr) + (table.consumer != nullptr) + (table.backend != nullptr);
  if (kinds != 1) {
    throw Refused(path, who + " to be exactly one of source, consumer, backend", std::to_string(kinds) + " of them");
  }
  if (table.source != nullptr) {
    want_bytes(path, "a source table in " + who, kSourceBytes, table.source->size);
    want_slot(path, who, "pull", table.source->pull != nullptr);
    want_slot(path, who, "settle", table.source->settle != nullptr);
  } else if (table.consumer != nullptr) {
    want_bytes(path, "a consumer table in " + who, kConsumerBytes, table.consumer->size);
    want_slot(path, who, "process", table.consumer->process != nullptr);
  } else {
    want_bytes(path, "a backend table in " + who, kBackendBytes, table.backend->size);
    want_slot(path, who, "publish", table.backend->publish != nullptr);
  }
}

void check_ports(const std::string& path, const std::string& who, const sluice_class& table) {
  if (table.ports == nullptr) return;
  std::uint32_t ports = 0;
  while (table.ports[ports] != nullptr) {
    if (++ports > kPortsMax) throw Refused(path, who + " with at most 252 output ports", "more");
  }
  if (ports > 0 && table.consumer == nullptr) {
    throw Refused(path, "output ports on a consumer only", who + " with " + std::to_string(ports));
  }
}

void check_class(const std::string& path, const sluice_class& table) {
  want_bytes(path, "a class table", kClassBytes, table.size);
  if (table.name == nullptr) throw Refused(path, "a class with a name", "null");
  const std::string name = table.name;
  if (!good_name(name)) {
    throw Refused(path, "a class name of 1 to 64 letters a-z, digits and _", "'" + name.substr(0, 80) + "'");
  }
  const std::string who = "class '" + name + "'";
  if (table.version == nullptr) throw Refused(path, who + " with a version", "null");
  if (table.summary == nullptr) throw Refused(path, who + " with a summary", "null");
  if (table.config_schema == nullptr) throw Refused(path, who + " with a config schema", "null");
  check_kind(path, who, table);
  want_slot(path, who, "create", table.create != nullptr);
  want_slot(path, who, "destroy", table.destroy != nullptr);
  check_ports(path, who, table);
}

}  // namespace

void check_tables(const std::string& path, const sluice_module* module, std::uint32_t host_minor) {
  if (module == nullptr) throw Refused(path, "a module table from sluice_module_v1()", "null");
  want_bytes(path, "a module table", kModuleBytes, module->size);
  if (module->need_minor > host_minor) {
    throw Refused(path + ": needs ABI 1." + std::to_string(module->need_minor) + ", this host has 1." +
                  std::to_string(host_minor) + ": expected a module for this host or an older one, found a newer one");
  }
  if (module->class_count == 0 || module->class_count > kClassesMax || module->classes == nullptr) {
    throw Refused(path, "1 to 256 classes", module->classes == nullptr ? "null" : std::to_string(module->class_count));
  }
  std::set<std::pair<NodeKind, std::string_view>> names;
  for (std::uint32_t i = 0; i < module->class_count; ++i) {
    const sluice_class* table = module->classes[i];
    if (table == nullptr) throw Refused(path, "a class table at position " + std::to_string(i), "null");
    check_class(path, *table);
    if (!names.insert({kind_of(*table), table->name}).second) {
      throw Refused(path, "classes of different names in each kind",
                    std::string(to_text(kind_of(*table))) + " '" + table->name + "' twice");
    }
  }
}

NodeKind kind_of(const sluice_class& table) noexcept {
  if (table.source != nullptr) return NodeKind::source;
  return table.consumer != nullptr ? NodeKind::consumer : NodeKind::backend;
}

const sluice_class* class_in(const sluice_module& module, const ClassDescription& description) noexcept {
  for (std::uint32_t i = 0; i < module.class_count; ++i) {
    const sluice_class& table = *module.classes[i];
    if (description.name == table.name && description.kind == kind_of(table)) return &table;
  }
  return nullptr;
}

ClassDescription describe(const std::string& path, const sluice_class& table) {
  ClassDescription out;
  out.kind = kind_of(table);
  out.name = table.name;
  out.module_path = path;
  out.version = table.version;
  out.summary = table.summary;
  out.schema_json = table.config_schema;
  out.flags = table.flags;
  for (const char* const* port = table.ports; port != nullptr && *port != nullptr; ++port)
    out.ports.emplace_back(*port);
  return out;
}

const char* to_text(NodeKind kind) noexcept {
  switch (kind) {
    case NodeKind::source:
      return "source";
    case NodeKind::consumer:
      return "consumer";
    case NodeKind::backend:
      return "backend";
  }
  return "node";
}

}  // namespace sluice
