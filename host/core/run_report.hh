// What an event log says of a run: events by type, the success rate so far and over time, and where it first fell below
// a threshold. Pure; the memory is bounded however long the log is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sluice {

struct ReportOptions {
  std::vector<std::string> success_types{"specimen.completed"}, failure_types{"specimen.failed"};
  std::optional<double> threshold;  // 0 to 1
  std::uint64_t after = 5;          // the threshold is judged from this many outcomes on: one of one says nothing
};

struct Outcomes {
  std::uint64_t successes = 0, failures = 0;
  [[nodiscard]] std::uint64_t all() const noexcept { return successes + failures; }
  [[nodiscard]] double rate() const noexcept {
    return all() == 0 ? 0 : static_cast<double>(successes) / static_cast<double>(all());
  }
  void add(const Outcomes& more) noexcept {
    successes += more.successes;
    failures += more.failures;
  }
};

/// Outcomes by time in at most kSlots slots of one width. When the times span more, the slots become twice as wide: so
/// the order in which the events come does not matter.
class OutcomeTimes {
 public:
  static constexpr std::int64_t kSlots = 512;

  void add(std::int64_t unix_ns, const Outcomes& outcomes);
  [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }

  struct Column {
    std::int64_t from_unix_ns = 0;
    Outcomes within, so_far;
  };
  /// The whole span in at most `count` columns of one width, without gaps.
  [[nodiscard]] std::vector<Column> columns(std::size_t count) const;
  [[nodiscard]] std::int64_t first_unix_ns() const noexcept { return first_; }
  [[nodiscard]] std::int64_t last_unix_ns() const noexcept { return last_; }

 private:
  void widen();
  std::int64_t width_ns_ = 1'000'000;
  std::int64_t first_ = 0, last_ = 0;
  std::map<std::int64_t, Outcomes> slots_;  // by time divided by the width
};

class RunReport {
 public:
  static constexpr std::size_t kTypesMax = 1000;  // what comes beyond is counted as "other"

  struct Drop {
    std::uint64_t outcome = 0;  // the how-manieth outcome it was, from 1
    double rate = 0;            // of all outcomes up to it
    std::optional<std::int64_t> unix_ns;
  };

  explicit RunReport(ReportOptions options) : options_(std::move(options)) {}

  void add(std::string_view type, std::optional<std::int64_t> unix_ns);

  [[nodiscard]] const ReportOptions& options() const noexcept { return options_; }
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] const Outcomes& outcomes() const noexcept { return outcomes_; }
  [[nodiscard]] std::uint64_t untimed() const noexcept { return untimed_; }  // outcomes that are not in times()
  [[nodiscard]] const OutcomeTimes& times() const noexcept { return times_; }
  [[nodiscard]] const std::optional<Drop>& first_drop() const noexcept { return drop_; }
  /// The most frequent first; the same count: by name.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> types() const;

 private:
  ReportOptions options_;
  std::unordered_map<std::string, std::uint64_t> types_;
  std::uint64_t events_ = 0, untimed_ = 0;
  Outcomes outcomes_;
  OutcomeTimes times_;
  std::optional<Drop> drop_;
};

}  // namespace sluice
