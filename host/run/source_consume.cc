// Inline consumers on the source's lane: verdicts into ports, derived events into the ledger, timers.
#include "run/source_lane.hh"

#include <algorithm>

namespace sluice {

namespace {
std::string_view text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

}  // namespace

void SourceLane::consume(NodeIndex target, std::span<const sluice_event> events) {
  InlineConsumer& consumer = *wiring_.consumer_of[target];
  NodeStats& stats = consumer.stats();
  for (const sluice_event& event : events) consumer.count(stats.by_type[type_id(event)].in);
  if (depth_ == judgements_.size()) judgements_.push_back(std::make_unique<Judgement>());
  Judgement& judgement = *judgements_[depth_++];
  consumer.process(events, *pending_.block, judgement);
  if (judgement.halted) {
    {
      const std::lock_guard lock(halt_mutex_);
      if (halt_text_.empty()) halt_text_ = judgement.halt_text;
    }
    halt_.store(true, std::memory_order_release);
    wiring_.halt(judgement.halt_text);
  }
  if (judgement.all_pass && judgement.derived.empty()) {
    for (const sluice_event& event : events) consumer.count(stats.by_type[type_id(event)].out);
    route(wiring_.graph->nodes[target].out[0], events);
  } else {
    route_verdicts(target, events, judgement);
  }
  --depth_;
}

void SourceLane::route_verdicts(NodeIndex target, std::span<const sluice_event> events, Judgement& judgement) {
  const GraphNode& node = wiring_.graph->nodes[target];
  InlineConsumer& consumer = *wiring_.consumer_of[target];
  NodeStats& stats = consumer.stats();
  // Derived events get their place in the ledger: they share their cause's record, or nobody is told.
  for (const Derived& derived : judgement.derived) {
    sluice_event& event = pending_.block->events[derived.event];
    event.seq = next_seq_++;
    set_type_id(event, types_.id_of(text_of(event, event.type)));
    event.origin = kNoOrigin;
    if (derived.parent < events.size() && events[derived.parent].origin != kNoOrigin) {
      event.origin =
          derived.replaces
              ? events[derived.parent].origin
              : ledger_.add_event(pending_.page, ledger_.record_of(pending_.page, events[derived.parent].origin), true);
    }
  }
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    TypeCounters& counters = stats.by_type[type_id(events[i])];
    const std::uint8_t verdict = judgement.verdicts[i];
    const auto one = events.subspan(i, 1);
    switch (verdict) {
      case SLUICE_TO_DROP:
        consumer.count(counters.dropped);
        break;
      case SLUICE_TO_REJECT: {
        consumer.count(counters.rejected);
        const std::string_view reason = judgement.reason_of(i);
        contribute(one, Outcome::rejected, 0,
                   std::string("rejected by ") + node.name + (reason.empty() ? "" : ": ") + std::string(reason));
        break;
      }
      case SLUICE_TO_REFUSE: {
        consumer.count(counters.rejected);
        std::string_view reason = judgement.reason_of(i);
        if (reason.empty()) reason = judgement.halt_text;
        contribute(one, Outcome::retry, SLUICE_CODE_HALTED,
                   reason.empty() ? "refused by " + node.name : std::string(reason));
        break;
      }
      default:
        if (verdict >= node.out.size()) {
          const std::string what = "gave verdict " + std::to_string(verdict) + ", but has " +
                                   std::to_string(node.out.size()) + " output ports";
          consumer.break_contract(what);
          contribute(one, Outcome::retry, 0, node.name + " " + what);
        } else {
          consumer.count(counters.out);
        }
        break;
    }
  }
  for (std::uint32_t port = 0; port < node.out.size(); ++port) route(node.out[port], adopt(events, judgement, port));
  if (!node.rejected_out.empty()) route(node.rejected_out, adopt(events, judgement, SLUICE_TO_REJECT));
}

/// The dense run of one output port: what was judged to it (replaced events in their new form), then what was derived.
std::span<sluice_event> SourceLane::adopt(std::span<const sluice_event> events, Judgement& judgement,
                                          std::uint32_t port) {
  auto* run = pending_.block->allocate_array<sluice_event>(events.size() + judgement.derived.size());
  std::size_t count = 0;
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    if (judgement.verdicts[i] != port) continue;
    const sluice_event* event = &events[i];
    for (const Derived& derived : judgement.derived) {
      if (derived.replaces && derived.parent == i) event = &pending_.block->events[derived.event];
    }
    run[count++] = *event;
  }
  for (const Derived& derived : judgement.derived) {
    if (!derived.replaces && derived.port == port) run[count++] = pending_.block->events[derived.event];
  }
  return {run, count};
}

void SourceLane::tick_consumers(std::uint64_t now_ns) {
  std::uint64_t next = 0;
  for (const NodeIndex index : reach_.consumers) {
    InlineConsumer& consumer = *wiring_.consumer_of[index];
    if (!consumer.ticks()) continue;
    if (wiring_.graph->shared(index) && wiring_.graph->sources.front().source != wiring_.self) continue;
    if (pending_.block) return;  // a pull is half routed: its turn first
    // A timer may emit: it needs credit like a pull.
    const bool emits = consumer.emits();
    if (emits && !take_credit_for(0, 0)) return;
    if (depth_ == judgements_.size()) judgements_.push_back(std::make_unique<Judgement>());
    Judgement& judgement = *judgements_[depth_++];
    if (emits) pending_.block = blocks_.take();
    const std::uint64_t due = consumer.tick(now_ns, emits ? pending_.block.get() : nullptr, judgement);
    if (emits && !judgement.derived.empty()) {
      pending_.page = ledger_.open(next_seq_, now());
      route_verdicts(index, {}, judgement);
      ledger_.close(pending_.page);
    }
    if (emits) {
      pending_ = {};
      give_back_credit();
    }
    --depth_;
    if (due != kNever) next = next == 0 ? due : std::min(next, due);
  }
  next_tick_ns_ = next == 0 ? kNever : next;
}

}  // namespace sluice
