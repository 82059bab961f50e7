// A batch whose memory tells on the plugin: events are read-only, what lies behind them (and behind their padding) is
// not there, and an event is gone the moment it is completed. Touching it then is a fault with a name, in the author's
// own test run and not in production.
#pragma once

#include <sluice/event.h>

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::check {

/// Pages that end at an unmapped page. Lives until the process ends, so that late touches are caught too.
class GuardedPages {
 public:
  GuardedPages() = default;
  /// Room for `bytes`, its end at the unmapped page. `name` is what a fault in it says.
  GuardedPages(const std::string& name, std::size_t bytes);
  [[nodiscard]] char* data() const noexcept { return data_; }
  void make_read_only() noexcept;
  /// From now on any touch is a fault; `why` is what it says.
  void forbid(const char* why) noexcept;

 private:
  std::size_t region_ = 0;
  char* pages_ = nullptr;
  std::size_t page_bytes_ = 0;
  char* data_ = nullptr;
};

/// What a fault at this address means ("event 3 was read after its completion"), or null. Async-signal-safe.
[[nodiscard]] const char* explain_fault(const void* address, bool write) noexcept;

/// Events made up from a seed: all attribute kinds, with and without data, sizes from tiny to some KiB.
class GuardedBatch {
 public:
  GuardedBatch(std::uint32_t count, std::uint64_t first_ticket, std::uint64_t first_seq, std::uint64_t seed);

  [[nodiscard]] const sluice_batch& view() const noexcept { return batch_; }
  /// The events from `index` on, as a batch of their own: what a backend that took a prefix is offered next.
  [[nodiscard]] sluice_batch rest(std::uint32_t index) const noexcept;
  void complete(std::uint32_t index) noexcept;
  /// A consumer's batch: valid for the call only.
  void end() noexcept;
  [[nodiscard]] std::uint32_t size() const noexcept { return batch_.count; }

 private:
  sluice_batch batch_{};
  GuardedPages views_;
  std::vector<GuardedPages> texts_;
  std::uint32_t left_ = 0;
};

}  // namespace sluice::check
