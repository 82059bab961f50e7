// From keys to small numbers, in two flat arrays: no allocation per key, none at all once it has grown. Open addressing
// with linear steps; a removed key leaves no gap behind, so that it never has to be cleaned up. Pure.
#pragma once

#include "core/key_hash.hh"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice {

class KeyTable {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  /// kNone when the key is not there.
  [[nodiscard]] std::uint32_t find(const KeyHash& key) const noexcept {
    if (size_ == 0) return kNone;
    return values_[place_of(key)];
  }
  /// Sets the key's value, which must not be kNone.
  void set(const KeyHash& key, std::uint32_t value) {
    if ((size_ + 1) * 4 > values_.size() * 3) grow();
    const std::size_t at = place_of(key);
    if (values_[at] == kNone) ++size_;
    keys_[at] = key;
    values_[at] = value;
  }
  void erase(const KeyHash& key) noexcept {
    if (size_ == 0) return;
    std::size_t gap = place_of(key);
    if (values_[gap] == kNone) return;
    --size_;
    // What stands behind the gap moves up, unless it stands at or after its own home already.
    for (std::size_t at = next(gap); values_[at] != kNone; at = next(at)) {
      const std::size_t home = home_of(keys_[at]);
      const bool stays = gap <= at ? (gap < home && home <= at) : (gap < home || home <= at);
      if (stays) continue;
      keys_[gap] = keys_[at];
      values_[gap] = values_[at];
      gap = at;
    }
    values_[gap] = kNone;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }

 private:
  [[nodiscard]] std::size_t home_of(const KeyHash& key) const noexcept { return key.low & (values_.size() - 1); }
  [[nodiscard]] std::size_t next(std::size_t at) const noexcept { return (at + 1) & (values_.size() - 1); }
  [[nodiscard]] std::size_t place_of(const KeyHash& key) const noexcept {
    std::size_t at = home_of(key);
    while (values_[at] != kNone && keys_[at] != key) at = next(at);
    return at;
  }
  void grow() {
    std::vector<KeyHash> keys(values_.empty() ? 64 : values_.size() * 2);
    std::vector<std::uint32_t> values(keys.size(), kNone);
    keys.swap(keys_);
    values.swap(values_);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] == kNone) continue;
      const std::size_t at = place_of(keys[i]);
      keys_[at] = keys[i];
      values_[at] = values[i];
    }
  }

  std::vector<KeyHash> keys_;
  std::vector<std::uint32_t> values_;  // kNone: nothing stands here
  std::size_t size_ = 0;
};

}  // namespace sluice
