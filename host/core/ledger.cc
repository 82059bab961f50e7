#include "core/ledger.hh"

#include "core/assert.hh"

#include <algorithm>

namespace sluice {

namespace {
constexpr PageId make_id(std::uint32_t slot, std::uint32_t generation) {
  return (static_cast<PageId>(generation) << 32) | slot;
}
constexpr std::uint32_t generation_of(PageId id) { return static_cast<std::uint32_t>(id >> 32); }
}  // namespace

const Ledger::Page* Ledger::find(PageId id) const noexcept {
  const std::uint32_t slot = page_slot(id);
  if (slot >= pages_.size()) return nullptr;
  const Page& page = pages_[slot];
  return page.live && page.generation == generation_of(id) ? &page : nullptr;
}

Ledger::Page& Ledger::page_of(PageId id) {
  const Page* page = find(id);
  SLUICE_ASSERT(page != nullptr);
  return const_cast<Page&>(*page);
}

bool Ledger::is_open(PageId page) const noexcept { return find(page) != nullptr; }

PageId Ledger::open(std::uint64_t first_seq, std::uint64_t now_ns) {
  std::uint32_t slot = 0;
  if (idle_.empty()) {
    slot = static_cast<std::uint32_t>(pages_.size());
    pages_.emplace_back();
  } else {
    slot = idle_.back();
    idle_.pop_back();
  }
  Page& page = pages_[slot];
  page.events.clear();
  page.records.clear();
  page.reasons.clear();
  page.first_seq = first_seq;
  page.opened_ns = now_ns;
  page.owed = 0;
  page.records_open = 0;
  page.next_in_order = 0;
  page.closed = false;
  page.ordered_out = false;
  page.live = true;
  ++page.generation;
  ++open_pages_;
  const PageId id = make_id(slot, page.generation);
  if (in_order_) order_.push_back(id);
  return id;
}

std::uint32_t Ledger::add_record(PageId id, std::uint64_t tag) {
  Page& page = page_of(id);
  page.records.push_back({.tag = tag});
  ++page.records_open;
  ++open_records_;
  return static_cast<std::uint32_t>(page.records.size() - 1);
}

std::uint32_t Ledger::add_event(PageId id, std::uint32_t record, bool derived) {
  Page& page = page_of(id);
  Event event;
  event.record = record;
  event.derived = derived;
  page.events.push_back(event);
  page.records[record].has_derived |= derived;
  ++page.records[record].open_events;
  return static_cast<std::uint32_t>(page.events.size() - 1);
}

std::uint32_t Ledger::record_of(PageId id, std::uint32_t origin) const {
  const Page* page = find(id);
  SLUICE_ASSERT(page != nullptr && origin < page->events.size());
  return page->events[origin].record;
}

void Ledger::owe(PageId id, std::uint32_t origin, std::uint32_t count) {
  Page& page = page_of(id);
  SLUICE_ASSERT(origin + count <= page.events.size());
  for (std::uint32_t i = origin; i < origin + count; ++i) {
    ++page.events[i].owed;
    ++page.events[i].total;
  }
  page.owed += count;
}

void Ledger::owe_keeping(PageId id, std::uint32_t origin, std::uint32_t count) {
  Page& page = page_of(id);
  SLUICE_ASSERT(origin + count <= page.events.size());
  for (std::uint32_t i = origin; i < origin + count; ++i) ++page.events[i].keeping;
  page.owed += count;
}

void Ledger::contribute(PageId id, std::uint32_t origin, Outcome outcome, std::int32_t code, std::string_view reason) {
  fold(page_of(id), origin, outcome, code, reason);
}

void Ledger::mark(PageId id, std::uint32_t origin, Outcome at_best, std::int32_t code, std::string_view reason) {
  Page& page = page_of(id);
  Event& event = page.events[origin];
  event.at_best = at_best;
  event.code = code;
  event.reason = keep_reason(page, reason);
}

void Ledger::leave_out(PageId id, std::uint32_t origin) { page_of(id).events[origin].derived = true; }

void Ledger::settle_record(PageId id, std::uint32_t index, Outcome outcome, std::int32_t code,
                           std::string_view reason) {
  Page& page = page_of(id);
  Record& record = page.records[index];
  SLUICE_ASSERT(record.open_events == 0 && !record.final);
  record.outcome = outcome;
  record.code = code;
  record.has_event = true;
  record.reason = keep_reason(page, reason);
}

std::uint32_t Ledger::keep_reason(Page& page, std::string_view reason) {
  if (reason.empty()) return 0;
  page.reasons.emplace_back(reason);
  return static_cast<std::uint32_t>(page.reasons.size());
}

void Ledger::fold(Page& page, std::uint32_t origin, Outcome outcome, std::int32_t code, std::string_view reason) {
  Event& event = page.events[origin];
  if (outcome == Outcome::delivered) ++event.delivered;
  const Outcome before = event.folded;
  if (!event.touched) {
    event.folded = outcome;
  } else {
    event.folded = fold_ == Fold::max ? std::max(event.folded, outcome) : std::min(event.folded, outcome);
  }
  const bool decisive = !event.touched || event.folded != before;
  event.touched = true;
  // The reason of the outcome that counts stays with the event until its record is told; a mark's stands against what
  // is no worse than the mark.
  if (decisive && !event.answered && outcome > event.at_best) {
    event.code = code;
    event.reason = keep_reason(page, reason);
  }
}

void Ledger::try_answer(Page& page, std::uint32_t origin) {
  Event& event = page.events[origin];
  if (event.answered || !page.closed) return;
  const bool early =
      fold_ == Fold::min && event.touched && event.folded == Outcome::delivered && event.at_best == Outcome::delivered;
  if (event.owed > 0 && !early) return;
  if (event.keeping > 0) return;
  event.answered = true;
  Record& record = page.records[event.record];
  if (event.touched || !event.derived) {
    const Outcome outcome = end_of(page, event).outcome;
    if (!record.has_event || outcome > record.outcome) {
      record.code = event.code;
      record.reason = event.reason;
    }
    record.outcome = record.has_event ? std::max(record.outcome, outcome) : outcome;
    record.has_event = true;
  }
  SLUICE_ASSERT(record.open_events > 0);
  if (--record.open_events == 0) finish_record(page, event.record);
}

EventOutcome Ledger::end_of(const Page& page, const Event& event) {
  return {std::max(event.touched ? event.folded : Outcome::dropped, event.at_best), event.code,
          event.reason > 0 ? std::string_view(page.reasons[event.reason - 1]) : std::string_view()};
}

void Ledger::finish_record(Page& page, std::uint32_t index) {
  if (!withholds_) return settle(page, index);
  Record& record = page.records[index];
  record.decided = true;
  const auto slot = static_cast<std::uint32_t>(&page - pages_.data());
  decided_.push_back({make_id(slot, page.generation), index, record.outcome, record.has_derived});
}

void Ledger::settle(Page& page, std::uint32_t index) {
  Record& record = page.records[index];
  record.final = true;
  --page.records_open;
  --open_records_;
  if (!in_order_) hand_over(page, record);
}

void Ledger::hand_over(Page& page, Record& record) {
  Settlement settlement{
      .tag = record.tag, .outcome = record.outcome, .code = 0, .reason = {}, .opened_ns = page.opened_ns};
  if (record.outcome > Outcome::delivered) {
    settlement.code = record.code;
    if (record.reason > 0) settlement.reason = page.reasons[record.reason - 1];
  }
  ready_.push_back(std::move(settlement));
}

void Ledger::advance_in_order() {
  while (!order_.empty()) {
    Page& page = page_of(order_.front());
    while (page.next_in_order < page.records.size() && page.records[page.next_in_order].final) {
      hand_over(page, page.records[page.next_in_order++]);
    }
    if (!page.closed || page.next_in_order < page.records.size()) return;
    const PageId id = order_.front();
    order_.pop_front();
    page.ordered_out = true;
    retire_if_done(id);
  }
}

void Ledger::retire_if_done(PageId id) {
  Page& page = page_of(id);
  if (!page.closed || page.records_open > 0 || page.owed > 0) return;
  if (in_order_ && !page.ordered_out) return;
  page.live = false;
  --open_pages_;
  idle_.push_back(page_slot(id));
}

void Ledger::close(PageId id) {
  Page& page = page_of(id);
  SLUICE_ASSERT(!page.closed);
  page.closed = true;
  for (std::uint32_t origin = 0; origin < page.events.size(); ++origin) {
    try_answer(page, origin);
    watch_waiting(page, page.events[origin]);
    if (watch_events_ && page.events[origin].owed == 0) {
      const Event& event = page.events[origin];
      ended_.push_back(
          {page.first_seq + origin, event.touched ? event.folded : Outcome::dropped, event.delivered, event.total});
    }
  }
  for (std::uint32_t i = 0; i < page.records.size(); ++i) {
    Record& record = page.records[i];
    if (record.final || record.decided || record.open_events > 0) continue;
    if (!record.has_event) record.outcome = Outcome::dropped;  // an empty batch: there was nothing to deliver
    finish_record(page, i);
  }
  if (in_order_) {
    advance_in_order();
  } else {
    retire_if_done(id);
  }
}

bool Ledger::complete(const Completion& completion) {
  const Page* found = find(completion.page);
  if (found == nullptr) return false;
  Page& page = const_cast<Page&>(*found);
  const std::uint64_t end = std::uint64_t{completion.origin} + completion.count;
  if (end > page.events.size()) return false;
  if (completion.kept) return complete_keeping(page, completion);
  for (std::uint32_t i = completion.origin; i < end; ++i) {
    if (page.events[i].owed == 0) return false;
  }
  for (std::uint32_t i = completion.origin; i < end; ++i) {
    Event& event = page.events[i];
    --event.owed;
    if (completion.waiting == Waiting::ends) --event.waiting;
    fold(page, i, completion.outcome, completion.code, completion.reason);
    try_answer(page, i);
    watch_waiting(page, event);
    if (watch_events_ && event.owed == 0 && page.closed) {
      ended_.push_back({page.first_seq + i, event.folded, event.delivered, event.total});
    }
  }
  forget_debt(completion);
  return true;
}

bool Ledger::complete_keeping(Page& page, const Completion& completion) {
  const std::uint32_t end = completion.origin + completion.count;
  for (std::uint32_t i = completion.origin; i < end; ++i) {
    if (page.events[i].keeping == 0) return false;
  }
  for (std::uint32_t i = completion.origin; i < end; ++i) {
    Event& event = page.events[i];
    --event.keeping;
    if (completion.outcome > event.at_best && !event.answered) {
      event.at_best = completion.outcome;
      event.code = completion.code;
      event.reason = keep_reason(page, completion.reason);
    }
    try_answer(page, i);
  }
  forget_debt(completion);
  return true;
}

void Ledger::forget_debt(const Completion& completion) {
  page_of(completion.page).owed -= completion.count;
  if (in_order_) {
    advance_in_order();
    if (find(completion.page) != nullptr) retire_if_done(completion.page);
  } else {
    retire_if_done(completion.page);
  }
}

void Ledger::waits(const Completion& completion) {
  Page& page = page_of(completion.page);
  for (std::uint32_t i = completion.origin; i < completion.origin + completion.count; ++i) {
    Event& event = page.events[i];
    SLUICE_ASSERT(event.waiting < event.owed);
    ++event.waiting;
    watch_waiting(page, event);
  }
}

void Ledger::watch_waiting(const Page& page, Event& event) {
  if (event.waiting == 0 || event.waiting != event.owed) return;
  if (fold_ != Fold::min || event.delivered == 0 || !page.closed || event.told_so_far) return;
  event.told_so_far = true;
  so_far_.push_back({event.delivered, event.waiting, event.total});
}

void Ledger::take_decided(std::vector<DecidedRecord>& out) {
  out.clear();
  out.swap(decided_);
}

EventOutcome Ledger::outcome_of(PageId id, std::uint32_t origin) const {
  const Page* page = find(id);
  SLUICE_ASSERT(page != nullptr && origin < page->events.size());
  return end_of(*page, page->events[origin]);
}

void Ledger::release(PageId id, std::uint32_t index) {
  Page& page = page_of(id);
  SLUICE_ASSERT(page.records[index].decided && !page.records[index].final);
  settle(page, index);
  if (in_order_) {
    advance_in_order();
    if (find(id) != nullptr) retire_if_done(id);
  } else {
    retire_if_done(id);
  }
}

void Ledger::take_settlements(std::vector<Settlement>& out) {
  out.clear();
  out.swap(ready_);
}

void Ledger::take_ended(std::vector<EventEnd>& out) {
  out.clear();
  out.swap(ended_);
}

void Ledger::take_so_far(std::vector<EventSoFar>& out) {
  out.clear();
  out.swap(so_far_);
}

}  // namespace sluice
