// What a member of a group does besides handing messages over: committing, giving partitions back, reading again what
// could not be delivered, noticing that brokers are away and back.
#include "source.hh"

#include "answer.hh"
#include "topic_desk.hh"

#include <algorithm>
#include <utility>

#include <poll.h>

namespace kafka {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds kFiguresEvery = 1s;
constexpr milliseconds kLookEvery = 1s;
constexpr milliseconds kLookMax = 500ms;   // how long the lane may be busy with one look
constexpr milliseconds kFarewellMax = 5s;  // for the last commit of a partition

std::uint64_t count(milliseconds duration) noexcept { return static_cast<std::uint64_t>(duration.count()); }

}  // namespace

sluice_status Source::poll(int wake_fd, milliseconds timeout, std::uint32_t room) {
  if (consumer_ != nullptr) {
    const bool something = consumer_->serve();
    do_duties();
    if (something) return SLUICE_OK;
  }
  const bool takes = room > 0 && consumer_ != nullptr && !stopping_ && !away_;
  if (takes && (!fetched_.empty() || consumer_->has_fetched())) return SLUICE_OK;
  timeout = std::min(timeout, until_next_duty());
  if (timeout.count() <= 0) return SLUICE_OK;
  pollfd waiting[3] = {{.fd = wake_fd, .events = POLLIN, .revents = 0},
                       {.fd = -1, .events = POLLIN, .revents = 0},
                       {.fd = -1, .events = POLLIN, .revents = 0}};
  if (consumer_ != nullptr) waiting[1].fd = consumer_->notices_fd();
  if (takes) waiting[2].fd = consumer_->messages_fd();
  if (::poll(waiting, 3, static_cast<int>(timeout.count())) <= 0 || consumer_ == nullptr) return SLUICE_OK;
  if (waiting[2].revents != 0) consumer_->clear_messages_signal();
  if (waiting[1].revents == 0) return SLUICE_OK;
  consumer_->clear_notices_signal();
  consumer_->serve();
  return SLUICE_OK;
}

void Source::do_duties() {
  if (!broken_why_.empty()) return renew();
  give_back_when_ready();
  read_failed_again();
  if (now_ms() >= commit_at_ms_) commit_settled(false);
  look_around();
  read_ends();
  delete_read_messages();
  show_figures();
}

/// A run that ends: where each partition ends now, once. A topic that is written to has no other end.
void Source::read_ends() {
  if (!options_.stop_at_end || away_) return;
  for (auto& [slot, assigned] : assigned_) {
    if (assigned.stop >= 0 || now_ms() < look_at_ms_) continue;
    if (const auto end = consumer_->ask_end(assigned.partition, std::min(kLookMax, options_.patience))) {
      assigned.stop = *end;
      stops_[{assigned.partition.topic, assigned.partition.number}] = *end;
    } else {
      look_at_ms_ = now_ms() + count(kLookEvery);
    }
  }
}

/// Once nothing is under way any more. Kafka deletes from the beginning of a partition on, so what stays keeps all that
/// is behind it.
void Source::delete_read_messages() {
  if (!options_.delete_read || deleted_ || away_ || assigned_.empty() || !ends_are_known() || !is_read_to_the_end())
    return;
  std::map<std::string, std::vector<Partition>> before;  // by topic
  for (const auto& [slot, assigned] : assigned_) {
    const std::int64_t end = assigned.kept < 0 ? assigned.stop : std::min(assigned.stop, assigned.kept);
    if (end > 0) before[assigned.partition.topic].push_back({assigned.partition.topic, assigned.partition.number, end});
  }
  for (const auto& [topic, partitions] : before) {
    TopicDesk(options_.properties, topic).delete_before(partitions, options_.patience);
  }
  deleted_ = true;
  host_.wake();
}

milliseconds Source::until_next_duty() const {
  const std::uint64_t now = now_ms();
  std::uint64_t due = now + 3'600'000;
  for (const auto& [slot, assigned] : assigned_) {
    if (assigned.again_at_ms != 0) due = std::min(due, assigned.again_at_ms);
    if (assigned.place.next() > assigned.committed) due = std::min(due, std::max(commit_at_ms_, now + 1));
  }
  if (giving_back_) due = std::min(due, give_back_by_ms_);
  if (away_ || doubted_ || (options_.stop_at_end && !ends_are_known())) due = std::min(due, look_at_ms_);
  if (!assigned_.empty()) due = std::min(due, figures_at_ms_);
  return milliseconds(due <= now ? 0 : due - now);
}

