#include "core/consumer_dialect.hh"

#include "core/consumer_source.hh"
#include "core/dialect.hh"
#include "core/map_reader.hh"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice {
namespace {

constexpr const char* kSection = "event_consumer";
constexpr const char* kHandover = "handover";
constexpr const char* kHandler = "handler";
constexpr const char* kFailed = "failed_events";

// The document's configuration reference.
constexpr std::array kTypes{"com.storytelling.cleaning.document.cleaned", "com.storytelling.cleaning.job.completed"};
constexpr const char* kJobCompleted = ".job.completed";
constexpr std::int64_t kConcurrentTasks = 4;
constexpr std::int64_t kMaxRetries = 3;
constexpr double kRetryDelaySeconds = 5;
constexpr const char* kDeadLetterStream = "stage2:nlp:failed-events";
constexpr double kDedupHours = 24;
constexpr std::int64_t kPullEvents = limits::kBatchEvents;

constexpr std::array kOtherKeys{"enabled",
                                "consume_events",
                                "auto_process",
                                "batch_mode",
                                "concurrent_tasks",
                                "retry_failed",
                                "max_retries",
                                "retry_delay_seconds",
                                "dead_letter_stream",
                                "check_already_processed",
                                "deduplication_ttl_hours",
                                "handler",
                                "state"};

class ConsumerLowering {
 public:
  ConsumerLowering(const Value& root, const Surroundings& surroundings, Value& native, Problems& problems)
      : root_(root),
        surroundings_(surroundings),
        native_(native),
        problems_(problems),
        section_(dialect_section(root, kSection)) {}

  EventConsumer run() {
    if (!enabled()) {
      MapReader keys(&section_, kSection, problems_);
      for (const char* key : kConsumerSourceKeys) (void)keys.take(key);
      for (const char* key : kOtherKeys) (void)keys.take(key);
      keys.done();
      return {};
    }
    interpolate(section_, surroundings_, kSection, problems_);
    MapReader keys(&section_, kSection, problems_);
    (void)keys.take("enabled");
    const Value source = consumer_source_config(keys, section_, surroundings_, problems_);
    choose_handler(keys);
    Value filter = types(keys);
    batch_ = keys.boolean("batch_mode").value_or(true);
    add_source(keys, source, std::move(filter));
    add_handover(keys);
    add_handler(keys, source);
    keys.done();
    facts_.node = kSection;
    facts_.stream = source.find("source_stream")->string;
    facts_.group = source.find("consumer_group")->string;
    facts_.hands_over = hands_over_;
    return std::move(facts_);
  }

 private:
  bool enabled() {
    const Value* written = section_.find("enabled");
    const auto text = override_of(surroundings_, "EVENT_CONSUMER_ENABLED");
    if (text && (written == nullptr || written->file != kSetFile)) {
      const auto on = truth_of(*text);
      const Value variable = from_environment("EVENT_CONSUMER_ENABLED", *text);
      if (!on) complain(problems_, variable, "", "must be true or false, but is text: " + *text);
      if (!on.value_or(false)) {
        note_off("EVENT_CONSUMER_ENABLED is " + *text);
      } else if (written != nullptr) {
        note_idle(problems_, *written, "EVENT_CONSUMER_ENABLED is set in the environment and wins");
      }
      return on.value_or(false);
    }
    if (root_.find(kSection) == nullptr) return false;
    if (written == nullptr) {
      if (section_.is_map()) note_off("event_consumer.enabled is not set, and its default is false");
      return false;
    }
    Value holder = make_map(*written);
    Value used = *written;
    interpolate(used, surroundings_, used.path, problems_);
    holder.put("enabled", std::move(used));
    const auto on = MapReader(&holder, kSection, problems_).boolean("enabled");
    if (on && !*on) note_off("event_consumer.enabled is false");
    return on.value_or(false);
  }

  void note_off(const std::string& why) {
    complain_at_key(problems_, section_, kSection, "consumer_not_enabled: " + why + ": nothing is consumed",
                    Severity::note);
  }

  // The source.

