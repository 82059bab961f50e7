// What is outside the process in the simulation about keys, and what must hold there. It survives every crash.
#pragma once

#include "core/backoff.hh"
#include "core/uuid.hh"
#include "world.hh"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sluice::sim {

struct KeysPlan {
  bool dedup = true, stored = true, shared = false;
  bool ordering = false, keeps_order = false;
  std::uint32_t backends = 1;
  std::uint32_t records = 200;
  std::uint32_t max_attempts = 1'000'000;  // with ordering nothing is given up: that would be a hole
};

class KeysWorld {
 public:
  struct Record {
    std::string id, key;
    bool settled = false;
  };

  KeysWorld(const KeysPlan& plan, Random& random) : plan_(plan) {
    NameHash hash;
    for (std::size_t i = 0; i < plan.records; ++i) {
      const bool copy = i > 0 && random.below(4) == 0;
      if (copy) {
        const auto back = 1 + random.below(std::min<std::size_t>(i, random.below(2) == 0 ? 5 : 100));
        Record same = records_[i - back];
        same.settled = false;
        records_.push_back(same);
      } else {
        const std::string id = "e" + std::to_string(i);
        records_.push_back({id, "k" + std::to_string(random.below(6)), false});
        hash_of_[id] = hash.key("/s", id);
      }
    }
    delivered_.resize(plan.backends);
  }

  /// The source comes up: everything that it was not told "done" of, in its order.
  void restart() {
    waiting_.clear();
    for (std::size_t i = 0; i < records_.size(); ++i) {
      if (!records_[i].settled) waiting_.push_back(i);
    }
  }
  [[nodiscard]] std::optional<std::size_t> next() {
    if (waiting_.empty()) return {};
    const std::size_t tag = waiting_.front();
    waiting_.pop_front();
    return tag;
  }
  [[nodiscard]] const Record& record(std::size_t tag) const { return records_[tag]; }
  [[nodiscard]] bool all_settled() const {
    return std::ranges::all_of(records_, [](const Record& record) { return record.settled; });
  }

  void settled(std::size_t tag, std::uint32_t outcome) {
    Record& record = records_[tag];
    require(!record.settled, "record " + std::to_string(tag) + " was settled twice");
    if (outcome == SLUICE_NOT_DELIVERED) {
      waiting_.push_back(tag);
      return;
    }
    record.settled = true;
    for (const auto& has : delivered_) {
      require(has.contains(record.id), record.id + " is called done, but a backend does not have it");
    }
    if (plan_.dedup && plan_.stored) {
      require(recorded(record.id), record.id + " is called done, but its key is not recorded");
    }
  }

  /// A backend's plugin is offered the event and takes it.
  void handed_over(const std::string& id) {
    if (plan_.dedup && plan_.stored) {
      require(!recorded(id), id + " was delivered and recorded, and is handed over once more");
    }
  }
  void delivered(std::size_t backend, const std::string& id) {
    if (plan_.ordering) {
      const std::size_t place = place_of(id);
      for (std::size_t i = 0; i < place; ++i) {
        if (records_[i].key != records_[place].key) continue;
        require(delivered_[backend].contains(records_[i].id),
                id + " came before " + records_[i].id + ", which has the same key and was pulled earlier");
      }
    }
    delivered_[backend].insert(id);
    ++deliveries_;
  }
  [[nodiscard]] std::uint64_t deliveries() const noexcept { return deliveries_; }

  // The key store.
  std::vector<std::pair<KeyHash, std::int64_t>> keys;
  void add_key(const KeyHash& key, std::int64_t at_ms) {
    keys.emplace_back(key, at_ms);
    known_.insert({key.high, key.low});
  }
  [[nodiscard]] bool has_key(const KeyHash& key) const { return known_.contains({key.high, key.low}); }

 private:
  [[nodiscard]] bool recorded(const std::string& id) const { return has_key(hash_of_.at(id)); }
  [[nodiscard]] std::size_t place_of(const std::string& id) const {
    return static_cast<std::size_t>(std::stoul(id.substr(1)));
  }

  const KeysPlan plan_;
  std::vector<Record> records_;
  std::deque<std::size_t> waiting_;
  std::map<std::string, KeyHash> hash_of_;
  std::vector<std::set<std::string>> delivered_;  // by backend
  std::set<std::pair<std::uint64_t, std::uint64_t>> known_;
  std::uint64_t deliveries_ = 0;
};

}  // namespace sluice::sim
