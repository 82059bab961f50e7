#include "jobs.hh"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace handover {
namespace {

/// A job's name on one line: what would end the line, or is the escape itself, as %XX.
std::string one_line(std::string_view id) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > ' ' && c != '%') {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

std::string as_written(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const bool escape = text[i] == '%' && i + 2 < text.size() &&
                        std::from_chars(text.data() + i + 1, text.data() + i + 3, byte, 16).ptr == text.data() + i + 3;
    out += escape ? static_cast<char>(byte) : text[i];
    if (escape) i += 2;
  }
  return out;
}

template <class Number>
std::optional<Number> take_number(std::string_view& text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data() + text.size() || *end != ' ') return {};
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return number;
}

/// "d TIME DOCUMENTS ID" is done, "o TIME DOCUMENTS ID" is open.
std::string line_of(const Job& job) {
  return std::string(job.handed_over ? "d " : "o ") + std::to_string(job.since_ms) + " " +
         std::to_string(job.documents) + " " + one_line(job.id) + "\n";
}

}  // namespace

bool Jobs::handed_over(std::string_view id) const {
  const auto found = by_id_.find(id);
  return found != by_id_.end() && found->second->handed_over;
}

void Jobs::leave(std::string_view id, std::int64_t now_ms) {
  const bool known = by_id_.contains(id);
  Job& job = put(id, now_ms);
  ++job.documents;
  // The count is for people; that the job exists must outlive a kill, each document of it need not be a line.
  if (!known) changes_ += line_of(job);
}

void Jobs::hand_over(std::string_view id, std::int64_t now_ms) {
  Job& job = put(id, now_ms);
  job.handed_over = true;
  job.since_ms = now_ms;
  changes_ += line_of(job);
}

std::vector<Job> Jobs::expire(std::int64_t now_ms) {
  std::vector<Job> late;
  while (!by_age_.empty() && by_age_.front().since_ms + ttl_ms_ <= now_ms) {
    if (!by_age_.front().handed_over) late.push_back(by_age_.front());
    forget_oldest();
  }
  return late;
}

std::size_t Jobs::open() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(by_age_.begin(), by_age_.end(), [](const Job& job) { return !job.handed_over; }));
}

std::vector<std::string> Jobs::open_ids() const {
  std::vector<std::string> ids;
  for (const Job& job : by_age_) {
    if (!job.handed_over) ids.push_back(job.id);
  }
  return ids;
}

Job& Jobs::put(std::string_view id, std::int64_t now_ms) {
  if (const auto found = by_id_.find(id); found != by_id_.end()) {
    by_age_.splice(by_age_.end(), by_age_, found->second);
    found->second->since_ms = std::max(found->second->since_ms, now_ms);
    return *found->second;
  }
  if (by_age_.size() >= most_) forget_oldest();
  by_age_.push_back({std::string(id), 0, now_ms, false});
  const Place place = std::prev(by_age_.end());
  by_id_.emplace(place->id, place);
  return *place;
}

void Jobs::forget_oldest() {
  by_id_.erase(by_age_.front().id);
  by_age_.pop_front();
}

std::string Jobs::take_changes() { return std::exchange(changes_, {}); }

std::string Jobs::snapshot() const {
  std::string text;
  for (const Job& job : by_age_) text += line_of(job);
  return text;
}

bool Jobs::replay(std::string_view line) {
  if (!line.starts_with("d ") && !line.starts_with("o ")) return false;
  const bool done = line[0] == 'd';
  line.remove_prefix(2);
  const auto since_ms = take_number<std::int64_t>(line);
  if (!since_ms) return false;
  const auto documents = take_number<std::uint64_t>(line);
  if (!documents) return false;
  Job& job = put(as_written(line), *since_ms);
  job.handed_over = job.handed_over || done;
  job.documents = std::max(job.documents, *documents);
  return true;
}

}  // namespace handover
