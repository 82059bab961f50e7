// The `event_consumer:` dialect: the graph it becomes, what the environment overrides, and what check says where
// something has no effect.
#include "catch.hh"
#include "edge/config_support.hh"

using namespace sluice;
using namespace sluice_tests;
using std::chrono::milliseconds;

namespace {

const std::string kHandler = "  handler: {class: webhook, config: {url: \"http://127.0.0.1:9/\"}}\n";

/// `enabled: true` and these lines below `event_consumer:`.
Loaded consumer(const std::string& lines, const std::string& more = "", std::vector<std::string> sets = {}) {
  const Environment environment{{"HOSTNAME", "worker-1"}};
  return load_text("event_consumer:\n  enabled: true\n" + lines + more, false, std::move(sets));
}
Loaded handled(const std::string& lines, const std::string& more = "") { return consumer(kHandler + lines, more); }

const NodeConfig& node(const Loaded& loaded, const char* name) {
  const NodeConfig* found = loaded.config.find(name);
  INFO(name << "\n" << loaded.lines);
  REQUIRE(found != nullptr);
  return *found;
}
std::string text(const NodeConfig& of, const char* key) {
  const Value* value = of.config.find(key);
  return value == nullptr ? "(absent)" : value->string;
}

}  // namespace

TEST_CASE("event_consumer: enabled with a handler has the defaults of its document's reference") {
  const Loaded loaded = handled("");
  INFO(loaded.lines);
  CHECK(loaded.ok());
  const NodeConfig& source = node(loaded, "event_consumer");
  CHECK(source.klass == "redis_streams");
  CHECK(source.kind == NodeKind::source);
  CHECK(text(source, "source_stream") == "stage1:cleaning:events");
  CHECK(text(source, "consumer_group") == "stage2-nlp-processor");
  CHECK(text(source, "consumer_name") == "worker-1");
  CHECK(text(source, "url") == "redis://redis-cache:6379/1");
  CHECK(source.config.find("batch_size")->integer == 10);
  CHECK(source.config.find("poll_interval_ms")->integer == 1000);
  CHECK_FALSE(source.config.find("process_backlog")->boolean);
  CHECK(source.when_json == R"({"types":["com.storytelling.cleaning.document.cleaned",)"
                            R"("com.storytelling.cleaning.job.completed"]})");
  const NodeConfig& handover = node(loaded, "handover");
  CHECK(handover.inputs.at(0).node == "event_consumer");
  CHECK(handover.config.find("process")->boolean);
  CHECK(handover.config.find("batch")->boolean);
  CHECK(text(handover, "state") == "event-consumer-worker-1.state");
  const NodeConfig& handler = node(loaded, "handler");
  CHECK(handler.klass == "webhook");
  CHECK(handler.inputs.at(0).node == "handover");
  CHECK(handler.delivery.max_in_flight == 4);
  CHECK(handler.delivery.queue.max_events == 266);
  CHECK(handler.delivery.retry.max_attempts == 4);
  CHECK(handler.delivery.retry.delay == milliseconds(5000));
  CHECK(handler.delivery.retry.backoff == RetryPolicy::Backoff::constant);
  CHECK(handler.delivery.retry.jitter == RetryPolicy::Jitter::none);
  CHECK(handler.delivery.when_full == WhenFull::block);
  CHECK(handler.delivery.dead_letter == "failed_events");
  const NodeConfig& failed = node(loaded, "failed_events");
  CHECK(text(failed, "stream_name") == "stage2:nlp:failed-events");
  CHECK(text(failed, "url") == "redis://redis-cache:6379/1");
  CHECK(failed.config.find("max_len")->integer == 0);
  CHECK(loaded.config.admin.listen == "127.0.0.1:8000");
  CHECK(loaded.config.consumer.stream == "stage1:cleaning:events");
  CHECK(loaded.config.consumer.hands_over);
  CHECK(loaded.config.disabled.empty());
}

TEST_CASE("event_consumer: batches are handed over once whichever worker has them, and groups do not know each other") {
  const Loaded loaded = handled("");
  REQUIRE(node(loaded, "event_consumer").dedup);
  const DedupPolicy& dedup = *node(loaded, "event_consumer").dedup;
  CHECK_FALSE(dedup.only_once);
  REQUIRE(dedup.once);
  CHECK(dedup.once->key == "/job_id");
  CHECK(dedup.once->types == std::vector<std::string>{"*.job.completed"});
  REQUIRE(dedup.store == DedupPolicy::Store::shared);
  CHECK(text(dedup.shared.front(), "key_prefix") == "sluice:dedup:stage1:cleaning:events:stage2-nlp-processor:");
  const Loaded unchecked = handled("  check_already_processed: false\n");
  REQUIRE(node(unchecked, "event_consumer").dedup);
  CHECK(node(unchecked, "event_consumer").dedup->only_once);
  CHECK(node(unchecked, "event_consumer").dedup->once);
  const Loaded single = handled("  batch_mode: false\n");
  CHECK_FALSE(node(single, "event_consumer").dedup->once);
  CHECK_FALSE(node(handled("  batch_mode: false\n  check_already_processed: false\n"), "event_consumer").dedup);
}

