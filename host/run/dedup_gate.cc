#include "run/dedup_gate.hh"

#include "core/assert.hh"

#include <sluice/cpp/event_view.hh>

#include <algorithm>

namespace sluice {

namespace {
constexpr std::size_t kExpireSteps = 1024;  // keys forgotten in one pull at most

std::string join(const std::vector<std::string>& pointers) {
  std::string all;
  for (const std::string& pointer : pointers) all += pointer + '\n';
  return all;
}
}  // namespace

DedupGate::DedupGate(const DedupPolicy& policy, Ledger& ledger, NodeStats& stats, DedupLane* store)
    : ledger_(ledger),
      stats_(stats),
      store_(store),
      shared_(store != nullptr && store->store().shared()),
      only_once_(policy.only_once),
      key_space_(join(policy.key)),
      known_(policy.ttl.count(), policy.max_keys) {
  if (!policy.key.empty()) business_key_.emplace(policy.key);
  if (policy.once) {
    once_ = policy.once->which;
    once_key_.emplace(std::vector{policy.once->key});
    once_space_ = once_key_space(policy.once->key);
  }
  ledger_.withhold();
}

DedupGate::EventKey DedupGate::key_of(const sluice_event& event) {
  const EventView seen(event);
  if (once_ && once_->matches(event)) {
    const std::string_view value = once_key_->of(event);
    if (!value.empty()) {
      const KeyHash key = hash_.key(once_space_, value);
      // The claim is the event's, not the host's: whoever is given it again after a crash goes on.
      return {key, hash_.key(seen.source(), seen.id())};
    }
  }
  if (only_once_) return {};
  if (!business_key_) return {hash_.key(seen.source(), seen.id()), {}};
  const std::string_view value = business_key_->of(event);
  if (value.empty()) return {};
  return {hash_.key(key_space_, value), {}};
}

/// The first events of keys that the record holds. A page that was never sifted has none, whoever had its slot before.
std::span<const DedupGate::Keyed> DedupGate::keyed_of(PageId page, std::uint32_t record) const {
  const std::size_t slot = page_slot(page);
  if (slot >= keyed_.size() || keyed_[slot].page != page) return {};
  const std::vector<Keyed>& events = keyed_[slot].events;
  const auto first = std::lower_bound(events.begin(), events.end(), record,
                                      [](const Keyed& keyed, std::uint32_t wanted) { return keyed.record < wanted; });
  const auto last = std::find_if(first, events.end(), [&](const Keyed& keyed) { return keyed.record != record; });
  return {first, last};
}

// ---- in ----

bool DedupGate::ask(const Block& block, std::int64_t now_ms) {
  known_.expire(now_ms, kExpireSteps);
  keys_.clear();
  asked_.clear();
  present_.clear();
  for (const sluice_event& event : block.pulled) {
    EventKey& at = keys_.emplace_back(key_of(event));
    if (!shared_ || !at.key || known_.contains(*at.key, now_ms)) continue;
    // What is under way here may have ended when the answer comes, so a claim is asked for all the same.
    if (at.owner == KeyHash{} && in_flight_.find(*at.key) != nullptr) continue;
    at.asked = static_cast<std::uint32_t>(asked_.size());
    asked_.push_back({*at.key, at.owner});
  }
  if (asked_.empty()) return true;
  store_->ask(asked_);
  return false;
}

/// The store knows the key, or another event has the claim. Each event's own answer: of two with one key the one that
/// has the claim goes on.
bool DedupGate::is_elsewhere(const EventKey& key) const noexcept {
  return key.asked < present_.size() && present_[key.asked] != 0;
}

bool DedupGate::answered() { return store_->take_answer(present_); }

void DedupGate::forget() {
  if (store_ != nullptr) store_->forget_question();
}

void DedupGate::sift(PageId page, Block& block, std::vector<std::uint32_t>& event_record, std::int64_t now_ms) {
  const std::size_t slot = page_slot(page);
  if (slot >= keyed_.size()) keyed_.resize(slot + 1);
  keyed_[slot].page = page;
  std::vector<Keyed>& keyed = keyed_[slot].events;
  keyed.clear();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < block.pulled.size(); ++i) {
    const sluice_event& event = block.pulled[i];
    const std::uint32_t record = event_record[i];
    bool goes_on = true;
    const auto& key = keys_[i].key;
    if (!key) {
      if (!only_once_) stats_.without_key.add();
    } else if (const auto* first = in_flight_.find(*key); first != nullptr) {
      goes_on = false;
      if (first->place.page == page && first->record == record) {
        ledger_.leave_out(page, event.origin);  // twice in one record, which has one end
      } else {
        ledger_.owe(page, event.origin);
        in_flight_.join(*key, {page, event.origin});
      }
    } else if (known_.contains(*key, now_ms) || is_elsewhere(keys_[i])) {
      goes_on = false;
      ledger_.contribute(page, event.origin, Outcome::dropped, 0, "duplicate");
    } else {
      in_flight_.begin(*key, {page, event.origin}, record);
      keyed.push_back({record, event.origin, *key, keys_[i].owner});
    }
    if (goes_on) {
      block.pulled[kept] = event;
      event_record[kept++] = record;
    } else {
      stats_.duplicates_skipped.add();
    }
  }
  block.pulled.resize(kept);
  event_record.resize(kept);
}

