#include "core/events_backends.hh"

#include "core/dialect.hh"
#include "core/events_brokers.hh"
#include "core/map_reader.hh"
#include "core/suggest.hh"

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

// The documents' full schema.
constexpr const char* kRedisUrl = "redis://redis:6379/1";
constexpr const char* kRedisStream = "nlp-events";
constexpr std::int64_t kRedisMaxLen = 10'000;
constexpr std::int64_t kRedisTtlSeconds = 86'400;
constexpr const char* kWebhookUrl = "https://stage3.example.com/webhook/nlp";
constexpr double kWebhookTimeoutSeconds = 5;
constexpr std::int64_t kWebhookRetries = 3;
constexpr double kWebhookDelaySeconds = 1;
// How long an event may wait for a backend that cannot be reached: the caller of ingest hears by then.
constexpr std::int64_t kMaxAgeMs = 10'000;
constexpr std::int64_t kLongestAgeMs = 300'000;
constexpr double kBreakerFailureRate = 0.5;

const std::vector<std::string> kRetryKeys{"retry_attempts", "retry_backoff", "retry_delay_seconds"};

/// "{ ... }", as the documents write "and so on".
void drop_placeholder(Value& config, Problems& problems) {
  const Value* dots = config.find("...");
  if (dots == nullptr || dots->kind != Value::Kind::null) return;
  complain_at_key(problems, *dots, "", "stands for nothing here; the documents' defaults are used", Severity::note);
  std::erase_if(config.map, [](const auto& member) { return member.first == "..."; });
}

/// The section with the environment's values over it, and the selected config's own keys over both.
Value merged(const Chosen& chosen, Value section, const Overrides& overrides, Problems& problems) {
  if (!section.is_map()) {
    complain(problems, section, "", "must be a map of keys, " + but_is(section));
    section = make_map(section);
  }
  for (const auto& [key, value] : overrides) {
    const Value* written = section.find(key);
    if (written != nullptr && written->file == kSetFile) continue;
    if (written != nullptr) {
      complain_at_key(problems, *written, "", "has no effect: " + value.path + " is set in the environment and wins",
                      Severity::note);
    }
    section.put(key, value);
  }
  if (!chosen.config) return section;
  if (!chosen.config->is_map()) {
    complain(problems, *chosen.config, "", "must be a map of keys, " + but_is(*chosen.config));
    return section;
  }
  Value config = *chosen.config;
  drop_placeholder(config, problems);
  for (auto& [key, value] : config.map) {
    if (const Value* under = section.find(key); under != nullptr) {
      complain_at_key(problems, *under, key, "has no effect: the config of this backend's entry in backends wins",
                      Severity::note);
    }
    section.put(key, std::move(value));
  }
  return section;
}

void redis_defaults(Value& config, const Value& where, Problems& problems) {
  put_default(config, "url", make_string(kRedisUrl, where));
  put_default(config, "stream_name", make_string(kRedisStream, where));
  put_default(config, "max_len", make_integer(kRedisMaxLen, where));
  put_default(config, "ttl_seconds", make_integer(kRedisTtlSeconds, where));
  const Value* pool = config.find("connection_pool");
  const Value* connections = pool == nullptr ? nullptr : pool->find("max_connections");
  if (connections == nullptr) return;
  complain_at_key(problems, *connections, "connection_pool.max_connections",
                  "has no effect: one connection, pipelined, carries the whole stream", Severity::note);
}

