#include "run/pipeline.hh"

#include "core/assert.hh"
#include "core/setup_error.hh"

#include <sluice/module.h>

#include <pthread.h>

#include <algorithm>

namespace sluice {

namespace {
using std::chrono::milliseconds;
}  // namespace

Pipeline::Pipeline(const Config& config, Graph graph, std::vector<PipelineNode> nodes, PipelineWorld world)
    : config_(config), graph_(std::move(graph)), nodes_(std::move(nodes)), world_(world) {
  SLUICE_ASSERT(nodes_.size() == graph_.nodes.size());
  build();
}

Pipeline::~Pipeline() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  // Nodes go first: when destroy() has returned, no plugin touches a lane or its memory. Blocks come last.
  nodes_.clear();
  backends_.clear();
  spools_.clear();
  observers_.clear();
  consumers_.clear();
  sources_.clear();
  key_stores_.clear();
}

void Pipeline::build() {
  const std::size_t count = graph_.nodes.size();
  backends_.resize(count);
  spools_.resize(count);
  observers_.resize(count);
  wants_.resize(count);
  consumers_.resize(count);
  publish_logs_.resize(count);
  sources_.resize(count);
  key_stores_.resize(count);
  key_store_stats_.resize(count);
  for (NodeIndex i = 0; i < count; ++i) {
    stats_.push_back(std::make_unique<NodeStats>());
    blocks_.push_back(std::make_unique<BlockPool>());
    spool_blocks_.push_back(std::make_unique<BlockPool>());
  }
  const auto lane_world = [&](NodeIndex i) {
    return LaneWorld{world_.clock, world_.log, world_.seed + i * 0x9e3779b97f4a7c15ull};
  };

  std::vector<DeliveryLane*> lane_of(count, nullptr);
  std::vector<InlineConsumer*> consumer_of(count, nullptr);
  for (NodeIndex i = 0; i < count; ++i) {
    const GraphNode& node = graph_.nodes[i];
    const NodeConfig& config = config_.nodes[node.config];
    if (node.kind == NodeKind::backend) {
      if (config_.events_dialect && config_.log.events) {
        publish_logs_[i] = std::make_unique<PublishLog>(world_.log, node.name, config_.log.events_per_second);
      }
      backends_[i] = std::make_unique<BackendLane>(node.name, *nodes_[i].backend, lane_world(i), *stats_[i], config,
                                                   *blocks_[i], publish_logs_[i].get());
      if ((node.flags & SLUICE_KEEPS_ORDER) != 0) backends_[i]->set_keeps_order();
      lane_of[i] = put_spool_before(i, *backends_[i], *nodes_[i].backend, lane_world(i));
      if (spools_[i] != nullptr) backends_[i]->set_spooled();
    } else if (node.observer) {
      observers_[i] = std::make_unique<ObserverLane>(node.name, *nodes_[i].consumer, lane_world(i), *stats_[i],
                                                     QueueBounds{config.observer_queue, limits::kQueueBytes});
      lane_of[i] = put_spool_before(i, *observers_[i], *nodes_[i].consumer, lane_world(i));
      wants_[i] = std::make_unique<ObserverWants>(WantedTypes(nodes_[i].consumer->wanted_types()));
      if (spools_[i] != nullptr) spools_[i]->set_keeping();
    } else if (node.kind == NodeKind::consumer) {
      consumers_[i] =
          std::make_unique<InlineConsumer>(node.name, *nodes_[i].consumer, lane_world(i), *stats_[i],
                                           graph_.shared(i) && (node.flags & SLUICE_REENTRANT) == 0, config_.limits);
      consumer_of[i] = consumers_[i].get();
    }
  }
  for (NodeIndex i = 0; i < count; ++i) {
    if (backends_[i] != nullptr && !graph_.nodes[i].dead_letter.empty()) {
      backends_[i]->set_dead_letter(lane_of[graph_.nodes[i].dead_letter.front()]);
      if (spools_[i] != nullptr) spools_[i]->set_dead_letter(lane_of[graph_.nodes[i].dead_letter.front()]);
    }
  }
  for (const SourceReach& reach : graph_.sources) {
    const std::string& name = graph_.nodes[reach.source].name;
    if (KeyStoreNode* store = nodes_[reach.source].key_store.get(); store != nullptr) {
      key_store_stats_[reach.source] = std::make_unique<NodeStats>();
      key_stores_[reach.source] = std::make_unique<DedupLane>(name + ".dedup", *store, lane_world(reach.source),
                                                              *key_store_stats_[reach.source]);
    }
    SourceWiring wiring{&graph_,
                        &config_,
                        reach.source,
                        lane_of,
                        consumer_of,
                        &types_,
                        world_.undelivered,
                        [this](const std::string& text) {
                          {
                            const std::lock_guard lock(halt_mutex_);
                            if (halt_request_.empty()) halt_request_ = text;
                          }
                          waker_.wake();
                        },
                        wants_,
                        key_stores_[reach.source].get()};
    sources_[reach.source] = std::make_unique<SourceLane>(name, *nodes_[reach.source].source, lane_world(reach.source),
                                                          *stats_[reach.source], std::move(wiring));
    sources_[reach.source]->set_monitor(this);
    if (key_stores_[reach.source] != nullptr) key_stores_[reach.source]->set_asker(sources_[reach.source].get());
  }
}

