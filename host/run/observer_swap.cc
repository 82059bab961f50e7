// A reload puts another instance into an observer's lane. An observer has nothing under way between two calls: what it
// keeps is on its disk, closed by stop() and destroy() before the new one opens it. See run/node_swap.hh.
#include "run/observer_lane.hh"

namespace sluice {

void ObserverLane::swap_round(std::uint64_t now_ns) {
  if (swap_door_.asked()) swap_ = swap_door_.take();
  if (!swap_->answered()) change_node(*swap_, now_ns);
  if (swap_->answered() && swap_->go.load(std::memory_order_acquire)) swap_.reset();
}

void ObserverLane::change_node(NodeSwap& swap, std::uint64_t now_ns) {
  if (!unusable_) (void)node_->stop(limits::kStartTimeout);
  swap.observer_seat->reset();
  *swap.observer_seat = std::move(swap.observer);
  observer_ = swap.observer_seat->get();
  node_ = observer_;
  node_->attach(this);
  started_ = broken_ = unusable_ = false;
  away_failures_ = 0;
  away_until_ns_ = next_tick_ns_ = 0;
  if (again_ns_ != 0) again_ns_ = now_ns;                  // shown again at once; that it came was counted
  far_side_away_.store(false, std::memory_order_relaxed);  // what the old one said
  set_state(NodeState::starting);
  const Status status = node_->start(limits::kStartTimeout);
  if (status.ok() || status.code == SLUICE_UNSUPPORTED) {
    started_ = true;
    set_running();
    return swap.answer(NodeSwap::Step::started);
  }
  swap.text = status.text.empty() ? "the plugin gave no reason" : status.text;
  stats_.set_error(swap.text, world_.clock.unix_ns());
  set_state(NodeState::away);
  swap.away = status.code == SLUICE_AWAY;
  unusable_ = broken_ = !swap.away && !swap.way_back;  // the way back is tried again until it starts
  swap.answer(swap.away ? NodeSwap::Step::started : NodeSwap::Step::failed);
}

}  // namespace sluice
