// `dedup:` of a source, and `ordering:` of a backend: what makes two events the same, and which belong behind each
// other.
#include "core/map_reader.hh"
#include "core/native_format.hh"

namespace sluice {
namespace {

constexpr milliseconds kLongest = std::chrono::hours(24 * 366);

void read_key(MapReader& map, DedupPolicy& dedup) {
  const auto parts = map.texts("key");
  if (!parts) return;
  const Value& where = *map.take("key");
  if (where.is_text() && where.string == "id") return;
  if (where.is_text() && where.string == "none") {
    dedup.only_once = true;
    return;
  }
  if (parts->empty() || parts->size() > limits::kDedupPointers) {
    map.wrong(where, "key",
              "must be id, or one to " + std::to_string(limits::kDedupPointers) + " JSON pointers into data");
  }
  for (const Value* part : *parts) {
    if (is_json_pointer(part->string)) {
      dedup.key.push_back(part->string);
    } else {
      map.wrong(*part, "key",
                "must be id (source and id), or JSON pointers into data such as /order_id, or none, " + but_is(*part));
    }
  }
}

/// Of some types, one event for each value of a key.
void read_once(MapReader& outer, DedupPolicy& dedup, Problems& problems) {
  const Value* value = outer.take_some("once");
  if (value == nullptr) {
    if (dedup.only_once)
      outer.wrong(*outer.take("key"), "key", "is none, and there is no once: nothing would be left out");
    return;
  }
  MapReader map(value, outer.path_of("once"), problems);
  DedupPolicy::Once once;
  const auto types = map.texts("types");
  if (!types || types->empty()) {
    complain(problems, *value, outer.path_of("once"),
             "has no types: which events go on once, such as [\"*.completed\"]");
  } else {
    Value list = make_list(*value), filter = make_map(*value);
    for (const Value* type : *types) {
      once.types.push_back(type->string);
      list.list.push_back(*type);
    }
    filter.put("types", std::move(list));
    std::string why;
    if (auto which = Filter::parse(to_json(filter), why)) {
      once.which = std::move(*which);
    } else {
      map.wrong(*map.take("types"), "types", why);
    }
  }
  if (const auto key = map.text("key"); key && is_json_pointer(*key)) {
    once.key = *key;
  } else {
    complain(problems, *value, outer.path_of("once"), "needs a key: a JSON pointer into data such as /job_id");
  }
  map.done();
  if (!once.types.empty() && !once.key.empty()) dedup.once = std::move(once);
}

/// A node of a class that keeps keys outside this host. It has no edges: it belongs to its source alone.
void read_shared(MapReader& map, const Value& value, const NodeConfig& source, DedupPolicy& dedup) {
  NodeConfig node;
  node.kind = NodeKind::backend;
  node.name = source.name + ".dedup";
  node.mark = value.key_mark.line > 0 ? value.key_mark : value.mark;
  node.file = value.file;
  node.path = value.path.empty() ? map.path() : value.path;
  if (const auto klass = map.text("class")) {
    node.klass = *klass;
    node.klass_mark = value.find("class")->mark;
    if (klass->empty()) map.wrong(*value.find("class"), "class", "names no class");
  }
  node.config = make_map(value);
  if (const Value* config = map.take_some("config"); config != nullptr) {
    node.config = *config;
    if (!config->is_map()) map.wrong(*config, "config", "must be a map of keys, " + but_is(*config));
  }
  dedup.store = DedupPolicy::Store::shared;
  dedup.shared.push_back(std::move(node));
}

void read_store(const Value* store, const std::string& path, const NodeConfig& source, DedupPolicy& dedup,
                Problems& problems) {
  if (store == nullptr || (store->is_text() && store->string == "memory")) return;
  const char* choices = "memory, {path: FILE.db}, or {class: CLASS, config: {…}} for a store that several hosts share";
  if (!store->is_map()) return complain(problems, *store, path, std::string("must be ") + choices);
  MapReader map(store, path, problems);
  const bool file = store->find("path") != nullptr, klass = store->find("class") != nullptr;
  if (file == klass) {
    complain(problems, *store, path, std::string(file ? "has a path and a class; " : "") + "must be " + choices);
  } else if (klass) {
    read_shared(map, *store, source, dedup);
  } else if (const auto name = map.text("path")) {
    dedup.store = DedupPolicy::Store::file;
    dedup.path = *name;
    if (name->empty()) map.wrong(*store->find("path"), "path", "names no file");
  }
  if (file != klass) map.done();
}

}  // namespace

std::optional<DedupPolicy> read_dedup(const Value* value, const NodeConfig& source, const std::string& path,
                                      Problems& problems) {
  if (value == nullptr) return {};
  DedupPolicy dedup;
  dedup.mark = value->key_mark.line > 0 ? value->key_mark : value->mark;
  if (value->kind == Value::Kind::boolean) return value->boolean ? std::optional(dedup) : std::nullopt;
  MapReader map(value, path, problems);
  read_key(map, dedup);
  read_once(map, dedup, problems);
  if (const auto ttl = map.duration("ttl", milliseconds(1), kLongest)) dedup.ttl = *ttl;
  if (const auto keys = map.integer("max_keys", 1, 100'000'000)) dedup.max_keys = static_cast<std::uint64_t>(*keys);
  read_store(map.take_some("store"), map.path_of("store"), source, dedup, problems);
  map.done();
  return dedup;
}

Ordering read_ordering(const Value* value, const std::string& path, Problems& problems) {
  Ordering ordering;
  if (value == nullptr) return ordering;
  if (value->is_text()) {
    if (value->string == "key") {
      ordering.by_key = true;
    } else if (value->string != "none") {
      complain(problems, *value, path, "must be none, key, or {by: key, key: …, max_held: …}, " + but_is(*value));
    }
    return ordering;
  }
  MapReader map(value, path, problems);
  ordering.by_key = true;
  map.choice("by", {{"key", true}, {"none", false}}, ordering.by_key);
  if (const auto key = map.text("key")) {
    ordering.key = *key;
    if (*key != "partitionkey" && *key != "subject" && !is_json_pointer(*key)) {
      map.wrong(*value->find("key"), "key",
                "must be partitionkey, subject, or a JSON pointer into data such as /order_id");
    }
  }
  if (const auto held = map.integer("max_held", 1, 10'000'000)) ordering.max_held = static_cast<std::uint64_t>(*held);
  map.done();
  return ordering;
}

}  // namespace sluice
