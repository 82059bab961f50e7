#include "core/events_registry.hh"

#include "core/dialect.hh"
#include "core/map_reader.hh"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

// Keys that are the consumer's own; all others are of its registry.
constexpr std::array kOfConsumer{"on_invalid",  "on_unknown", "on_unavailable", "types",
                                 "dataschemas", "folder",     "draft"};

}  // namespace

bool lower_schema_registry(const Value& written, const Value& sources, Value& consumers, Problems& problems) {
  if (!written.is_map()) {
    complain(problems, written, "events.schema_registry", "must be a map of keys, " + but_is(written));
    return false;
  }
  Value config = make_map(written), registry = make_map(written), inputs = make_list(written), node = make_map(written);
  for (const auto& [key, value] : written.map) {
    const bool is_own = std::ranges::find(kOfConsumer, key) != kOfConsumer.end();
    (is_own ? config : registry).put(key, value);
  }
  // Nothing else says which subject is whose: the type's name is the record's name.
  put_default(registry, "subject", make_string("{type}", written));
  // Whoever publishes must not fail, or wait for long, because a registry does.
  put_default(config, "on_unavailable", make_string("pass", written));
  put_default(registry, "wait_at_most", make_string("1s", written));
  config.put("registry", std::move(registry));
  for (const auto& source : sources.map) inputs.list.push_back(make_string(source.first, written));
  node.put("class", make_string("json_schema", written));
  node.put("inputs", std::move(inputs));
  node.put("config", std::move(config));
  consumers.put(kRegistryNode, std::move(node));
  return true;
}

}  // namespace sluice
