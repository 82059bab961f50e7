// A reload's way to the lanes.
#include "core/assert.hh"
#include "run/pipeline.hh"

namespace sluice {

void Pipeline::swap(NodeIndex node, const std::shared_ptr<NodeSwap>& swap) {
  swap->asker = this;
  swap->backend_seat = &nodes_[node].backend;
  swap->observer_seat = &nodes_[node].consumer;
  if (backends_[node] != nullptr) return backends_[node]->request_swap(swap);
  SLUICE_ASSERT(observers_[node] != nullptr);
  if (swap->observer != nullptr) swap->wanted = WantedTypes(swap->observer->wanted_types());
  wants_[node]->widen(swap->wanted);  // until it is certain whose events these are, they are for both
  observers_[node]->request_swap(swap);
}

void Pipeline::end_swap(NodeIndex node, NodeSwap& swap) {
  if (wants_[node] != nullptr) wants_[node]->replace(swap.wanted);
  swap.go.store(true, std::memory_order_release);
  DeliveryLane* lane = observers_[node].get();
  if (backends_[node] != nullptr) lane = backends_[node].get();
  lane->wake();
}

}  // namespace sluice