  /// The filter of `consume_events`: exact types, or globs.
  Value types(MapReader& keys) {
    Value list = make_list(section_);
    if (const auto written = keys.texts("consume_events")) {
      list = make_list(*section_.find("consume_events"));
      for (const Value* type : *written) list.list.push_back(*type);
      if (written->empty()) {
        keys.wrong(*section_.find("consume_events"), "consume_events", "must name at least one event type");
      }
    } else {
      for (const char* type : kTypes) list.list.push_back(make_string(type, section_));
    }
    for (const Value& type : list.list) {
      if (type.string.ends_with(kJobCompleted) || type.string.ends_with("*")) batch_types_.push_back(type);
    }
    Value filter = make_map(list);
    filter.put("types", std::move(list));
    return filter;
  }

  void add_source(MapReader& keys, const Value& config, Value filter) {
    Value source = make_map(section_);
    source.put("class", make_string("redis_streams", section_));
    source.put("when", std::move(filter));
    source.put("config", config);
    if (!hands_over_) leave_in_group(*source.find("config"));
    const bool dedup = keys.boolean("check_already_processed").value_or(true);
    const auto hours = keys.number("deduplication_ttl_hours", 0.001, 24 * 366);
    if (!hands_over_) {
      for (const char* key : {"check_already_processed", "deduplication_ttl_hours"})
        idle(key, "nothing is handed over");
    } else {
      const bool batches = batch_ && !batch_types_.empty();
      if (!dedup && hours) idle("deduplication_ttl_hours", "check_already_processed is false");
      if (dedup || batches) source.put("dedup", dedup_block(config, dedup, batches, dedup ? hours : std::nullopt));
    }
    native_.find("sources")->put(kSection, std::move(source));
  }

  /// Known to all workers of the group, and to no other group: what another service processed is not processed here. Of
  /// a job's completing events one is handed over, by whichever worker has it.
  Value dedup_block(const Value& config, bool dedup, bool batches, std::optional<double> hours) const {
    const Value* where = section_.find("deduplication_ttl_hours");
    Value block = make_map(section_), store = make_map(section_), address = make_map(section_);
    if (!dedup) block.put("key", make_string("none", section_));
    if (batches) {
      Value once = make_map(section_), types = make_list(section_);
      types.list = batch_types_as_filter();
      once.put("types", std::move(types));
      once.put("key", make_string("/job_id", section_));
      block.put("once", std::move(once));
    }
    block.put("ttl", milliseconds_text(hours.value_or(kDedupHours) * 3'600'000, where == nullptr ? section_ : *where));
    address.put("url", *config.find("url"));
    address.put("key_prefix", make_string("sluice:dedup:" + config.find("source_stream")->string + ":" +
                                              config.find("consumer_group")->string + ":",
                                          section_));
    store.put("class", make_string("redis_streams", section_));
    store.put("config", std::move(address));
    block.put("store", std::move(store));
    return block;
  }

  /// The types that complete a job, as the consumer handover knows them.
  std::vector<Value> batch_types_as_filter() const { return {make_string(std::string("*") + kJobCompleted, section_)}; }

  /// Events that are only looked at are looked at once: they are not offered again before the next start, and nobody
  /// else's are taken over.
  void leave_in_group(Value& config) const {
    for (const char* key : {"retry_after", "claim_idle_ms", "max_deliveries"}) {
      config.put(key, make_integer(0, section_));
    }
  }

  // What is handed over, and to whom.

  void choose_handler(MapReader& keys) {
    const Value* written = keys.take_some("handler");
    hands_over_ = auto_process(keys);
    if (written == nullptr) {
      if (hands_over_) {
        const Value* asked = section_.find("auto_process");
        complain_at_key(problems_, asked == nullptr ? section_ : *asked, asked == nullptr ? kSection : asked->path,
                        "there is no handler to process events: they are logged and stay in the group; "
                        "name one, such as handler: {class: webhook, config: {url: …}}",
                        Severity::note);
      } else if (const Value* asked = section_.find("auto_process")) {
        note_idle(problems_, *asked, "there is no handler: events are logged and stay in the group either way");
      }
      hands_over_ = false;
      return;
    }
    if (!hands_over_) note_idle(problems_, *written, "auto_process is false: events are logged and stay in the group");
    MapReader map(written, keys.path_of("handler"), problems_);
    handler_ = make_map(*written);
    for (const char* key : {"class", "config", "redact", "delivery"}) {
      if (const Value* value = map.take_some(key)) handler_.put(key, *value);
    }
    map.done();
    if (const Value* delivery = handler_.find("delivery"); delivery != nullptr && !delivery->is_map()) {
      complain(problems_, *delivery, "", "must be a map of delivery settings, " + but_is(*delivery));
      handler_.put("delivery", make_map(*delivery));
    }
    if (written->is_map() && written->find("class") == nullptr) {
      complain(problems_, *written, "", "has no class: the backend that events are handed over to");
      hands_over_ = false;
    }
  }