TEST_CASE("event_consumer: its keys reach source, handler and dead letters") {
  const Loaded loaded = handled(
      "  source_stream: s\n  redis_host: h\n  redis_port: 7\n  redis_db: 3\n  redis_password: \"p@ss\"\n"
      "  consumer_group: g\n  consumer_name: \"n/1\"\n  consume_events: [\"a.*\", b.job.completed]\n"
      "  batch_mode: false\n  poll_interval_ms: 50\n  batch_size: 20\n  concurrent_tasks: 8\n  max_retries: 1\n"
      "  retry_delay_seconds: 0.5\n  dead_letter_stream: dead\n  process_backlog: true\n  backlog_batch_size: 5\n"
      "  backlog_max_age_hours: 2\n");
  INFO(loaded.lines);
  CHECK(loaded.ok());
  const NodeConfig& source = node(loaded, "event_consumer");
  CHECK(text(source, "url") == "redis://:p%40ss@h:7/3");
  CHECK(text(source, "consumer_name") == "n/1");
  CHECK(source.config.find("process_backlog")->boolean);
  CHECK(source.config.find("backlog_max_age_hours")->integer == 2);
  CHECK(source.config.find("redis_host") == nullptr);
  CHECK_FALSE(node(loaded, "handover").config.find("batch")->boolean);
  const Delivery& delivery = node(loaded, "handler").delivery;
  CHECK(delivery.max_in_flight == 8);
  CHECK(delivery.queue.max_events == 276);
  CHECK(delivery.retry.max_attempts == 2);
  CHECK(delivery.retry.delay == milliseconds(500));
  CHECK(text(node(loaded, "failed_events"), "stream_name") == "dead");
  const Loaded once = handled("  retry_failed: false\n  max_retries: 9\n");
  CHECK(node(once, "handler").delivery.retry.max_attempts == 1);
  CHECK(once.says("event_consumer.max_retries: note: has no effect: retry_failed is false"));
  const Loaded whole = handled("  redis_url: \"redis://u:1/2\"\n  redis_host: h\n");
  CHECK(text(node(whole, "event_consumer"), "url") == "redis://u:1/2");
  CHECK(whole.says("event_consumer.redis_host: note: has no effect: redis_url wins over it"));
  CHECK(handled("  dead_letter_stream:\n").config.find("failed_events") == nullptr);
}

