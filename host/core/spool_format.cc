#include "core/spool_format.hh"

#include "core/crc32c.hh"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sluice {
namespace {

constexpr std::string_view kSegmentMark = "SLUICESP";
constexpr std::string_view kRecordMark{"\x1eSR1", 4};
constexpr std::string_view kSuffix = ".seg";
constexpr std::size_t kNameDigits = 20;
constexpr std::size_t kReadBytes = 256 * 1024;  // read at once
constexpr int kCandidatesMax = 4096;            // places tried as a record behind a damaged one

template <class Number>
void put(char* at, Number number) noexcept {
  for (std::size_t i = 0; i < sizeof number; ++i) {
    at[i] = static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i) & 0xff);
  }
}

template <class Number>
Number get(const char* at) noexcept {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof(Number); ++i) {
    number |= static_cast<std::uint64_t>(static_cast<unsigned char>(at[i])) << (8 * i);
  }
  return static_cast<Number>(number);
}

}  // namespace

void append_segment_header(std::string& out, std::uint64_t first, std::int64_t begun_unix_ns) {
  char header[kSegmentHeaderBytes];
  std::memcpy(header, kSegmentMark.data(), 8);
  put(header + 8, kSpoolVersion);
  put(header + 16, first);
  put(header + 24, begun_unix_ns);
  const std::uint32_t version = crc32c({header + 8, 4});
  put(header + 12, crc32c({header + 16, 16}, version));
  out.append(header, sizeof header);
}

bool read_segment_header(std::string_view bytes, SegmentHeader& out) noexcept {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMark)) return false;
  const char* at = bytes.data();
  if (get<std::uint32_t>(at + 12) != crc32c({at + 16, 16}, crc32c({at + 8, 4}))) return false;
  out.version = get<std::uint32_t>(at + 8);
  out.first = get<std::uint64_t>(at + 16);
  out.begun_unix_ns = get<std::int64_t>(at + 24);
  return true;
}

void append_record(std::string& out, const SpoolRecord& record) {
  char header[kRecordHeaderBytes];
  std::memcpy(header, kRecordMark.data(), kRecordMark.size());
  put(header + 8, static_cast<std::uint32_t>(record.json.size()));
  put(header + 12, record.flags);
  put(header + 16, record.number);
  put(header + 24, record.first_unix_ns);
  put(header + 4, crc32c(record.json, crc32c({header + 8, kRecordHeaderBytes - 8})));
  out.append(header, sizeof header);
  out.append(record.json);
}

std::string segment_name(std::uint64_t first) {
  const std::string digits = std::to_string(first);
  return std::string(kNameDigits - digits.size(), '0').append(digits).append(kSuffix);
}

bool read_segment_name(std::string_view name, std::uint64_t& first) noexcept {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return false;
  const char* end = name.data() + kNameDigits;
  const auto [stopped, error] = std::from_chars(name.data(), end, first);
  return error == std::errc{} && stopped == end;
}

// ---- reading ----

SegmentReader::SegmentReader(ReadAt read, std::uint64_t offset, std::uint64_t end, std::uint64_t least)
    : read_(std::move(read)), at_(offset), end_(end), least_(least) {}

/// Brings [offset, offset + size) into the buffer; false when there is not that much, or it cannot be read.
bool SegmentReader::fetch(std::uint64_t offset, std::size_t size) {
  if (offset + size > end_) return false;
  if (offset >= buffer_at_ && offset + size <= buffer_at_ + buffer_.size()) return true;
  const std::size_t kept = offset >= buffer_at_ && offset < buffer_at_ + buffer_.size()
                               ? static_cast<std::size_t>(buffer_at_ + buffer_.size() - offset)
                               : 0;
  if (kept > 0) std::memmove(buffer_.data(), buffer_.data() + (buffer_.size() - kept), kept);
  const std::size_t wanted =
      static_cast<std::size_t>(std::min<std::uint64_t>(std::max(size, kReadBytes), end_ - offset));
  buffer_.resize(wanted);
  buffer_at_ = offset;
  std::size_t have = kept;
  while (have < wanted) {
    const std::int64_t got = read_(offset + have, buffer_.data() + have, wanted - have);
    if (got < 0) read_failed_ = true;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  buffer_.resize(have);
  return have >= size;
}

SegmentReader::Verdict SegmentReader::look(std::uint64_t offset, SpoolRecord& out) {
  const auto bad = [&] { return read_failed_ ? Verdict::failed : Verdict::bad; };
  if (!fetch(offset, kRecordHeaderBytes)) return bad();
  const char* header = buffer_.data() + (offset - buffer_at_);
  if (std::string_view(header, kRecordMark.size()) != kRecordMark) return Verdict::bad;
  const auto length = get<std::uint32_t>(header + 8);
  const auto number = get<std::uint64_t>(header + 16);
  if (length == 0 || number < least_) return Verdict::bad;
  if (!fetch(offset, kRecordHeaderBytes + length)) return bad();
  header = buffer_.data() + (offset - buffer_at_);
  if (get<std::uint32_t>(header + 4) != crc32c({header + 8, kRecordHeaderBytes - 8 + length})) return Verdict::bad;
  out.number = number;
  out.flags = get<std::uint32_t>(header + 12);
  out.first_unix_ns = get<std::int64_t>(header + 24);
  out.json = {header + kRecordHeaderBytes, length};
  out.offset = offset;
  return Verdict::good;
}

SegmentReader::Found SegmentReader::next(SpoolRecord& out) {
  read_failed_ = false;
  if (at_ >= end_) return Found::end;
  switch (look(at_, out)) {
    case Verdict::good:
      at_ += kRecordHeaderBytes + out.json.size();
      least_ = out.number + 1;
      return Found::record;
    case Verdict::failed:
      return Found::failed;
    case Verdict::bad:
      break;
  }
  return skip_damage();
}

/// To the next place that is a whole record, or to the end when there is none.
SegmentReader::Found SegmentReader::skip_damage() {
  std::uint64_t from = at_ + 1;
  int candidates = 0;
  SpoolRecord record;
  while (from + kRecordHeaderBytes <= end_ && candidates < kCandidatesMax) {
    if (!fetch(from, kRecordHeaderBytes)) {
      if (read_failed_) return Found::failed;
      break;
    }
    const std::string_view window = std::string_view(buffer_).substr(static_cast<std::size_t>(from - buffer_at_));
    const std::size_t found = window.find(kRecordMark);
    if (found == std::string_view::npos) {
      from += window.size() - (kRecordMark.size() - 1);
      continue;
    }
    from += found;
    ++candidates;
    const Verdict verdict = look(from, record);
    if (verdict == Verdict::failed) return Found::failed;
    if (verdict == Verdict::good) {
      damage_from_ = at_;
      damage_to_ = at_ = from;
      return Found::damage;
    }
    ++from;
  }
  damage_from_ = at_;
  damage_to_ = at_ = end_;
  return Found::damage;
}

}  // namespace sluice
