// Reloads, by a die of their own: backends and observers of the running pipeline get other instances, some of which do
// not start and are followed by the way back. Every promise of the simulation holds through it.
#pragma once

#include "world.hh"

#include "core/backoff.hh"
#include "run/pipeline.hh"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sluice::sim {

/// A backend that does not start, and must never be asked for anything but its end.
class Unable final : public BackendNode {
 public:
  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {SLUICE_FAILED, "cannot"}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override {
    throw Violation("an instance that did not start was polled");
  }
  [[nodiscard]] bool polls() const noexcept override { return true; }
  Status stop(std::chrono::milliseconds) override { throw Violation("an instance that did not start was stopped"); }
  [[nodiscard]] sluice_status publish(const sluice_batch&, std::uint32_t&, std::string&) override {
    throw Violation("an instance that did not start was given events");
  }
  void flush() override { throw Violation("an instance that did not start was flushed"); }
};

class Swaps {
 public:
  using MakeBackend = std::function<std::unique_ptr<BackendNode>(NodeIndex, bool able)>;
  using MakeObserver = std::function<std::unique_ptr<ConsumerNode>(NodeIndex)>;

  Swaps(std::uint64_t seed, const Graph& graph, MakeBackend backend, MakeObserver observer)
      : random_(seed * 7919 + 13), make_backend_(std::move(backend)), make_observer_(std::move(observer)) {
    for (NodeIndex i = 0; i < graph.nodes.size(); ++i) {
      if (graph.nodes[i].kind == NodeKind::backend) lanes_.push_back({i, false, false, nullptr});
      if (graph.nodes[i].observer) lanes_.push_back({i, true, false, nullptr});
    }
    active_ = random_.below(2) == 0;
  }

  void step(Pipeline& pipeline) {
    if (!active_) return;
    for (Lane& lane : lanes_) {
      if (lane.swap != nullptr) go_on(pipeline, lane);
    }
    if (random_.below(300) != 0) return;
    Lane& lane = lanes_[random_.below(lanes_.size())];
    if (lane.swap == nullptr) ask(pipeline, lane, random_.below(5) != 0);
  }
  /// No further ones: the run must come to an end. What is under way is brought to its end.
  void calm(Pipeline& pipeline) {
    for (Lane& lane : lanes_) {
      if (lane.swap != nullptr) go_on(pipeline, lane, true);
    }
  }
  [[nodiscard]] std::uint64_t done() const noexcept { return done_; }

 private:
  struct Lane {
    NodeIndex node;
    bool observer;
    bool unable;
    std::shared_ptr<NodeSwap> swap;
  };

  void ask(Pipeline& pipeline, Lane& lane, bool able) {
    const bool back = lane.unable;
    lane.swap = std::make_shared<NodeSwap>();
    lane.swap->way_back = back;
    lane.unable = !lane.observer && !able && !back;
    if (lane.observer) {
      lane.swap->observer = make_observer_(lane.node);
    } else {
      lane.swap->backend = make_backend_(lane.node, !lane.unable);
    }
    pipeline.swap(lane.node, lane.swap);
  }

  void go_on(Pipeline& pipeline, Lane& lane, bool at_once = false) {
    if (!lane.swap->answered() || (!at_once && random_.below(20) != 0)) return;
    require(lane.unable == (lane.swap->step.load() == NodeSwap::Step::failed),
            "a swap was answered with the wrong word");
    if (lane.unable) return ask(pipeline, lane, true);
    pipeline.end_swap(lane.node, *lane.swap);
    lane.swap.reset();
    ++done_;
  }

  Random random_;
  MakeBackend make_backend_;
  MakeObserver make_observer_;
  std::vector<Lane> lanes_;
  bool active_ = false;
  std::uint64_t done_ = 0;
};

}  // namespace sluice::sim
