#include "edge/dead_letter_store.hh"

#include "core/decode.hh"
#include "core/event_format.hh"

#include <algorithm>
#include <cstring>

namespace sluice {
namespace {

constexpr std::int64_t kTablesVersion = 1;

// The totals are kept by triggers: counting a million rows for every look at /metrics would read the whole file.
constexpr const char* kTables = R"(
CREATE TABLE letters(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  event BLOB NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
  node TEXT NOT NULL, reason TEXT NOT NULL, code INTEGER NOT NULL, attempts INTEGER NOT NULL,
  first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
  redrives INTEGER NOT NULL, history TEXT NOT NULL, bytes INTEGER NOT NULL);
CREATE INDEX letters_by_death ON letters(last_ns);
CREATE INDEX letters_by_id ON letters(id);
CREATE TABLE totals(letters INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO totals VALUES(0, 0);
CREATE TRIGGER letter_in AFTER INSERT ON letters BEGIN
  UPDATE totals SET letters = letters + 1, bytes = bytes + new.bytes; END;
CREATE TRIGGER letter_out AFTER DELETE ON letters BEGIN
  UPDATE totals SET letters = letters - 1, bytes = bytes - old.bytes; END;
CREATE TRIGGER letter_again AFTER UPDATE OF bytes ON letters BEGIN
  UPDATE totals SET bytes = bytes + new.bytes - old.bytes; END;
)";

constexpr const char* kColumns =
    "number, event, source, id, type, node, reason, code, attempts, first_ns, last_ns, redrives, history";

Letter letter_of(const Statement& row) {
  Letter letter;
  letter.number = row.number(0);
  letter.event_json = row.text(1);
  letter.source = row.text(2);
  letter.id = row.text(3);
  letter.type = row.text(4);
  letter.death = {std::string(row.text(5)),
                  std::string(row.text(6)),
                  static_cast<std::int32_t>(row.number(7)),
                  static_cast<std::uint32_t>(row.number(8)),
                  row.number(9),
                  row.number(10)};
  letter.redrives = static_cast<std::uint32_t>(row.number(11));
  letter.history_json = row.text(12);
  return letter;
}

/// Matches stored events against a filter that was made for events in flight.
class StoredEvents {
 public:
  StoredEvents() : decoder_(cloudevents_format(), {}) {}

  [[nodiscard]] bool match(const Filter& filter, std::string_view json) {
    block_ = {};
    block_ = pool_.take();
    char* text = block_->allocate(json.size() + SLUICE_PADDING);
    std::memcpy(text, json.data(), json.size());
    std::memset(text + json.size(), 0, SLUICE_PADDING);
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(text);
    record.len = json.size();
    record.flags = SLUICE_SINGLE;
    return !decoder_.decode(record, {}, *block_) && filter.matches(block_->events.front());
  }

