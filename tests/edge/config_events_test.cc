// The `events:` dialect: every block of the requirement documents against the graph it becomes, the precedence of its
// spellings and of the environment, and that no scalar is passed over in silence.
#include "catch.hh"
#include "core/graph_text.hh"
#include "edge/config_support.hh"
#include "edge/yaml_reader.hh"

#include <algorithm>

using namespace sluice;
using namespace sluice_tests;
using std::chrono::milliseconds;

namespace {

std::vector<std::string> backends_of(const Config& config) {
  std::vector<std::string> names;
  for (const NodeConfig& node : config.nodes) {
    if (node.kind == NodeKind::backend) names.push_back(node.klass);
  }
  return names;
}

/// Settings with `enabled: true` and these lines below `events:`.
Loaded events(const std::string& lines, bool stdin_source = false, std::vector<std::string> sets = {}) {
  return load_text("events:\n  enabled: true\n" + lines, stdin_source, std::move(sets));
}

struct DocumentBlock {
  const char* file;
  std::vector<std::string> backends;  // by class, in order; none: nothing runs
  const char* says = "";              // a part of what check prints
};

const std::vector<std::string> kNone, kRedis{"redis_streams"}, kWebhook{"webhook"}, kBoth{"redis_streams", "webhook"},
    kKafka{"kafka"}, kNats{"nats"}, kRabbit{"rabbitmq"};

const std::vector<DocumentBlock> kBlocks{
    {"usage_enable.yaml", kRedis},
    {"usage_redis.yaml", kRedis},
    {"usage_redis_pool.yaml", kRedis, "connection_pool.max_connections: note: has no effect"},
    {"usage_webhook.yaml", kWebhook},
    {"usage_kafka.yaml", kKafka},
    {"usage_filter.yaml", kRedis},
    {"usage_multi_backend.yaml", kBoth},
    {"usage_exercise_1.yaml", kRedis},
    {"usage_exercise_2.yaml", kWebhook},
    {"usage_exercise_3.yaml", kBoth},
    {"usage_exercise_5.yaml", kWebhook},
    {"usage_exercise_6.yaml", kRedis},
    {"usage_exercise_10.yaml", kRedis, "track_publish_latency: note: has no effect"},
    {"usage_fragment_pool.yaml", kNone, "there is no events: section"},
    {"usage_fragment_filter.yaml", kNone, "there is no events: section"},
    {"usage_fragment_headers.yaml", kNone, "there is no events: section"},
    {"usage_fragment_sasl.yaml", kNone, "there is no events: section"},
    {"usage_migrate_enable.yaml", kRedis},
    {"usage_migrate_disable.yaml", kNone, "events.enabled is false: nothing is published"},
    {"stages_redis.yaml", kRedis},
    {"stages_kafka.yaml", kKafka},
    {"stages_nats.yaml", kNats},
    {"stages_rabbitmq.yaml", kRabbit},
    {"stages_webhook.yaml", kWebhook},
    {"stages_multi_backend.yaml", kBoth, "stands for nothing here"},
    {"stages_full_schema.yaml", kNone, "events.enabled is false"},
    {"stages_full_schema_enabled.yaml", kRedis, "kafka is not the selected backend"},
    {"stages_fragment_headers.yaml", kNone, "there is no events: section"},
    {"stages_fragment_sasl.yaml", kNone, "there is no events: section"},
    {"stages_fragment_tls.yaml", kNone, "there is no events: section"},
    {"stages_schema_registry.yaml", kNone, "events.enabled is not set"},
    {"stages_dlq.yaml", kNone, "events.enabled is not set"},
};

}  // namespace

TEST_CASE("events: every block of the documents becomes the graph that its text promises") {
  const Environment environment{{"WEBHOOK_API_KEY", "secret-key-here"}};
  for (const DocumentBlock& block : kBlocks) {
    const Loaded loaded = load_file(scenario(block.file));
    INFO(block.file << "\n" << loaded.lines);
    CHECK(loaded.ok());
    CHECK(backends_of(loaded.config) == block.backends);
    CHECK(loaded.says(block.says));
    CHECK(loaded.config.events_dialect);
    CHECK(block.backends.empty() == !loaded.config.disabled.empty());
  }
}

TEST_CASE("events: no block of the documents is left out of the table") {
  for (const auto& entry : std::filesystem::directory_iterator(scenario(""))) {
    const std::string name = entry.path().filename();
    INFO(name);
    CHECK(std::ranges::any_of(kBlocks, [&](const DocumentBlock& block) { return block.file == name; }));
  }
}

