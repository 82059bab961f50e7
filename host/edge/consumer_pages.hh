// What `event_consumer:` shows of itself on the pages and in the log: the fields and lines of its document. Pure, but
// for ConsumerLog, which writes.
#pragma once

#include "core/config.hh"
#include "core/node_view.hh"
#include "core/ports.hh"
#include "edge/plugin_metrics.hh"

#include <string>
#include <vector>

namespace sluice {

class JsonText;

struct ConsumerFigures {
  std::uint64_t total_consumed = 0;  // events of the stream that were decoded
  std::uint64_t processed = 0;       // handed over, or left to their job's batch
  std::uint64_t filtered = 0;        // not in consume_events
  std::uint64_t failed = 0;          // given up: in the dead letters
  std::uint64_t duplicates_skipped = 0;
};
[[nodiscard]] ConsumerFigures consumer_figures(const GraphView& graph);

/// enabled, healthy, stream_exists, group_exists, pending_count, running. Nothing without an `event_consumer:`.
void put_consumer_health(JsonText& json, const GraphView& graph, const std::vector<MetricSample>& samples);
/// total_consumed, processed, filtered, failed, duplicates_skipped, by_event_type.
void put_consumer_stats(JsonText& json, const GraphView& graph);
/// The same for /metrics, put in their order among the plugins' samples.
void add_consumer_samples(std::vector<MetricSample>& samples, const GraphView& graph);

/// The document's lines about the service itself; looked at now and then by whoever drives the graph.
class ConsumerLog {
 public:
  ConsumerLog(const EventConsumer& consumer, const GraphView& graph, Log& log)
      : consumer_(consumer), graph_(graph), log_(log) {}
  void look(std::uint64_t now_ns);

 private:
  void say(Level level, const std::string& sentence) { log_.write(level, sentence, {}); }

  const EventConsumer& consumer_;
  const GraphView& graph_;
  Log& log_;
  bool running_ = false, told_away_ = false;
  std::uint64_t said_ns_ = 0;
  std::uint64_t said_total_ = 0;
};

}  // namespace sluice
