// A backend lane: one thread that feeds one backend node and owns everything that delivery is made of: the queue, what
// is in flight, retries, the breaker, the rate limit, dead letters. Written once, the same for every backend.
//
// An event's way here:  push → queue → publish (a ticket) → complete(status) → settled
//                                         ↑                     ├─ failed for now: held with its own copy, retried
//                                         └─────────────────────┤─ away: offered again, nothing charged
//                                                               └─ given up: dead letter, or the source is told
#pragma once

#include "core/backoff.hh"
#include "core/breaker.hh"
#include "core/config.hh"
#include "core/event_json.hh"
#include "core/key_order.hh"
#include "core/owned_event.hh"
#include "core/token_bucket.hh"
#include "core/type_table.hh"
#include "run/flight_ticks.hh"
#include "run/lane.hh"
#include "run/line_limit.hh"
#include "run/node_swap.hh"
#include "run/publish_log.hh"
#include "run/redaction.hh"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

namespace sluice {

class BackendLane final : public DeliveryLane, public NodeEvents, public SettleSink {
 public:
  /// `blocks` outlives every lane: a dead letter made here may lie in another lane when this one is gone.
  BackendLane(std::string name, BackendNode& node, LaneWorld world, NodeStats& stats, const NodeConfig& config,
              BlockPool& blocks, PublishLog* publish_log);

  /// The class promises SLUICE_KEEPS_ORDER. Before the first step.
  void set_keeps_order() noexcept;
  /// Where what this lane gives up goes. Before the first step.
  void set_dead_letter(DeliveryLane* lane) noexcept { dead_lane_ = lane; }
  /// A spool feeds this lane: what it gives back at the end is not lost.
  void set_spooled() noexcept { spooled_ = true; }
  /// The first start() was tried by the pipeline; the lane repeats it when the far side was away.
  /// That it was away then has been said.
  void set_started(bool started) noexcept {
    started_ = started;
    away_failures_ = started ? 0 : 1;
  }

  void push(Run&& run) override;
  void step(std::chrono::milliseconds max_rest) override;
  [[nodiscard]] bool finished() const noexcept override { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] bool idle() const noexcept override { return credit.used().first == 0; }
  /// The drain is over: what is still here is not delivered. Then the lane finishes.
  void request_finish() noexcept;
  /// Another instance, or other numbers of delivery, between two steps. Any thread; see NodeSwap.
  void request_swap(std::shared_ptr<NodeSwap> swap) noexcept {
    swap_door_.ask(std::move(swap));
    Lane::wake();
  }
  /// Events given back undelivered by finish().
  [[nodiscard]] std::uint64_t abandoned() const noexcept { return abandoned_.load(std::memory_order_relaxed); }

  // NodeEvents
  void wake() noexcept override { Lane::wake(); }
  void complete(std::uint64_t ticket, std::uint32_t count, const sluice_result* result) noexcept override;
  void complete_each(std::uint64_t ticket, std::uint32_t count, const std::uint8_t* status) noexcept override;
  void explain(std::uint32_t, std::string_view) noexcept override { stats_.breaches.add_shared(); }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now(); }

  // SettleSink: what became of this lane's dead letters.
  void settled(std::vector<Completion>&& completions) noexcept override;

 private:
  static constexpr std::uint32_t kGivenUpLinesPerSecond = 10;

