// A source lane: takes credit, pulls, decodes, runs the inline consumers, routes to the other lanes, and settles. It
// owns the ledger of its source.
#pragma once

#include "core/decode.hh"
#include "core/graph.hh"
#include "core/ledger.hh"
#include "core/redact.hh"
#include "core/type_table.hh"
#include "run/decode_ahead.hh"
#include "run/dedup_gate.hh"
#include "run/few_of_many.hh"
#include "run/inline_consumer.hh"
#include "run/lane.hh"
#include "run/observer_picks.hh"
#include "run/pull.hh"

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace sluice {

/// Takes the events of a source that cannot be asked again, when they could not be delivered.
class UndeliveredSink {
 public:
  virtual ~UndeliveredSink() = default;
  virtual void write(std::string_view event_json, std::string_view reason) noexcept = 0;
};

/// What a source lane is joined to. Filled by the pipeline before the first step; never changed while lanes run.
struct SourceWiring {
  const Graph* graph = nullptr;
  const Config* config = nullptr;
  NodeIndex self = 0;
  std::vector<DeliveryLane*> lane_of;        // by node index; null for sources and inline consumers
  std::vector<InlineConsumer*> consumer_of;  // by node index
  TypeTable* types = nullptr;
  UndeliveredSink* undelivered = nullptr;                    // may be null
  std::function<void(const std::string& text)> halt;         // a consumer halted the graph
  std::span<const std::unique_ptr<ObserverWants>> wants_of;  // by node index; null for what is no observer
  DedupLane* key_store = nullptr;                            // of its `dedup`; null: the keys are kept in memory
};

class SourceLane final : public Lane, public NodeEvents, public SettleSink {
 public:
  SourceLane(std::string name, SourceNode& node, LaneWorld world, NodeStats& stats, SourceWiring wiring);

  void step(std::chrono::milliseconds max_rest) override;
  [[nodiscard]] bool finished() const noexcept override { return finished_.load(std::memory_order_acquire); }
  /// No pull will come any more, and everything pulled has been settled.
  [[nodiscard]] bool idle() const noexcept override { return quiet_.load(std::memory_order_acquire); }
  [[nodiscard]] bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  /// Events pulled and not settled yet; a snapshot.
  [[nodiscard]] std::uint64_t open_records() const noexcept { return open_records_.load(std::memory_order_relaxed); }

  /// The first start() was tried by the pipeline; the lane repeats it when the far side was away.
  void set_started(bool started) noexcept { started_ = started; }
  /// Pulls on while earlier pulls are decoded, in a flood: on a thread of its own, or, stepped by hand, later.
  void pull_ahead(bool with_thread);
  /// Who is told when the lane becomes idle.
  void set_monitor(Wakeable* monitor) noexcept { monitor_ = monitor; }
  /// True when what it reads cannot be told "no": what is not delivered stays undelivered.
  [[nodiscard]] bool undelivered_matters() const noexcept { return source_.in_order() || source_.cannot_hold(); }

  /// Take nothing more in; settle what comes back. Any thread.
  void request_stop() noexcept;
  /// The same because of a halt: what a caller still offers is refused with the text.
  void request_halt(std::string text);
  /// The drain is over: whatever is still open is not delivered. Then the lane finishes.
  void request_finish() noexcept;

  /// A key that was recorded before this process began. Before the first step, and only with `dedup`.
  void know_key(const KeyHash& key, std::int64_t unix_ms) { dedup_->know(key, unix_ms); }

  // NodeEvents
  void wake() noexcept override { Lane::wake(); }
  void complete(std::uint64_t, std::uint32_t, const sluice_result*) noexcept override { stats_.breaches.add_shared(); }
  void complete_each(std::uint64_t, std::uint32_t, const std::uint8_t*) noexcept override {
    stats_.breaches.add_shared();
  }
  void explain(std::uint32_t, std::string_view) noexcept override { stats_.breaches.add_shared(); }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now(); }

  // SettleSink
  void settled(std::vector<Completion>&& completions) noexcept override;

 private:
  struct Pending {  // the pull that is being routed
    BlockRef block;
    PageId page = 0;
    std::size_t next = 0;      // first event that is not routed
    std::size_t slice = 0;     // events that are routed together just now
    std::size_t end = 0;       // decoded events; derived ones lie behind
    std::size_t promised = 0;  // events that the credit it holds is still for
    bool asking = false;       // the key store has not said yet which of them are known
  };
  struct Kept {  // cannot_hold: memory kept until its page is closed
    PageId page = 0;
    BlockRef block;
    std::vector<std::uint64_t> tags;          // by record
    std::vector<std::uint32_t> event_record;  // by pulled event
  };

  bool take_settlements(std::uint64_t now_ns);
  void settle_ready();
  void watch_ended();
  void say_published(const std::string& how);
  [[nodiscard]] bool take_credit_for(std::uint64_t events, std::uint64_t bytes);
  void give_back_credit();
  void try_start(std::uint64_t now_ns);
  void went_away(std::uint64_t now_ns, std::string_view reason);
  bool pull(std::uint64_t now_ns);
  void heed(sluice_status status, bool got, const std::string& error, std::uint64_t now_ns);
  void take_in(std::unique_ptr<Pull> pull, std::uint32_t cap);
  bool route_ready();
  bool decode_here();
  void give_back_credit_ahead();
  [[nodiscard]] std::unique_ptr<Pull> take_pull();
  void put_back(std::unique_ptr<Pull> pull);
  bool refuse_pull();
  void begin(Pull& pull);
  void reject_record(PageId page, std::uint32_t record, const Reject& reject, const sluice_record& raw, Block& block);
  void refuse(std::span<const sluice_event> events);
  void contribute(std::span<const sluice_event> events, Outcome outcome, std::int32_t code, std::string_view reason);
  void send_dead_letters();
  bool route_pending();
  bool ask_keys();
  void sift();
  bool hear_keys();
  [[nodiscard]] bool keys_are_recorded(std::uint64_t now_ns);
  [[nodiscard]] std::int64_t now_ms() const noexcept { return world_.clock.unix_ns() / 1'000'000; }
  void route_slice(std::span<const sluice_event> events);
  std::span<const sluice_event> wanted(std::span<const sluice_event> events);
  void route(const std::vector<NodeIndex>& targets, std::span<const sluice_event> events);
  void deliver(NodeIndex target, std::span<const sluice_event> events);
  void push(DeliveryLane& lane, NodeIndex target, std::span<const sluice_event> events);
  void consume(NodeIndex target, std::span<const sluice_event> events);
  void route_verdicts(NodeIndex target, std::span<const sluice_event> events, Judgement& judgement);
  std::span<const sluice_event> select(std::span<const sluice_event> events, const Filter& filter, bool want);
  template <class Picks>
  std::span<const sluice_event> pick(std::span<const sluice_event> events, Picks&& picks);
  std::span<sluice_event> adopt(std::span<const sluice_event> events, Judgement& judgement, std::uint32_t port);
  void tick_consumers(std::uint64_t now_ns);
  void keep_for_undelivered(const Pull& pull);
  void write_undelivered(std::uint64_t tag, std::string_view reason);
  void overflow(DeliveryLane& lane, NodeIndex target, std::span<const sluice_event> events);
  void hand_over(DeliveryLane& lane, std::span<const sluice_event> events, std::uint64_t bytes, SettleSink* sink,
                 bool overflow, bool tell_waiting);
  void owe(std::span<const sluice_event> events);
  void owe_keeping(std::span<const sluice_event> events);
  void refuse_pending();
  void finish(std::chrono::milliseconds max_rest);

  SourceNode& source_;
  SourceWiring wiring_;
  const SourceReach& reach_;
  const NodeConfig& config_;
  BlockPool blocks_;
  FewOfMany few_of_many_{blocks_};
  Decoder decoder_;
  Ledger ledger_;
  std::unique_ptr<DedupGate> dedup_;  // null without `dedup`
  TypeCache types_;
  const std::uint32_t batch_events_;
  std::uint32_t pull_events_ = batch_events_;  // of the next pull: grows in a flood
  std::uint32_t pull_events_max_ = batch_events_;
  const bool keeps_undelivered_;
  const bool says_published_;  // the documents' line about several backends
  bool pulls_ahead_ = false;
  std::deque<std::unique_ptr<Pull>> pulls_;  // in hand, oldest first; the one that is routed is not among them
  std::vector<std::unique_ptr<Pull>> idle_pulls_;
  std::uint64_t records_pulled_ = 0;
  std::vector<std::uint32_t> event_record_;  // by event of the pull being routed: its record in the page
  std::vector<sluice_event> dead_events_;    // undecodable records of the pull being routed, wrapped
  Pending pending_;
  std::vector<Taken> taken_;
  bool credit_taken_ = false;
  std::uint64_t emitters_ = 0;          // inline consumers that may add events
  std::vector<std::uint8_t> required_;  // by node index
  std::vector<std::uint8_t> keeping_;
  std::vector<std::uint8_t> gating_;
  std::vector<std::unique_ptr<ObserverPicks>> picks_;   // by node index; null for what is no observer
  std::vector<std::unique_ptr<Judgement>> judgements_;  // one per depth of the consumer chain
  std::size_t depth_ = 0;
  std::uint64_t next_seq_ = 1;
  std::uint64_t away_until_ns_ = 0;
  std::uint32_t away_failures_ = 0;
  std::uint64_t next_tick_ns_ = 0;
  std::uint64_t undecodable_logged_ns_ = 0;
  std::uint64_t undecodable_unlogged_ = 0;
  std::uint64_t published_second_ = 0;
  std::uint32_t published_said_ = 0;
  std::uint64_t published_unsaid_ = 0;
  std::vector<Kept> kept_;
  Redactor undelivered_redactor_;  // what any of its backends may not see is not kept either
  std::vector<Settlement> settlements_;
  std::vector<sluice_settlement> settlements_out_;
  std::vector<EventEnd> ended_events_;
  std::vector<EventSoFar> so_far_events_;
  bool started_ = true;
  Wakeable* monitor_ = nullptr;
  bool stopped_node_ = false;
  std::uint64_t finishing_since_ns_ = 0;
  bool room_ = false;

  std::mutex inbox_mutex_;
  std::vector<Completion> inbox_;
  std::vector<Completion> inbox_work_;
  std::atomic<bool> inbox_full_{false};

  std::mutex halt_mutex_;
  std::string halt_text_;
  std::atomic<bool> stop_{false}, halt_{false}, finish_{false};
  std::atomic<bool> ended_{false}, quiet_{false}, finished_{false};
  std::atomic<std::uint64_t> open_records_{0};
  std::unique_ptr<DecodeAhead> ahead_;  // last: its thread ends before anything else goes
};

}  // namespace sluice
