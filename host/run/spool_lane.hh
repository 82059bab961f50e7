// The spool of one backend: a lane in front of the backend's own that writes every event to disk before anybody hears
// of delivery, and feeds the backend lane at the backend's own pace. In front of an observer it is the observer's
// durable queue: then the source hears that the event is kept, which says nothing about its delivery.
//
//   push → waiting → written → synced: the sink is told "delivered"         (spool_write.cc)
//                       └─▶ handed on while the backend keeps up,
//                           read back from disk once it fell far behind ─▶ backend lane    (spool_feed.cc)
//   delivered · dropped · dead-lettered: the record is completed;  rejected: set aside;  retry: offered again
//
// Redaction comes first: what the backend may not see reaches no byte of the disk. What a run's events are to the
// backend lane is their record's number: page + origin.
//
// Threads: one of its own, which may block on the disk.
#pragma once

#include "core/backoff.hh"
#include "core/decode.hh"
#include "core/event_json.hh"
#include "core/spool_log.hh"
#include "core/type_table.hh"
#include "run/lane.hh"
#include "run/redaction.hh"

#include <deque>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace sluice {

class SpoolLane final : public DeliveryLane, public SettleSink {
 public:
  /// `down` is the backend's lane; `blocks` outlives every lane.
  SpoolLane(std::string name, Node& node, LaneWorld world, NodeStats& stats, const NodeConfig& config,
            std::uint32_t batch_events, SpoolStore& store, DeliveryLane& down, BlockPool& blocks, TypeTable& types);

  /// Where events go that find the spool full, when it says so. Before the first step.
  void set_dead_letter(DeliveryLane* lane) noexcept { dead_lane_ = lane; }
  /// It keeps an observer's events. Before the first step.
  void set_keeping() noexcept { keeping_ = true; }
  /// Takes over what an earlier run left. Throws SetupError.
  void open();
  /// What the observer is shown, for its lane. After open(); null when nobody keeps it.
  [[nodiscard]] UnderWay* under_way() noexcept { return keeping_ ? store_.under_way() : nullptr; }

  void push(Run&& run) override;
  void step(std::chrono::milliseconds max_rest) override;
  [[nodiscard]] bool finished() const noexcept override { return finished_.load(std::memory_order_acquire); }
  /// Nothing on its way in, and nothing left in the spool.
  [[nodiscard]] bool idle() const noexcept override {
    if (credit.used().first > 0) return false;
    return backlog_.load(std::memory_order_acquire) == 0 || (keeping_ && is_broken());
  }
  [[nodiscard]] std::string thread_name() const override { return "spool " + name_; }
  /// The backend lane is about to finish: nothing more is handed to it.
  void request_hold() noexcept { hold_.store(true, std::memory_order_release); }
  /// The backend lane has finished. What is here is kept on disk; then the lane finishes.
  void request_finish() noexcept;

  // SettleSink: what became of what was handed on.
  void settled(std::vector<Completion>&& completions) noexcept override;

 private:
  [[nodiscard]] bool is_broken() const noexcept {
    return stats_.state.load(std::memory_order_relaxed) == NodeState::broken;
  }

  struct Written {
    Run run;
    std::uint64_t first = 0;  // number of its first record
  };
  struct Again {
    std::uint64_t due_ns = 0;
    std::uint32_t rounds = 0;
    bool waiting = true;  // else it is with the backend lane
  };
  struct Rejected {
    std::uint64_t from = 0, to = 0;
    std::int32_t code = 0;
    std::string reason;
  };

  // spool_lane.cc
  void heed_last_end();
  void take_in();
  void turn_away(const Run& run);
  void rest(std::uint64_t now_ns, std::chrono::milliseconds max_rest);
  void publish_figures();
  void report_damage();
  void finish(std::chrono::milliseconds max_rest);

