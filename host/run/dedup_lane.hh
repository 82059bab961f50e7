// The lane of a source's key store: it looks keys up and records them, so that the source's own thread never waits for
// a disk or a network. While the store is away it asks again, and what it was given waits.
#pragma once

#include "core/backoff.hh"
#include "run/lane.hh"

#include <deque>
#include <mutex>
#include <vector>

namespace sluice {

class DedupLane final : public Lane, public NodeEvents {
 public:
  DedupLane(std::string name, KeyStoreNode& store, LaneWorld world, NodeStats& stats);

  void set_started(bool started) noexcept;
  /// Who is woken when something was answered. Before the first step.
  void set_asker(Wakeable* asker) noexcept { asker_ = asker; }
  [[nodiscard]] KeyStoreNode& store() noexcept { return store_; }

  void step(std::chrono::milliseconds max_rest) override;
  [[nodiscard]] bool finished() const noexcept override { return finished_.load(std::memory_order_acquire); }
  [[nodiscard]] bool idle() const noexcept override { return idle_.load(std::memory_order_acquire); }
  void request_finish() noexcept;

  // NodeEvents: a store is asked and answers; it completes nothing.
  void wake() noexcept override { Lane::wake(); }
  void complete(std::uint64_t, std::uint32_t, const sluice_result*) noexcept override { stats_.breaches.add_shared(); }
  void complete_each(std::uint64_t, std::uint32_t, const std::uint8_t*) noexcept override {
    stats_.breaches.add_shared();
  }
  void explain(std::uint32_t, std::string_view) noexcept override { stats_.breaches.add_shared(); }
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return now(); }

  // Any thread; in practice the source's.

  /// Asks which of the keys are recorded; one question at a time.
  void ask(const std::vector<AskedKey>& keys);
  /// The answer to it, once: true, and one number per key.
  [[nodiscard]] bool take_answer(std::vector<std::uint8_t>& present);
  /// Gives up on the question: its answer is not wanted any more.
  void forget_question();
  /// Records the keys. Batches are recorded in the order in which they come; each counts as one.
  void record(const std::vector<KeyHash>& keys);
  /// Ends a claim, some time.
  void release(const AskedKey& claim);
  /// How many batches have been recorded since the start.
  [[nodiscard]] std::uint64_t recorded() const noexcept { return recorded_.load(std::memory_order_acquire); }

 private:
  struct Question {
    std::vector<AskedKey> keys;
    std::vector<std::uint8_t> present;
    enum class State : std::uint8_t { none, asked, answered } state = State::none;
    std::uint64_t number = 0;
  };
  bool try_start(std::uint64_t now_ns);
  bool look_up(std::uint64_t now_ns);
  [[nodiscard]] Status ask_store();
  bool write(std::uint64_t now_ns);
  bool end_claims(std::uint64_t now_ns);
  void answered(std::uint64_t asked_ns);
  void went_away(std::uint64_t now_ns, const Status& status);

  KeyStoreNode& store_;
  Random random_;
  Wakeable* asker_ = nullptr;
  bool started_ = false;
  std::uint64_t away_until_ns_ = 0;
  std::uint32_t away_failures_ = 0;
  std::uint64_t tidy_ns_ = 0;
  std::vector<AskedKey> looking_;
  std::vector<KeyHash> keys_;     // of looking_
  std::vector<AskedKey> claims_;  // those of looking_ with an owner
  std::vector<std::uint8_t> found_, taken_;
  std::vector<AskedKey> ending_;
  std::vector<KeyHash> writing_;
  std::uint64_t writing_batches_ = 0;

  std::mutex mutex_;
  Question question_;
  std::vector<KeyHash> to_record_;
  std::vector<AskedKey> to_release_;
  std::uint64_t batches_ = 0;  // in to_record_
  std::atomic<std::uint64_t> recorded_{0};
  std::atomic<bool> idle_{true}, finish_{false}, finished_{false};
};

}  // namespace sluice
