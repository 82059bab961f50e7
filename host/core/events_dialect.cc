#include "core/events_dialect.hh"

#include "core/events_backends.hh"
#include "core/map_reader.hh"
#include "core/suggest.hh"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr const char* kDefaultDoor = "127.0.0.1:8620";
constexpr const char* kDefaultAdmin = "127.0.0.1:8686";
const std::vector<std::string> kHostKeys{"plugins", "admin",          "log",         "limits",
                                         "batch",   "drain_deadline", "undelivered", "dead_letters"};

/// What the keys of `publish_events` stand for. Types that are not listed are nobody's to hold back: they pass.
constexpr std::array<std::pair<const char*, const char*>, 4> kPublished{{
    {"document_processed", "com.storytelling.nlp.document.processed"},
    {"document_failed", "com.storytelling.nlp.document.failed"},
    {"batch_started", "com.storytelling.nlp.batch.started"},
    {"batch_completed", "com.storytelling.nlp.batch.completed"},
}};

constexpr std::array kEventsKeys{"enabled",    "backend", "backends",        "publish_events",
                                 "monitoring", "ingest",  "schema_registry", "dlq"};

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Value from_environment(const std::string& name, std::string text) {
  Value value;
  value.kind = Value::Kind::string;
  value.string = std::move(text);
  value.file = kEnvironmentFile;
  value.path = name;
  return value;
}

class Lowering {
 public:
  Lowering(const Value& root, const Surroundings& surroundings, bool stdin_source, Problems& problems)
      : root_(root), surroundings_(surroundings), stdin_source_(stdin_source), problems_(problems) {}

  Lowered run() {
    lowered_.native = make_map(root_);
    lowered_.native.put("sluice", make_integer(1, root_));
    host_keys();
    refuse_event_consumer();
    events_ = section("events");
    MapReader events(&events_, "events", problems_);
    if (!enabled(events)) {
      // Switched off, its values are nobody's business; but a mistyped `enabled` must not switch it off in silence.
      for (const char* key : kEventsKeys) (void)events.take(key);
      for (const std::string& name : known_backends()) (void)events.take(name);
      if (const Value* backend = events_.find("backend"); backend != nullptr) (void)events.take(backend->string);
      events.done();
      return std::move(lowered_);
    }
    const std::vector<Chosen> chosen = choose(events);
    const Value sources = doors(events);
    const Value when = filters(events);
    monitoring(events);
    backends(chosen, sources, when);
    other_keys(events, chosen);
    events.done();
    lowered_.native.put("sources", sources);
    return std::move(lowered_);
  }

 private:
  /// A top-level map with its paths written on; empty when it is not there.
  Value section(const std::string& key) const {
    const Value* found = root_.find(key);
    Value copy = found == nullptr ? make_map(root_) : *found;
    if (copy.kind == Value::Kind::null) copy.kind = Value::Kind::map;
    write_paths(copy, key);
    return copy;
  }

  Value used(const Value* value) {
    Value copy = *value;
    interpolate(copy, surroundings_, copy.path, problems_);
    return copy;
  }

  std::optional<std::string> override_of(const std::string& name) const {
    auto text = surroundings_.variable(name);
    return text && !text->empty() ? text : std::nullopt;
  }

  void host_keys() {
    const Value* there = root_.find("sluice");
    Value host = section("sluice");
    if (there != nullptr) host = used(&host);
    MapReader map(&host, "sluice", problems_);
    for (const std::string& key : kHostKeys) {
      if (const Value* value = map.take(key); value != nullptr) lowered_.native.put(key, *value);
    }
    map.done();
    if (lowered_.native.find("admin") == nullptr) {
      Value admin = make_map(root_);
      admin.put("listen", make_string(kDefaultAdmin, root_));
      lowered_.native.put("admin", std::move(admin));
    }
  }

