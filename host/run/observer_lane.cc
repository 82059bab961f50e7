#include "run/observer_lane.hh"

#include "core/backoff.hh"

#include <algorithm>

namespace sluice {

ObserverLane::ObserverLane(std::string name, ConsumerNode& node, LaneWorld world, NodeStats& stats, QueueBounds bounds)
    : DeliveryLane(std::move(name), node, world, stats, bounds), observer_(&node) {
  node.attach(this);
}

void ObserverLane::push(Run&& run) {
  if (accept(run)) {
    Lane::wake();
  } else {
    tell(run, Outcome::retry, "not shown before the host stopped");
    credit.give_back(run.count, run.bytes);  // the lane has finished
  }
}

bool ObserverLane::accept(Run& run) {
  const std::lock_guard lock(inbox_mutex_);
  if (closed_) return false;
  inbox_.push_back(std::move(run));
  return true;
}

void ObserverLane::request_finish() noexcept {
  finish_.store(true, std::memory_order_release);
  Lane::wake();
}

void ObserverLane::set_running() noexcept {
  set_state(far_side_away_.load(std::memory_order_relaxed) ? NodeState::away : NodeState::running);
}

/// The lane's own changes of state win: it sets what it finds here after each of them.
void ObserverLane::report(sluice_status status, std::string_view reason) noexcept {
  const bool is_away = status == SLUICE_AWAY;
  try {
    if (is_away) stats_.set_error(reason, world_.clock.unix_ns());
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory, for a line of text
  }
  far_side_away_.store(is_away, std::memory_order_relaxed);
  NodeState from = is_away ? NodeState::running : NodeState::away;
  (void)stats_.state.compare_exchange_strong(from, is_away ? NodeState::away : NodeState::running,
                                             std::memory_order_relaxed);
}

void ObserverLane::try_start(std::uint64_t now_ns) {
  if (now_ns < away_until_ns_) return;
  const Status status = node_->start(limits::kStartTimeout);
  if (status.ok()) {
    started_ = true;
    set_running();
    return;
  }
  Random random(world_.seed ^ now_ns);
  stats_.set_error(status.text, world_.clock.unix_ns());
  if (++away_failures_ == 1) say(Level::warn, "Observer is away", {{"reason", status.text, false}});
  set_state(NodeState::away);
  away_until_ns_ = now_ns + static_cast<std::uint64_t>(away_delay(away_failures_, random).count()) * 1'000'000;
}

/// A durable queue forgets what was shown, and keeps the rest.
void ObserverLane::tell(const Run& run, Outcome outcome, std::string_view reason) {
  if (run.sink == nullptr) return;
  std::vector<Completion> completions;
  for (std::uint32_t i = 0; i < run.count;) {
    const std::uint32_t from = i++;
    while (i < run.count && run.events[i].origin == run.events[i - 1].origin + 1) ++i;
    completions.push_back({run.page, run.events[from].origin, i - from, outcome, 0, std::string(reason)});
  }
  run.sink->settled(std::move(completions));
}

/// What was under way when the last process ended comes one by one, so that it shows which event it is.
void ObserverLane::take_in(Run&& run) {
  const auto number = [&](std::uint32_t i) { return run.page + run.events[i].origin; };
  if (under_way_ == nullptr || run.sink == nullptr || run.count < 2 ||
      !under_way_->suspects_any(number(0), number(run.count - 1) + 1)) {
    queue_.push_back(std::move(run));
    return;
  }
  std::uint64_t left = run.bytes;
  for (std::uint32_t i = 0; i < run.count; ++i) {
    Run one = run;
    one.events = run.events + i;
    one.count = 1;
    one.bytes = i + 1 == run.count ? left : std::min<std::uint64_t>(left, run.events[i].json.len);
    left -= one.bytes;
    queue_.push_back(std::move(one));
  }
}

/// False when the observer's far side is away: the same run comes again later.
bool ObserverLane::show(Run& run, bool finishing) {
  if (run.sink != nullptr && (broken_ || !started_)) {  // at the end, and never started: they are kept
    tell(run, Outcome::retry, "the observer is not there");
    credit.give_back(run.count, run.bytes);
    return true;
  }
  if (again_ns_ == 0) {
    for (const sluice_event& event : run.view()) stats_.by_type[type_id(event)].in.add();
  }
  if (!broken_) {
    const std::uint32_t flags = run.sink != nullptr ? SLUICE_KEPT : 0;
    const sluice_batch batch{sizeof(sluice_batch), run.count, sizeof(sluice_event), flags, run.events, 0};
    std::string error;
    const bool watched = under_way_ != nullptr && run.sink != nullptr;
    if (watched) {
      const std::uint64_t first = run.page + run.events[0].origin;
      under_way_->begin(first, run.page + run.events[run.count - 1].origin + 1 - first);
    }
    const sluice_status status = observer_->process(batch, nullptr, nullptr, error);
    if (watched && status == SLUICE_OK) under_way_->taken();
    if (watched && status == SLUICE_AWAY) under_way_->count.store(0, std::memory_order_release);
    if (status == SLUICE_AWAY && !finishing) {
      if (again_ns_ == 0) {
        set_state(NodeState::away);
        stats_.set_error(error, world_.clock.unix_ns());
      }
      again_ns_ = now() + kAgainNs;
      return false;
    }
    if (again_ns_ != 0) set_running();
    again_ns_ = 0;
    if (status == SLUICE_AWAY) {  // at the end: kept for the next run, or lost like what did not fit
      tell(run, Outcome::retry, "not taken before the host stopped");
      if (run.sink == nullptr) stats_.dropped_full.add_shared(run.count);
    } else if (status == SLUICE_OK) {
      for (const sluice_event& event : run.view()) stats_.by_type[type_id(event)].out.add();
      tell(run, Outcome::delivered, {});
    } else {
      tell(run, Outcome::retry, error);
      broken_ = true;
      set_state(NodeState::broken);
      stats_.set_error(error, world_.clock.unix_ns());
      say(Level::error, "Observer failed and is stopped; delivery goes on without it", {{"reason", error, false}});
    }
  }
  credit.give_back(run.count, run.bytes);
  return true;
}

void ObserverLane::step(std::chrono::milliseconds max_rest) {
  waker_.clear();
  const std::uint64_t now_ns = now();
  const bool finishing = finish_.load(std::memory_order_acquire);
  {
    const std::lock_guard lock(inbox_mutex_);
    for (Run& run : inbox_) take_in(std::move(run));
    inbox_.clear();
    closed_ = finishing;
  }
  if (!finishing && (swap_ != nullptr || swap_door_.asked())) [[unlikely]]
    swap_round(now_ns);
  const bool paused = swap_ != nullptr && !finishing;
  if (!started_ && !broken_ && !paused) try_start(now_ns);
  bool progress = false;
  if (!paused && (started_ || broken_ || finishing) && (finishing || now_ns >= again_ns_)) {
    for (int round = 0; !queue_.empty() && (round < 16 || finishing); ++round) {
      if (!show(queue_.front(), finishing)) break;
      progress = true;
      queue_.pop_front();
    }
  }
  std::uint64_t until = now_ns + 60'000'000'000;
  if (again_ns_ != 0) until = std::min(until, again_ns_);
  if (!started_ && !paused) until = std::min(until, std::max(away_until_ns_, now_ns));
  if (observer_->ticks() && !broken_ && !paused && (progress || now_ns >= next_tick_ns_)) {
    const std::uint32_t again_ms = observer_->tick(now_ns, nullptr);
    next_tick_ns_ = again_ms == 0 ? kNever : now_ns + std::uint64_t{again_ms} * 1'000'000;
  }
  if (observer_->ticks() && !paused) until = std::min(until, next_tick_ns_);
  const auto [events, bytes] = credit.used();
  stats_.queue_events.set(events);
  stats_.queue_bytes.set(bytes);
  if (finishing) {
    if (!unusable_) (void)node_->stop(limits::kStartTimeout);
    if (!broken_) set_state(NodeState::stopped);
    finished_.store(true, std::memory_order_release);
    return;
  }
  if (unusable_) {
    rest_alone(max_rest);
  } else {
    const bool more = !paused && !queue_.empty() && again_ns_ == 0;
    (void)rest(now_ns, progress || more ? now_ns : until, max_rest, 0);
  }
}

}  // namespace sluice
