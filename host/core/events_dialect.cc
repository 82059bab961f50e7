#include "core/events_dialect.hh"

#include "core/consumer_dialect.hh"
#include "core/dialect.hh"
#include "core/events_backends.hh"
#include "core/events_doors.hh"
#include "core/events_registry.hh"
#include "core/map_reader.hh"
#include "core/suggest.hh"

#include <algorithm>
#include <array>

namespace sluice {
namespace {

constexpr const char* kDefaultAdmin = "127.0.0.1:8686";
constexpr const char* kConsumerAdmin = "127.0.0.1:8000";  // where event_consumer's document asks for /health
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

class Lowering {
 public:
  Lowering(const Value& root, const Surroundings& surroundings, bool stdin_source, Problems& problems)
      : root_(root), surroundings_(surroundings), stdin_source_(stdin_source), problems_(problems) {}

  Lowered run() {
    lowered_.native = make_map(root_);
    lowered_.native.put("sluice", make_integer(1, root_));
    host_keys();
    lowered_.native.put("sources", make_map(root_));
    lowered_.native.put("consumers", make_map(root_));
    lowered_.native.put("backends", make_map(root_));
    publish();
    lowered_.consumer = lower_consumer(root_, surroundings_, lowered_.native, problems_);
    admin_address();
    // Not publishing is no reason to stop when there is something to consume.
    if (!lowered_.consumer.node.empty() && !lowered_.disabled.empty()) {
      const std::string why = std::exchange(lowered_.disabled, {});
      if (root_.find("events") != nullptr) complain(problems_, events_, "events", why, Severity::note);
    }
    return std::move(lowered_);
  }

 private:
  void publish() {
    events_ = dialect_section(root_, "events");
    MapReader events(&events_, "events", problems_);
    if (!enabled(events)) {
      // Switched off, its values are nobody's business; but a mistyped `enabled` must not switch it off in silence.
      for (const char* key : kEventsKeys) (void)events.take(key);
      for (const std::string& name : known_backends()) (void)events.take(name);
      if (const Value* backend = events_.find("backend"); backend != nullptr) (void)events.take(backend->string);
      return events.done();
    }
    const std::vector<Chosen> chosen = choose(events);
    const Value sources = read_doors(events, events_, surroundings_, stdin_source_, problems_);
    const Value when = filters(events);
    monitoring(events);
    backends(chosen, compared(events, sources), when);
    other_keys(events, chosen);
    events.done();
    for (const auto& [name, source] : sources.map) lowered_.native.find("sources")->put(name, source);
  }

  Value used(const Value* value) {
    Value copy = *value;
    interpolate(copy, surroundings_, copy.path, problems_);
    return copy;
  }

  std::optional<std::string> override_of(const std::string& name) const {
    return sluice::override_of(surroundings_, name);
  }

  void host_keys() {
    const Value* there = root_.find("sluice");
    Value host = dialect_section(root_, "sluice");
    if (there != nullptr) host = used(&host);
    MapReader map(&host, "sluice", problems_);
    for (const std::string& key : kHostKeys) {
      if (const Value* value = map.take(key); value != nullptr) lowered_.native.put(key, *value);
    }
    map.done();
  }

  void admin_address() {
    if (lowered_.native.find("admin") != nullptr) return;
    Value admin = make_map(root_);
    admin.put("listen", make_string(lowered_.consumer.node.empty() ? kDefaultAdmin : kConsumerAdmin, root_));
    lowered_.native.put("admin", std::move(admin));
  }

  bool enabled(MapReader& events) {
    const Value* written = events.take("enabled");
    const auto override_text = override_of("EVENTS_ENABLED");
    // What stands on the command line was meant for this run; the environment is older.
    if (override_text && (written == nullptr || written->file != kSetFile)) return enabled_by(*override_text);
    if (root_.find("events") == nullptr) {
      note_misplaced();
      return disable("there is no events: section, so nothing is published");
    }
    if (written == nullptr) {
      return events_.is_map() && disable("events.enabled is not set, and its default is false: nothing is published");
    }
    Value holder = make_map(*written);
    holder.put("enabled", used(written));
    const auto on = MapReader(&holder, "events", problems_).boolean("enabled");
    return on.value_or(true) || disable("events.enabled is false: nothing is published");
  }

