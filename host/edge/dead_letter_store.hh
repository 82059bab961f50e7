// Dead letters in a SQLite file: what a backend gave up, as it was, with the story of its deaths beside it. The running
// host writes it (dead_letter_backend.cc) while `sluice dlq` reads, redrives and purges: SQLite's locks keep them
// apart.
//
// A letter leaves the store when it was delivered or purged, never before. A redriven event that dies again finds its
// letter by source, id and count of redrives, and that letter gets the new death, its old one going to the history.
#pragma once

#include "core/filter.hh"
#include "core/letter.hh"
#include "edge/sqlite.hh"

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What is put in. The texts must live until add() returns.
struct NewLetter {
  std::string_view event_json, source, id, type;  // the event as it was
  Death death;
  std::uint32_t redrives = 0;
};

/// What is read.
struct Letter {
  std::int64_t number = 0;  // names it inside its store
  std::string event_json, source, id, type;
  Death death;
  std::uint32_t redrives = 0;
  std::string history_json;  // a list of earlier deaths, oldest first
};

/// Which letters are meant. What is left empty lets everything pass.
struct LetterChoice {
  std::vector<std::int64_t> numbers;
  std::string node;                                                       // that gave up
  std::string reason_part;                                                // is in the reason, upper or lower case
  std::int64_t since_unix_ns = std::numeric_limits<std::int64_t>::min();  // of the death
  std::int64_t until_unix_ns = std::numeric_limits<std::int64_t>::max();  // before it
  std::optional<Filter> filter;                                           // of the event: types and `when`
  std::uint64_t limit = 0;                                                // 0 = all

  [[nodiscard]] bool is_everything() const;
};

struct StoreTotals {
  std::uint64_t letters = 0;
  std::uint64_t bytes = 0;          // of events, reasons and histories
  std::int64_t oldest_unix_ns = 0;  // death of the oldest; 0 = none
};

class DeadLetterStore {
 public:
  static constexpr std::size_t kHistoryMost = 20;  // earlier deaths that a letter keeps

  /// Throws StoreError that names the file and what to do.
  explicit DeadLetterStore(const std::string& path, Sqlite::Mode mode = Sqlite::Mode::create);

  /// Puts in as many from the beginning as `max_bytes` allows, all in one transaction; they are on the disk when it
  /// returns how many.
  [[nodiscard]] std::size_t add(std::span<const NewLetter> letters, std::uint64_t max_bytes);

  /// Calls `take` for each that was chosen, oldest number first, from `after` on (exclusive) up to `last` (inclusive),
  /// until it returns false.
  void each(const LetterChoice& choice, const std::function<bool(const Letter&)>& take, std::int64_t after = 0,
            std::int64_t last = std::numeric_limits<std::int64_t>::max());

  /// Deletes a letter unless it died again since it was read.
  struct Delivered {
    std::int64_t number;
    std::uint32_t redrives;
  };
  void remove(std::span<const Delivered> letters);
  /// Deletes what is chosen; says how many.
  [[nodiscard]] std::uint64_t purge(const LetterChoice& choice);
  [[nodiscard]] std::uint64_t purge_before(std::int64_t unix_ns);

  [[nodiscard]] StoreTotals totals();
  [[nodiscard]] std::int64_t last_number();
  [[nodiscard]] const std::string& path() const noexcept { return database_.path(); }

 private:
  [[nodiscard]] bool put(const NewLetter& letter, std::uint64_t& bytes, std::uint64_t max_bytes);

  Sqlite database_;
  Statement insert_, find_earlier_, update_, delete_;
};

}  // namespace sluice
