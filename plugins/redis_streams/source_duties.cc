// What the source does beside reading: acknowledge, look for pending entries that nobody works at, keep its own fresh,
// watch the group's numbers. All of it on a connection that is never held.
#include "answer.hh"
#include "source.hh"

#include <algorithm>

#include <poll.h>

namespace redis_streams {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kPage = 100;       // pending entries looked at together
constexpr std::size_t kKeepIdsMax = 1000;  // in one command
constexpr std::uint32_t kAcksMin = 256;
constexpr std::uint64_t kAckWaitMs = 5;
constexpr std::uint64_t kFactsEveryMs = 5'000;
constexpr std::uint64_t kScanEveryMin = 200, kScanEveryMax = 60'000;  // ms
constexpr std::size_t kLeftAloneMax = 1000;                           // reported by id; more are only counted
constexpr milliseconds kLastAcksMax{2'000};  // for acknowledgements that are owed when the node is destroyed
constexpr int kIdleFrom = 6'002;             // servers that know XPENDING … IDLE

std::string number(std::uint64_t value) { return std::to_string(value); }

std::uint64_t earlier(std::uint64_t one, std::uint64_t other) noexcept {
  if (one == 0) return other;
  return other == 0 ? one : std::min(one, other);
}

}  // namespace

void Source::ask(const std::string& command, Asked what) {
  if (!connected()) return;
  if (asked_.empty()) duty_progress_ms_ = now_ms();
  asked_.push_back(what);
  if (!duty_->append(command)) lost(duty_->error());
}

/// While more is on its way, a few milliseconds make one command of many.
bool Source::acks_can_wait() const noexcept {
  return acks_.waiting() < kAcksMin && flights_.size() > kAcksMin && !stopped_ && now_ms() < acks_sent_ms_ + kAckWaitMs;
}

void Source::send() {
  if (acks_.any_unsent() && !acks_can_wait()) {
    acks_sent_ms_ = now_ms();
    std::size_t answers = 0;
    const std::string_view commands = acks_.unsent(answers);
    if (asked_.empty()) duty_progress_ms_ = now_ms();
    asked_.insert(asked_.end(), answers, Asked::ack);
    if (!duty_->append(commands)) return lost(duty_->error());
  }
  if (duty_->wants_write() && !duty_->write()) return lost(duty_->error());
  if (reader_ != nullptr && reader_->wants_write() && !reader_->write()) lost(reader_->error());
}

/// What this process has already, in the host or on its way there, in order.
std::vector<StreamId> Source::here() const {
  std::vector<StreamId> all = flights_.ids();
  const std::vector<StreamId> waiting = answer_.buffer.ids();
  all.insert(all.end(), waiting.begin(), waiting.end());
  std::ranges::sort(all);
  return all;
}

void Source::look_after_duties() {
  const std::uint64_t now = now_ms();
  const auto due = [now](std::uint64_t when) { return when != 0 && now >= when; };
  if (!stopped_ && scan_.step == Scan::Step::none) {
    if (due(own_scan_ms_)) {
      own_scan_ms_ = 0;
      begin_scan(true, 0);
    } else if (due(others_scan_ms_) && options_.claim_idle.count() > 0) {
      const auto idle_ms = static_cast<std::uint64_t>(options_.claim_idle.count());
      others_scan_ms_ = now + std::clamp(idle_ms / 2, kScanEveryMin, kScanEveryMax);
      begin_scan(false, idle_ms);
    }
  } else if (!stopped_ && scan_.step == Scan::Step::list && scan_.answers_left == 0) {
    list_pending();
  }
  if (due(keep_ms_) && options_.claim_idle.count() > 0) keep_fresh();
  if (due(facts_ms_) && connected()) {
    facts_ms_ = now + kFactsEveryMs;
    ask(command({"XINFO", "STREAM", options_.stream}), Asked::stream);
    ask(command({"XINFO", "GROUPS", options_.stream}), Asked::group);
  }
}

// ---- pending entries ----

void Source::begin_scan(bool own, std::uint64_t idle_ms_min) {
  scan_ = {.step = Scan::Step::list, .own = own, .idle_ms_min = idle_ms_min};
  list_pending();
}

/// The next page, as soon as there is room for all of it.
void Source::list_pending() {
  const std::uint32_t page = std::min(kPage, std::max(1u, options_.in_flight_max / 2));
  if (places() < page) return;
  const std::string from = scan_.cursor == StreamId{} ? "-" : scan_.cursor.text();
  std::string parts = words({"XPENDING", options_.stream, options_.group});
  std::size_t count = 6;
  if (scan_.idle_ms_min > 0 && version_ >= kIdleFrom) {
    parts += words({"IDLE", number(scan_.idle_ms_min)});
    count += 2;
  }
  parts += words({from, "+", number(page)});
  if (scan_.own) {
    append_word(parts, options_.consumer);
    ++count;
  }
  scan_.answers_left = 1;
  ask(list_head(count) + parts, Asked::pending);
}

void Source::found_pending(const Reply& reply) {
  const std::vector<Pending> page = pending_of(reply);
  scan_.answers_left = 0;
  scan_.last_page = page.empty();
  if (page.empty()) return end_scan();
  scan_.cursor = page.back().id.next();
  Choice choice =
      choose(page, here(), options_.consumer,
             {.own = scan_.own, .idle_ms_min = scan_.idle_ms_min, .deliveries_max = options_.deliveries_max});
  for (const Pending& one : choice.worn_out) leave_alone(one);
  if (choice.claim.empty()) return next_page();
  scan_.wanted = std::move(choice.claim);
  scan_.step = Scan::Step::claim;
  // Whoever got one of the others in the meantime keeps it: it is not idle any more.
  std::string parts = words({"XCLAIM", options_.stream, options_.group, options_.consumer, number(scan_.idle_ms_min)});
  for (const StreamId& id : scan_.wanted) append_word(parts, id.text());
  ask(list_head(5 + scan_.wanted.size()) + parts, Asked::claim);
}

void Source::found_claimed(const Reply& reply) {
  std::uint64_t came = 0, strange = 0;
  for (const Reply& entry : reply.list) {
    if (entry.list.size() < 2) continue;  // servers before 7.0 name deleted entries with a nil
    const StreamId id = parse_id(entry.list[0].text);
    std::vector<std::string> fields;
    for (const Reply& part : entry.list[1].list) fields.push_back(part.text);
    const auto [event, found] = event_of(fields, options_.field);
    std::erase(scan_.wanted, id);
    answer_.buffer.add(id, event);
    ++came;
    if (!found) ++strange;
  }
  scan_.found += came;
  sluice::add(scan_.own ? cells_.redelivered : cells_.claimed, came);
  if (strange > 0) sluice::add(cells_.strange, strange);
  if (scan_.wanted.empty()) return next_page();
  // Deleted, or another consumer's by now: the stream knows.
  scan_.step = Scan::Step::look;
  scan_.answers_left = scan_.wanted.size();
  for (const StreamId& id : std::vector<StreamId>(scan_.wanted)) {
    const std::string text = id.text();
    ask(command({"XRANGE", options_.stream, text, text}), Asked::look);
  }
}

void Source::looked(const Reply& reply) {
  if (scan_.answers_left == 0) return;
  const StreamId id = scan_.wanted[scan_.wanted.size() - scan_.answers_left];
  if (reply.list.empty()) {
    acks_.add(id);  // takes it off the pending list where claiming did not
    sluice::add(cells_.trimmed);
    host_.log(SLUICE_LOG_ERROR, "entry " + id.text() +
                                    " was deleted from the stream before it was settled (trimmed by MAXLEN or MINID?): "
                                    "its event is lost");
  }
  if (--scan_.answers_left == 0) next_page();
}

void Source::next_page() {
  scan_.wanted.clear();
  scan_.answers_left = 0;
  scan_.step = Scan::Step::list;
  list_pending();
}

void Source::end_scan() {
  if (scan_.found > 0) {
    host_.log(SLUICE_LOG_INFO, scan_.own
                                   ? number(scan_.found) + " pending entries of this consumer are handed over again"
                                   : number(scan_.found) + " entries taken over from consumers that were idle for " +
                                         number(scan_.idle_ms_min) + " ms");
  }
  if (scan_.own) recovered_ = true;
  scan_ = {};
}

void Source::leave_alone(const Pending& one) {
  if (left_alone_.size() >= kLeftAloneMax || !left_alone_.insert(one.id).second) return;
  sluice::set(cells_.left_alone, static_cast<double>(left_alone_.size()));
  host_.log(SLUICE_LOG_ERROR, "entry " + one.id.text() + " was delivered " + number(one.deliveries) +
                                  " times and never acknowledged, last by '" + one.consumer +
                                  "': left alone (max_deliveries); it stays pending in the group");
}

/// Others take over what is idle: what is at work here must not look so.
void Source::keep_fresh() {
  keep_ms_ = now_ms() + static_cast<std::uint64_t>(options_.claim_idle.count()) / 3;
  const std::vector<StreamId> all = here();
  for (std::size_t at = 0; at < all.size() && connected(); at += kKeepIdsMax) {
    const std::size_t end = std::min(all.size(), at + kKeepIdsMax);
    std::string parts = words({"XCLAIM", options_.stream, options_.group, options_.consumer, "0"});
    for (std::size_t i = at; i < end; ++i) append_word(parts, all[i].text());
    append_word(parts, "JUSTID");
    ask(list_head(6 + end - at) + parts, Asked::keep);
  }
}

// ---- the group's numbers ----

void Source::found_group(const Reply& reply) {
  const GroupFacts facts = group_facts(stream_reply_, reply, options_.group);
  stream_reply_ = {};
  sluice::set(cells_.stream_exists, facts.stream_exists ? 1 : 0);
  sluice::set(cells_.group_exists, facts.group_exists ? 1 : 0);
  sluice::set(cells_.pending, static_cast<double>(facts.pending));
  if (!facts.group_exists) return lost("the group '" + options_.group + "' is gone");
  if (const auto all = facts.lost_unread()) {
    if (lost_known_ && *all > lost_unread_) {
      const std::uint64_t now_lost = *all - lost_unread_;
      sluice::add(cells_.trimmed_unread, now_lost);
      host_.log(SLUICE_LOG_ERROR,
                number(now_lost) +
                    " entries were trimmed from the stream before the group read them: their events are "
                    "lost; give the stream a greater MAXLEN, or read faster");
    }
    lost_known_ = true;
    lost_unread_ = std::max(lost_unread_, *all);
  }
  if (facts.last_delivered >= facts.last_generated)
    sluice::set(cells_.lag, 0);
  else if (facts.behind_the_trim())
    sluice::set(cells_.lag, static_cast<double>(facts.length));
  else if (facts.lag)
    sluice::set(cells_.lag, static_cast<double>(*facts.lag > lost_unread_ ? *facts.lag - lost_unread_ : 0));
}

// ---- answers ----

void Source::read_duties() {
  replies_.clear();
  if (!duty_->read_replies(replies_)) return lost(duty_->error());
  for (const Reply& reply : replies_) {
    if (!connected()) return;  // the answer before ended the connection
    answered(reply);
  }
}

void Source::answered(const Reply& reply) {
  if (asked_.empty()) return lost("an answer to nothing");
  const Asked what = asked_.front();
  asked_.pop_front();
  duty_progress_ms_ = now_ms();
  const bool only_a_question = what == Asked::stream || what == Asked::group;
  if (reply.kind == Reply::Kind::error && !(only_a_question && reply.text.starts_with("ERR no such key"))) {
    return lost(meaning_of(reply.text, options_.stream).reason);
  }
  switch (what) {
    case Asked::ack:
      return acks_.answered();
    case Asked::pending:
      return found_pending(reply);
    case Asked::claim:
      return found_claimed(reply);
    case Asked::look:
      return looked(reply);
    case Asked::keep:
      return;
    case Asked::stream:
      stream_reply_ = reply;
      return;
    case Asked::group:
      return found_group(reply);
  }
}

milliseconds Source::until_next_duty() const noexcept {
  const std::uint64_t now = now_ms();
  std::uint64_t when = facts_ms_;
  if (options_.claim_idle.count() > 0) when = earlier(when, keep_ms_);
  if (!stopped_ && scan_.step == Scan::Step::none) {
    when = earlier(when, own_scan_ms_);
    if (options_.claim_idle.count() > 0) when = earlier(when, others_scan_ms_);
  }
  if (acks_.waiting() > 0) when = earlier(when, acks_sent_ms_ + kAckWaitMs);
  if (!asked_.empty()) when = earlier(when, duty_progress_ms_ + static_cast<std::uint64_t>(options_.timeout.count()));
  return milliseconds(when == 0 ? 60'000 : when <= now ? 0 : when - now);
}

bool Source::overdue() const noexcept {
  const auto patience = static_cast<std::uint64_t>(options_.timeout.count());
  const std::uint64_t now = now_ms();
  if (!asked_.empty() && now >= duty_progress_ms_ + patience) return true;
  return reading_ && now >= read_sent_ms_ + patience + static_cast<std::uint64_t>(options_.poll_interval.count());
}

/// The host settles the last records just before it destroys the node: what is not acknowledged would come again.
void Source::finish_acks() {
  try {
    const std::uint64_t end = now_ms() + static_cast<std::uint64_t>(std::min(options_.timeout, kLastAcksMax).count());
    const auto deadline = std::chrono::steady_clock::now() + std::min(options_.timeout, kLastAcksMax);
    while (connected() && !acks_.none() && now_ms() < end && std::chrono::steady_clock::now() < deadline) {
      send();
      if (!connected()) return;
      pollfd waiting{duty_->fd(), static_cast<short>(POLLIN | (duty_->wants_write() ? POLLOUT : 0)), 0};
      if (::poll(&waiting, 1, 50) > 0 && (waiting.revents & ~POLLOUT) != 0) read_duties();
    }
  } catch (const std::exception& failed) {
    host_.log(SLUICE_LOG_WARN, std::string("acknowledging at the end: ") + failed.what());
  }
}

}  // namespace redis_streams