/// Commits what is settled and was not asked for yet. `wait`: until the broker has answered.
void Source::commit_settled(bool wait) {
  std::vector<Partition> next;
  for (auto& [slot, assigned] : assigned_) {
    if (assigned.place.next() <= assigned.committed) continue;
    assigned.committed = assigned.place.next();
    next.push_back({assigned.partition.topic, assigned.partition.number, assigned.committed});
  }
  commit_at_ms_ = now_ms() + count(options_.commit_interval);
  if (!next.empty()) {
    if (const auto failure = consumer_->commit(next)) {
      ++commits_under_way_;
      committed(&*failure);
    } else {
      ++commits_under_way_;
    }
  }
  const auto end = std::chrono::steady_clock::now() + kFarewellMax;
  while (wait && commits_under_way_ > 0 && std::chrono::steady_clock::now() < end) {
    if (consumer_->serve()) continue;
    pollfd waiting{.fd = consumer_->notices_fd(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 50) > 0) consumer_->clear_notices_signal();
  }
}

/// Partitions that another member is to have: as soon as nothing of them is under way, or time is up.
void Source::give_back_when_ready() {
  if (!giving_back_) return;
  const bool busy = std::any_of(assigned_.begin(), assigned_.end(),
                                [](const auto& each) { return each.second.leaving && each.second.place.under_way(); });
  if (busy && now_ms() < give_back_by_ms_) return;
  if (!assigned_.empty() && !away_) commit_settled(true);
  std::erase_if(assigned_, [](const auto& each) { return each.second.leaving; });
  giving_back_ = false;
  consumer_->unassign();
}

/// Its partition waits: later messages may not overtake the one that failed, nor pile up behind it.
void Source::fail(Assigned& assigned) {
  if (assigned.again_at_ms != 0) return;
  assigned.again_after = assigned.again_after.count() == 0
                             ? options_.redeliver_after
                             : std::min(assigned.again_after * 2, options_.redeliver_after_max);
  assigned.again_at_ms = now_ms() + count(assigned.again_after);
  consumer_->pause(assigned.partition);
}

void Source::read_failed_again() {
  for (auto& [slot, assigned] : assigned_) {
    if (assigned.place.lost() > assigned.lost) {
      host_.log(SLUICE_LOG_ERROR, assigned.partition.topic + "/" + std::to_string(assigned.partition.number) + ": " +
                                      std::to_string(assigned.place.lost() - assigned.lost) +
                                      " messages were deleted by the broker before they could be delivered");
      assigned.lost = assigned.place.lost();
    }
    if (assigned.again_at_ms == 0 || now_ms() < assigned.again_at_ms || stopping_ || assigned.leaving) continue;
    assigned.again_at_ms = 0;
    assigned.place.reads_again();
    assigned.read_to = assigned.place.lowest_failed();
    consumer_->go_back({assigned.partition.topic, assigned.partition.number, assigned.read_to});
    assigned.skips_fetched = true;
    assigned.reached = assigned.place.lowest_failed();
  }
}

/// While no broker answers: are they back? And after a trouble: are they gone? The library counts its connections to
/// say _ALL_BROKERS_DOWN; when the group's coordinator goes with the last broker the count may never meet, and it stays
/// silent.
void Source::look_around() {
  if ((!away_ && !doubted_) || now_ms() < look_at_ms_) return;
  const bool was_away = std::exchange(away_, false);
  doubted_ = false;
  Failure why;
  away_ = consumer_->reach({}, std::min(kLookMax, options_.patience), why) == Reach::away;
  look_at_ms_ = now_ms() + count(kLookEvery);
  if (away_ && last_trouble_.empty()) last_trouble_ = explained(why, options_.servers);
  if (away_ || !was_away) return;
  last_trouble_.clear();
  host_.log(SLUICE_LOG_INFO, "connected to " + options_.servers);
  host_.wake();
}

void Source::show_figures() {
  if (now_ms() < figures_at_ms_) return;
  figures_at_ms_ = now_ms() + count(kFiguresEvery);
  std::uint64_t unsettled = 0;
  for (const auto& [slot, assigned] : assigned_) {
    unsettled += assigned.place.unsettled();
    const std::int64_t end = consumer_->end_of(assigned.partition);
    const std::int64_t oldest = assigned.place.oldest();
    if (end < 0 || oldest < 0) continue;  // not known yet
    sluice::set(assigned.lag, static_cast<double>(std::max<std::int64_t>(0, end - oldest)));
  }
  sluice::set(unsettled_, static_cast<double>(unsettled));
}

/// The library gave this client up (it was fenced out of its group, …): a new one begins where the commits ended.
void Source::renew() {
  host_.log(SLUICE_LOG_WARN, "the client has to be made again: " + broken_why_);
  broken_why_.clear();
  fetched_ = {};
  assigned_.clear();
  giving_back_ = false;
  commits_under_way_ = 0;
  consumer_.reset();
  consumer_.reset(new Consumer(options_.properties, options_.topics, *this));
}

void Source::probe(milliseconds timeout) {
  Failure why;
  const Reach found = look(options_.properties, {}, std::min(timeout, options_.patience), why);
  if (found == Reach::away) throw sluice::Away(explained(why, options_.servers));
}

/// Takes nothing more in; settle() and poll() still come, and the last commit is made when the node is destroyed.
void Source::stop(milliseconds) {
  stopping_ = true;
  fetched_ = {};
}

}  // namespace kafka