  void refuse_event_consumer() {
    const Value* consumer = root_.find("event_consumer");
    if (consumer == nullptr) return;
    Value copy = section("event_consumer");
    Value* enabled = copy.find("enabled");
    bool on = false;
    if (const auto text = override_of("EVENT_CONSUMER_ENABLED")) {
      on = lower_case(*text) == "true" || *text == "1";
    } else if (enabled != nullptr) {
      *enabled = used(enabled);
      MapReader map(&copy, "event_consumer", problems_);
      on = map.boolean("enabled").value_or(false);
    }
    complain_at_key(problems_, *consumer, "event_consumer",
                    on ? "is not in this version; set event_consumer.enabled to false to publish events: only"
                       : "has no effect: it is not enabled",
                    on ? Severity::error : Severity::note);
  }

  bool enabled(MapReader& events) {
    const Value* written = events.take("enabled");
    const auto override_text = override_of("EVENTS_ENABLED");
    // What stands on the command line was meant for this run; the environment is older.
    if (override_text && (written == nullptr || written->file != kSetFile)) return enabled_by(*override_text);
    if (root_.find("events") == nullptr) return disable("there is no events: section, so nothing is published");
    if (written == nullptr) {
      return events_.is_map() && disable("events.enabled is not set, and its default is false: nothing is published");
    }
    Value holder = make_map(*written);
    holder.put("enabled", used(written));
    const auto on = MapReader(&holder, "events", problems_).boolean("enabled");
    return on.value_or(true) || disable("events.enabled is false: nothing is published");
  }

  bool enabled_by(const std::string& text) {
    const std::string word = lower_case(text);
    if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
    if (word != "false" && word != "0" && word != "no" && word != "off") {
      complain(problems_, from_environment("EVENTS_ENABLED", text), "", "must be true or false, but is text: " + text);
    }
    return disable("EVENTS_ENABLED is " + text + ": nothing is published");
  }

  bool disable(std::string why) {
    lowered_.disabled = std::move(why);
    return false;
  }

  // Which backends.

  std::vector<Chosen> choose(MapReader& events) {
    const Value* one = events.take_some("backend");
    const Value* several = events.take_some("backends");
    const auto override_text = override_of("EVENTS_BACKEND");
    if (several != nullptr) {
      if (one != nullptr) idle(*one, "backends wins over backend");
      if (override_text) idle(from_environment("EVENTS_BACKEND", *override_text), "backends wins over it");
      return choose_several(used(several));
    }
    if (override_text && (one == nullptr || one->file != kSetFile)) {
      if (one != nullptr) idle(*one, "EVENTS_BACKEND is set in the environment and wins");
      return {Chosen{*override_text, from_environment("EVENTS_BACKEND", *override_text), {}}};
    }
    if (one == nullptr) return {Chosen{"redis_streams", make_string("redis_streams", events_), {}}};
    Value name = used(one);
    if (name.is_text()) return {Chosen{name.string, name, {}}};
    complain(problems_, name, "events.backend", "must be the name of a backend, " + but_is(name));
    return {};
  }

  std::vector<Chosen> choose_several(const Value& several) {
    std::vector<Chosen> chosen;
    if (!several.is_list() || several.list.empty()) {
      complain(problems_, several, "events.backends",
               "must be a list of backends, " + (several.is_list() ? "but is empty" : but_is(several)));
      return chosen;
    }
    for (const Value& entry : several.list) {
      Chosen one = choose_entry(entry);
      if (one.name.empty()) continue;
      const bool twice = std::ranges::any_of(
          chosen, [&](const Chosen& other) { return other.name == one.name && (!other.config || !one.config); });
      if (twice) {
        complain(problems_, entry, "", "names " + one.name + " twice");
      } else {
        chosen.push_back(std::move(one));
      }
    }
    return chosen;
  }