  /// A part of the documents' settings by itself. In a file with `events:` such a section is another program's.
  void note_misplaced() {
    std::vector<std::string> parts = known_backends();
    parts.insert(parts.end(), {"publish_events", "monitoring", "dlq", "schema_registry"});
    for (const std::string& part : parts) {
      const Value* found = root_.find(part);
      if (found == nullptr || !found->is_map()) continue;
      complain_at_key(problems_, *found, part, "has no effect here: it belongs below events:", Severity::note);
    }
  }

  bool enabled_by(const std::string& text) {
    const std::optional<bool> on = truth_of(text);
    if (on.value_or(false)) return true;
    if (!on) {
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

  void idle(const Value& value, const std::string& why) { note_idle(problems_, value, why); }

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

  /// What backends take their events from: the doors, or the consumer that compares what comes in with its schema.
  Value compared(MapReader& events, const Value& sources) {
    const Value* written = events.take_some("schema_registry");
    if (written == nullptr || sources.map.empty()) return sources;
    if (!lower_schema_registry(used(written), sources, *lowered_.native.find("consumers"), problems_)) return sources;
    Value inputs = make_map(*written);
    inputs.put(kRegistryNode, make_map(*written));
    return inputs;
  }

  void backends(const std::vector<Chosen>& chosen, const Value& sources, const Value& when) {
    Value& all = *lowered_.native.find("backends");
    for (const Chosen& one : chosen) {
      const Value* section = events_.find(one.name);
      Value written = section == nullptr || section->kind == Value::Kind::null ? make_map(one.where) : used(section);
      if (section == nullptr) written.path = "events." + one.name;
      Value backend = lower_backend(one, std::move(written), overrides_of(one.name), problems_);
      Value inputs = make_list(one.where);
      for (const auto& source : sources.map) inputs.list.push_back(make_string(source.first, one.where));
      backend.put("inputs", std::move(inputs));
      if (!when.list.empty()) backend.put("when", when);
      std::string name = one.name;
      for (int copy = 2; all.find(name) != nullptr; ++copy) name = one.name + "_" + std::to_string(copy);
      all.put(name, std::move(backend));
    }
  }

  Overrides overrides_of(const std::string& backend) const {
    Overrides overrides;
    const auto add = [&](const char* key, const char* variable) {
      if (auto text = override_of(variable)) overrides.emplace_back(key, from_environment(variable, std::move(*text)));
    };
    if (backend == "redis_streams") add("url", "REDIS_EVENTS_URL");
    if (backend == "rabbitmq") {
      add("url", "RABBITMQ_URL");
      add("exchange", "RABBITMQ_EXCHANGE");
    }
    return overrides;
  }

  void other_keys(MapReader& events, const std::vector<Chosen>& chosen) {
    std::vector<std::string> sections = known_backends();
    for (const Chosen& one : chosen) sections.push_back(one.name);
    for (const std::string& name : sections) {
      const Value* section = events.take(name);
      const bool selected = std::ranges::find(chosen, name, &Chosen::name) != chosen.end();
      if (section != nullptr && !selected) idle(*section, name + " is not the selected backend");
    }
    const Value* dlq = events.take_some("dlq");
    if (dlq == nullptr) return;
    const Value copy = used(dlq);
    const Value* enabled = copy.find("enabled");
    const bool off = enabled != nullptr && enabled->kind == Value::Kind::boolean && !enabled->boolean;
    if (off) return idle(*dlq, "it is not enabled");
    const Value* named = copy.find("backend");
    const std::string backend = named == nullptr ? kDlqBackend : named->string;
    const Value* section = events_.find(backend);
    lower_dlq(copy, section == nullptr ? make_map(copy) : used(section), overrides_of(backend),
              *lowered_.native.find("backends"), problems_);
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
