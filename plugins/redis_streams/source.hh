// Source `redis_streams`: one member of a consumer group reads a stream.
//
//   reader connection   XREADGROUP … >, one at a time; the server holds it while nothing comes, so new entries arrive
//   at
//                       once and a quiet stream costs one question per poll_interval
//   duty connection     XACK (many ids at a time), XPENDING, XCLAIM, XINFO: what must not wait behind a held read
//
// Every entry that was read stays in the group's list of pending entries until it is settled; that list is the only
// memory there is. It is searched (Scan) for this consumer's own entries at each connect, so that what was read and not
// settled comes again after a crash or a lost answer; after NOT_DELIVERED; and for entries of others that were idle for
// claim_idle: their consumer is taken for dead. What is already here is left out of each search.
//
// XPENDING and XCLAIM do what XAUTOCLAIM does in one step, because it says neither whose an entry was nor how often it
// was delivered, and because Redis 5 does not have it.
#pragma once

#include "acks.hh"
#include "entries.hh"
#include "flights.hh"
#include "group_facts.hh"
#include "options.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace redis_streams {

class Source {
 public:
  Source(sluice::HostView host, sluice::ConfigView config);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  void start(std::chrono::milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView all);
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);
  void probe(std::chrono::milliseconds timeout);
  void stop(std::chrono::milliseconds timeout);

 private:
  using milliseconds = std::chrono::milliseconds;
  static constexpr std::size_t kBufferedMax = 512;  // entries; more are not taken from the socket

  /// What an answer on the duty connection belongs to.
  enum class Asked { ack, pending, claim, look, keep, stream, group };

  /// A search through the group's pending entries, page by page.
  struct Scan {
    enum class Step { none, list, claim, look };
    Step step = Step::none;
    bool own = false;  // this consumer's, or those of the others
    bool last_page = false;
    StreamId cursor;
    std::uint64_t idle_ms_min = 0;
    std::vector<StreamId> wanted;  // claimed, then those of them that did not come
    std::size_t answers_left = 0;
    std::uint64_t found = 0;
  };

  /// The entries that were in the stream when this source began, while they last.
  struct Backlog {
    bool active = false, all_read = false;
    std::uint64_t batches = 0, read = 0, read_before = 0, told = 0, told_ms = 0, too_old = 0;
    std::uint64_t open = 0;  // read, and not settled
  };

  struct Cells {
    sluice_cell *lag, *pending, *stream_exists, *group_exists, *left_alone;
    sluice_cell *claimed, *redelivered, *trimmed, *trimmed_unread, *too_old, *strange, *groups_made;
  };

  // Connecting (source.cc).
  void connect(milliseconds timeout);
  void prepare_group(Connection& connection);
  void make_group(Connection& connection, const GroupFacts& facts);
  void begin_backlog(std::uint64_t count, StreamId end);
  [[nodiscard]] bool connected() const noexcept { return duty_ != nullptr; }
  void reconnect_when_due();
  void lost(const std::string& why);

  // Reading (source_reading.cc).
  [[nodiscard]] std::uint32_t places() const noexcept;
  void ask_for_entries();
  void read_entries();
  void take_answer();
  bool hand_over(sluice_writer& out);
  [[nodiscard]] bool too_old(const EntryBuffer::Entry& entry) const noexcept;
  void tell_backlog();
  void watch_backlog();

  // Duties (source_duties.cc).
  void ask(const std::string& command, Asked what);
  void send();
  [[nodiscard]] bool acks_can_wait() const noexcept;
  void look_after_duties();
  void begin_scan(bool own, std::uint64_t idle_ms_min);
  void list_pending();
  void end_scan();
  void read_duties();
  void answered(const Reply& reply);
  void found_pending(const Reply& reply);
  void found_claimed(const Reply& reply);
  void looked(const Reply& reply);
  void next_page();
  void leave_alone(const Pending& one);
  void keep_fresh();
  void found_group(const Reply& reply);
  void finish_acks();
  [[nodiscard]] std::vector<StreamId> here() const;
  [[nodiscard]] milliseconds until_next_duty() const noexcept;
  [[nodiscard]] bool overdue() const noexcept;

  [[nodiscard]] std::uint64_t now_ms() const noexcept { return host_.now_ns() / 1'000'000; }

  sluice::HostView host_;
  const SourceOptions options_;
  const Cells cells_;
  const std::string read_front_, read_back_;  // of XREADGROUP, around the count
  const std::size_t read_words_;
  const std::string position_front_;
  bool stopped_ = false;
  bool ended_ = false;  // stop_at_end, and the stream was read

  std::unique_ptr<Connection> reader_, duty_;  // null while the server is away
  std::string away_reason_ = "not connected yet";
  std::uint64_t next_connect_ms_ = 0, connect_pause_ms_ = 0;
  int version_ = 0;
  std::int64_t server_ahead_ms_ = 0;  // the server's clock minus ours
  bool knows_group_ = false;          // it was there, or was made, since this source began

  ReadAnswer answer_;
  bool reading_ = false;        // an XREADGROUP is under way
  std::uint32_t reserved_ = 0;  // places that its entries may need
  std::uint64_t read_sent_ms_ = 0;
  std::size_t answer_entries_ = 0;  // of the answer that is coming in
  std::size_t answer_bytes_ = 0;    // of its events
  std::uint32_t flood_bytes_ = 0;   // worth a wake-up, while answers are full; 0: any byte is
  std::uint32_t asked_for_ = 0;     // entries, in the read under way
  std::size_t largest_bytes_ = 0;   // event of late; 0: none seen yet
  std::uint32_t ask_max_ = 0;       // entries, while it is not known how large they are
  StreamId last_read_;
  Backlog backlog_;

  Flights flights_;
  Acks acks_;
  std::uint64_t acks_sent_ms_ = 0;
  std::string positions_;  // of the records of one pull

  std::deque<Asked> asked_;
  std::vector<Reply> replies_;
  std::uint64_t duty_progress_ms_ = 0;
  Scan scan_;
  bool recovered_ = false;  // the own pending entries were looked through since connecting
  std::uint64_t own_scan_ms_ = 0, others_scan_ms_ = 0, keep_ms_ = 0, facts_ms_ = 0;  // next time; 0: not planned
  Reply stream_reply_;
  std::set<StreamId> left_alone_;  // reported
  bool lost_known_ = false;
  std::uint64_t lost_unread_ = 0;
};

}  // namespace redis_streams
