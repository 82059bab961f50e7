// `events.dlq`: "automatic routing of failed events". What a backend still fails after `max_retries` goes to a backend
// of its own: the one that `backend:` names, with the settings of that backend's section, and over them the keys that
// stand in `dlq:` itself (stream_name, or topic, subject … of other backends).
#include "core/events_backends.hh"
#include "core/map_reader.hh"

#include <algorithm>

namespace sluice {
namespace {

constexpr const char* kName = "dlq";
constexpr const char* kStream = "nlp-events-dlq";
constexpr std::int64_t kMostRetries = 999'999;

/// Dead letters wait for a person: trimming them like live events would lose them before anybody looked.
void keep_all(Value& section, const Value& where) {
  for (const char* key : {"max_len", "ttl_seconds"}) section.put(key, make_integer(0, where));
}

/// "retry_attempts" and its like in a backend's own section say it for that backend.
void bound_retries(Value& backend, const Value& retries, std::int64_t count) {
  Value* retry = backend.find("delivery")->find("retry");
  if (retry->find("max_attempts") == nullptr) retry->put("max_attempts", make_integer(count + 1, retries));
}

}  // namespace

void lower_dlq(const Value& dlq, Value section, const Overrides& overrides, Value& backends, Problems& problems) {
  MapReader map(&dlq, "events.dlq", problems);
  (void)map.boolean("enabled");
  const std::string klass = map.text("backend").value_or(kDlqBackend);
  const Value* backend_key = dlq.find("backend");
  const Value where = backend_key == nullptr ? dlq : *backend_key;
  const auto retries = map.integer("max_retries", 0, kMostRetries);
  const Chosen chosen{klass, where, {}};
  if (!dlq.is_map()) return;
  if (!section.is_map()) section = make_map(dlq);  // complained about where it is used
  if (klass == "redis_streams") {
    keep_all(section, dlq);
    section.put("stream_name", make_string(kStream, dlq));
  }
  for (const auto& [key, value] : dlq.map) {
    if (key != "enabled" && key != "backend" && key != "max_retries") section.put(key, value);
  }
  Value backend = lower_backend(chosen, std::move(section), overrides, problems);
  for (auto& [name, other] : backends.map) {
    Value* delivery = other.find("delivery");
    delivery->put("dead_letter", make_string(kName, dlq));
    if (retries) bound_retries(other, *dlq.find("max_retries"), *retries);
  }
  backends.put(kName, std::move(backend));
}

}  // namespace sluice