  Chosen choose_entry(const Value& entry) {
    if (entry.is_text()) return {entry.string, entry, {}};
    if (!entry.is_map()) {
      complain(problems_, entry, "", "must be a backend's name, or {type: name, config: {…}}, " + but_is(entry));
      return {};
    }
    MapReader map(&entry, entry.path, problems_);
    Chosen chosen{map.text("type").value_or(""), entry, {}};
    if (const Value* config = map.take("config"); config != nullptr) {
      chosen.config = *config;
      if (chosen.config->kind == Value::Kind::null) chosen.config->kind = Value::Kind::map;
    }
    map.done();
    if (entry.find("type") == nullptr) complain(problems_, entry, "", "has no type: the name of a backend");
    return chosen;
  }

  void idle(const Value& value, const std::string& why) {
    complain_at_key(problems_, value, value.path, "has no effect: " + why, Severity::note);
  }

  // Where events come from.

  Value doors(MapReader& events) {
    const Value* ingest = events.take("ingest");
    Value sources = make_map(events_);
    if (stdin_source_) add_source(sources, "stdin", "stdin", make_map(events_));
    if (ingest == nullptr) {
      // Standard input is a door too: without a word on ingest, it is the only one, and its end ends the run.
      if (!stdin_source_) add_source(sources, "ingest", "http", http_config(make_string(kDefaultDoor, events_)));
      return sources;
    }
    const Value door = used(ingest);
    if (is_off(door)) return sources;
    MapReader map(&door, "events.ingest", problems_);
    const Value* http = map.take("http");
    map.done();
    if (http == nullptr) {
      add_source(sources, "ingest", "http", http_config(make_string(kDefaultDoor, door)));
    } else if (!is_off(*http)) {
      add_source(sources, "ingest", "http", http_config(*http));
    }
    return sources;
  }

  static bool is_off(const Value& value) { return value.kind == Value::Kind::boolean && !value.boolean; }

  /// An address, or a map of the http source's own keys.
  static Value http_config(const Value& http) {
    Value config = make_map(http);
    if (http.is_map()) config = http;
    if (config.find("listen") == nullptr) config.put("listen", http.is_map() ? make_string(kDefaultDoor, http) : http);
    if (config.find("path") == nullptr) config.put("path", make_string("/events", http));
    return config;
  }

  static void add_source(Value& sources, const std::string& name, const std::string& klass, Value config) {
    Value source = make_map(config);
    source.put("class", make_string(klass, config));
    source.put("acknowledge", make_string("any", config));
    source.put("config", std::move(config));
    sources.put(name, std::move(source));
  }

  // What is published, and what is logged.

  Value filters(MapReader& events) {
    Value all = make_list(events_);
    Value copy = make_map(events_);
    if (const Value* written = events.take_some("publish_events"); written != nullptr) copy = used(written);
    MapReader map(&copy, "events.publish_events", problems_);
    for (const auto& [key, type] : kPublished) {
      if (map.boolean(key).value_or(true)) continue;
      const Value& where = *copy.find(key);
      Value exact = make_map(where), filter = make_map(where), no = make_map(where);
      exact.put("type", make_string(type, where));
      filter.put("exact", std::move(exact));
      no.put("not", std::move(filter));
      all.list.push_back(std::move(no));
    }
    map.done();
    return all;
  }

  void monitoring(MapReader& events) {
    Value copy = make_map(events_);
    if (const Value* written = events.take_some("monitoring"); written != nullptr) copy = used(written);
    MapReader map(&copy, "events.monitoring", problems_);
    Value log = make_map(copy);
    if (const Value* host = lowered_.native.find("log"); host != nullptr && host->is_map()) log = *host;
    (void)map.boolean("track_publish_latency");
    (void)map.idle("track_publish_latency", "latency is always measured");
    const bool log_events = map.boolean("log_events").value_or(true);
    const Value* events_key = copy.find("log_events");
    if (log.find("events") == nullptr)
      log.put("events", make_boolean(log_events, events_key == nullptr ? copy : *events_key));
    if (const auto level = map.text("log_level")) {
      const Value& where = *copy.find("log_level");
      std::string word = lower_case(*level);
      if (word == "warning") word = "warn";
      if (word == "critical") word = "error";
      if (log.find("level") == nullptr) log.put("level", make_string(word, where));
    }
    map.done();
    lowered_.native.put("log", std::move(log));
  }

