#include "core/spool_cursor.hh"

#include "core/crc32c.hh"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::string_view kMark = "SLUICEC1";

void append_number(std::string& out, std::uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

bool take_number(std::string_view& bytes, std::uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace

bool SpoolCursor::is_completed(std::uint64_t record) const noexcept { return are_completed(record, record + 1); }

bool SpoolCursor::are_completed(std::uint64_t from, std::uint64_t to) const noexcept {
  return from >= to || next_open(from) >= to;
}

std::uint64_t SpoolCursor::next_open(std::uint64_t record) const noexcept {
  record = std::max(record, low_);
  const auto behind = std::ranges::upper_bound(above_, record, {}, &Range::from);
  if (behind == above_.begin()) return record;
  return std::max(record, std::prev(behind)->to);
}

std::uint64_t SpoolCursor::open_in(std::uint64_t from, std::uint64_t to) const noexcept {
  from = std::max(from, low_);
  if (from >= to) return 0;
  std::uint64_t open = to - from;
  for (const Range& range : above_) {
    const std::uint64_t begin = std::max(range.from, from), end = std::min(range.to, to);
    if (begin < end) open -= end - begin;
  }
  return open;
}

void SpoolCursor::complete(std::uint64_t from, std::uint64_t to) {
  from = std::max(from, low_);
  if (from >= to) return;
  // Everything that overlaps or touches [from, to) becomes one range with it.
  auto first = std::ranges::lower_bound(above_, from, {}, &Range::to);
  auto last = first;
  while (last != above_.end() && last->from <= to) {
    above_count_ -= last->to - last->from;
    from = std::min(from, last->from);
    to = std::max(to, last->to);
    ++last;
  }
  if (from == low_) {
    low_ = to;
    above_.erase(first, last);
    return;
  }
  above_count_ += to - from;
  if (first == last) {
    above_.insert(first, {from, to});
    return;
  }
  *first = {from, to};
  above_.erase(std::next(first), last);
}

std::string SpoolCursor::encode() const {
  std::string body;
  append_number(body, low_);
  append_number(body, above_.size());
  std::uint64_t at = low_;
  for (const Range& range : above_) {
    append_number(body, range.from - at);
    append_number(body, range.to - range.from);
    at = range.to;
  }
  std::string out(kMark);
  const std::uint32_t checksum = crc32c(body);
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(checksum >> shift & 0xff);
  return out + body;
}

bool SpoolCursor::decode(std::string_view bytes, SpoolCursor& out) {
  if (!bytes.starts_with(kMark) || bytes.size() < kMark.size() + 4) return false;
  bytes.remove_prefix(kMark.size());
  std::uint32_t checksum = 0;
  for (int i = 0; i < 4; ++i)
    checksum |= std::uint32_t{static_cast<unsigned char>(bytes[static_cast<std::size_t>(i)])} << (8 * i);
  bytes.remove_prefix(4);
  if (crc32c(bytes) != checksum) return false;
  SpoolCursor made(0);
  std::uint64_t ranges = 0;
  if (!take_number(bytes, made.low_) || !take_number(bytes, ranges)) return false;
  std::uint64_t at = made.low_;
  for (; ranges > 0; --ranges) {
    std::uint64_t skip = 0, length = 0;
    if (!take_number(bytes, skip) || !take_number(bytes, length) || skip == 0 || length == 0) return false;
    made.above_.push_back({at + skip, at + skip + length});
    made.above_count_ += length;
    at += skip + length;
  }
  if (!bytes.empty()) return false;
  out = std::move(made);
  return true;
}

}  // namespace sluice
