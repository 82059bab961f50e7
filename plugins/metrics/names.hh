// Names as small numbers, a bounded count of them: what comes beyond is number 0, "other".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metrics {

class Names {
 public:
  static constexpr std::uint32_t kOther = 0;
  static constexpr std::size_t kLongest = 128;  // bytes; what is longer is "other"

  explicit Names(std::uint32_t max) : max_(max), texts_{"other"} {}

  /// The same for the same name; no allocation for a name that is known or does not fit.
  [[nodiscard]] std::uint32_t number_of(std::string_view name) {
    if (texts_[last_] == name) return last_;
    const auto found = numbers_.find(name);
    if (found != numbers_.end()) return last_ = found->second;
    if (name == texts_[kOther]) return kOther;
    if (texts_.size() > max_ || name.size() > kLongest) {
      ++overflowed_;
      return kOther;
    }
    last_ = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(name);
    numbers_.emplace(texts_.back(), last_);
    return last_;
  }
  [[nodiscard]] const std::string& text(std::uint32_t number) const { return texts_[number]; }
  [[nodiscard]] std::uint32_t max() const noexcept { return max_; }
  /// How often a name did not fit.
  [[nodiscard]] std::uint64_t overflowed() const noexcept { return overflowed_; }

 private:
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  std::uint32_t max_, last_ = kOther;
  std::vector<std::string> texts_;  // by number
  std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> numbers_;
  std::uint64_t overflowed_ = 0;
};

}  // namespace metrics