  void backends(const std::vector<Chosen>& chosen, const Value& sources, const Value& when) {
    Value all = make_map(events_);
    for (const Chosen& one : chosen) {
      if (refuse_unbuilt(one, problems_)) continue;
      const Value* section = events_.find(one.name);
      Value written = section == nullptr || section->kind == Value::Kind::null ? make_map(one.where) : used(section);
      if (section == nullptr) written.path = "events." + one.name;
      std::optional<Value> url;
      if (const auto text = override_of("REDIS_EVENTS_URL"); text && one.name == "redis_streams") {
        url = from_environment("REDIS_EVENTS_URL", *text);
      }
      Value backend = lower_backend(one, std::move(written), url, problems_);
      Value inputs = make_list(one.where);
      for (const auto& source : sources.map) inputs.list.push_back(make_string(source.first, one.where));
      backend.put("inputs", std::move(inputs));
      if (!when.list.empty()) backend.put("when", when);
      std::string name = one.name;
      for (int copy = 2; all.find(name) != nullptr; ++copy) name = one.name + "_" + std::to_string(copy);
      all.put(name, std::move(backend));
    }
    lowered_.native.put("backends", std::move(all));
  }

  void other_keys(MapReader& events, const std::vector<Chosen>& chosen) {
    std::vector<std::string> sections = known_backends();
    for (const Chosen& one : chosen) sections.push_back(one.name);
    for (const std::string& name : sections) {
      const Value* section = events.take(name);
      const bool selected = std::ranges::find(chosen, name, &Chosen::name) != chosen.end();
      if (section != nullptr && !selected) idle(*section, name + " is not the selected backend");
    }
    (void)events.idle("schema_registry", "no schema registry is asked in this version");
    const Value* dlq = events.take_some("dlq");
    if (dlq == nullptr) return;
    const Value copy = used(dlq);
    const Value* enabled = copy.find("enabled");
    if (enabled != nullptr && is_off(*enabled)) return idle(*dlq, "it is not enabled");
    std::optional<Value> url;
    if (const auto text = override_of("REDIS_EVENTS_URL")) url = from_environment("REDIS_EVENTS_URL", *text);
    const Value* backend = copy.find("backend");
    const Value* section = events_.find(backend == nullptr ? kDlqBackend : backend->string);
    lower_dlq(copy, section == nullptr ? make_map(copy) : used(section), url, *lowered_.native.find("backends"),
              problems_);
  }

  const Value& root_;
  const Surroundings& surroundings_;
  const bool stdin_source_;
  Problems& problems_;
  Lowered lowered_;
  Value events_;
};

bool has_nodes(const Value& root) {
  for (const char* section : {"sources", "consumers", "backends"}) {
    const Value* nodes = root.find(section);
    if (nodes == nullptr) continue;
    const auto is_node = [](const auto& member) { return member.second.find("class") != nullptr; };
    if (std::ranges::any_of(nodes->map, is_node)) return true;
  }
  return false;
}

}  // namespace

bool is_our_section(std::string_view key) noexcept {
  return key == "events" || key == "event_consumer" || key == "sluice";
}

bool is_events_dialect(const Value& root) {
  if (const Value* version = root.find("sluice"); version != nullptr) return version->is_map();
  return root.find("events") != nullptr || root.find("event_consumer") != nullptr || !has_nodes(root);
}

Lowered lower_events(const Value& root, const Surroundings& surroundings, bool stdin_source, Problems& problems) {
  return Lowering(root, surroundings, stdin_source, problems).run();
}

}  // namespace sluice
