#include "core/events_doors.hh"

#include "core/dialect.hh"
#include "core/map_reader.hh"

#include <array>

namespace sluice {
namespace {

constexpr const char* kDefaultDoor = "127.0.0.1:8620";
constexpr const char* kRabbitUrl = "amqp://guest:guest@rabbitmq:5672/";
constexpr const char* kRabbitExchange = "draft-genie.events";
constexpr std::int64_t kPrefetch = 10;

/// The services' queues: the variable that names each, its name in the document, and what is routed to it.
struct ServiceQueue {
  const char *source, *variable, *queue, *pattern;
};
constexpr std::array<ServiceQueue, 4> kQueues{{
    {"speaker", "SPEAKER_QUEUE", "speaker.events", "speaker.*"},
    {"draft", "DRAFT_QUEUE", "draft.events", "draft.*"},
    {"rag", "RAG_QUEUE", "rag.events", "rag.*"},
    {"evaluation", "EVALUATION_QUEUE", "evaluation.events", "evaluation.*"},
}};

bool is_off(const Value& value) { return value.kind == Value::Kind::boolean && !value.boolean; }
bool is_on(const Value& value) { return value.kind == Value::Kind::boolean && value.boolean; }

/// An address, or a map of the http source's own keys.
Value http_config(const Value& http) {
  Value config = make_map(http);
  if (http.is_map()) config = http;
  put_default(config, "listen", http.is_map() || is_on(http) ? make_string(kDefaultDoor, http) : http);
  put_default(config, "path", make_string("/events", http));
  return config;
}

Value& add_source(Value& sources, const std::string& name, const std::string& klass, Value config) {
  Value source = make_map(config);
  source.put("class", make_string(klass, config));
  source.put("acknowledge", make_string("any", config));
  source.put("config", std::move(config));
  return sources.put(name, std::move(source));
}

/// One source per queue that the environment names, all four when it names none; each bound to its topic pattern, in
/// the envelope that those services write.
void add_queues(Value& sources, const Value& written, const Surroundings& surroundings) {
  bool named = false;
  for (const ServiceQueue& queue : kQueues) named = named || override_of(surroundings, queue.variable).has_value();
  for (const ServiceQueue& queue : kQueues) {
    const auto name = override_of(surroundings, queue.variable);
    if (named && !name) continue;
    Value config = written.is_map() ? written : make_map(written);
    const auto put = [&](const char* key, const char* variable, const char* fallback) {
      const Value* there = config.find(key);
      if (there != nullptr && there->file == kSetFile) return;
      if (const auto text = override_of(surroundings, variable)) {
        config.put(key, from_environment(variable, *text));
      } else if (there == nullptr) {
        config.put(key, make_string(fallback, written));
      }
    };
    put("url", "RABBITMQ_URL", kRabbitUrl);
    put("exchange", "RABBITMQ_EXCHANGE", kRabbitExchange);
    config.put("queue", name ? from_environment(queue.variable, *name) : make_string(queue.queue, written));
    Value patterns = make_list(written);
    patterns.list.push_back(make_string(queue.pattern, written));
    put_default(config, "bindings", std::move(patterns));
    put_default(config, "prefetch_count", make_integer(kPrefetch, written));
    add_source(sources, queue.source, "rabbitmq", std::move(config))
        .put("format", make_string("domain_event", written));
  }
}

}  // namespace

Value read_doors(MapReader& events, const Value& section, const Surroundings& surroundings, bool stdin_source,
                 Problems& problems) {
  const Value* ingest = events.take("ingest");
  Value sources = make_map(section);
  if (stdin_source) add_source(sources, "stdin", "stdin", make_map(section));
  if (ingest == nullptr) {
    // Standard input is a door too: without a word on ingest, it is the only one, and its end ends the run.
    if (!stdin_source) add_source(sources, "ingest", "http", http_config(make_string(kDefaultDoor, section)));
    return sources;
  }
  Value door = *ingest;
  interpolate(door, surroundings, door.path, problems);
  if (is_off(door)) return sources;
  MapReader map(&door, "events.ingest", problems);
  const Value* http = map.take("http");
  const Value* rabbitmq = map.take("rabbitmq");
  map.done();
  if (rabbitmq != nullptr && !is_off(*rabbitmq)) add_queues(sources, *rabbitmq, surroundings);
  if (http == nullptr && rabbitmq == nullptr) {
    add_source(sources, "ingest", "http", http_config(make_string(kDefaultDoor, door)));
  } else if (http != nullptr && !is_off(*http)) {
    add_source(sources, "ingest", "http", http_config(*http));
  }
  return sources;
}

}  // namespace sluice
