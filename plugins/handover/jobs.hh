// The jobs that are known: which were handed over, which are still waited for. Bounded by count and time; every change
// is a line for the state file.
#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace handover {

struct Job {
  std::string id;
  std::uint64_t documents = 0;  // left to its batch
  std::int64_t since_ms = 0;    // Unix time: first seen, or handed over
  bool handed_over = false;
};

class Jobs {
 public:
  Jobs(std::size_t most, std::int64_t ttl_ms) : most_(most), ttl_ms_(ttl_ms) {}

  [[nodiscard]] bool handed_over(std::string_view id) const;
  /// A document of this job is left to its batch.
  void leave(std::string_view id, std::int64_t now_ms);
  /// The batch arrived.
  void hand_over(std::string_view id, std::int64_t now_ms);
  /// Forgets what is too old. Returns the jobs that have not completed in that time, each once.
  [[nodiscard]] std::vector<Job> expire(std::int64_t now_ms);

  [[nodiscard]] std::size_t size() const noexcept { return by_age_.size(); }
  [[nodiscard]] std::size_t open() const noexcept;
  [[nodiscard]] std::vector<std::string> open_ids() const;

  /// The changes since the last call, as lines; and everything as lines.
  [[nodiscard]] std::string take_changes();
  [[nodiscard]] std::string snapshot() const;
  /// One such line. False when it is none.
  [[nodiscard]] bool replay(std::string_view line);

 private:
  using Place = std::list<Job>::iterator;
  Job& put(std::string_view id, std::int64_t now_ms);
  void forget_oldest();

  const std::size_t most_;
  const std::int64_t ttl_ms_;
  std::list<Job> by_age_;  // the one that was touched last is last
  std::unordered_map<std::string_view, Place> by_id_;
  std::string changes_;
};

}  // namespace handover