// ---- out ----

void DedupGate::work(std::int64_t now_ms) {
  if (store_ != nullptr) {
    for (const std::uint64_t done = store_->recorded(); batches_done_ < done; ++batches_done_) batch_recorded(now_ms);
  }
  // A released record may decide others: the copies that waited for it.
  for (ledger_.take_decided(decided_); !decided_.empty(); ledger_.take_decided(decided_)) {
    for (const DecidedRecord& record : decided_) decide(record, now_ms);
  }
  if (!gathering_.records.empty()) {
    unrecorded_ += gathering_.keys.size();
    store_->record(gathering_.keys);
    batches_.push_back(std::move(gathering_));
    gathering_ = {};
    if (!idle_batches_.empty()) {
      gathering_ = std::move(idle_batches_.back());
      idle_batches_.pop_back();
    }
  }
  stats_.keys_known.set(known_.size());
  stats_.keys_forgotten.set(known_.evicted());
}

/// A key is recorded when its event was delivered. What was derived from the event comes again only with it: as long as
/// that has to be tried again, the event must not be called a duplicate.
bool DedupGate::to_be_recorded(const DecidedRecord& record, const Keyed& event) const {
  if (record.has_derived && record.outcome == Outcome::retry) return false;
  return ledger_.outcome_of(record.page, event.origin).outcome == Outcome::delivered;
}

/// A claim ends when its event failed for good: another one may stand for the same then. What is offered again keeps
/// it.
void DedupGate::end_claims(const DecidedRecord& record) {
  for (const Keyed& event : keyed_of(record.page, record.record)) {
    if (event.owner == KeyHash{}) continue;
    if (ledger_.outcome_of(record.page, event.origin).outcome != Outcome::rejected) continue;
    store_->release({event.key, event.owner});
  }
}

void DedupGate::decide(const DecidedRecord& record, std::int64_t now_ms) {
  if (shared_ && once_) end_claims(record);
  const std::size_t before = gathering_.keys.size();
  for (const Keyed& event : keyed_of(record.page, record.record)) {
    if (!to_be_recorded(record, event)) continue;
    if (store_ == nullptr) {
      known_.add(event.key, now_ms);
    } else {
      gathering_.keys.push_back(event.key);
    }
  }
  if (gathering_.keys.size() == before) return conclude(record);
  gathering_.records.push_back(record);
}

/// The record's keys are recorded, or none of them is to be: copies hear what the first event came to, then the source.
void DedupGate::conclude(const DecidedRecord& record) {
  for (const Keyed& event : keyed_of(record.page, record.record)) {
    in_flight_.end(event.key, copies_);
    if (copies_.empty()) continue;
    const EventOutcome end = ledger_.outcome_of(record.page, event.origin);
    const std::string reason(end.reason);
    for (const EventPlace& copy : copies_) {
      const bool owed = ledger_.complete({copy.page, copy.origin, 1, end.outcome, end.code, reason});
      SLUICE_ASSERT(owed);
    }
  }
  ledger_.release(record.page, record.record);
}

void DedupGate::batch_recorded(std::int64_t now_ms) {
  Batch batch = std::move(batches_.front());
  batches_.pop_front();
  unrecorded_ -= batch.keys.size();
  for (const KeyHash& key : batch.keys) known_.add(key, now_ms);
  for (const DecidedRecord& record : batch.records) conclude(record);
  batch.records.clear();
  batch.keys.clear();
  idle_batches_.push_back(std::move(batch));
}

std::uint64_t DedupGate::give_up() {
  std::uint64_t keys = 0;
  do {
    while (!batches_.empty()) {
      Batch batch = std::move(batches_.front());
      batches_.pop_front();
      ++batches_done_;
      keys += batch.keys.size();
      for (const DecidedRecord& record : batch.records) conclude(record);
    }
    ledger_.take_decided(decided_);
    for (const DecidedRecord& record : decided_) conclude(record);
  } while (!batches_.empty() || !decided_.empty());
  unrecorded_ = 0;
  return keys;
}

}  // namespace sluice
