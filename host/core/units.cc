#include "core/units.hh"

#include <array>
#include <charconv>
#include <cmath>

namespace sluice {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

// Durations in ms; the largest value that any of them may give is far from every overflow (about 292 years in ns).
constexpr std::array kDurations{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                                Unit{"d", 86'400'000}};
constexpr std::array kSizes{Unit{"B", 1},
                            Unit{"KiB", 1024},
                            Unit{"MiB", 1024.0 * 1024},
                            Unit{"GiB", 1024.0 * 1024 * 1024},
                            Unit{"KB", 1e3},
                            Unit{"kB", 1e3},
                            Unit{"MB", 1e6},
                            Unit{"GB", 1e9}};
constexpr std::array kRates{Unit{"/s", 1}, Unit{"/m", 1.0 / 60}, Unit{"/h", 1.0 / 3600}};
constexpr double kLargest = 9e15;

template <std::size_t N>
std::optional<double> parse(std::string_view text, const std::array<Unit, N>& units) {
  const std::size_t digits = text.find_first_not_of("0123456789.");
  if (digits == 0 || digits == std::string_view::npos) return {};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, number);
  if (error != std::errc{} || end != text.data() + digits) return {};
  std::string_view unit = text.substr(digits);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    const double value = number * known.factor;
    return std::isfinite(value) && value <= kLargest ? std::optional(value) : std::nullopt;
  }
  return {};
}

/// The largest unit that divides the value.
template <std::size_t N>
std::string whole_text(std::uint64_t value, const std::array<Unit, N>& units, std::size_t usable) {
  for (std::size_t i = usable; i-- > 0;) {
    const auto factor = static_cast<std::uint64_t>(units[i].factor);
    if (value >= factor && value % factor == 0) return std::to_string(value / factor) + std::string(units[i].name);
  }
  return std::to_string(value) + std::string(units[0].name);
}

}  // namespace

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = parse(text, kDurations);
  if (!value) return {};
  const double whole = std::round(*value);
  if (*value > 0 && whole == 0) return {};  // finer than the clock of the host: refused, not rounded to "never"
  return std::chrono::milliseconds(static_cast<std::int64_t>(whole));
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto value = parse(text, kSizes);
  return value ? std::optional(static_cast<std::uint64_t>(std::round(*value))) : std::nullopt;
}

std::optional<double> parse_rate(std::string_view text) { return parse(text, kRates); }

std::string duration_text(std::chrono::milliseconds duration) {
  return whole_text(static_cast<std::uint64_t>(duration.count()), kDurations, kDurations.size());
}

std::string size_text(std::uint64_t bytes) { return whole_text(bytes, kSizes, 4); }

std::string rate_text(double per_second) {
  const auto as_whole = [](double value) { return std::fabs(value - std::round(value)) < 1e-9 * std::fmax(1, value); };
  for (const Unit& unit : kRates) {
    const double value = per_second / unit.factor;
    if (as_whole(value) && value >= 1) {
      return std::to_string(static_cast<std::int64_t>(std::round(value))) + std::string(unit.name);
    }
  }
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, per_second);
  return std::string(text, end.ptr) + "/s";
}

}  // namespace sluice
