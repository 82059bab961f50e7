// The ledger: what every record of a source is still owed, and what it will be told. It alone answers.
//
// A pull opens a page. Every event of the page names its record; every required delivery of an event is owed. Outcomes
// fold per event (max for `all` and lists, min for `any`), then per record (worst event wins). A record is final once
// none of its events is open. Silence is never success: an event is answered because something was contributed, or
// because it reached nobody (dropped).
//
// A ledger that withholds records says of each what it will be told, and hands it over only when it is released: that
// is how a key is recorded between the delivery of its event and the word to the source.
//
// A page outlives the memory of its pull: a straggler that is retried for an hour keeps a few bytes here, not its
// block. Threads: owned by one source lane. Pure.
#pragma once

#include "core/outcome.hh"

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Names a page; never reused while anything is owed on it. 0 names none.
using PageId = std::uint64_t;

/// A small number that no two pages have at the same time.
[[nodiscard]] constexpr std::uint32_t page_slot(PageId page) noexcept { return static_cast<std::uint32_t>(page); }

inline constexpr std::uint32_t kNoOrigin = 0xffffffffu;  // an event that nobody is told about

/// What a backend's outage has to do with a delivery: nothing, it waits for its end, or it had waited and has ended.
enum class Waiting : std::uint8_t { no, begins, ends };

/// One contribution to a range of events [origin, origin + count) of a page.
struct Completion {
  PageId page = 0;
  std::uint32_t origin = 0;
  std::uint32_t count = 0;
  Outcome outcome = Outcome::delivered;
  std::int32_t code = 0;
  std::string reason;             // empty on the way that everything takes
  bool moved = false;             // rejected, and safe elsewhere: a dead letter took its place
  bool kept = false;              // of a debt that owe_keeping() made
  Waiting waiting = Waiting::no;  // begins: this is no contribution yet, it is told by waits()
};

/// What a source is told of one record.
struct Settlement {
  std::uint64_t tag = 0;
  Outcome outcome = Outcome::dropped;
  std::int32_t code = 0;
  std::string reason;
  std::uint64_t opened_ns = 0;  // of its page
};

/// One event that became final, for those who watch events rather than records.
struct EventEnd {
  std::uint64_t seq = 0;
  Outcome outcome = Outcome::dropped;
  std::uint16_t delivered = 0;  // of `owed_total` required deliveries
  std::uint16_t owed_total = 0;
};

/// One event that was delivered as far as it can be for now: what is missing waits for backends that are away.
struct EventSoFar {
  std::uint16_t delivered = 0;
  std::uint16_t waiting = 0;
  std::uint16_t owed_total = 0;
};

/// A record whose end is known and that is withheld until release().
struct DecidedRecord {
  PageId page = 0;
  std::uint32_t record = 0;
  Outcome outcome = Outcome::dropped;
  bool has_derived = false;  // something that was derived from one of its events shares its end
};

/// How one event of a withheld record ended.
struct EventOutcome {
  Outcome outcome = Outcome::dropped;
  std::int32_t code = 0;
  std::string_view reason;  // valid until the record is released
};

class Ledger {
 public:
  enum class Fold : std::uint8_t { max, min };

  /// in_order: settlements leave in the order of the records. watch_events: ended() reports every event.
  Ledger(Fold fold, bool in_order, bool watch_events) : fold_(fold), in_order_(in_order), watch_events_(watch_events) {}

  /// From now on final records are withheld. Before the first page.
  void withhold() noexcept { withholds_ = true; }

  /// Opens a page for one pull; close() must follow once all of its events are routed.
  [[nodiscard]] PageId open(std::uint64_t first_seq, std::uint64_t now_ns = 0);
  [[nodiscard]] std::uint32_t add_record(PageId page, std::uint64_t tag);
  /// An event of a record. A derived event names its cause's record and shares its outcome, but one that nobody wanted
  /// says nothing about its cause. Returns its origin.
  [[nodiscard]] std::uint32_t add_event(PageId page, std::uint32_t record, bool derived = false);
  [[nodiscard]] std::uint32_t record_of(PageId page, std::uint32_t origin) const;
  /// `count` consecutive events will each get one more contribution.
  void owe(PageId page, std::uint32_t origin, std::uint32_t count = 1);
  /// The events must be on an observer's disk before they are answered. That they are says nothing about how they end;
  /// that they cannot be kept does: they can end no better than what is completed here, and so come again.
  void owe_keeping(PageId page, std::uint32_t origin, std::uint32_t count = 1);
  /// An outcome that was not owed: a verdict, an undecodable record.
  void contribute(PageId page, std::uint32_t origin, Outcome outcome, std::int32_t code, std::string_view reason);
  /// The event is a second copy of another event of its record: it says nothing of its own.
  void leave_out(PageId page, std::uint32_t origin);
  /// The event can end no better than this, whatever becomes of it: it stands for something that was refused.
  void mark(PageId page, std::uint32_t origin, Outcome at_best, std::int32_t code, std::string_view reason);
  /// A record that holds no event: its outcome is known at once.
  void settle_record(PageId page, std::uint32_t record, Outcome outcome, std::int32_t code, std::string_view reason);
  /// No more events or debts: what nobody owes is answered now.
  void close(PageId page);
  /// An owed contribution came. Returns false when nothing was owed there: a breach, nothing is changed.
  [[nodiscard]] bool complete(const Completion& completion);
  /// Owed contributions will come once their backend is back; each is told at most once (watch_events only).
  void waits(const Completion& completion);

