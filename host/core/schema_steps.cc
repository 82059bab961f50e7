#include "core/schema_steps.hh"

#include <algorithm>

namespace sluice {

const Value* pointed_at(const Value& root, const std::string& pointer) {
  const Value* here = &root;
  std::size_t start = 2;  // behind "#/"
  while (here != nullptr && start <= pointer.size()) {
    const std::size_t slash = std::min(pointer.find('/', start), pointer.size());
    here = here->find(pointer.substr(start, slash - start));
    start = slash + 1;
  }
  return here;
}

const Value* resolve(const Value& root, const Value* schema) {
  for (std::size_t steps = 0; schema != nullptr && steps < kDeepestSchema; ++steps) {
    const Value* ref = schema->find("$ref");
    if (ref == nullptr || !ref->string.starts_with("#/")) return schema;
    schema = pointed_at(root, ref->string);
  }
  return schema;
}

bool flag(const Value& schema, const char* key) {
  const Value* value = schema.find(key);
  return value != nullptr && value->kind == Value::Kind::boolean && value->boolean;
}

const Value* member_schema(const Value& root, const Value& schema, const std::string& key) {
  if (const Value* properties = schema.find("properties"); properties != nullptr) {
    if (const Value* found = properties->find(key); found != nullptr) return resolve(root, found);
  }
  const Value* rest = schema.find("additionalProperties");
  return rest != nullptr && rest->is_map() ? resolve(root, rest) : nullptr;
}

}  // namespace sluice