TEST_CASE("event_consumer: a handler takes delivery settings, which win over the document's words for them") {
  const Loaded loaded = consumer(
      "  max_retries: 7\n  concurrent_tasks: 8\n"
      "  handler:\n    class: webhook\n    config: {url: \"http://127.0.0.1:9/\"}\n"
      "    delivery: {retry: {backoff: exponential, max_delay: 1m}, rate_limit: 5/s, max_in_flight: 2}\n");
  INFO(loaded.lines);
  CHECK(loaded.ok());
  const Delivery& delivery = node(loaded, "handler").delivery;
  CHECK(delivery.retry.max_attempts == 8);
  CHECK(delivery.retry.delay == milliseconds(5000));
  CHECK(delivery.retry.backoff == RetryPolicy::Backoff::exponential);
  CHECK(delivery.retry.max_delay == milliseconds(60'000));
  CHECK(delivery.rate_per_second == 5);
  CHECK(delivery.max_in_flight == 2);
  CHECK(delivery.dead_letter == "failed_events");
  CHECK(
      loaded.says("event_consumer.concurrent_tasks: note: has no effect: handler.delivery.max_in_flight wins over it"));
  const Loaded stored = consumer(
      "  retry_failed: false\n  max_retries: 2\n  dead_letter_stream: unused\n"
      "  handler:\n    class: webhook\n    config: {url: \"http://127.0.0.1:9/\"}\n"
      "    delivery: {dead_letter: store, retry: {max_attempts: 3, delay: 2s}, spool: {path: spool/handler}}\n");
  INFO(stored.lines);
  CHECK(stored.ok());
  CHECK(node(stored, "handler").delivery.retry.max_attempts == 3);
  CHECK(node(stored, "handler").delivery.retry.delay == milliseconds(2000));
  CHECK(node(stored, "handler").delivery.spool.on());
  CHECK(stored.config.find("failed_events") == nullptr);
  CHECK(stored.says("retry_failed: note: has no effect: handler.delivery.retry.max_attempts wins over it"));
  CHECK(stored.says("dead_letter_stream: note: has no effect: handler.delivery.dead_letter wins over it"));
  CHECK(consumer("  handler: {class: webhook, delivery: 5}\n").says("event_consumer.handler.delivery: must be a map"));
  CHECK(consumer("  handler: {class: webhook, delivery: {retrry: {}}}\n").says("event_consumer.handler.delivery"));
}

TEST_CASE("event_consumer: without a handler, or with auto_process false, events are only logged") {
  const Loaded none = consumer("  auto_process: true\n  max_retries: 5\n");
  INFO(none.lines);
  CHECK(none.ok());
  CHECK(none.says("event_consumer.auto_process: note: there is no handler to process events"));
  CHECK(none.says("event_consumer.max_retries: note: has no effect: nothing is handed over"));
  CHECK_FALSE(node(none, "handover").config.find("process")->boolean);
  CHECK(node(none, "event_consumer").config.find("retry_after")->integer == 0);
  CHECK(node(none, "event_consumer").config.find("claim_idle_ms")->integer == 0);
  CHECK(none.config.find("handler") == nullptr);
  CHECK(none.config.find("failed_events") == nullptr);
  CHECK_FALSE(none.config.consumer.hands_over);
  const Loaded off = handled("  auto_process: false\n");
  CHECK(off.ok());
  CHECK(off.says("event_consumer.handler: note: has no effect: auto_process is false"));
  CHECK_FALSE(node(off, "handover").config.find("process")->boolean);
}

TEST_CASE("event_consumer: a batch needs an event that completes a job") {
  const Loaded documents =
      handled("  batch_mode: true\n  consume_events: [com.storytelling.cleaning.document.cleaned]\n");
  CHECK(documents.says("event_consumer.batch_mode: note: has no effect: consume_events names no type"));
  CHECK_FALSE(node(documents, "handover").config.find("batch")->boolean);
  CHECK(handled("  consume_events: []\n").says("must name at least one event type"));
}

TEST_CASE("event_consumer: the environment overrides the file, --set overrides the environment") {
  const Environment environment{
      {"EVENT_CONSUMER_ENABLED", "true"}, {"STAGE1_EVENT_STREAM", "from-env"}, {"AUTO_PROCESS", "false"}};
  const Loaded loaded = load_text("event_consumer:\n  enabled: false\n  source_stream: x\n" + kHandler);
  INFO(loaded.lines);
  CHECK(text(node(loaded, "event_consumer"), "source_stream") == "from-env");
  CHECK_FALSE(loaded.config.consumer.hands_over);
  CHECK(loaded.says("event_consumer.source_stream: note: has no effect: STAGE1_EVENT_STREAM is set"));
  const Loaded set = load_text("event_consumer: {}\n", false,
                               {"event_consumer.source_stream=set", "event_consumer.auto_process=true"});
  CHECK(text(node(set, "event_consumer"), "source_stream") == "set");
  CHECK(load_text("event_consumer: {}\n", false, {"event_consumer.enabled=false"}).config.consumer.node.empty());
  CHECK(load_text("other: {}\n").config.consumer.node == "event_consumer");
  const Environment wrong{{"EVENT_CONSUMER_ENABLED", "maybe"}};
  CHECK(load_text("event_consumer: {}\n").says("environment: EVENT_CONSUMER_ENABLED: must be true or false"));
}

TEST_CASE("event_consumer: switched off it says so, and a mistyped key is refused all the same") {
  const Loaded off = load_text("event_consumer: {enabled: false, redis_host: \"${NOT_SET}\"}\n");
  INFO(off.lines);
  CHECK(off.ok());
  CHECK(off.says("event_consumer: note: consumer_not_enabled: event_consumer.enabled is false"));
  CHECK_FALSE(off.config.disabled.empty());
  CHECK(load_text("event_consumer: {consumer_group: g}\n")
            .says("consumer_not_enabled: event_consumer.enabled is not set"));
  CHECK(load_text("event_consumer: {enabeld: true}\n").says("did you mean \"enabled\"?"));
  CHECK(consumer("  sorce_stream: x\n").says("did you mean \"source_stream\"?"));
  CHECK(handled("  concurrent_tasks: 0\n").says("event_consumer.concurrent_tasks: must be between 1 and"));
  CHECK(consumer("  handler: {clas: webhook}\n").says("did you mean \"class\"?"));
}

TEST_CASE("event_consumer: with events: beside it, what comes in by ingest is published and what is consumed is not") {
  const Loaded both = handled("", "events: {enabled: true}\n");
  INFO(both.lines);
  CHECK(both.ok());
  const NodeConfig& redis = node(both, "redis_streams");
  REQUIRE(redis.inputs.size() == 1);
  CHECK(redis.inputs[0].node == "ingest");
  CHECK(node(both, "handler").inputs.at(0).node == "handover");
  CHECK(both.config.admin.listen == "127.0.0.1:8000");
  CHECK(handled("", "sluice: {admin: {listen: \"127.0.0.1:5\"}}\n").config.admin.listen == "127.0.0.1:5");
  const Loaded alone = handled("", "events: {enabled: false}\n");
  CHECK(alone.config.disabled.empty());
  CHECK(alone.says("events.enabled is false: nothing is published"));
}