  /// Records that became final since the last call, in a buffer of the caller.
  void take_settlements(std::vector<Settlement>& out);
  /// Withheld records whose end became known since the last call.
  void take_decided(std::vector<DecidedRecord>& out);
  /// Requires: the event's record is withheld and was decided.
  [[nodiscard]] EventOutcome outcome_of(PageId page, std::uint32_t origin) const;
  /// Requires: the record was decided. It is handed over now.
  void release(PageId page, std::uint32_t record);
  /// Events that became final since the last call (watch_events only).
  void take_ended(std::vector<EventEnd>& out);
  /// Events of an `any` that were delivered somewhere and wait for nothing but backends that are away; each once.
  void take_so_far(std::vector<EventSoFar>& out);

  [[nodiscard]] std::uint64_t open_records() const noexcept { return open_records_; }
  [[nodiscard]] bool empty() const noexcept { return open_pages_ == 0 && ready_.empty(); }
  /// True when the page's deliveries have all come: its memory may be forgotten by whoever kept it.
  [[nodiscard]] bool is_open(PageId page) const noexcept;

 private:
  struct Event {
    std::uint32_t record = 0;
    std::uint32_t reason = 0;  // of the outcome that counts so far: index into Page::reasons + 1
    std::int32_t code = 0;
    std::uint16_t owed = 0;
    std::uint16_t total = 0;
    std::uint16_t keeping = 0;  // observers' disks that do not have it yet
    std::uint16_t delivered = 0;
    std::uint16_t waiting = 0;  // of those owed: for a backend that is away
    Outcome folded = Outcome::dropped;
    Outcome at_best = Outcome::delivered;
    bool touched = false;   // something was contributed
    bool answered = false;  // its record has counted it
    bool derived = false;
    bool told_so_far = false;
  };
  struct Record {
    std::uint64_t tag = 0;
    std::uint32_t open_events = 0;
    std::uint32_t reason = 0;  // index into Page::reasons + 1
    std::int32_t code = 0;
    Outcome outcome = Outcome::delivered;
    bool has_event = false;
    bool has_derived = false;
    bool decided = false;
    bool final = false;
  };
  struct Page {
    std::vector<Event> events;
    std::vector<Record> records;
    std::vector<std::string> reasons;
    std::uint64_t first_seq = 0, opened_ns = 0;
    std::uint64_t owed = 0;  // over all events, keeping included
    std::uint32_t records_open = 0;
    std::uint32_t next_in_order = 0;  // in_order: records before it have been handed over
    std::uint32_t generation = 0;
    bool closed = false;
    bool ordered_out = false;  // in_order: all of its records have been handed over
    bool live = false;
  };

  [[nodiscard]] Page& page_of(PageId id);
  [[nodiscard]] const Page* find(PageId id) const noexcept;
  [[nodiscard]] static std::uint32_t keep_reason(Page& page, std::string_view reason);
  [[nodiscard]] bool complete_keeping(Page& page, const Completion& completion);
  void forget_debt(const Completion& completion);
  void fold(Page& page, std::uint32_t origin, Outcome outcome, std::int32_t code, std::string_view reason);
  void try_answer(Page& page, std::uint32_t origin);
  void watch_waiting(const Page& page, Event& event);
  [[nodiscard]] static EventOutcome end_of(const Page& page, const Event& event);
  void finish_record(Page& page, std::uint32_t record);
  void settle(Page& page, std::uint32_t record);
  void hand_over(Page& page, Record& record);
  void retire_if_done(PageId id);
  void advance_in_order();

  const Fold fold_;
  const bool in_order_;
  const bool watch_events_;
  bool withholds_ = false;
  std::vector<DecidedRecord> decided_;
  std::vector<Page> pages_;
  std::vector<std::uint32_t> idle_;
  std::deque<PageId> order_;  // in_order: pages in the order of their pulls
  std::vector<Settlement> ready_;
  std::vector<EventEnd> ended_;
  std::vector<EventSoFar> so_far_;
  std::uint64_t open_records_ = 0;
  std::size_t open_pages_ = 0;
};

}  // namespace sluice