  /// Who hears of an event, and since when it is here.
  struct Claim {
    SettleSink* sink = nullptr;
    PageId page = 0;
    std::uint64_t queued_ns = 0;
    std::uint64_t first_ns = 0;  // first offered; 0 = never
    std::uint32_t attempts = 0;  // failed tries
    bool tell_waiting = false;   // as in Run
    bool waits = false;
  };
  [[nodiscard]] static Claim claim_on(const Run& run) noexcept {
    return {run.sink, run.page, run.queued_ns, 0, 0, run.tell_waiting, run.waits};
  }
  struct Held {  // waits to be offered again
    OwnedEvent event;
    Claim claim;
    std::uint64_t due_ns = 0;
    std::uint64_t order = 0;  // of events due together: the order in which they came
    std::string reason;       // why it was not delivered so far
    std::int32_t code = 0;
  };
  struct Flight {  // one publish call's worth of tickets
    std::uint64_t first = 0;
    std::uint32_t count = 0, remaining = 0;
    std::uint64_t offered_ns = 0;
    std::uint64_t order = 0;  // of its first event, as in Held
    Claim claim;              // of a run's events
    BlockRef block;
    const sluice_event* events = nullptr;
    std::vector<Held> held;  // of a retry: one per event; else empty
    std::unique_ptr<sluice_event[]> views;
    FlightTicks done{};
  };
  struct Done {  // what the node said
    std::uint64_t ticket = 0;
    std::uint32_t count = 0;
    sluice_status status = SLUICE_OK;
    std::uint32_t retry_after_ms = 0;
    std::int32_t code = 0;
    std::string reason;
  };
  struct DeadLetter {  // handed to the dead-letter lane, or waiting for its room
    Claim claim;
    std::uint32_t origin = kNoOrigin;
    std::uint64_t bytes = 0;  // of this lane's credit, freed when the dead letter is settled
    bool holds_credit = true;
    Outcome outcome = Outcome::rejected;
    std::int32_t code = 0;
    std::string reason;
    BlockRef block;
    sluice_event event{};
    std::uint64_t event_bytes = 0;
    bool room_taken = false;  // credit on the dead-letter lane is already held
  };

  [[nodiscard]] bool accept(Run& run);
  void turn_away(const Run& run);
  void take_in(std::uint64_t now_ns);
  bool take_completions();
  void on_done(const Done& done, std::uint64_t now_ns);
  [[nodiscard]] bool completed_late(std::uint64_t ticket, std::uint64_t count);
  void on_flight_done(Flight& flight, std::uint32_t from, std::uint32_t to, const Done& done, std::uint64_t now_ns);
  void delivered(Flight& flight, std::uint32_t from, std::uint32_t to, std::uint64_t now_ns);
  void failed(Flight& flight, std::uint32_t index, const Done& done, std::uint64_t now_ns);
  void drop_finished_flights();

  bool offer(std::uint64_t now_ns);
  /// `max_in_flight` events are with the node: the next goes when one is completed.
  [[nodiscard]] bool at_flight_bound() const noexcept {
    return delivery_.max_in_flight > 0 && in_flight_ >= delivery_.max_in_flight;
  }
  [[nodiscard]] bool may_offer(std::uint64_t now_ns);
  [[nodiscard]] std::uint32_t offer_size(std::uint64_t now_ns);
  bool offer_held(std::uint64_t now_ns, std::uint32_t max_events);
  bool offer_queued(std::uint64_t now_ns, std::uint32_t max_events);
  bool publish(Flight& flight, std::uint64_t now_ns, std::uint32_t& taken);
  bool offer_in_order(std::uint64_t now_ns, std::uint32_t max_events);
  [[nodiscard]] std::uint32_t enter_in_order(const Run& run, std::uint32_t& next, std::uint32_t max_events);
  void park(const sluice_event& event, const Claim& claim, const KeyHash& key, std::uint64_t number);
  void hold_in_order(const Flight& flight, std::uint32_t index, const Claim& claim, std::uint64_t due_ns,
                     const Done& done);
  void left(const sluice_event& event, bool was_held);
  void give_up_parked(const std::function<bool(const Held&)>& chosen, const std::string& why, Counter* count,
                      std::uint64_t now_ns);
  [[nodiscard]] bool order_is_full() const noexcept { return order_ != nullptr && order_->full(); }
  /// What this lane gave up would come back from its spool, behind its key's later events: nothing is given up then.
  [[nodiscard]] bool keeps_for_order() const noexcept { return spooled_ && order_ != nullptr && dead_lane_ == nullptr; }
  void expire(std::uint64_t now_ns);
  void shed_while_open(std::uint64_t now_ns);
  void hold(const sluice_event& event, Claim claim, std::uint64_t due_ns, std::string reason, std::int32_t code);
  [[nodiscard]] Held take_held();

  void give_up(const sluice_event& event, const Claim& claim, Outcome outcome, std::int32_t code,
               const std::string& reason);
  void say_given_up(const sluice_event& event, const Claim& claim, Outcome outcome, std::int32_t code,
                    const std::string& reason);
  void say_left_out(std::uint64_t count);
  void bury(const sluice_event& event, const Claim& claim, Outcome outcome, std::int32_t code,
            const std::string& reason);
  void shed_overflow(const Run& run, std::uint64_t now_ns);
  void send_dead_letters();
  void dead_letter_settled(const Completion& completion);
  void tell(const Claim& claim, std::uint32_t origin, std::uint32_t count, Outcome outcome, std::int32_t code,
            std::string_view reason, bool moved = false);
  void free_credit(std::uint64_t events, std::uint64_t bytes) noexcept;
  void flush_told();
  void tell_waiting();
  [[nodiscard]] std::vector<Completion>& told_to(SettleSink* sink);

