// The keys that one source delivered, in a SQLite file of its own, so that a restart, a kill included, does not forget
// them. Rows are only appended and removed from the front: the lane above knows every key, and this file only has to
// tell them once, at the start.
#pragma once

#include "core/ports.hh"
#include "edge/sqlite.hh"

#include <chrono>
#include <optional>
#include <string>

namespace sluice {

class DedupFile final : public KeyStoreNode {
 public:
  /// `max_keys`: what is older than that many is not loaded, and removed in time.
  DedupFile(std::string path, std::chrono::milliseconds ttl, std::uint64_t max_keys, Log& log);
  ~DedupFile() override;
  DedupFile(const DedupFile&) = delete;
  DedupFile& operator=(const DedupFile&) = delete;

  void attach(NodeEvents*) noexcept override {}
  /// Opens the file, alone. A damaged one is set aside and reported, and a new one begun: then the status is OK and has
  /// a text. Anything else that stands in the way is a failure that names the file.
  Status start(std::chrono::milliseconds timeout) override;
  bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }

  bool shared() const noexcept override { return false; }
  void load(const std::function<void(const KeyHash&, std::int64_t unix_ms)>& take) override;
  Status lookup(std::span<const KeyHash> keys, std::uint8_t* present) override;
  /// When it returns OK, the keys are on the disk.
  Status record(std::span<const KeyHash> keys, std::int64_t unix_ms) override;
  bool tidy(std::int64_t unix_ms) override;

 private:
  void lock();
  void open();
  [[nodiscard]] std::string set_aside(const std::string& why);

  const std::string path_;
  const std::int64_t ttl_ms_;
  const std::int64_t max_keys_;
  Log& log_;
  int lock_fd_ = -1;
  std::optional<Sqlite> file_;
  Statement insert_, remove_;
};

}  // namespace sluice
