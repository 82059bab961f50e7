// The counts and their summary: pure, no I/O; time comes in as a number.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace metrics {

/// What became known of one numeric field.
struct FieldStats {
  std::uint64_t count = 0;
  double sum = 0, last = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();

  void add(double value) noexcept;
  [[nodiscard]] double mean() const noexcept { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

enum class Judged : std::uint8_t { neither, success, failure };

struct TypeCount {
  std::string type;
  std::uint64_t count = 0;
  Judged judged = Judged::neither;
  std::uint32_t fields = 0;  // bit f: field f is looked for in events of this type
};

/// Events by type. Finding a type costs a few nanoseconds: events of a kind come together, and kinds are few.
class Types {
 public:
  static constexpr std::size_t kTypesMax = 256;  // what comes beyond is counted as "other"
  using Make = std::function<TypeCount(std::string_view type)>;

  explicit Types(Make make) : make_(std::move(make)) {}
  /// Its number; the same for the same type.
  [[nodiscard]] std::uint32_t number_of(std::string_view type);
  [[nodiscard]] TypeCount& operator[](std::uint32_t number) { return counts_[number]; }
  [[nodiscard]] const std::vector<TypeCount>& all() const noexcept { return counts_; }

 private:
  [[nodiscard]] std::uint32_t find_or_make(std::string_view type);
  static constexpr std::uint32_t kNone = 0xffffffffu;
  Make make_;
  std::vector<TypeCount> counts_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::array<std::uint32_t, 64> recent_ = filled();  // by a cheap hash
  static constexpr std::array<std::uint32_t, 64> filled() {
    std::array<std::uint32_t, 64> all{};
    all.fill(kNone);
    return all;
  }
};

/// Events per second: over the last window, and over everything.
class Throughput {
 public:
  explicit Throughput(std::uint64_t window_ns);
  void add(std::uint64_t now_ns, std::uint64_t events);
  [[nodiscard]] double now(std::uint64_t now_ns) const;
  [[nodiscard]] double overall() const;
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  [[nodiscard]] double seconds() const noexcept { return static_cast<double>(last_ns_ - first_ns_) / 1e9; }

 private:
  static constexpr std::size_t kSlots = 32;  // the window in slices: one slice is how exact it is
  [[nodiscard]] std::uint64_t slice_of(std::uint64_t ns) const noexcept { return ns / slice_ns_; }
  const std::uint64_t slice_ns_;
  struct Slot {
    std::uint64_t slice = 0, events = 0;
  };
  std::array<Slot, kSlots> slots_{};
  std::uint64_t first_ns_ = 0, last_ns_ = 0, events_ = 0;
};

struct NamedField {
  std::string name;
  FieldStats stats;
};

[[nodiscard]] std::string summary_text(const Types& types, const Throughput& throughput, std::uint64_t passed,
                                       std::uint64_t failed, const std::vector<NamedField>& fields);

}  // namespace metrics
