// Source `kafka`: a member of a consumer group. A message is handed over as one record; the offsets of a partition are
// committed in their order, up to the first record that is not settled, however the host settles them.
//
// Partitions come and go. One that is to be given back is kept until what is under way from it is settled, within
// rebalance_wait, then committed and let go: the next owner begins where this one ended. What the host says later about
// a partition that is gone is ignored. A record that could not be delivered makes its partition wait, and is read
// again.
//
// Messages wait in a queue of their own in the library: while the host takes nothing in, the group's duties go on.
#pragma once

#include "client.hh"
#include "options.hh"
#include "place.hh"
#include "prefetch.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace kafka {

using std::chrono::milliseconds;

class Source final : private Membership {
 public:
  Source(sluice::HostView host, sluice::ConfigView config);
  ~Source();

  void start(milliseconds timeout);
  sluice_status pull(sluice_writer& out);
  void settle(sluice::SettlementsView settlements);
  sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room);
  void probe(milliseconds timeout);
  void stop(milliseconds timeout);

 private:
  struct Assigned {
    Partition partition;
    Place place;
    std::int64_t committed = -1;    // asked for; the answer may be under way
    std::uint64_t again_at_ms = 0;  // when its failed messages are read again; 0: none failed
    milliseconds again_after{0};
    std::uint64_t lost = 0;      // told so far
    bool leaving = false;        // to be given back
    bool skips_fetched = false;  // it reads from an earlier message now: what was taken before is in the wrong place
    std::int64_t read_to = -1;   // the next message to be taken, whether or not it is handed over; -1: none came yet
    // With stop_at_end. Its last message may be none that anybody is given (the mark of a transaction), so that nothing
    // follows must be heard, too.
    std::int64_t stop = -1;     // where it ended when this run began; -1: not known yet
    std::int64_t reached = 0;   // seen up to here
    std::int64_t highest = -1;  // message below stop
    std::int64_t end = -1;      // where the broker said that nothing follows
    std::int64_t kept = -1;     // with delete_read: the lowest message that stays; -1: none does
    sluice_cell* lag = nullptr;
  };
  using Slot = std::uint32_t;  // of an assignment; never the same for the next owner of a partition

  // Membership.
  void assigned(const std::vector<Partition>& partitions) override;
  void revoked(const std::vector<Partition>& partitions, bool lost) override;
  void committed(const Failure* failure) override;
  void ended(const Partition& end) override;
  void trouble(const Failure& failure) override;
  void broken(const Failure& failure) override;
  void chatter(int level, std::string_view text) override;

  // Taking in: source.cc.
  void take_more(std::size_t most);
  void fetch_on();
  [[nodiscard]] bool is_read_to_the_end() const;
  [[nodiscard]] bool ends_are_known() const;
  [[nodiscard]] static bool is_read_to_the_end(const Assigned& assigned);
  bool hand_over(sluice_writer& out, const Fetched& message);
  [[nodiscard]] Assigned* find(const Fetched& message, Slot& slot);
  void connect(milliseconds timeout);

  // Duties: source_duties.cc.
  void do_duties();
  void commit_settled(bool wait);
  void give_back_when_ready();
  void read_failed_again();
  void fail(Assigned& assigned);
  void look_around();
  void read_ends();
  void delete_read_messages();
  void show_figures();
  void renew();
  [[nodiscard]] milliseconds until_next_duty() const;
  [[nodiscard]] std::uint64_t now_ms() const noexcept { return host_.now_ns() / 1'000'000; }

  sluice::HostView host_;
  const SourceOptions options_;
  std::unique_ptr<Consumer> consumer_;
  std::map<Slot, Assigned> assigned_;
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> stops_;  // by topic and partition: where this run ends
  Slot next_slot_ = 0;

  Prefetch prefetch_;
  std::span<const Fetched> fetched_;  // of the last take, not handed over yet
  std::vector<Header> headers_;
  std::vector<std::vector<sluice_attribute>> attributes_;  // by record of one pull
  std::string position_front_;                             // "topic/3/"
  std::deque<std::string> positions_;                      // the same

  std::uint64_t commit_at_ms_ = 0, figures_at_ms_ = 0, look_at_ms_ = 0, give_back_by_ms_ = 0;
  std::uint32_t commits_under_way_ = 0;
  bool giving_back_ = false;  // the library waits for unassign()
  bool commits_fail_ = false;
  bool away_ = false, stopping_ = false;
  bool deleted_ = false;  // with delete_read: it is done
  bool doubted_ = false;  // something could not be reached: does any broker answer?
  std::string last_trouble_, broken_why_, last_warning_;
  sluice_cell* unsettled_ = nullptr;
};

}  // namespace kafka