/// The documents count tries after the first; the host counts tries.
Value webhook_retry(Value& config, const Value& where, Problems& problems) {
  MapReader map(&config, config.path, problems);
  Value retry = make_map(where);
  const auto at = [&](const char* key) -> const Value& {
    const Value* written = config.find(key);
    return written == nullptr ? where : *written;
  };
  const std::int64_t retries = map.integer("retry_attempts", 0, 100).value_or(kWebhookRetries);
  retry.put("max_attempts", make_integer(retries + 1, at("retry_attempts")));
  const std::vector<std::string> shapes{"exponential", "linear", "constant", "fixed"};
  const auto shape = map.choice_of("retry_backoff", shapes);
  const std::string backoff = shape ? shapes[*shape] : "exponential";
  retry.put("backoff", make_string(backoff == "fixed" ? "constant" : backoff, at("retry_backoff")));
  const double delay = map.number("retry_delay_seconds", 0, 3600).value_or(kWebhookDelaySeconds);
  retry.put("delay", milliseconds_text(delay * 1000, at("retry_delay_seconds")));
  std::erase_if(config.map, [](const auto& m) { return std::ranges::find(kRetryKeys, m.first) != kRetryKeys.end(); });
  // Long enough for every retry that the user asked for, and still bounded.
  double timeout = kWebhookTimeoutSeconds;
  if (const Value* written = config.find("timeout_seconds"); written != nullptr && written->number > 0) {
    timeout = written->number;
  }
  const double steps = std::min(static_cast<double>(retries), 30.0);
  const double waits = backoff == "exponential" ? delay * (std::exp2(steps) - 1)
                       : backoff == "linear"    ? delay * steps * (steps + 1) / 2
                                                : delay * steps;
  const double age = 1000 * (static_cast<double>(retries + 1) * timeout + waits);
  retry.put("max_age", milliseconds_text(std::clamp(age, double{kMaxAgeMs}, double{kLongestAgeMs}), where));
  return retry;
}

Value webhook_defaults(Value& config, const Value& where, Problems& problems) {
  if (config.find("urls") == nullptr) {
    Value urls = make_list(where);
    urls.list.push_back(make_string(kWebhookUrl, where));
    config.put("urls", std::move(urls));
    complain(problems, where, "",
             std::string("urls of webhook is left out: the documents' example stands, ") + kWebhookUrl, Severity::note);
  }
  put_default(config, "timeout_seconds", make_integer(static_cast<std::int64_t>(kWebhookTimeoutSeconds), where));
  for (const auto& [key, value] : config.map) {
    const std::string near = nearest(key, kRetryKeys);
    const bool mistyped = !near.empty() && near != key;
    if (mistyped) complain_at_key(problems, value, key, "unknown key; did you mean \"" + near + "\"?");
  }
  std::erase_if(config.map, [](const auto& member) {
    const std::string near = nearest(member.first, kRetryKeys);
    return !near.empty() && near != member.first;
  });
  return webhook_retry(config, where, problems);
}

}  // namespace

const std::vector<std::string>& known_backends() {
  static const std::vector<std::string> names{"redis_streams", "webhook", "kafka", "nats", "rabbitmq"};
  return names;
}

Value lower_backend(const Chosen& chosen, Value section, const Overrides& overrides, Problems& problems) {
  Value config = merged(chosen, std::move(section), overrides, problems);
  Value where = chosen.where;
  if (where.path.empty()) where.path = "events." + chosen.name;
  Value retry = make_map(where);
  retry.put("max_age", milliseconds_text(kMaxAgeMs, where));
  if (chosen.name == "redis_streams") redis_defaults(config, where, problems);
  if (chosen.name == "webhook") retry = webhook_defaults(config, where, problems);
  if (chosen.name == "kafka") kafka_defaults(config, retry, where, problems);
  if (chosen.name == "nats") nats_defaults(config, where, problems);
  if (chosen.name == "rabbitmq") {
    const auto exchange = std::ranges::find(overrides, "exchange", [](const auto& entry) { return entry.first; });
    rabbitmq_defaults(config, exchange != overrides.end(), where);
  }

  Value breaker = make_map(where);
  breaker.put("failure_rate", make_number(kBreakerFailureRate, where));
  Value delivery = make_map(where);
  delivery.put("when_full", make_string("drop_newest", where));
  delivery.put("retry", std::move(retry));
  delivery.put("breaker", std::move(breaker));

  // "Events do not include full document text": whoever writes it in, it does not leave the host.
  Value redact = make_list(where);
  redact.list = {make_string("/text", where), make_string("/content", where)};

  Value backend = make_map(where);
  backend.put("class", make_string(chosen.name, where));
  backend.put("config", std::move(config));
  backend.put("delivery", std::move(delivery));
  backend.put("redact", std::move(redact));
  backend.put("required", make_boolean(false, where));
  return backend;
}

}  // namespace sluice