/// Whom sources push to: the node's spool when it has one, else its lane.
DeliveryLane* Pipeline::put_spool_before(NodeIndex node, DeliveryLane& lane, Node& driven, LaneWorld world) {
  if (nodes_[node].spool == nullptr) return &lane;
  const GraphNode& from = graph_.nodes[node];
  spools_[node] =
      std::make_unique<SpoolLane>(from.name, driven, world, *stats_[node], config_.nodes[from.config],
                                  config_.batch_events, *nodes_[node].spool, lane, *spool_blocks_[node], types_);
  return spools_[node].get();
}

void Pipeline::start() {
  const auto start_one = [&](NodeIndex i) {
    const Status status = nodes_[i].node().start(limits::kStartTimeout);
    if (status.ok()) {
      stats_[i]->state.store(NodeState::running, std::memory_order_relaxed);
      return true;
    }
    if (status.code == SLUICE_UNSUPPORTED) return true;
    if (status.code != SLUICE_AWAY) {
      throw SetupError(graph_.nodes[i].name +
                       ": cannot start: " + (status.text.empty() ? "the plugin gave no reason" : status.text));
    }
    stats_[i]->state.store(NodeState::away, std::memory_order_relaxed);
    stats_[i]->set_error(status.text, world_.clock.unix_ns());
    const Field fields[] = {{"node", graph_.nodes[i].name, false}, {"reason", status.text, false}};
    world_.log.write(Level::warn,
                     config_.events_dialect ? "Failed to publish to " + graph_.nodes[i].name + ": it is away"
                                            : std::string("Not reachable at start; tried again until it is"),
                     fields);
    return false;
  };
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    if (spools_[i] == nullptr) continue;
    spools_[i]->open();  // or nothing is started at all
    if (observers_[i] != nullptr) observers_[i]->set_under_way(spools_[i]->under_way());
  }
  // Receivers before senders: nobody emits into a node that is not up yet.
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    if (backends_[i] != nullptr) backends_[i]->set_started(start_one(i));
    if (observers_[i] != nullptr) observers_[i]->set_started(start_one(i));
  }
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    if (consumers_[i] != nullptr) (void)start_one(i);
  }
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    if (key_stores_[i] != nullptr) start_key_store(i);
    if (sources_[i] != nullptr) sources_[i]->set_started(start_one(i));
  }
}

