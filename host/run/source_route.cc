// Routing: slices of a pull through the inline consumers to the lanes, with what is owed written down on the way.
#include "run/source_lane.hh"

#include <algorithm>

namespace sluice {

namespace {

/// Calls body(first, count) for each stretch of events whose origins follow one another; events that nobody is told
/// about are left out.
template <class Body>
void by_origin(std::span<const sluice_event> events, Body&& body) {
  std::size_t i = 0;
  while (i < events.size()) {
    if (events[i].origin == kNoOrigin) {
      ++i;
      continue;
    }
    std::size_t end = i + 1;
    while (end < events.size() && events[end].origin == events[end - 1].origin + 1) ++end;
    body(events[i].origin, static_cast<std::uint32_t>(end - i));
    i = end;
  }
}

}  // namespace

bool SourceLane::route_pending() {
  Block& block = *pending_.block;
  if (halt_.load(std::memory_order_acquire)) {
    refuse({block.pulled.data() + pending_.next, pending_.end - pending_.next});
    pending_.next = pending_.end;
  }
  while (pending_.next < pending_.end) {
    const std::size_t promised = credit_taken_ ? pending_.promised : batch_events_;
    const std::size_t count = std::min(pending_.end - pending_.next, promised);
    const std::span<const sluice_event> slice(block.pulled.data() + pending_.next, count);
    if (!credit_taken_) {
      if (!take_credit_for(count, bytes_of(slice))) return false;
      pending_.promised = count;
    }
    pending_.slice = count;
    route_slice(slice);
    pending_.next += count;
    pending_.promised -= count;
    if (pending_.promised == 0) give_back_credit();
    if (halt_.load(std::memory_order_acquire)) {
      refuse({block.pulled.data() + pending_.next, pending_.end - pending_.next});
      pending_.next = pending_.end;
    }
  }
  give_back_credit();
  const PageId page = pending_.page;
  pending_ = {};
  ledger_.close(page);
  settle_ready();
  return true;
}

void SourceLane::route_slice(std::span<const sluice_event> events) {
  if (config_.when) events = wanted(events);
  for (const sluice_event& event : events) stats_.by_type[type_id(event)].out.add();
  route(wiring_.graph->nodes[wiring_.self].out[0], events);
}

/// What the source's own `when` lets through. The rest is owed to nobody, which settles it as dropped; it is counted.
std::span<const sluice_event> SourceLane::wanted(std::span<const sluice_event> events) {
  const std::span<const sluice_event> chosen = select(events, *config_.when, true);
  if (chosen.size() == events.size()) return events;
  std::size_t next = 0;
  for (const sluice_event& event : events) {
    if (next < chosen.size() && chosen[next].seq == event.seq) {
      ++next;
    } else {
      stats_.by_type[type_id(event)].dropped.add();
    }
  }
  return chosen;
}

void SourceLane::route(const std::vector<NodeIndex>& targets, std::span<const sluice_event> events) {
  if (events.empty()) return;
  for (const NodeIndex target : targets) deliver(target, events);
}

template <class Picks>
std::span<const sluice_event> SourceLane::pick(std::span<const sluice_event> events, Picks&& picks) {
  std::size_t first_other = 0;
  while (first_other < events.size() && picks(events[first_other])) ++first_other;
  if (first_other == events.size()) return events;
  auto* chosen = pending_.block->allocate_array<sluice_event>(events.size());
  std::copy_n(events.data(), first_other, chosen);
  std::size_t count = first_other;
  for (std::size_t i = first_other + 1; i < events.size(); ++i) {
    if (picks(events[i])) chosen[count++] = events[i];
  }
  pending_.block->shrink_last(reinterpret_cast<const char*>(chosen), count * sizeof(sluice_event));
  return {chosen, count};
}

std::span<const sluice_event> SourceLane::select(std::span<const sluice_event> events, const Filter& filter,
                                                 bool want) {
  return pick(events, [&](const sluice_event& event) { return filter.matches(event) == want; });
}

void SourceLane::deliver(NodeIndex target, std::span<const sluice_event> events) {
  const GraphNode& node = wiring_.graph->nodes[target];
  const NodeConfig& config = wiring_.config->nodes[node.config];
  if (ObserverPicks* picks = picks_[target].get(); picks != nullptr && picks->by_type()) {
    events = pick(events, [&](const sluice_event& event) { return picks->wants(event); });
  }
  const std::span<const sluice_event> chosen = config.when ? select(events, *config.when, true) : events;
  if (DeliveryLane* lane = wiring_.lane_of[target]; lane != nullptr) {
    if (!chosen.empty()) push(*lane, target, chosen);
    return;
  }
  // An inline consumer judges what its `when` picks; the rest passes by unjudged.
  if (config.when && chosen.size() < events.size()) route(node.out[0], select(events, *config.when, false));
  if (!chosen.empty()) consume(target, chosen);
}

void SourceLane::owe(std::span<const sluice_event> events) {
  by_origin(events, [&](std::uint32_t origin, std::uint32_t count) { ledger_.owe(pending_.page, origin, count); });
}

void SourceLane::owe_keeping(std::span<const sluice_event> events) {
  by_origin(events,
            [&](std::uint32_t origin, std::uint32_t count) { ledger_.owe_keeping(pending_.page, origin, count); });
}

void SourceLane::push(DeliveryLane& lane, NodeIndex target, std::span<const sluice_event> events) {
  const std::uint64_t bytes = bytes_of(events);
  const bool required = required_[target] != 0;
  if (gating_[target] != 0) {
    if (!credit_taken_) {
      lane.credit.take_more(events.size(), bytes);  // a dead letter of the source itself, before its slice
    } else {
      for (Taken& taken : taken_) {
        if (taken.lane != &lane) continue;
        taken.used_events += events.size();
        taken.used_bytes += bytes;
      }
    }
  } else if (!lane.credit.try_take(events.size(), bytes, nullptr)) {
    overflow(lane, target, events);
    return;
  }
  if (required) owe(events);
  const bool keeping = keeping_[target] != 0;
  if (keeping) owe_keeping(events);
  hand_over(lane, events, bytes, required || keeping ? this : nullptr, false, required && says_published_);
}

void SourceLane::hand_over(DeliveryLane& lane, std::span<const sluice_event> events, std::uint64_t bytes,
                           SettleSink* sink, bool overflow, bool tell_waiting) {
  FewOfMany::Place place = few_of_many_.place(pending_.block, pending_.slice, events, bytes);
  lane.push({std::move(place.block), place.events, static_cast<std::uint32_t>(events.size()), bytes, sink,
             pending_.page, now(), overflow, tell_waiting});
}

/// The lane is full and does not gate this source. What still fits goes in; for the rest its policy decides.
void SourceLane::overflow(DeliveryLane& lane, NodeIndex target, std::span<const sluice_event> events) {
  const bool required = required_[target] != 0;
  std::size_t fits = 0;
  std::uint64_t bytes = 0;
  while (fits < events.size() && lane.credit.try_take(1, events[fits].json.len, nullptr))
    bytes += events[fits++].json.len;
  if (fits > 0) {
    const auto head = events.first(fits);
    if (required) owe(head);
    hand_over(lane, head, bytes, required ? this : nullptr, false, required && says_published_);
  }
  auto rest = events.subspan(fits);
  const GraphNode& node = wiring_.graph->nodes[target];
  if (wiring_.config->nodes[node.config].delivery.when_full == WhenFull::dead_letter && !node.dead_letter.empty()) {
    DeliveryLane& dead = *wiring_.lane_of[node.dead_letter.front()];
    std::size_t held = 0;
    bytes = 0;
    while (held < rest.size() && dead.credit.try_take(1, rest[held].json.len, nullptr)) bytes += rest[held++].json.len;
    if (held > 0) {
      const auto head = rest.first(held);
      if (required) owe(head);
      hand_over(lane, head, bytes, required ? this : nullptr, true, false);
      rest = rest.subspan(held);
    }
  }
  if (rest.empty()) return;
  auto& stats = const_cast<NodeStats&>(lane.stats());
  stats.dropped_full.add_shared(rest.size());
  if (required) {
    contribute(rest, Outcome::retry, SLUICE_CODE_FULL, "the queue of " + lane.name() + " is full");
  }
}

void SourceLane::contribute(std::span<const sluice_event> events, Outcome outcome, std::int32_t code,
                            std::string_view reason) {
  for (const sluice_event& event : events) {
    if (event.origin != kNoOrigin) ledger_.contribute(pending_.page, event.origin, outcome, code, reason);
  }
}

void SourceLane::refuse(std::span<const sluice_event> events) {
  std::string text;
  {
    const std::lock_guard lock(halt_mutex_);
    text = halt_text_;
  }
  const bool halted = !text.empty();
  contribute(events, Outcome::retry, halted ? SLUICE_CODE_HALTED : SLUICE_CODE_STOPPING,
             halted ? text : "the host is stopping");
}

}  // namespace sluice
