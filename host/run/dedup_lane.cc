#include "run/dedup_lane.hh"

namespace sluice {

namespace {
constexpr std::uint64_t kTidyEvery = 10'000'000'000;  // ns
}  // namespace

DedupLane::DedupLane(std::string name, KeyStoreNode& store, LaneWorld world, NodeStats& stats)
    : Lane(std::move(name), store, world, stats), store_(store), random_(world.seed) {
  node_->attach(this);
}

void DedupLane::set_started(bool started) noexcept {
  started_ = started;
  away_failures_ = started ? 0 : 1;
}

// ---- what the source says ----

void DedupLane::ask(const std::vector<AskedKey>& keys) {
  {
    const std::lock_guard lock(mutex_);
    question_.keys = keys;
    question_.state = Question::State::asked;
    ++question_.number;
    idle_.store(false, std::memory_order_release);
  }
  wake();
}

bool DedupLane::take_answer(std::vector<std::uint8_t>& present) {
  const std::lock_guard lock(mutex_);
  if (question_.state != Question::State::answered) return false;
  present.swap(question_.present);
  question_.state = Question::State::none;
  return true;
}

void DedupLane::forget_question() {
  const std::lock_guard lock(mutex_);
  question_.state = Question::State::none;
}

void DedupLane::record(const std::vector<KeyHash>& keys) {
  {
    const std::lock_guard lock(mutex_);
    to_record_.insert(to_record_.end(), keys.begin(), keys.end());
    ++batches_;
    idle_.store(false, std::memory_order_release);
  }
  wake();
}

void DedupLane::release(const AskedKey& claim) {
  {
    const std::lock_guard lock(mutex_);
    to_release_.push_back(claim);
    idle_.store(false, std::memory_order_release);
  }
  wake();
}

void DedupLane::request_finish() noexcept {
  finish_.store(true, std::memory_order_release);
  wake();
}

// ---- one round ----

void DedupLane::step(std::chrono::milliseconds max_rest) {
  waker_.clear();
  const std::uint64_t now_ns = now();
  if (finish_.load(std::memory_order_acquire)) {
    if (finished_.load(std::memory_order_relaxed)) return;
    (void)node_->stop(limits::kStartTimeout);
    set_state(NodeState::stopped);
    finished_.store(true, std::memory_order_release);
    return;
  }
  bool progress = false;
  if (now_ns >= away_until_ns_ && (started_ || try_start(now_ns))) {
    progress = write(now_ns);
    if (now_ns >= away_until_ns_) progress |= end_claims(now_ns);
    if (now_ns >= away_until_ns_) progress |= look_up(now_ns);
    if (!progress && now_ns >= away_until_ns_ && now_ns >= tidy_ns_) {
      progress = store_.tidy(world_.clock.unix_ns() / 1'000'000);
      if (!progress) tidy_ns_ = now_ns + kTidyEvery;
    }
  }
  bool waiting = writing_batches_ > 0 || !ending_.empty();
  {
    const std::lock_guard lock(mutex_);
    waiting = waiting || batches_ > 0 || !to_release_.empty() || question_.state == Question::State::asked;
    idle_.store(!waiting, std::memory_order_release);
  }
  stats_.queue_events.set(writing_.size());
  std::uint64_t until = started_ ? std::max(tidy_ns_, now_ns) : now_ns + kTidyEvery;
  if (waiting || !started_) until = std::min(until, std::max(away_until_ns_, now_ns));
  if (away_until_ns_ > now_ns) until = std::max(until, away_until_ns_);
  (void)rest(now_ns, progress ? now_ns : until, max_rest, 0);
}

bool DedupLane::try_start(std::uint64_t now_ns) {
  const Status status = node_->start(limits::kKeyStoreTimeout);
  if (!status.ok()) {
    went_away(now_ns, status);
    return false;
  }
  started_ = true;
  answered(now_ns);
  return true;
}

/// What came since the last write is written together: while a transaction runs the next one gathers.
bool DedupLane::write(std::uint64_t now_ns) {
  if (writing_batches_ == 0) {
    const std::lock_guard lock(mutex_);
    if (batches_ == 0) return false;
    writing_.swap(to_record_);
    writing_batches_ = std::exchange(batches_, 0);
  }
  const std::uint64_t asked_ns = now();
  const Status status = store_.record(writing_, world_.clock.unix_ns() / 1'000'000);
  if (!status.ok()) {
    went_away(now_ns, status);
    return false;
  }
  answered(asked_ns);
  stats_.records_in.add(writing_.size());
  writing_.clear();
  recorded_.fetch_add(std::exchange(writing_batches_, 0), std::memory_order_release);
  if (asker_ != nullptr) asker_->wake();
  return true;
}

bool DedupLane::end_claims(std::uint64_t now_ns) {
  if (ending_.empty()) {
    const std::lock_guard lock(mutex_);
    ending_.swap(to_release_);
  }
  if (ending_.empty()) return false;
  const Status status = store_.release(ending_);
  if (!status.ok()) {
    went_away(now_ns, status);
    return false;
  }
  ending_.clear();
  return true;
}

/// Claims come first: whoever delivered in between had the claim, and still has it.
Status DedupLane::ask_store() {
  found_.assign(looking_.size(), 0);
  keys_.clear();
  claims_.clear();
  for (const AskedKey& asked : looking_) {
    keys_.push_back(asked.key);
    if (asked.claims()) claims_.push_back(asked);
  }
  taken_.assign(claims_.size(), 0);
  if (!claims_.empty()) {
    if (Status status = store_.claim(claims_, taken_.data()); !status.ok()) return status;
  }
  Status status = store_.lookup(keys_, found_.data());
  std::size_t claim = 0;
  for (std::size_t i = 0; i < looking_.size(); ++i) {
    if (looking_[i].claims() && taken_[claim++] != 0) found_[i] = 1;
  }
  return status;
}

bool DedupLane::look_up(std::uint64_t now_ns) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (question_.state != Question::State::asked) return false;
    looking_ = question_.keys;
    number = question_.number;
  }
  const std::uint64_t asked_ns = now();
  const Status status = ask_store();
  if (!status.ok()) {
    went_away(now_ns, status);
    return false;
  }
  answered(asked_ns);
  {
    const std::lock_guard lock(mutex_);
    if (question_.state != Question::State::asked || question_.number != number) return true;
    question_.present = found_;
    question_.state = Question::State::answered;
  }
  if (asker_ != nullptr) asker_->wake();
  return true;
}

void DedupLane::answered(std::uint64_t asked_ns) {
  stats_.publish_ns.add(now() - asked_ns);
  if (away_failures_ > 0) {
    say(Level::info, "Key store is back", {{"failed_tries", std::to_string(away_failures_), true}});
    away_failures_ = 0;
  }
  set_state(NodeState::running);
}

/// Nothing is given up: delivered events wait to be told, and no more are pulled. Failing is treated as being away, and
/// shown, since there is nobody else who could take the keys.
void DedupLane::went_away(std::uint64_t now_ns, const Status& status) {
  if (++away_failures_ == 1) {
    stats_.away_periods.add();
    say(Level::warn, "Key store is away: its source waits", {{"reason", status.text, false}});
  }
  stats_.set_error(status.text, world_.clock.unix_ns());
  set_state(NodeState::away);
  away_until_ns_ = now_ns + as_ns(away_delay(away_failures_, random_));
}

}  // namespace sluice
