// A spool as one long row of numbered records over a store: appended and synced at one end, completed in any order,
// forgotten by whole segments. Knows no threads, no clock and no events: that is the spool lane's business.
//
//     segment 1        segment 41            segment 97 (newest)
//   [· · · · x · x]  [x x x · · · · ·]     [· · · · ·|· ·          x completed, · open
//    ^low                                             ^synced ^next
//
// What is below low() or in the cursor's ranges is completed. A segment whose records are all completed is removed.
#pragma once

#include "core/spool_cursor.hh"
#include "core/spool_store.hh"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace sluice {

struct SpoolBounds {
  std::uint64_t max_bytes = 0;
  std::uint64_t segment_bytes = 0;
};

/// What recovery or reading met that should not be there; said once for each.
struct SpoolDamage {
  std::uint64_t segment = 0;  // number of its first record
  std::uint64_t from = 0, to = 0;
  bool torn = false;  // the unfinished end of the last write, as a crash leaves it: nothing that was ever settled
  std::uint64_t records_lost = 0;
};

class SpoolLog {
 public:
  SpoolLog(SpoolStore& store, SpoolBounds bounds) : store_(store), bounds_(bounds) {}

  /// Takes over what is there.
  [[nodiscard]] SpoolAnswer open();

  // ---- appending ----

  /// True when `bytes` more would pass max_bytes. An empty spool takes anything.
  [[nodiscard]] bool is_full(std::uint64_t bytes) const noexcept;
  /// Gives the record its number, which is next() before the call, and keeps it for write().
  void add(std::int64_t unix_ns, std::uint32_t flags, std::string_view json);
  /// Writes what was added. On a fault nothing of it stands in the spool, and the numbers are free again.
  [[nodiscard]] SpoolAnswer write(std::int64_t unix_ns);
  /// The newest segment is long enough: the next write() begins another, once what was written is durable.
  [[nodiscard]] bool wants_new_segment() const noexcept;
  /// Makes what was written durable. On a fault everything since the last sync is taken back: it must be added again.
  [[nodiscard]] SpoolAnswer sync();

  [[nodiscard]] std::uint64_t next() const noexcept { return next_; }      // the number of the next record
  [[nodiscard]] std::uint64_t synced() const noexcept { return synced_; }  // one behind the last durable record

  // ---- completing ----

  void complete(std::uint64_t from, std::uint64_t to) {
    cursor_.complete(from, to);
    cursor_changed_ = true;
  }
  /// Since it was written.
  [[nodiscard]] bool cursor_changed() const noexcept { return cursor_changed_; }
  [[nodiscard]] const SpoolCursor& cursor() const noexcept { return cursor_; }
  /// Removes segments that nobody needs, after writing the cursor. last: the newest one as well.
  [[nodiscard]] SpoolAnswer tidy(bool last = false);
  [[nodiscard]] SpoolAnswer write_cursor(bool durable);

  // ---- reading ----

  enum class Read : std::uint8_t { record, none, failed };
  /// The next open record from `from` on that is durable. `json` is valid until the next call.
  [[nodiscard]] Read read_open(std::uint64_t from, SpoolRecord& out);
  [[nodiscard]] SpoolAnswer add_rejected(std::string_view line);

  // ---- figures ----

  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t open_records() const noexcept;
  /// When the oldest open record was seen first; 0 when there is none, or it was not read yet.
  [[nodiscard]] std::int64_t oldest_unix_ns() const noexcept;
  [[nodiscard]] std::size_t segments() const noexcept { return segments_.size(); }
  /// Damage found since the last call.
  [[nodiscard]] std::vector<SpoolDamage> take_damage();

 private:
  struct Mark {  // a record's place: where to begin reading for it or those behind it
    std::uint64_t number = 0, offset = 0;
    std::int64_t unix_ns = 0;
  };
  struct Segment {
    std::uint64_t first = 0;
    std::uint64_t end = 0;       // one behind its last record
    std::uint64_t bytes = 0;     // written
    std::uint64_t noted_to = 0;  // damage below this offset has been said
    bool newest = false;         // written to
    bool damaged = false;        // kept for people instead of removed
    std::vector<Mark> marks;     // by number
  };

  [[nodiscard]] SpoolAnswer recover(const SpoolListing& listing);
  [[nodiscard]] SpoolAnswer check_header(Segment& segment);
  [[nodiscard]] SpoolAnswer scan_last(Segment& segment);
  [[nodiscard]] SpoolAnswer begin_segment();
  SpoolAnswer take_back(std::uint64_t number, std::uint64_t bytes);
  void forget_added();
  static void mark(Segment& segment, std::uint64_t number, std::uint64_t offset, std::int64_t unix_ns);
  [[nodiscard]] Segment* segment_of(std::uint64_t number);
  void note_damage(Segment& segment, std::uint64_t from, std::uint64_t to);
  [[nodiscard]] SegmentReader::ReadAt reader_of(std::uint64_t first);
  void place_reader(const Segment& segment, std::uint64_t number);
  void lose(Segment* segment, std::uint64_t from, std::uint64_t to);

  SpoolStore& store_;
  const SpoolBounds bounds_;
  std::deque<Segment> segments_;
  SpoolCursor cursor_;
  bool cursor_changed_ = false;
  bool cursor_durable_ = false;
  std::uint64_t next_ = 1;
  std::uint64_t synced_ = 1;
  std::uint64_t synced_bytes_ = 0;  // of the newest segment
  std::uint64_t bytes_ = 0;         // of all segments and the rejected events
  bool cut_pending_ = false;        // behind its bytes the newest segment holds what was taken back

  std::string added_;  // records on their way to write()
  struct Added {
    std::uint64_t number, offset;
    std::int64_t unix_ns;
  };
  std::vector<Added> added_marks_;

  std::unique_ptr<SegmentReader> reader_;
  std::uint64_t reader_segment_ = 0;
  std::uint64_t reader_next_ = 0;  // no record below it comes from the reader any more
  std::vector<SpoolDamage> damage_;
};

}  // namespace sluice
