// What event_consumer shows of itself: the document's fields on the pages, its lines in the log.
#include "edge/consumer_pages.hh"

#include "admin_graph.hh"
#include "catch.hh"
#include "edge/admin_pages.hh"

#include <nlohmann/json.hpp>

using namespace sluice;
using nlohmann::json;

namespace {

class KeptLog final : public Log {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void write(Level level, std::string_view sentence, std::span<const Field>) noexcept override {
    lines.push_back((level == Level::error ? "error " : "") + std::string(sentence));
  }
  [[nodiscard]] std::size_t count(const std::string& part) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const std::string& line) { return line.find(part) != std::string::npos; }));
  }
  std::vector<std::string> lines;
};

struct Consuming {
  Consuming() {
    admin.add(NodeKind::source, "event_consumer", "redis_streams");
    admin.add(NodeKind::consumer, "handover", "handover");
    admin.graph.consumer = &consumer;
    document = admin.types.id_of("document.cleaned");
  }
  void consume(std::uint64_t events) { source().by_type[document].in.add(events); }
  NodeStats& source() { return admin[4]; }
  NodeStats& handover() { return admin[5]; }

  EventConsumer consumer{"event_consumer", "stream", "group", true};
  AdminGraph admin;
  std::uint32_t document = 0;
};

constexpr std::uint64_t kSecond = 1'000'000'000;

}  // namespace

TEST_CASE(
    "consumer pages: /stats counts what was consumed, handed over or left to a batch, filtered, failed, skipped") {
  Consuming c;
  c.consume(10);
  c.source().by_type[c.document].dropped.add(1);
  c.source().settled_delivered.add(4);
  c.source().settled_rejected.add(1);
  c.source().settled_dropped.add(4);
  c.source().duplicates_skipped.add(1);
  c.handover().by_type[c.document].dropped.add(3);
  const json stats = json::parse(stats_page(c.admin.graph).body);
  CHECK(stats["total_consumed"] == 10);
  CHECK(stats["processed"] == 7);
  CHECK(stats["filtered"] == 1);
  CHECK(stats["failed"] == 1);
  CHECK(stats["duplicates_skipped"] == 1);
  CHECK(stats["by_event_type"] == json{{"document.cleaned", 10}});
}

TEST_CASE("consumer pages: /health begins with the document's fields, from what the source says") {
  Consuming c;
  const auto sample = [](const char* name, double value) {
    return MetricSample{"event_consumer", name, "", SLUICE_GAUGE, {}, value};
  };
  const std::vector<MetricSample> samples{sample("source_group_exists", 1), sample("source_pending_events", 7),
                                          sample("source_stream_exists", 1)};
  json health = json::parse(health_page(c.admin.graph, samples).body);
  for (const char* field : {"enabled", "healthy", "stream_exists", "group_exists", "running"}) {
    INFO(field);
    CHECK(health[field] == true);
  }
  CHECK(health["pending_count"] == 7);
  c.source().state = NodeState::away;
  health = json::parse(health_page(c.admin.graph, {}).body);
  CHECK(health["healthy"] == false);
  CHECK(health["running"] == false);
  CHECK(health["group_exists"] == false);
}

TEST_CASE("consumer pages: without an event_consumer nothing of it is shown") {
  Consuming c;
  c.consumer.node.clear();
  CHECK_FALSE(json::parse(health_page(c.admin.graph).body).contains("pending_count"));
  CHECK_FALSE(json::parse(stats_page(c.admin.graph).body).contains("total_consumed"));
  std::vector<MetricSample> samples;
  add_consumer_samples(samples, c.admin.graph);
  CHECK(samples.empty());
}

TEST_CASE("consumer log: it says that it runs, what it consumed now and then, and an outage once") {
  Consuming c;
  KeptLog log;
  ConsumerLog said(c.consumer, c.admin.graph, log);
  said.look(kSecond);
  CHECK(log.count("event_consumer_service_running") == 1);
  CHECK(log.count("consuming_events: stream=stream, total_consumed=0, processed=0") == 1);
  said.look(2 * kSecond);
  c.consume(5);
  said.look(3 * kSecond);
  CHECK(log.lines.size() == 2);
  said.look(12 * kSecond);
  CHECK(log.count("total_consumed=5") == 1);
  said.look(30 * kSecond);
  CHECK(log.lines.size() == 3);
  said.look(73 * kSecond);
  CHECK(log.count("total_consumed=5") == 2);
  c.source().state = NodeState::away;
  c.source().set_error("connection refused", 0);
  said.look(74 * kSecond);
  said.look(75 * kSecond);
  CHECK(log.count("error failed_to_initialize_consumer: stream=stream, group=group, reason=connection refused") == 1);
  c.source().state = NodeState::running;
  said.look(76 * kSecond);
  CHECK(log.count("event_consumer_service_running") == 2);
}