 private:
  BlockPool pool_;
  Decoder decoder_;
  BlockRef block_;
};

}  // namespace

bool LetterChoice::is_everything() const {
  return numbers.empty() && node.empty() && reason_part.empty() && !filter && limit == 0 &&
         since_unix_ns == std::numeric_limits<std::int64_t>::min() &&
         until_unix_ns == std::numeric_limits<std::int64_t>::max();
}

DeadLetterStore::DeadLetterStore(const std::string& path, Sqlite::Mode mode) : database_(path, mode) {
  if (database_.version() == 0 && mode == Sqlite::Mode::create) {
    Sqlite::Transaction transaction(database_);
    if (database_.version() == 0) {  // nobody else was faster
      database_.run(kTables);
      database_.set_version(kTablesVersion);
    }
    transaction.commit();
  }
  if (database_.version() != kTablesVersion) {
    throw StoreError(StoreError::Kind::corrupt,
                     path + ": is a SQLite file, but not a dead-letter store of this version: name another file");
  }
  delete_ = database_.prepare("DELETE FROM letters WHERE number = ? AND redrives = ?");
  insert_ = database_.prepare(
      "INSERT INTO letters(event, source, id, type, node, reason, code, attempts, first_ns, last_ns, redrives, "
      "history, "
      "bytes) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?)");
  find_earlier_ = database_.prepare(std::string("SELECT ") + kColumns +
                                    ", bytes FROM letters WHERE id = ? AND source = ? AND redrives = ? LIMIT 1");
  update_ = database_.prepare(
      "UPDATE letters SET node = ?, reason = ?, code = ?, attempts = ?, first_ns = ?, last_ns = ?, redrives = ?, "
      "history = ?, bytes = ? WHERE number = ?");
}

/// False when it does not fit. `bytes` is what the store holds.
bool DeadLetterStore::put(const NewLetter& letter, std::uint64_t& bytes, std::uint64_t max_bytes) {
  const Death& death = letter.death;
  const std::uint64_t own = letter.event_json.size() + death.reason.size();
  if (letter.redrives > 0) {
    find_earlier_.bind(1, letter.id).bind(2, letter.source).bind(3, std::int64_t{letter.redrives} - 1);
    const bool there = find_earlier_.step();
    const Letter earlier = there ? letter_of(find_earlier_) : Letter{};
    const auto earlier_bytes = there ? static_cast<std::uint64_t>(find_earlier_.number(13)) : 0;
    find_earlier_.reset();
    if (there) {  // it was in the store already, so it goes back whatever the bound
      const std::string history = longer_history(earlier.history_json, earlier.death, kHistoryMost);
      const std::uint64_t now_bytes = earlier.event_json.size() + death.reason.size() + history.size();
      update_.bind(1, death.node).bind(2, death.reason).bind(3, std::int64_t{death.code});
      update_.bind(4, std::int64_t{death.attempts}).bind(5, death.first_unix_ns).bind(6, death.last_unix_ns);
      update_.bind(7, std::int64_t{letter.redrives}).bind(8, history).bind(9, static_cast<std::int64_t>(now_bytes));
      update_.bind(10, earlier.number).run();
      bytes += now_bytes - earlier_bytes;
      return true;
    }
  }
  if (bytes + own > max_bytes) return false;
  insert_.bind_bytes(1, letter.event_json).bind(2, letter.source).bind(3, letter.id).bind(4, letter.type);
  insert_.bind(5, death.node).bind(6, death.reason).bind(7, std::int64_t{death.code});
  insert_.bind(8, std::int64_t{death.attempts}).bind(9, death.first_unix_ns).bind(10, death.last_unix_ns);
  insert_.bind(11, std::int64_t{letter.redrives}).bind(12, "[]").bind(13, static_cast<std::int64_t>(own)).run();
  bytes += own;
  return true;
}

std::size_t DeadLetterStore::add(std::span<const NewLetter> letters, std::uint64_t max_bytes) {
  Sqlite::Transaction transaction(database_);
  std::uint64_t bytes = totals().bytes;
  std::size_t stored = 0;
  while (stored < letters.size() && put(letters[stored], bytes, max_bytes)) ++stored;
  if (stored > 0) transaction.commit();
  return stored;
}

void DeadLetterStore::each(const LetterChoice& choice, const std::function<bool(const Letter&)>& take,
                           std::int64_t after, std::int64_t last) {
  Statement rows = database_.prepare(
      std::string("SELECT ") + kColumns +
      " FROM letters WHERE number > ?1 AND number <= ?2 AND last_ns >= ?3 AND last_ns < ?4 AND (?5 = '' OR node = ?5) "
      "AND (?6 = '' OR instr(lower(reason), lower(?6)) > 0) ORDER BY number");
  rows.bind(1, after).bind(2, last).bind(3, choice.since_unix_ns).bind(4, choice.until_unix_ns);
  rows.bind(5, choice.node).bind(6, choice.reason_part);
  StoredEvents events;
  std::uint64_t found = 0;
  while ((choice.limit == 0 || found < choice.limit) && rows.step()) {
    if (!choice.numbers.empty() && std::ranges::find(choice.numbers, rows.number(0)) == choice.numbers.end()) continue;
    if (choice.filter && !events.match(*choice.filter, rows.text(1))) continue;
    ++found;
    if (!take(letter_of(rows))) return;
  }
}

void DeadLetterStore::remove(std::span<const Delivered> letters) {
  Sqlite::Transaction transaction(database_);
  for (const Delivered& letter : letters) delete_.bind(1, letter.number).bind(2, std::int64_t{letter.redrives}).run();
  transaction.commit();
}

std::uint64_t DeadLetterStore::purge(const LetterChoice& choice) {
  // Chosen first, deleted then: a letter that comes meanwhile is not part of it.
  std::vector<Delivered> chosen;
  each(choice, [&](const Letter& letter) {
    chosen.push_back({letter.number, letter.redrives});
    return true;
  });
  Sqlite::Transaction transaction(database_);
  std::uint64_t gone = 0;
  for (const Delivered& letter : chosen) {
    delete_.bind(1, letter.number).bind(2, std::int64_t{letter.redrives}).run();
    gone += database_.changes();
  }
  transaction.commit();
  return gone;
}

std::uint64_t DeadLetterStore::purge_before(std::int64_t unix_ns) {
  Statement statement = database_.prepare("DELETE FROM letters WHERE last_ns < ?");
  statement.bind(1, unix_ns).run();
  return database_.changes();
}

StoreTotals DeadLetterStore::totals() {
  Statement statement = database_.prepare("SELECT letters, bytes, (SELECT min(last_ns) FROM letters) FROM totals");
  if (!statement.step()) return {};
  return {static_cast<std::uint64_t>(statement.number(0)), static_cast<std::uint64_t>(statement.number(1)),
          statement.number(2)};
}

std::int64_t DeadLetterStore::last_number() {
  Statement statement = database_.prepare("SELECT coalesce(max(number), 0) FROM letters");
  return statement.step() ? statement.number(0) : 0;
}

}  // namespace sluice
