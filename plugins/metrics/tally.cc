#include "tally.hh"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace metrics {
namespace {

std::string number(double value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::general, 6).ptr};
}

std::string fixed(double value, int places) {
  char digits[48];
  return {digits, static_cast<std::size_t>(std::snprintf(digits, sizeof(digits), "%.*f", places, value))};
}

}  // namespace

void FieldStats::add(double value) noexcept {
  ++count;
  sum += value;
  last = value;
  min = std::min(min, value);
  max = std::max(max, value);
}

std::uint32_t Types::number_of(std::string_view type) {
  // Length and last characters tell the types of one program apart; the text is compared all the same.
  const auto last = static_cast<unsigned char>(type.empty() ? 0 : type.back());
  const auto middle = static_cast<unsigned char>(type.empty() ? 0 : type[type.size() / 2]);
  std::uint32_t& recent = recent_[(type.size() * 31 + last * 7u + middle) % recent_.size()];
  if (recent != kNone && counts_[recent].type == type) return recent;
  return recent = find_or_make(type);
}

std::uint32_t Types::find_or_make(std::string_view type) {
  const auto found = numbers_.find(std::string(type));
  if (found != numbers_.end()) return found->second;
  if (numbers_.size() >= kTypesMax && type != "other") return number_of("other");
  const auto made = static_cast<std::uint32_t>(counts_.size());
  counts_.push_back(make_(type));
  numbers_.emplace(type, made);
  return made;
}

Throughput::Throughput(std::uint64_t window_ns) : slice_ns_(std::max<std::uint64_t>(1, window_ns / (kSlots - 1))) {}

void Throughput::add(std::uint64_t now_ns, std::uint64_t events) {
  if (events_ == 0) first_ns_ = now_ns;
  last_ns_ = now_ns;
  events_ += events;
  Slot& slot = slots_[slice_of(now_ns) % kSlots];
  if (slot.slice != slice_of(now_ns)) slot = {slice_of(now_ns), 0};
  slot.events += events;
}

double Throughput::now(std::uint64_t now_ns) const {
  // Whole slices only: the one that is being filled would pull the rate down.
  const std::uint64_t current = slice_of(now_ns);
  std::uint64_t events = 0;
  for (const Slot& slot : slots_) {
    if (slot.slice < current && slot.slice + kSlots > current) events += slot.events;
  }
  return static_cast<double>(events) * 1e9 / static_cast<double>(slice_ns_ * (kSlots - 1));
}

double Throughput::overall() const { return seconds() > 0 ? static_cast<double>(events_) / seconds() : 0; }

std::string summary_text(const Types& types, const Throughput& throughput, std::uint64_t passed, std::uint64_t failed,
                         const std::vector<NamedField>& fields) {
  std::string text = "events: " + std::to_string(throughput.events());
  if (throughput.overall() > 0) {
    text += " in " + fixed(throughput.seconds(), 1) + " s (" + fixed(throughput.overall(), 1) + "/s)";
  }
  text += '\n';
  std::vector<const TypeCount*> by_count;
  std::size_t width = 0;
  for (const TypeCount& one : types.all()) {
    by_count.push_back(&one);
    width = std::max(width, one.type.size());
  }
  std::stable_sort(by_count.begin(), by_count.end(), [](const auto* a, const auto* b) { return a->count > b->count; });
  for (const TypeCount* one : by_count) {
    text += "  " + one->type + std::string(width - one->type.size() + 2, ' ') + std::to_string(one->count) + '\n';
  }
  if (passed + failed > 0) {
    const double rate = static_cast<double>(passed) / static_cast<double>(passed + failed);
    text += "success rate: " + fixed(100 * rate, 1) + "% (" + std::to_string(passed) + " of " +
            std::to_string(passed + failed) + ")\n";
  }
  for (const NamedField& field : fields) {
    if (field.stats.count == 0) {
      text += field.name + ": never seen\n";
      continue;
    }
    text += field.name + ": mean " + number(field.stats.mean()) + ", min " + number(field.stats.min) + ", max " +
            number(field.stats.max) + ", last " + number(field.stats.last) + ", sum " + number(field.stats.sum) + " (" +
            std::to_string(field.stats.count) + " values)\n";
  }
  return text;
}

}  // namespace metrics
