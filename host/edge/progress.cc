#include "edge/progress.hh"

#include <array>
#include <cmath>
#include <cstdio>

namespace sluice {
namespace {

constexpr std::uint64_t kFirstAfterNs = 1'000'000'000;
constexpr double kMemorySeconds = 3;  // how far back a rate looks

std::string with_separators(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

/// 65 s is "1:05", 3700 s is "1:01:40".
std::string clock_text(double seconds) {
  const auto all = static_cast<std::uint64_t>(std::ceil(seconds));
  std::array<char, 32> out;
  const auto hours = static_cast<unsigned long long>(all / 3600);
  const auto minutes = static_cast<unsigned>(all / 60 % 60), rest = static_cast<unsigned>(all % 60);
  const int length = hours != 0 ? std::snprintf(out.data(), out.size(), "%llu:%02u:%02u", hours, minutes, rest)
                                : std::snprintf(out.data(), out.size(), "%u:%02u", minutes, rest);
  return {out.data(), static_cast<std::size_t>(length)};
}

/// Moves a rate towards what was seen in the last `seconds`.
void follow(double& rate, double seen, double seconds, bool first) {
  rate = first ? seen : rate + (seen - rate) * (1 - std::exp(-seconds / kMemorySeconds));
}

}  // namespace

std::optional<std::string> Progress::line(const ProgressFacts& facts, std::uint64_t now_ns) {
  if (start_ns_ == 0) {
    start_ns_ = last_ns_ = now_ns;
    last_events_ = facts.events;
    last_bytes_ = facts.bytes;
    return std::nullopt;
  }
  const bool first = last_ns_ == start_ns_;
  if (now_ns < last_ns_ + (first ? kFirstAfterNs : kEveryNs)) return std::nullopt;
  const double seconds = static_cast<double>(now_ns - last_ns_) / 1e9;
  follow(events_per_second_, static_cast<double>(facts.events - last_events_) / seconds, seconds, first);
  follow(bytes_per_second_, static_cast<double>(facts.bytes - last_bytes_) / seconds, seconds, first);
  last_ns_ = now_ns;
  last_events_ = facts.events;
  last_bytes_ = facts.bytes;

  std::string text = with_separators(facts.events) + " events  " +
                     with_separators(static_cast<std::uint64_t>(std::llround(events_per_second_))) + "/s";
  if (facts.bytes_total == 0 || facts.bytes > facts.bytes_total) return text;
  text += "  " + std::to_string(facts.bytes * 100 / facts.bytes_total) + " %";
  const double left = static_cast<double>(facts.bytes_total - facts.bytes);
  constexpr double kForever = 100.0 * 3600;
  if (bytes_per_second_ > 0 && left / bytes_per_second_ < kForever)
    text += "  ETA " + clock_text(left / bytes_per_second_);
  return text;
}

}  // namespace sluice
