// The running graph: owns the lanes, starts them (receivers before senders), drains and stops them, and says how it
// ended. The stop is a small state machine, control(), so that tests drive it without threads.
//
//   running ──stop · halt · all sources ended──▶ draining ──nothing under way · deadline──▶ finishing ──▶ finished
#pragma once

#include "core/graph.hh"
#include "core/wanted_types.hh"
#include "run/backend_lane.hh"
#include "run/dedup_lane.hh"
#include "run/inline_consumer.hh"
#include "run/observer_lane.hh"
#include "run/source_lane.hh"
#include "run/spool_lane.hh"

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace sluice {

/// A graph node's instance: exactly one of the first three is set.
struct PipelineNode {
  std::unique_ptr<SourceNode> source;
  std::unique_ptr<ConsumerNode> consumer;
  std::unique_ptr<BackendNode> backend;
  std::unique_ptr<KeyStoreNode> key_store;  // of a source with `dedup`; null: its keys are kept in memory
  std::unique_ptr<SpoolStore> spool;        // of a backend with delivery.spool, of an observer with a durable queue

  [[nodiscard]] Node& node() const noexcept {
    if (source != nullptr) return *source;
    if (consumer != nullptr) return *consumer;
    return *backend;
  }
};

struct PipelineWorld {
  const Clock& clock;
  Log& log;
  std::uint64_t seed = 0;
  UndeliveredSink* undelivered = nullptr;  // may be null
};

class Pipeline final : public Wakeable {
 public:
  enum class State : std::uint8_t { running, draining, finishing, finished };

  /// Requires: nodes[i] belongs to graph.nodes[i]. `config` must outlive the pipeline.
  Pipeline(const Config& config, Graph graph, std::vector<PipelineNode> nodes, PipelineWorld world);
  ~Pipeline() override;

  /// Starts every node. A far side that is away is tried again later by its lane; anything else throws SetupError.
  void start();
  /// One thread per lane. Tests that step by hand do without.
  void launch();
  /// Sources pull on while earlier pulls are decoded. launch() sees to it; tests that step by hand may ask for it.
  void pull_ahead(bool with_thread);
  /// One round of the stop machine. Returns when to call again at the latest.
  std::chrono::milliseconds control();
  /// Readable when control() should be called.
  [[nodiscard]] int fd() const noexcept { return waker_.fd(); }
  /// Until the pipeline may sleep on fd(); see Waker.
  [[nodiscard]] Waker& waker() noexcept { return waker_; }

  /// Any thread.
  void request_stop() noexcept;
  void wake() noexcept override { waker_.wake(); }

  /// Another instance, or other numbers of delivery, for a backend or an observer while it runs; see NodeSwap. Its
  /// lane answers, and wakes fd().
  void swap(NodeIndex node, const std::shared_ptr<NodeSwap>& swap);
  /// Lets the lane go on by what it was given. Requires: it has answered.
  void end_swap(NodeIndex node, NodeSwap& swap);

  [[nodiscard]] State state() const noexcept { return state_; }
  [[nodiscard]] bool finished() const noexcept { return state_ == State::finished; }
  [[nodiscard]] const std::string& halt_text() const noexcept { return halt_text_; }
  /// Events of sources that cannot be told, or that were left when the drain ended.
  [[nodiscard]] std::uint64_t undelivered() const;
  /// Events that stay in spools: not lost, the next run delivers them. After the end.
  [[nodiscard]] std::uint64_t spooled() const;
  [[nodiscard]] bool deadline_passed() const noexcept { return deadline_passed_; }

  /// Bytes that all sources together will hand over; 0 when one of them does not know. After start().
  [[nodiscard]] std::uint64_t input_bytes();

  [[nodiscard]] const Graph& graph() const noexcept { return graph_; }
  [[nodiscard]] const NodeStats& stats(NodeIndex node) const noexcept { return *stats_[node]; }
  /// The condition of the store of a source's keys; null when it has none.
  [[nodiscard]] const NodeStats* key_store_stats(NodeIndex source) const noexcept {
    return key_stores_[source] == nullptr ? nullptr : &key_stores_[source]->stats();
  }
  [[nodiscard]] TypeTable& types() noexcept { return types_; }
  [[nodiscard]] Node& node(NodeIndex node) noexcept { return nodes_[node].node(); }
  /// For tests: the lanes in the order of the graph.
  [[nodiscard]] std::vector<Lane*> lanes();

 private:
  void build();
  [[nodiscard]] bool nothing_under_way() const;
  [[nodiscard]] std::uint64_t progress_mark() const;
  void begin_drain(const char* why);
  void finish_lanes();
  [[nodiscard]] DeliveryLane* put_spool_before(NodeIndex node, DeliveryLane& lane, Node& driven, LaneWorld world);
  void start_key_store(NodeIndex source);
  [[nodiscard]] bool finish_key_stores();
  void run_lane(Lane& lane);

  const Config& config_;
  Graph graph_;
  std::vector<PipelineNode> nodes_;
  PipelineWorld world_;
  TypeTable types_;
  std::vector<std::unique_ptr<NodeStats>> stats_;
  std::vector<std::unique_ptr<BlockPool>> blocks_;  // of backend lanes, by node index; they outlive all lanes
  std::vector<std::unique_ptr<PublishLog>> publish_logs_;
  std::vector<std::unique_ptr<BackendLane>> backends_;  // by node index; null elsewhere
  std::vector<std::unique_ptr<BlockPool>> spool_blocks_;
  std::vector<std::unique_ptr<SpoolLane>> spools_;  // in front of backends_ and observers_; null without a spool
  std::vector<std::unique_ptr<ObserverLane>> observers_;
  std::vector<std::unique_ptr<ObserverWants>> wants_;  // of observers
  std::vector<std::unique_ptr<InlineConsumer>> consumers_;
  std::vector<std::unique_ptr<SourceLane>> sources_;
  std::vector<std::unique_ptr<NodeStats>> key_store_stats_;
  std::vector<std::unique_ptr<DedupLane>> key_stores_;  // by their source's index
  std::vector<std::thread> threads_;
  Waker waker_;

  State state_ = State::running;
  std::atomic<bool> stop_{false};
  std::mutex halt_mutex_;
  std::string halt_request_;
  std::string halt_text_;
  std::uint64_t deadline_ns_ = 0;
  std::uint64_t last_mark_ = 0;
  bool extendable_ = false;  // all sources ended by themselves: the deadline counts from the last progress
  bool deadline_passed_ = false;
  int quiet_rounds_ = 0;
  bool spools_told_ = false, sources_told_ = false;
};

}  // namespace sluice
