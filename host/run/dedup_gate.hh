// What a source lane does about duplicates: events whose key is known go no further, a copy of one that is under way
// waits for it and shares its end, and the source is told of a delivered record only when its keys are recorded.
//
//   decoded ─▶ sift ─┬─ known key ──────────▶ dropped, "duplicate"
//                    ├─ key under way ──────▶ joined: told what the first one is told
//                    └─ new ────────────────▶ consumers, backends … decided ─▶ key recorded ─▶ told
//
// Owned by the source lane; all of it runs on that lane's thread.
#pragma once

#include "core/block.hh"
#include "core/config.hh"
#include "core/data_field.hh"
#include "core/dedup_keys.hh"
#include "core/stats.hh"
#include "core/uuid.hh"
#include "run/dedup_lane.hh"

#include <deque>
#include <optional>
#include <span>
#include <vector>

namespace sluice {

class DedupGate {
 public:
  /// `store` may be null: then the keys are kept here only.
  DedupGate(const DedupPolicy& policy, Ledger& ledger, NodeStats& stats, DedupLane* store);

  /// A key that was recorded before this process began.
  void know(const KeyHash& key, std::int64_t unix_ms) { known_.add(key, unix_ms); }

  /// False while too many delivered keys wait for their store.
  [[nodiscard]] bool has_room() const noexcept { return unrecorded_ < limits::kDedupUnrecorded; }
  /// Looks at the pull in the block. True: go on with sift(). False: a shared store is asked; call answered() later.
  [[nodiscard]] bool ask(const Block& block, std::int64_t now_ms);
  [[nodiscard]] bool answered();
  /// The pull is given up before it was sifted.
  void forget();
  /// Takes duplicates and copies out of the pull. `event_record`: the record of each of its events; shrinks with it.
  void sift(PageId page, Block& block, std::vector<std::uint32_t>& event_record, std::int64_t now_ms);

  /// Records what was delivered, and releases what is recorded. Before the ledger's settlements are taken.
  void work(std::int64_t now_ms);
  /// The end: what is not recorded by now is released as it is. Returns how many keys stay unrecorded.
  std::uint64_t give_up();
  [[nodiscard]] bool waits_for_store() const noexcept { return !batches_.empty(); }

 private:
  struct Keyed {  // the first event of a key that is under way
    std::uint32_t record = 0;
    std::uint32_t origin = 0;
    KeyHash key;
    KeyHash owner;  // of the claim; empty: there is none
  };
  /// What an event is known by. With an owner its key is `once`'s, and claimed at a shared store.
  struct EventKey {
    std::optional<KeyHash> key;
    KeyHash owner;
    std::uint32_t asked = kNotAsked;  // its place in asked_
  };
  static constexpr std::uint32_t kNotAsked = ~std::uint32_t{0};
  struct Batch {  // decided records whose keys are on their way into the store
    std::vector<DecidedRecord> records;
    std::vector<KeyHash> keys;
  };

  struct PageKeys {
    PageId page = 0;
    std::vector<Keyed> events;  // in the order of their records
  };

  [[nodiscard]] EventKey key_of(const sluice_event& event);
  [[nodiscard]] bool is_elsewhere(const EventKey& key) const noexcept;
  void end_claims(const DecidedRecord& record);
  [[nodiscard]] std::span<const Keyed> keyed_of(PageId page, std::uint32_t record) const;
  void decide(const DecidedRecord& record, std::int64_t now_ms);
  [[nodiscard]] bool to_be_recorded(const DecidedRecord& record, const Keyed& event) const;
  void conclude(const DecidedRecord& record);
  void batch_recorded(std::int64_t now_ms);

  Ledger& ledger_;
  NodeStats& stats_;
  DedupLane* store_;
  const bool shared_;
  NameHash hash_;
  std::optional<DataKey> business_key_, once_key_;
  std::optional<Filter> once_;
  const bool only_once_;
  std::string key_space_, once_space_;
  KnownKeys known_;
  KeysInFlight in_flight_;
  std::vector<EventKey> keys_;         // of the pull in hand, by event
  std::vector<AskedKey> asked_;        // the unknown ones among them
  std::vector<std::uint8_t> present_;  // the store's answer, beside asked_
  std::vector<PageKeys> keyed_;        // by the page's slot
  std::vector<DecidedRecord> decided_;
  std::vector<EventPlace> copies_;
  Batch gathering_;
  std::deque<Batch> batches_;
  std::vector<Batch> idle_batches_;
  std::uint64_t batches_done_ = 0;
  std::uint64_t unrecorded_ = 0;  // keys
};

}  // namespace sluice