  bool auto_process(MapReader& keys) {
    const Value* written = section_.find("auto_process");
    const auto in_file = keys.boolean("auto_process");
    const auto text = override_of(surroundings_, "AUTO_PROCESS");
    if (!text || (written != nullptr && written->file == kSetFile)) return in_file.value_or(true);
    const auto on = truth_of(*text);
    if (!on) {
      complain(problems_, from_environment("AUTO_PROCESS", *text), "", "must be true or false, but is text: " + *text);
    }
    if (written != nullptr) note_idle(problems_, *written, "AUTO_PROCESS is set in the environment and wins");
    return on.value_or(true);
  }

  void add_handover(MapReader& keys) {
    const bool batch = batch_;
    const Value* written = section_.find("batch_mode");
    const Value& where = written == nullptr ? section_ : *written;
    if (batch && batch_types_.empty() && written != nullptr) {
      note_idle(problems_, where,
                "consume_events names no type that ends in .job.completed, so no batch is ever handed over");
    }
    Value config = make_map(section_);
    config.put("process", make_boolean(hands_over_, section_));
    config.put("batch", make_boolean(batch && !batch_types_.empty(), where));
    if (const Value* state = keys.take_some("state")) {
      config.put("state", *state);
      if (!hands_over_ || !batch) note_idle(problems_, *state, "no batches are handed over");
    } else if (hands_over_ && batch && !batch_types_.empty()) {
      config.put("state", make_string(state_file(), section_));
    }
    Value node = make_map(section_), inputs = make_list(section_);
    inputs.list.push_back(make_string(kSection, section_));
    node.put("class", make_string(kHandover, section_));
    node.put("inputs", std::move(inputs));
    node.put("config", std::move(config));
    native_.find("consumers")->put(kHandover, std::move(node));
  }

