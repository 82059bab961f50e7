// How a spool lies on disk: segments of records. Pure; who reads and writes the bytes is core/spool_store.hh's
// business.
//
//   segment   header (32 bytes), then records, one behind the other
//   header    "SLUICESP" · version · checksum · number of its first record · when it was begun
//   record    mark · checksum · length · flags · number · first seen · the event's JSON
//
// Numbers are little-endian; records are numbered without gaps, over all segments. A checksum (CRC-32C) covers all that
// follows it. The mark holds a control character, which no valid JSON text holds as it is: so the next record behind a
// damaged one can be found by looking for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sluice {

inline constexpr std::size_t kSegmentHeaderBytes = 32;
inline constexpr std::size_t kRecordHeaderBytes = 32;
inline constexpr std::uint32_t kSpoolVersion = 1;

/// Of a record: its event's JSON was written by the host, not received.
inline constexpr std::uint32_t kSpoolSynthetic = 1;

struct SpoolRecord {
  std::uint64_t number = 0;
  std::int64_t first_unix_ns = 0;  // when the spool saw the event first
  std::uint32_t flags = 0;
  std::string_view json;     // valid until the reader's next call
  std::uint64_t offset = 0;  // in the segment
};

struct SegmentHeader {
  std::uint32_t version = 0;
  std::uint64_t first = 0;  // number of its first record
  std::int64_t begun_unix_ns = 0;
};

void append_segment_header(std::string& out, std::uint64_t first, std::int64_t begun_unix_ns);
/// False when the bytes are no segment header, or a damaged one. A version that is not ours is no damage.
[[nodiscard]] bool read_segment_header(std::string_view bytes, SegmentHeader& out) noexcept;

void append_record(std::string& out, const SpoolRecord& record);
[[nodiscard]] constexpr std::uint64_t record_bytes(std::uint64_t json_bytes) { return kRecordHeaderBytes + json_bytes; }

/// "00000000000000000042.seg": segments sort by name as they do by number.
[[nodiscard]] std::string segment_name(std::uint64_t first);
/// False when it is no segment's name.
[[nodiscard]] bool read_segment_name(std::string_view name, std::uint64_t& first) noexcept;

/// Walks the records of one segment, wherever its bytes are. Never trusts a byte: what is not a record is reported as
/// damage, once for each stretch, and the walk goes on behind it. Ends always.
class SegmentReader {
 public:
  /// Reads up to `size` bytes at `offset`; returns how many there were, or -1 when reading failed.
  using ReadAt = std::function<std::int64_t(std::uint64_t offset, char* into, std::size_t size)>;
  enum class Found : std::uint8_t {
    record,
    damage,  // bytes that hold no record; see damage_from(), damage_to()
    end,
    failed,  // the bytes could not be read; the same again at the next call
  };

  /// From `offset` up to `end`; the first record found is `least` or higher.
  SegmentReader(ReadAt read, std::uint64_t offset, std::uint64_t end, std::uint64_t least);

  [[nodiscard]] Found next(SpoolRecord& out);
  /// The end may move on while a segment grows.
  void set_end(std::uint64_t end) noexcept { end_ = end; }
  [[nodiscard]] std::uint64_t offset() const noexcept { return at_; }
  [[nodiscard]] std::uint64_t damage_from() const noexcept { return damage_from_; }
  [[nodiscard]] std::uint64_t damage_to() const noexcept { return damage_to_; }

 private:
  enum class Verdict : std::uint8_t { good, bad, failed };
  [[nodiscard]] Verdict look(std::uint64_t offset, SpoolRecord& out);
  [[nodiscard]] bool fetch(std::uint64_t offset, std::size_t size);
  [[nodiscard]] Found skip_damage();

  ReadAt read_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::uint64_t least_;
  std::string buffer_;  // bytes [buffer_at_, buffer_at_ + buffer_.size()) of the segment
  std::uint64_t buffer_at_ = 0;
  bool read_failed_ = false;
  std::uint64_t damage_from_ = 0, damage_to_ = 0;
};

}  // namespace sluice
