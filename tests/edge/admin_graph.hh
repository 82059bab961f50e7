// A small graph with numbers in it, for tests of what is shown of a running graph.
//
//   http ──▶ early_check ──┬─▶ stream    (required)
//                          └─▶ hooks[0]  (not required)
#pragma once

#include "core/node_view.hh"

#include <memory>
#include <vector>

namespace sluice {

struct AdminGraph {
  AdminGraph() {
    graph.types = &types;
    graph.version = "9.9.9";
    add(NodeKind::source, "http", "http");
    add(NodeKind::consumer, "early_check", "validation");
    add(NodeKind::backend, "stream", "redis_streams");
    add(NodeKind::backend, "hooks[0]", "webhook");
    graph.nodes.back().required = false;
    processed = types.id_of("com.storytelling.nlp.document.processed");
    failed = types.id_of("com.storytelling.nlp.document.failed");
    odd = types.id_of("odd \"type\"\\\n\xFF");
  }

  void add(NodeKind kind, const char* name, const char* klass) {
    stats.push_back(std::make_unique<NodeStats>());
    stats.back()->state = NodeState::running;
    graph.nodes.push_back({kind, name, klass, false, true, stats.back().get()});
  }
  NodeStats& operator[](std::size_t node) { return *stats[node]; }

  /// 10 events in, one undecodable, one fails at the stream, three at the webhook.
  void fill() {
    NodeStats& http = *stats[0];
    http.records_in.add(11);
    http.undecodable.add(1);
    http.by_type[processed].in.add(8);
    http.by_type[failed].in.add(1);
    http.by_type[odd].in.add(1);
    http.by_type[processed].out.add(8);
    http.settled_delivered.add(9);
    http.settled_rejected.add(2);
    NodeStats& stream = *stats[2];
    stream.by_type[processed].in.add(8);
    stream.by_type[processed].out.add(7);
    stream.by_type[processed].rejected.add(1);
    stream.by_type[failed].in.add(1);
    stream.by_type[failed].out.add(1);
    stream.by_type[odd].out.add(1);
    for (int i = 0; i < 8; ++i) stream.publish_ns.add(1'000'000);
    stream.publish_ns.add(100'000'000);
    for (int i = 0; i < 9; ++i) stream.payload_bytes.add(585);
    stream.event_age_ns.add(2'000'000'000, 9);
    stream.queue_events.set(3);
    stream.queue_bytes.set(1755);
    NodeStats& hooks = *stats[3];
    hooks.by_type[processed].in.add(8);
    hooks.by_type[processed].out.add(5);
    hooks.by_type[processed].failed.add(3);
    hooks.by_type[processed].retried.add(6);
    hooks.dead_lettered.add(3);
  }

  std::vector<std::unique_ptr<NodeStats>> stats;
  TypeTable types;
  GraphView graph;
  std::uint16_t processed = 0, failed = 0, odd = 0;
};

}  // namespace sluice