  // spool_write.cc
  void redact(Run& run);
  void write_waiting(std::uint64_t now_ns);
  void write_added(std::size_t runs, std::uint64_t now_ns);
  bool overflow(std::uint64_t now_ns);
  void refuse(const Run& run, std::int32_t code, std::string_view reason);
  [[nodiscard]] std::uint64_t sync_due_ns() const noexcept;
  void sync(std::uint64_t now_ns);
  void tell_delivered(const Run& run);
  void flush_told();
  void disk_refused(const SpoolAnswer& answer, std::uint64_t now_ns);
  void set_full(bool full, std::string_view why);

  // spool_feed.cc
  [[nodiscard]] bool may_feed(std::uint64_t now_ns) const noexcept;
  bool hand_on(const Run& run, std::uint64_t first);
  void keep_in_hand(Written&& written);
  [[nodiscard]] const Written* in_memory(std::uint64_t number) const;
  bool feed_from_memory();
  bool feed(std::uint64_t now_ns);
  bool feed_some(std::uint64_t now_ns);
  bool feed_again(std::uint64_t now_ns);
  bool feed_next(std::uint64_t now_ns);
  [[nodiscard]] bool add_record(const SpoolRecord& record, Block& block);
  void push_records(BlockRef block, std::uint64_t queued_ns, std::uint64_t events_taken, std::uint64_t bytes_taken);
  [[nodiscard]] std::uint64_t queued_ns_of(std::int64_t first_unix_ns) const noexcept;
  void complete(const Completion& completion, std::uint64_t now_ns);
  void set_rejected_aside(std::uint64_t now_ns);
  void note_set_aside(std::uint64_t now_ns);
  [[nodiscard]] bool rejected_line(std::uint64_t number, const Rejected& rejected, std::string& lines);

  const SpoolPolicy policy_;
  const RetryPolicy retry_;
  const std::uint32_t batch_events_;
  SpoolStore& store_;
  SpoolLog log_;
  DeliveryLane& down_;
  DeliveryLane* dead_lane_ = nullptr;
  Redaction redaction_;
  BlockPool& blocks_;
  Decoder decoder_;
  EventWriter writer_;
  TypeCache types_;
  Random random_;

  std::deque<Run> waiting_;         // taken in, not written
  std::size_t written_before_ = 0;  // the first of them were written, and taken back: they are not dropped any more
  std::deque<Written> unsynced_;
  std::uint64_t unsynced_events_ = 0, unsynced_bytes_ = 0;
  std::uint64_t first_unsynced_ns_ = 0, last_sync_ns_ = 0;
  std::uint64_t disk_retry_ns_ = 0;  // the disk refused: not asked again before
  std::string disk_said_;
  bool full_ = false;
  bool finishing_ = false;
  bool keeping_ = false;
  std::uint64_t finish_retry_ns_ = 0;
  std::uint32_t finish_tries_ = 0;

  std::deque<Written> in_hand_;  // synced and not handed on, still in memory; by number
  std::uint64_t feed_next_ = 1;  // no record below it is waiting to be handed on for the first time
  std::map<std::uint64_t, Again> again_;
  std::deque<Rejected> rejected_;
  std::uint64_t rejected_retry_ns_ = 0, rejected_said_ns_ = 0;
  std::vector<std::uint64_t> numbers_;  // of the records in the block that is being filled
  std::uint64_t cursor_due_ns_ = 0;
  bool completed_some_ = false;

  std::vector<std::pair<SettleSink*, std::vector<Completion>>> told_;
  std::uint64_t freed_events_ = 0, freed_bytes_ = 0;

  std::mutex inbox_mutex_;
  std::vector<Run> inbox_runs_;
  std::vector<Completion> inbox_done_;
  std::vector<Completion> work_done_;
  bool closed_ = false;  // guarded by the inbox's mutex
  std::atomic<bool> inbox_full_{false};
  std::atomic<bool> hold_{false}, finish_{false}, finished_{false};
  std::atomic<std::uint64_t> backlog_{0};
};

}  // namespace sluice