/// A store of this host's own must open, or duplicates of the last run would pass; a shared one may be away at first.
void Pipeline::start_key_store(NodeIndex source) {
  DedupLane& lane = *key_stores_[source];
  NodeStats& stats = *key_store_stats_[source];
  const Status status = lane.store().start(limits::kStartTimeout);
  lane.set_started(status.ok());
  if (status.ok()) {
    stats.state.store(NodeState::running, std::memory_order_relaxed);
    if (!status.text.empty()) stats.set_error(status.text, world_.clock.unix_ns());  // it began anew
    lane.store().load([&](const KeyHash& key, std::int64_t unix_ms) { sources_[source]->know_key(key, unix_ms); });
    return;
  }
  if (status.code != SLUICE_AWAY || !lane.store().shared()) {
    throw SetupError(lane.name() + ": cannot start: " + (status.text.empty() ? "no reason was given" : status.text));
  }
  stats.state.store(NodeState::away, std::memory_order_relaxed);
  stats.set_error(status.text, world_.clock.unix_ns());
  const Field fields[] = {{"node", lane.name(), false}, {"reason", status.text, false}};
  world_.log.write(Level::warn, "Not reachable at start; its source waits until it is", fields);
}

void Pipeline::launch() {
  if (std::thread::hardware_concurrency() > 1) pull_ahead(true);
  for (Lane* lane : lanes()) {
    threads_.emplace_back([this, lane] { run_lane(*lane); });
    pthread_setname_np(threads_.back().native_handle(), lane->thread_name().substr(0, 15).c_str());
  }
}

void Pipeline::pull_ahead(bool with_thread) {
  for (auto& lane : sources_) {
    if (lane != nullptr) lane->pull_ahead(with_thread);
  }
}