TEST_CASE("events: enabled alone publishes to redis_streams with the documents' defaults") {
  const Loaded loaded = load_file(scenario("usage_migrate_enable.yaml"));
  REQUIRE(loaded.ok());
  const NodeConfig& redis = *loaded.config.find("redis_streams");
  CHECK(redis.config.find("url")->string == "redis://redis:6379/1");
  CHECK(redis.config.find("stream_name")->string == "nlp-events");
  CHECK(redis.config.find("max_len")->integer == 10'000);
  CHECK(redis.config.find("ttl_seconds")->integer == 86'400);
  CHECK(redis.delivery.when_full == WhenFull::drop_newest);
  CHECK(redis.delivery.breaker.failure_rate == 0.5);
  CHECK(redis.delivery.retry.max_age == milliseconds(10'000));
  CHECK_FALSE(redis.required);
  CHECK(redis.redact == std::vector<std::string>{"/text", "/content"});
  const NodeConfig& ingest = *loaded.config.find("ingest");
  CHECK(ingest.klass == "http");
  CHECK(ingest.config.find("listen")->string == "127.0.0.1:8620");
  CHECK(ingest.config.find("path")->string == "/events");
  CHECK(ingest.acknowledge.mode == Acknowledge::Mode::any);
  CHECK(loaded.config.admin.listen == "127.0.0.1:8686");
  CHECK(loaded.config.log.events);
}

TEST_CASE("events: a webhook's retry keys count tries after the first") {
  const Environment environment{{"WEBHOOK_API_KEY", "k"}};
  const Loaded loaded = load_file(scenario("usage_webhook.yaml"));
  REQUIRE(loaded.ok());
  const NodeConfig& webhook = *loaded.config.find("webhook");
  CHECK(webhook.delivery.retry.max_attempts == 4);
  CHECK(webhook.delivery.retry.backoff == RetryPolicy::Backoff::exponential);
  CHECK(webhook.delivery.retry.delay == milliseconds(1000));
  CHECK(webhook.delivery.retry.max_age == milliseconds(27'000));  // four tries of 5 s, and 1 + 2 + 4 s between them
  CHECK(webhook.config.find("retry_attempts") == nullptr);
  CHECK(webhook.config.find("timeout_seconds")->integer == 5);
  CHECK(webhook.config.find("headers")->find("X-API-Key")->string == "k");
  CHECK(webhook.fan_out_json.size() == 2);
  CHECK(webhook.shown_json.find("\"X-API-Key\":\"***\"") != std::string::npos);
  const Loaded two = load_file(scenario("usage_exercise_2.yaml"));
  CHECK(two.config.find("webhook")->delivery.retry.max_attempts == 3);
  CHECK(events("  backend: webhook\n  webhook: {urls: [\"http://h/\"], retry_attempts: -1}\n")
            .says("events.webhook.retry_attempts: must be between 0 and 100, not -1"));
  CHECK(events("  backend: webhook\n  webhook: {urls: [\"http://h/\"], retry_atempts: 1}\n")
            .says("events.webhook.retry_atempts: unknown key; did you mean \"retry_attempts\"?"));
}

TEST_CASE("events: publish_events holds back what it names, everything else passes") {
  const Loaded loaded = load_file(scenario("usage_exercise_6.yaml"));
  REQUIRE(loaded.ok());
  const NodeConfig& redis = *loaded.config.find("redis_streams");
  CHECK(
      redis.when_json ==
      R"([{"not":{"exact":{"type":"com.storytelling.nlp.document.failed"}}},{"not":{"exact":{"type":"com.storytelling.nlp.batch.started"}}}])");
  REQUIRE(redis.when);
  const auto passes = [&](std::string_view type) {
    sluice_event event{};
    event.text = type.data();
    event.type = {0, static_cast<std::uint32_t>(type.size())};
    return redis.when->matches(event);
  };
  CHECK(passes("com.storytelling.nlp.document.processed"));
  CHECK(passes("com.example.image.processed"));
  CHECK_FALSE(passes("com.storytelling.nlp.document.failed"));
  CHECK_FALSE(passes("com.storytelling.nlp.batch.started"));
}

TEST_CASE("events: both spellings of backends work and win over backend") {
  CHECK(backends_of(events("  backend: kafka\n  backends: [redis_streams]\n").config) == kRedis);
  CHECK(events("  backend: kafka\n  backends: [redis_streams]\n")
            .says("events.backend: note: has no effect: backends wins"));
  const Loaded mixed = events(
      "  backends:\n    - redis_streams\n    - {type: webhook, config: {urls: [\"http://a/\"]}}\n"
      "    - {type: webhook, config: {urls: [\"http://b/\"]}}\n  redis_streams: {stream_name: s}\n");
  INFO(mixed.lines);
  REQUIRE(mixed.ok());
  CHECK(mixed.config.find("redis_streams")->config.find("stream_name")->string == "s");
  CHECK(mixed.config.find("webhook_2")->config.find("urls")->list[0].string == "http://b/");
  CHECK(events("  backends: [webhook, webhook]\n").says("names webhook twice"));
  CHECK(events("  backends: []\n").says("must be a list of backends, but is empty"));
  CHECK(events("  backends: webhook\n").says("must be a list of backends, but is text: webhook"));
  CHECK(events("  backends: [{config: {}}]\n").says("has no type: the name of a backend"));
  CHECK(events("  backends: [{typ: webhook}]\n").says("events.backends[0].typ: unknown key; did you mean \"type\"?"));
  CHECK(
      events("  backend: redis_stream\n").says("there is no class \"redis_stream\"; did you mean \"redis_streams\"?"));
}

TEST_CASE("events: the environment overrides the file, --set overrides the environment") {
  const Environment environment{
      {"EVENTS_ENABLED", "true"}, {"EVENTS_BACKEND", "redis_streams"}, {"REDIS_EVENTS_URL", "redis://env:1/1"}};
  const Loaded loaded =
      load_text("events: {enabled: false, backend: webhook, redis_streams: {url: \"redis://file:1/1\", max_len: 5}}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  const NodeConfig& redis = *loaded.config.find("redis_streams");
  CHECK(redis.config.find("url")->string == "redis://env:1/1");
  CHECK(redis.config.find("max_len")->integer == 5);
  CHECK(loaded.says("events.backend: note: has no effect: EVENTS_BACKEND is set in the environment and wins"));
  CHECK(loaded.says("events.redis_streams.url: note: has no effect: REDIS_EVENTS_URL is set"));

  const Loaded spelled =
      load_text("events: {backends: [{type: redis_streams, config: {url: \"redis://explicit:1/1\"}}]}\n");
  INFO(spelled.lines);
  CHECK(spelled.config.find("redis_streams")->config.find("url")->string == "redis://explicit:1/1");
  CHECK(spelled.says("EVENTS_BACKEND: note: has no effect: backends wins over it"));

  const Loaded off = load_text("events: {}\n", false, {"events.enabled=false"});
  CHECK(off.config.disabled == "events.enabled is false: nothing is published");
  const Loaded set = load_text("events: {}\n", false, {"events.redis_streams.url=redis://set:1/1"});
  CHECK(set.config.find("redis_streams")->config.find("url")->string == "redis://set:1/1");
  CHECK(backends_of(load_text("other: 1\n").config) == kRedis);
}

TEST_CASE("events: EVENTS_ENABLED switches off, and must be true or false") {
  {
    const Environment environment{{"EVENTS_ENABLED", "false"}};
    CHECK(load_file(scenario("usage_redis.yaml")).config.disabled == "EVENTS_ENABLED is false: nothing is published");
  }
  {
    const Environment environment{{"EVENTS_ENABLED", "maybe"}};
    CHECK(load_file(scenario("usage_redis.yaml")).says("environment: EVENTS_ENABLED: must be true or false"));
  }
  const Environment environment{{"EVENTS_ENABLED", ""}, {"EVENTS_BACKEND", ""}};
  CHECK(load_file(scenario("usage_redis.yaml")).ok());
}

TEST_CASE("events: ${...} counts only in what is used") {
  const std::string sections =
      "  redis_streams: {url: \"redis://h:1\"}\n  webhook: {urls: [\"${NOT_SET_1}\"]}\n  kafka: {topic: "
      "\"${NOT_SET_2}\"}\n";
  CHECK(events(sections).ok());
  CHECK(load_text("events:\n  enabled: false\n  redis_streams: {url: \"${NOT_SET_1}\"}\n").ok());
  CHECK(events("  backend: webhook\n" + sections).says("events.webhook.urls[0]: ${NOT_SET_1} is not set"));
  CHECK(load_text("events: {enabled: \"${ON:-true}\", backend: \"${WHICH:-webhook}\"}\n").config.find("webhook") !=
        nullptr);
}

TEST_CASE("events: keys that are not known are errors with a suggestion, also while it is off") {
  CHECK(events("  backnd: webhook\n").says("3:3: events.backnd: unknown key; did you mean \"backend\"?"));
  CHECK(events("  redis_streams: {max_lenn: 5}\n")
            .says("3:19: events.redis_streams.max_lenn: unknown key; did you mean \"max_len\"?"));
  CHECK(events("  publish_events: {document_procesed: true}\n").says("did you mean \"document_processed\"?"));
  CHECK(events("  monitoring: {log_level: CHATTY}\n").says("must be one of debug, info, warn, error"));
  CHECK(load_text("events: {enabeld: true}\n").says("events.enabeld: unknown key; did you mean \"enabled\"?"));
  CHECK(load_text("events: {enabled: yes}\n").says("events.enabled: must be true or false, but is text: yes"));
  CHECK(load_text("events: [1]\n").says("events: must be a map of keys, but is a list"));
  CHECK(events("  dlq: {enabled: true, backend: redis_streams, max_retrys: 3}\n")
            .says("events.dlq.max_retrys: unknown key"));
  CHECK(events("  dlq: {enabled: true, max_retries: x}\n").says("events.dlq.max_retries: must be a whole number"));
  CHECK(events("  dlq: {enabled: false}\n").ok());
  CHECK(events("  schema_registry: [x]\n").says("events.schema_registry: must be a map of keys, but is a list"));
}

TEST_CASE("events: a schema registry becomes a consumer between the doors and the backends") {
  const Loaded loaded =
      events("  schema_registry: {url: \"http://schema-registry:8081\", compatibility: BACKWARD, on_invalid: tag}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  const NodeConfig* compared = loaded.config.find("schema_registry");
  const NodeConfig* stream = loaded.config.find("redis_streams");
  REQUIRE(compared != nullptr);
  REQUIRE(stream != nullptr);
  CHECK(compared->klass == "json_schema");
  REQUIRE((compared->inputs.size() == 1 && stream->inputs.size() == 1));
  CHECK(compared->inputs[0].node == "ingest");
  CHECK(stream->inputs[0].node == "schema_registry");
  for (const char* part : {"\"url\":\"http://schema-registry:8081\"", "\"compatibility\":\"BACKWARD\"",
                           "\"subject\":\"{type}\"", "\"on_unavailable\":\"pass\"", "\"on_invalid\":\"tag\""}) {
    CHECK(compared->config_json.find(part) != std::string::npos);
  }
}

TEST_CASE("events: dlq is a backend of its own that takes the dead letters of all the others") {
  const Loaded loaded = events(
      "  redis_streams: {url: \"redis://a:1/2\", max_len: 500}\n"
      "  dlq: {enabled: true, backend: redis_streams, stream_name: nlp-events-dlq, max_retries: 3}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  const NodeConfig* stream = loaded.config.find("redis_streams");
  const NodeConfig* dlq = loaded.config.find("dlq");
  REQUIRE(stream != nullptr);
  REQUIRE(dlq != nullptr);
  CHECK(stream->delivery.dead_letter == "dlq");
  CHECK(stream->delivery.retry.max_attempts == 4);
  CHECK(dlq->klass == "redis_streams");
  CHECK(dlq->inputs.empty());
  CHECK(dlq->delivery.dead_letter.empty());
  CHECK(dlq->config_json.find("\"nlp-events-dlq\"") != std::string::npos);
  CHECK(dlq->config_json.find("\"redis://a:1/2\"") != std::string::npos);
  CHECK(dlq->config_json.find("\"max_len\":0") != std::string::npos);  // dead letters are not trimmed
  CHECK(dlq->config_json.find("\"ttl_seconds\":0") != std::string::npos);
  CHECK(stream->config_json.find("\"max_len\":500") != std::string::npos);
}

TEST_CASE("events: a dlq beside a webhook keeps the webhook's own retries") {
  const Loaded loaded = events(
      "  backend: webhook\n  webhook: {urls: [\"http://127.0.0.1:1/\"], retry_attempts: 2}\n"
      "  dlq: {max_retries: 9}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  CHECK(loaded.config.find("webhook")->delivery.retry.max_attempts == 3);
  CHECK(loaded.config.find("webhook")->delivery.dead_letter == "dlq");
}

TEST_CASE("events: other programs' sections are their own business") {
  const Loaded loaded = load_text("services: !ENV {a: ${X}, a: 2}\n1: x\nevents: {enabled: true}\nbackends: [x]\n");
  INFO(loaded.lines);
  CHECK_FALSE(loaded.ok());  // ${X} in flow style is no YAML at all: that is said
  const Loaded tagged =
      load_text("services:\n  a: !ENV x\n  b: 1\n  b: 2\n1: x\nevents: {enabled: true}\nbackends: [x]\n");
  INFO(tagged.lines);
  CHECK(tagged.ok());
  CHECK(load_text("events: {enabled: !ENV true}\n").says("has a tag"));
}

TEST_CASE("events: the brokers have the documents' keys and defaults, and retries is the host's") {
  const Loaded kafka = events("  backend: kafka\n  kafka: {topic: t, retries: 7}\n");
  const NodeConfig& node = *kafka.config.find("kafka");
  CHECK(node.config.find("topic")->string == "t");
  CHECK(node.config.find("bootstrap_servers")->list.at(0).string == "kafka:9092");
  CHECK(node.config.find("acks")->integer == 1);
  CHECK(node.config.find("retries") == nullptr);
  CHECK(node.delivery.retry.max_attempts == 8);
  CHECK(node.delivery.retry.max_age == milliseconds(10'000));
  const Loaded nats = events("  backend: nats\n  nats: {durable_name: reader}\n");
  CHECK(nats.config.find("nats")->config.find("subject")->string == "nlp.document.processed");
  CHECK(nats.says("events.nats.durable_name: note: has no effect: it names a reader"));
  const Loaded rabbit = events("  backend: rabbitmq\n");
  CHECK(rabbit.config.find("rabbitmq")->config.find("exchange")->string == "nlp-events");
  CHECK(rabbit.config.find("rabbitmq")->config.find("routing_key")->string == "document.processed");
}

TEST_CASE("events: RABBITMQ_URL and RABBITMQ_EXCHANGE win over the section, and the type is the routing key then") {
  const Environment environment{{"RABBITMQ_URL", "amqp://env:1/"}, {"RABBITMQ_EXCHANGE", "draft-genie.events"}};
  const Loaded loaded = events("  backend: rabbitmq\n  rabbitmq: {url: \"amqp://file:1/\"}\n");
  const NodeConfig& node = *loaded.config.find("rabbitmq");
  CHECK(node.config.find("url")->string == "amqp://env:1/");
  CHECK(node.config.find("exchange")->string == "draft-genie.events");
  CHECK(node.config.find("routing_key") == nullptr);
  CHECK(loaded.says("events.rabbitmq.url: note: has no effect: RABBITMQ_URL is set in the environment and wins"));
  const Loaded written = events("  backend: rabbitmq\n  rabbitmq: {routing_key: fixed}\n");
  CHECK(written.config.find("rabbitmq")->config.find("routing_key")->string == "fixed");
  const Loaded entry = events("  backends: [{type: rabbitmq, config: {url: \"amqp://entry:1/\"}}]\n");
  CHECK(entry.config.find("rabbitmq")->config.find("url")->string == "amqp://entry:1/");
}

TEST_CASE("events: the four queues are sources of their own, bound to what is routed to them") {
  const Loaded all = events("  ingest: {rabbitmq: true}\n");
  for (const char* name : {"speaker", "draft", "rag", "evaluation"}) {
    INFO(name);
    const NodeConfig* source = all.config.find(name);
    REQUIRE(source != nullptr);
    CHECK(source->klass == "rabbitmq");
    CHECK(source->config.find("queue")->string == std::string(name) + ".events");
    CHECK(source->config.find("bindings")->list.at(0).string == std::string(name) + ".*");
    CHECK(source->config.find("prefetch_count")->integer == 10);
    CHECK(source->format.preset == "domain_event");
  }
  CHECK(all.config.find("ingest") == nullptr);
  CHECK(all.config.find("redis_streams")->inputs.size() == 4);
  const Environment environment{{"SPEAKER_QUEUE", "mine"}, {"RABBITMQ_URL", "amqp://env:1/"}};
  const Loaded one = events("  ingest: {rabbitmq: {prefetch_count: 5}, http: \"127.0.0.1:1\"}\n");
  CHECK(one.config.find("speaker")->config.find("queue")->string == "mine");
  CHECK(one.config.find("speaker")->config.find("url")->string == "amqp://env:1/");
  CHECK(one.config.find("speaker")->config.find("prefetch_count")->integer == 5);
  CHECK(one.config.find("draft") == nullptr);
  CHECK(one.config.find("ingest") != nullptr);
}

TEST_CASE("events: ingest names the door, and standard input is one too") {
  CHECK(events("  ingest: {http: \"127.0.0.1:9999\"}\n").config.find("ingest")->config.find("listen")->string ==
        "127.0.0.1:9999");
  const Loaded keys = events("  ingest: {http: {listen: \"127.0.0.1:1\", token: t0k}}\n");
  CHECK(keys.config.find("ingest")->config.find("token")->string == "t0k");
  CHECK(keys.config.find("ingest")->config.find("path")->string == "/events");
  CHECK(events("  ingest: {htp: x}\n").says("did you mean \"http\"?"));
  CHECK(events("  ingest: false\n").says("there is no source"));

  const Loaded piped = events("", true);
  REQUIRE(piped.ok());
  CHECK(piped.config.find("ingest") == nullptr);
  CHECK(piped.config.find("stdin")->acknowledge.mode == Acknowledge::Mode::any);
  CHECK(piped.config.find("redis_streams")->inputs.size() == 1);
  const Loaded both = events("  ingest: {http: \"127.0.0.1:0\"}\n", true);
  CHECK(both.config.find("redis_streams")->inputs.size() == 2);
}

TEST_CASE("events: sluice: as a map holds the host's own keys") {
  const Loaded loaded = load_text(
      "sluice: {admin: {listen: \"127.0.0.1:1\"}, drain_deadline: 2s, log: {format: json}}\nevents: {enabled: true, "
      "monitoring: {log_events: false, log_level: WARNING}}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  CHECK(loaded.config.admin.listen == "127.0.0.1:1");
  CHECK(loaded.config.drain_deadline == milliseconds(2000));
  CHECK(loaded.config.log.format == "json");
  CHECK_FALSE(loaded.config.log.events);
  CHECK(loaded.config.log.level == "warn");
  CHECK(load_text("sluice: {admn: {}}\nevents: {enabled: true}\n")
            .says("sluice.admn: unknown key; did you mean \"admin\"?"));
}

namespace {

/// Every scalar of a tree, by its dotted path.
void scalars(const Value& value, const std::string& path, std::vector<std::pair<std::string, const Value*>>& out) {
  if (value.is_map()) {
    for (const auto& [key, member] : value.map) scalars(member, path.empty() ? key : path + "." + key, out);
  } else if (value.is_list()) {
    for (std::size_t i = 0; i < value.list.size(); ++i) scalars(value.list[i], path + "." + std::to_string(i), out);
  } else {
    out.emplace_back(path, &value);
  }
}

/// Another value of the same kind.
std::string changed(const Value& value) {
  if (value.kind == Value::Kind::boolean) return value.boolean ? "false" : "true";
  if (value.kind == Value::Kind::integer) return std::to_string(value.integer + 1);
  if (value.string == "exponential") return "linear";
  if (value.string == "INFO") return "DEBUG";
  if (value.string == "DEBUG") return "ERROR";
  if (value.string == "redis_streams") return "webhook";
  if (value.string == "webhook") return "redis_streams";
  return value.string + "x";
}

}  // namespace

TEST_CASE("events: each scalar of each block changes the graph, or check says why it has no effect") {
  const Environment environment{{"WEBHOOK_API_KEY", "k"}, {"WEBHOOK_API_KEYx", "k2"}};
  for (const DocumentBlock& block : kBlocks) {
    const std::string path = scenario(block.file);
    Problems unused;
    const auto tree = read_yaml_file(path, unused);
    REQUIRE(tree);
    std::vector<std::pair<std::string, const Value*>> all;
    scalars(*tree, "", all);
    const Loaded before = load_file(path);
    for (const auto& [where, value] : all) {
      if (value->string.find("${") != std::string::npos || where.find("headers.") != std::string::npos)
        continue;  // shown as ***
      const Loaded after = load_file(path, false, {where + "=" + changed(*value)});
      INFO(block.file << " " << where << "=" << changed(*value) << "\n" << before.lines << after.lines);
      const bool shows = graph_as_text(after.config) != graph_as_text(before.config);
      // A note that covers it: on the value, on the section it is in, or that nothing of this runs.
      const bool said = std::ranges::any_of(after.problems, [&](const Problem& problem) {
        return problem.path.empty() || where == problem.path || where.starts_with(problem.path + ".");
      });
      CHECK((shows || said));
    }
  }
}
