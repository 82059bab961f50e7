// The simulated world: a clock that is set by hand, a log that keeps quiet, and an oracle that knows what must hold.
#pragma once

#include "core/ports.hh"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::sim {

class ManualClock final : public Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now_; }
  [[nodiscard]] std::int64_t unix_ns() const noexcept override {
    return 1'767'225'600'000'000'000 + static_cast<std::int64_t>(now_);
  }
  void advance(std::uint64_t ns) noexcept { now_ += ns; }

 private:
  std::uint64_t now_ = 1'000'000'000;
};

class QuietLog final : public Log {
 public:
  explicit QuietLog(bool loud = false) : loud_(loud) {}
  [[nodiscard]] bool enabled(Level) const noexcept override { return loud_; }
  void write(Level level, std::string_view sentence, std::span<const Field> fields) noexcept override;

 private:
  bool loud_;
};

/// A promise was broken.
struct Violation : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline void require(bool holds, const std::string& what) {
  if (!holds) throw Violation(what);
}

/// Everything that happened, seen from outside the host: what sources handed over and heard, what backends took.
class Oracle {
 public:
  struct Told {
    std::uint32_t outcome = 0;
    std::int32_t code = 0;
  };
  struct Record {
    std::string source;
    std::vector<std::string> events;  // ids; empty: undecodable
    std::vector<Told> told;
  };

  std::uint64_t pulled(std::string source, std::vector<std::string> events) {
    records_.push_back({std::move(source), std::move(events), {}});
    for (const std::string& id : records_.back().events) record_of_[id] = records_.size() - 1;
    return records_.size() - 1;
  }
  void settled(std::uint64_t tag, std::uint32_t outcome, std::int32_t code) {
    require(tag < records_.size(), "settled a tag that was never given");
    records_[tag].told.push_back({outcome, code});
    require(records_[tag].told.size() == 1, "record " + std::to_string(tag) + " was settled twice");
  }
  void delivered(const std::string& backend, const std::string& id) {
    require(!dropped_.contains(id), "event " + id + " was dropped by a consumer and still came to " + backend);
    if (on_delivered) on_delivered(backend, id);
    const int count = ++delivered_[backend][id];
    const int excused = 1 + doubtful_[backend][id];
    require(count <= excused, "event " + id + " was delivered twice to " + backend);
  }
  void doubtful(const std::string& backend, const std::string& id) { ++doubtful_[backend][id]; }
  void failed_once(const std::string& backend, const std::string& id) { ++failures_[backend][id]; }
  /// The backend refused it for good.
  void rejected_once(const std::string& backend, const std::string& id) { refused_.insert(backend + "/" + id); }
  [[nodiscard]] bool was_refused(const std::string& backend, const std::string& id) const {
    return refused_.contains(backend + "/" + id);
  }
  /// Called before a delivery is noted.
  std::function<void(const std::string& backend, const std::string& id)> on_delivered;
  void dropped(const std::string& id) { dropped_.insert(id); }
  void misbehaved(const std::string& backend) { misbehaving_.insert(backend); }
  [[nodiscard]] bool is_misbehaving(const std::string& backend) const { return misbehaving_.contains(backend); }
  /// How often the backend said "failed for now" of an event.
  [[nodiscard]] const std::map<std::string, std::map<std::string, int>>& failures() const { return failures_; }

  [[nodiscard]] bool was_delivered(const std::string& backend, const std::string& id) const {
    const auto found = delivered_.find(backend);
    return found != delivered_.end() && found->second.contains(id);
  }
  [[nodiscard]] const std::vector<Record>& records() const noexcept { return records_; }
  [[nodiscard]] const std::map<std::string, std::map<std::string, int>>& deliveries() const { return delivered_; }

 private:
  std::vector<Record> records_;
  std::map<std::string, std::size_t> record_of_;
  std::map<std::string, std::map<std::string, int>> delivered_, doubtful_, failures_;
  std::set<std::string> dropped_, misbehaving_, refused_;
};

}  // namespace sluice::sim