void Pipeline::run_lane(Lane& lane) {
  while (!lane.finished()) lane.step(milliseconds(60'000));
  waker_.wake();
}

std::vector<Lane*> Pipeline::lanes() {
  std::vector<Lane*> all;
  for (auto& lane : backends_) {
    if (lane != nullptr) all.push_back(lane.get());
  }
  for (auto& lane : spools_) {
    if (lane != nullptr) all.push_back(lane.get());
  }
  for (auto& lane : observers_) {
    if (lane != nullptr) all.push_back(lane.get());
  }
  for (auto& lane : key_stores_) {
    if (lane != nullptr) all.push_back(lane.get());
  }
  for (auto& lane : sources_) {
    if (lane != nullptr) all.push_back(lane.get());
  }
  return all;
}

void Pipeline::request_stop() noexcept {
  stop_.store(true, std::memory_order_release);
  waker_.wake();
}

// ---- the stop machine ----

milliseconds Pipeline::control() {
  waker_.clear();
  const std::uint64_t now_ns = world_.clock.now_ns();
  switch (state_) {
    case State::running: {
      std::string halt;
      {
        const std::lock_guard lock(halt_mutex_);
        halt = halt_request_;
      }
      if (!halt.empty()) {
        halt_text_ = halt;
        for (auto& source : sources_) {
          if (source != nullptr) source->request_halt(halt);
        }
        begin_drain("halted");
      } else if (stop_.load(std::memory_order_acquire)) {
        for (auto& source : sources_) {
          if (source != nullptr) source->request_stop();
        }
        begin_drain("stopping");
      } else if (std::ranges::all_of(sources_, [](const auto& s) { return s == nullptr || s->ended(); })) {
        extendable_ = true;
        begin_drain("all sources ended");
      } else {
        return milliseconds(200);
      }
      return milliseconds(0);
    }
    case State::draining: {
      if (stop_.load(std::memory_order_acquire) && extendable_) {  // a signal while the last events are on their way
        extendable_ = false;
        deadline_ns_ = now_ns + as_ns(config_.drain_deadline);
      }
      {
        const std::lock_guard lock(halt_mutex_);
        if (halt_text_.empty()) halt_text_ = halt_request_;  // the last events of a source that ended may still halt
      }
      quiet_rounds_ = nothing_under_way() ? quiet_rounds_ + 1 : 0;
      if (extendable_ && progress_mark() != last_mark_) {
        last_mark_ = progress_mark();
        deadline_ns_ = now_ns + as_ns(config_.drain_deadline);
      }
      if (quiet_rounds_ >= 2) {
        finish_lanes();
      } else if (now_ns >= deadline_ns_) {
        deadline_passed_ = true;
        finish_lanes();
      }
      return milliseconds(quiet_rounds_ == 1 ? 0 : 5);
    }
    case State::finishing: {
      const bool receivers_done =
          std::ranges::all_of(backends_, [](const auto& l) { return l == nullptr || l->finished(); }) &&
          std::ranges::all_of(observers_, [](const auto& l) { return l == nullptr || l->finished(); });
      if (receivers_done && !spools_told_) {  // they have heard of everything that the backends had
        spools_told_ = true;
        for (auto& spool : spools_) {
          if (spool != nullptr) spool->request_finish();
        }
      }
      const bool spools_done =
          spools_told_ && std::ranges::all_of(spools_, [](const auto& l) { return l == nullptr || l->finished(); });
      if (spools_done && !sources_told_) {
        sources_told_ = true;
        for (auto& source : sources_) {
          if (source != nullptr) source->request_finish();
        }
      }
      if (sources_told_ && std::ranges::all_of(sources_, [](const auto& l) { return l == nullptr || l->finished(); }) &&
          finish_key_stores()) {
        for (NodeIndex i = 0; i < nodes_.size(); ++i) {
          if (consumers_[i] != nullptr) (void)nodes_[i].node().stop(limits::kStartTimeout);
        }
        state_ = State::finished;
      }
      return milliseconds(5);
    }
    case State::finished:
      break;
  }
  return milliseconds(0);
}

void Pipeline::begin_drain(const char* why) {
  state_ = State::draining;
  deadline_ns_ = world_.clock.now_ns() + as_ns(config_.drain_deadline);
  last_mark_ = progress_mark();
  const Field fields[] = {{"why", why, false}, {"deadline_ms", std::to_string(config_.drain_deadline.count()), true}};
  world_.log.write(Level::debug, "Draining", fields);
}

void Pipeline::finish_lanes() {
  state_ = State::finishing;
  for (auto& lane : spools_) {
    if (lane != nullptr) lane->request_hold();
  }
  for (auto& lane : backends_) {
    if (lane != nullptr) lane->request_finish();
  }
  for (auto& lane : observers_) {
    if (lane != nullptr) lane->request_finish();
  }
}

/// After the sources: until then they record.
bool Pipeline::finish_key_stores() {
  for (auto& lane : key_stores_) {
    if (lane != nullptr) lane->request_finish();
  }
  return std::ranges::all_of(key_stores_, [](const auto& l) { return l == nullptr || l->finished(); });
}

/// Sources first: once they are quiet nothing new is pushed. Asked twice in a row, because a dead letter may be between
/// two lanes when it is asked once.
bool Pipeline::nothing_under_way() const {
  const auto idle = [](const auto& lane) { return lane == nullptr || lane->idle(); };
  return std::ranges::all_of(sources_, idle) && std::ranges::all_of(spools_, idle) &&
         std::ranges::all_of(backends_, idle) && std::ranges::all_of(observers_, idle);
}

std::uint64_t Pipeline::progress_mark() const {
  std::uint64_t mark = 0;
  for (const auto& stats : stats_) {
    mark += total(*stats, &TypeCounters::out) + stats->settled_delivered.get() + stats->settled_rejected.get();
  }
  return mark;
}

std::uint64_t Pipeline::input_bytes() {
  std::uint64_t bytes = 0;
  for (const SourceReach& reach : graph_.sources) {
    const std::uint64_t of_one = nodes_[reach.source].node().input_bytes();
    if (of_one == 0) return 0;
    bytes += of_one;
  }
  return bytes;
}

std::uint64_t Pipeline::undelivered() const {
  std::uint64_t by_source = 0;
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    if (sources_[i] == nullptr || !sources_[i]->undelivered_matters()) continue;
    by_source += stats_[i]->settled_retry.get() + sources_[i]->open_records();
  }
  std::uint64_t by_lane = 0;
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    // What a spooled lane gave back is on disk still.
    if (backends_[i] != nullptr && spools_[i] == nullptr) by_lane += backends_[i]->abandoned();
  }
  return std::max(by_source, by_lane);
}

std::uint64_t Pipeline::spooled() const {
  std::uint64_t left = 0;
  for (NodeIndex i = 0; i < nodes_.size(); ++i) {
    if (spools_[i] != nullptr) left += stats_[i]->spool_records.get();
  }
  return left;
}

}  // namespace sluice