  void go_away(std::uint64_t now_ns, std::string_view reason, std::uint32_t retry_after_ms);
  void came_back();
  void breaker_result(bool success, std::uint32_t count, std::uint64_t now_ns);
  void break_node(std::string_view reason);
  void answer_everything(Outcome outcome, std::int32_t code, std::string_view reason);
  void try_start(std::uint64_t now_ns);
  void check_overdue(std::uint64_t now_ns);
  [[nodiscard]] std::uint64_t next_event_ns(std::uint64_t now_ns);
  void finish();

  // backend_swap.cc
  void swap_round(std::uint64_t now_ns);
  void change_node(NodeSwap& swap, std::uint64_t now_ns);
  void hold_unanswered(std::uint64_t now_ns);
  void begin_anew();
  void start_changed(NodeSwap& swap, std::uint64_t now_ns);
  void end_swap();
  [[nodiscard]] std::uint64_t swap_due_ns(std::uint64_t now_ns) const noexcept;

  BackendNode* backend_;  // never null, as node_
  Delivery delivery_;
  Redaction redaction_;
  PublishLog* publish_log_;
  DeliveryLane* dead_lane_ = nullptr;
  LineLimit given_up_lines_{kGivenUpLinesPerSecond};
  Random random_;
  Breaker breaker_;
  TokenBucket tokens_;

  std::deque<std::pair<Run, std::uint32_t>> queue_;  // a run, and how much of it was offered
  std::deque<Flight> flights_;                       // in ticket order
  std::deque<Flight> quarantine_;                    // overdue: the plugin may still read them
  std::vector<Held> held_;                           // a heap: the earliest due on top
  std::unique_ptr<KeyOrder> order_;                  // `ordering: key`; null: no order but the queue's
  std::vector<Held> parked_;                         // by the order's slots: wait behind an earlier one of their key
  std::vector<std::optional<KeyHash>> entered_;      // of the events that are being offered
  std::uint64_t next_ticket_ = 1;
  std::uint64_t next_order_ = 0;
  bool full_ = false;
  bool unflushed_ = false;
  bool started_ = false;
  bool broken_ = false;
  std::string break_reason_;  // set inside publish(); acted on once its books are straight
  bool finishing_ = false;
  bool spooled_ = false;
  bool keeps_order_ = false;     // what the class promises
  bool changing_ = false;        // the old instance is being stopped for another: what it says of itself is no outage
  bool unusable_ = false;        // the instance did not start, and is waited out until there is another
  bool waiting_untold_ = false;  // something here may wait of which its sink wants to know and was not told
  std::uint64_t away_until_ns_ = 0;
  std::uint32_t away_failures_ = 0;
  std::uint64_t in_flight_ = 0;
  std::shared_ptr<NodeSwap> swap_;  // while it is set nothing is offered
  std::uint64_t swap_until_ns_ = 0;
  SwapDoor swap_door_;

  BlockPool& blocks_;  // dead letters, redacted runs
  EventWriter writer_;
  std::deque<DeadLetter> dead_waiting_;
  std::unordered_map<std::uint64_t, DeadLetter> dead_sent_;
  std::uint64_t next_dead_ = 1;

  std::vector<std::pair<SettleSink*, std::vector<Completion>>> told_;
  std::uint64_t freed_events_ = 0, freed_bytes_ = 0;

  std::vector<Done> local_;  // said on the lane's own thread
  std::vector<Done> work_;
  std::atomic<std::thread::id> owner_{};
  std::mutex inbox_mutex_;
  std::vector<Run> inbox_runs_;
  std::vector<Run> work_runs_;
  std::vector<Done> inbox_done_;
  std::vector<Completion> inbox_dead_;
  bool closed_ = false;  // guarded by the inbox's mutex
  std::atomic<bool> inbox_full_{false};
  std::atomic<bool> finish_{false}, finished_{false};
  std::atomic<std::uint64_t> abandoned_{0};
};

}  // namespace sluice