  /// One file per worker: its name is unique in the group, and a file has one owner.
  std::string state_file() const {
    const Value* name = native_.at("sources.event_consumer.config.consumer_name");
    std::string safe = "event-consumer-";
    for (const char c : name == nullptr ? std::string() : name->string) {
      const bool plain =
          (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
      safe += plain ? c : '_';
    }
    return safe + ".state";
  }

  void add_handler(MapReader& keys, const Value& source) {
    Value delivery = make_map(section_);
    const std::int64_t tasks = keys.integer("concurrent_tasks", 1, 65'536).value_or(kConcurrentTasks);
    delivery.put("max_in_flight", make_integer(tasks, at("concurrent_tasks")));
    delivery.put("queue", queue(source, tasks));
    delivery.put("retry", retry(keys));
    const Value* target = keys.take("dead_letter_stream");
    const bool parked = target == nullptr || target->kind != Value::Kind::null;
    if (target != nullptr) (void)(parked ? keys.text("dead_letter_stream") : std::optional<std::string>());
    if (!hands_over_) {
      for (const char* key :
           {"concurrent_tasks", "retry_failed", "max_retries", "retry_delay_seconds", "dead_letter_stream"}) {
        idle(key, "nothing is handed over");
      }
      return;
    }
    if (parked && given("dead_letter") == nullptr) {
      delivery.put("dead_letter", make_string(kFailed, target == nullptr ? section_ : *target));
      add_dead_letters(source, target);
    }
    take_given(delivery);
    Value node = handler_, inputs = make_list(section_);
    inputs.list.push_back(make_string(kHandover, section_));
    node.put("inputs", std::move(inputs));
    node.put("delivery", std::move(delivery));
    native_.find("backends")->put(kHandler, std::move(node));
  }

  /// A setting under handler.delivery; null when it is not written there.
  const Value* given(const char* dotted) const {
    const Value* written = handler_.find("delivery");
    return written == nullptr ? nullptr : written->at(dotted);
  }

  /// What handler.delivery says wins over the document's keys, setting by setting: those are the document's words for
  /// some of the same settings, so one of the two has no effect, and its user hears which.
  void take_given(Value& delivery) {
    const Value* written = handler_.find("delivery");
    if (written == nullptr) return;
    for (const auto& [key, value] : written->map) {
      Value* here = delivery.find(key);
      if (here == nullptr || !here->is_map() || !value.is_map()) {
        delivery.put(key, value);
      } else {
        for (const auto& [part, setting] : value.map) here->put(part, setting);
      }
    }
    for (const auto& [key, setting] : {std::pair{"retry_failed", "retry.max_attempts"},
                                       {"max_retries", "retry.max_attempts"},
                                       {"retry_delay_seconds", "retry.delay"},
                                       {"concurrent_tasks", "max_in_flight"},
                                       {"dead_letter_stream", "dead_letter"}}) {
      if (given(setting) != nullptr) idle(key, std::string("handler.delivery.") + setting + " wins over it");
    }
  }

  /// A pull asks for room for a whole one, so the room beyond that is what the host holds of the group: a batch or what
  /// is being processed, whichever is more. The rest stays where other workers can have it.
  Value queue(const Value& source, std::int64_t tasks) const {
    const Value* batch = source.find("batch_size");
    const std::int64_t held =
        std::max(tasks, batch->kind == Value::Kind::integer ? batch->integer : kConsumerBatchSize);
    const Value* pull = native_.at("batch.max_events");
    const bool given = pull != nullptr && pull->kind == Value::Kind::integer;
    Value queue = make_map(section_);
    queue.put("max_events", make_integer((given ? pull->integer : kPullEvents) + held, section_));
    return queue;
  }

  Value retry(MapReader& keys) {
    const bool again = keys.boolean("retry_failed").value_or(true);
    const std::int64_t retries = keys.integer("max_retries", 0, 1000).value_or(kMaxRetries);
    const double delay = keys.number("retry_delay_seconds", 0, 86'400).value_or(kRetryDelaySeconds);
    if (!again && hands_over_) {
      for (const char* key : {"max_retries", "retry_delay_seconds"}) idle(key, "retry_failed is false");
    }
    Value retry = make_map(section_);
    retry.put("max_attempts", make_integer(again ? retries + 1 : 1, at("max_retries")));
    retry.put("backoff", make_string("constant", section_));
    retry.put("delay", milliseconds_text(again ? delay * 1000 : 0, at("retry_delay_seconds")));
    retry.put("jitter", make_string("none", section_));
    return retry;
  }

  void add_dead_letters(const Value& source, const Value* stream) {
    Value config = make_map(section_);
    config.put("url", *source.find("url"));
    config.put("stream_name", stream == nullptr ? make_string(kDeadLetterStream, section_) : *stream);
    // Nothing that failed is trimmed away unseen.
    config.put("max_len", make_integer(0, section_));
    config.put("ttl_seconds", make_integer(0, section_));
    Value node = make_map(section_);
    node.put("class", make_string("redis_streams", section_));
    node.put("config", std::move(config));
    native_.find("backends")->put(kFailed, std::move(node));
  }

  const Value& at(const char* key) const {
    const Value* written = section_.find(key);
    return written == nullptr ? section_ : *written;
  }

  void idle(const char* key, const std::string& why) {
    if (const Value* written = section_.find(key)) note_idle(problems_, *written, why);
  }

  const Value& root_;
  const Surroundings& surroundings_;
  Value& native_;
  Problems& problems_;
  Value section_;
  Value handler_;
  std::vector<Value> batch_types_;
  bool hands_over_ = false, batch_ = true;
  EventConsumer facts_;
};

}  // namespace

EventConsumer lower_consumer(const Value& root, const Surroundings& surroundings, Value& native, Problems& problems) {
  return ConsumerLowering(root, surroundings, native, problems).run();
}

}  // namespace sluice
