// The dead-letter store: a letter leaves it when it was delivered or purged, and a letter that dies again keeps the
// story of its earlier deaths.
#include "edge/dead_letter_store.hh"
#include "catch.hh"
#include "core/dead_letter.hh"

#include <sluice/cpp/text.hh>

#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

using namespace sluice;

namespace {

constexpr std::uint64_t kNoBound = 1ull << 40;

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-letters-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string file() const { return (path / "letters.db").string(); }
};

/// A letter with texts of its own.
struct Made {
  std::string id, type, json;
  Death death;
  std::uint32_t redrives = 0;

  Made(std::string id_text, std::string type_text, std::string node, std::string reason, std::int64_t died_s,
       std::uint32_t redriven = 0)
      : id(std::move(id_text)),
        type(std::move(type_text)),
        json(R"({"specversion":"1.0","id":")" + id + R"(","source":"/s","type":")" + type + R"(","data":{"n":1}})"),
        death{std::move(node), std::move(reason), 500, 5, died_s * 1'000'000'000 - 1, died_s * 1'000'000'000},
        redrives(redriven) {}
  NewLetter letter() const { return {json, "/s", id, type, death, redrives}; }
};

void put(DeadLetterStore& store, const Made& made) {
  const NewLetter letter = made.letter();
  REQUIRE(store.add({&letter, 1}, kNoBound) == 1);
}

std::string ids(DeadLetterStore& store, const LetterChoice& choice) {
  std::string out;
  store.each(choice, [&](const Letter& letter) { return out += letter.id, true; });
  return out;
}

Letter only(DeadLetterStore& store) {
  std::vector<Letter> all;
  store.each({}, [&](const Letter& letter) { return all.push_back(letter), true; });
  REQUIRE(all.size() == 1);
  return all.front();
}

Filter filter_of(const std::string& json) {
  std::string why;
  auto filter = Filter::parse(json, why);
  INFO(why);
  REQUIRE(filter);
  return *filter;
}

}  // namespace

TEST_CASE("dead letters: what is put in is there for the next process, whole") {
  const Folder folder;
  {
    DeadLetterStore store(folder.file());
    put(store, {"a", "t.x", "hook", "the answer was 500", 100});
  }
  DeadLetterStore store(folder.file(), Sqlite::Mode::read_only);
  const Letter letter = only(store);
  CHECK(letter.event_json == Made("a", "t.x", "", "", 0).json);
  CHECK(letter.source == "/s");
  CHECK(letter.type == "t.x");
  CHECK(letter.death.node == "hook");
  CHECK(letter.death.reason == "the answer was 500");
  CHECK(letter.death.code == 500);
  CHECK(letter.death.attempts == 5);
  CHECK(letter.death.first_unix_ns == 99'999'999'999);
  CHECK(letter.death.last_unix_ns == 100'000'000'000);
  CHECK(letter.redrives == 0);
  CHECK(letter.history_json == "[]");
}

TEST_CASE("dead letters: a choice goes by number, node, reason, time of death, filter and limit") {
  const Folder folder;
  DeadLetterStore store(folder.file());
  put(store, {"a", "t.x", "hook", "the answer was 500", 100});
  put(store, {"b", "t.y", "hook", "Connection LOST", 200});
  put(store, {"c", "u.z", "queue", "too large", 300});
  const auto with = [&](auto set) {
    LetterChoice choice;
    set(choice);
    return ids(store, choice);
  };
  CHECK(with([](LetterChoice&) {}) == "abc");
  CHECK(with([](LetterChoice& c) { c.numbers = {1, 3}; }) == "ac");
  CHECK(with([](LetterChoice& c) { c.node = "hook"; }) == "ab");
  CHECK(with([](LetterChoice& c) { c.reason_part = "lost"; }) == "b");
  CHECK(with([](LetterChoice& c) { c.since_unix_ns = 200'000'000'000; }) == "bc");
  CHECK(with([](LetterChoice& c) { c.until_unix_ns = 200'000'000'000; }) == "a");
  CHECK(with([](LetterChoice& c) { c.limit = 2; }) == "ab");
  CHECK(with([](LetterChoice& c) { c.filter = filter_of(R"({"types":["t.*"]})"); }) == "ab");
  CHECK(with([](LetterChoice& c) {
          c.filter = filter_of(R"([{"types":["t.*"]},{"not":{"exact":{"id":"a"}}}])");
          c.limit = 1;
        }) == "b");
}

TEST_CASE("dead letters: a redriven letter that dies again keeps its number and the story of its deaths") {
  const Folder folder;
  DeadLetterStore store(folder.file());
  put(store, {"a", "t", "hook", "first \"reason\"", 100});
  put(store, {"a", "t", "hook", "second", 200, 1});
  put(store, {"a", "t", "other", "third", 300, 2});
  const Letter letter = only(store);
  CHECK(letter.number == 1);
  CHECK(letter.redrives == 2);
  CHECK(letter.death.node == "other");
  CHECK(letter.death.reason == "third");
  CHECK(letter.event_json == Made("a", "t", "", "", 0).json);
  CHECK(letter.history_json ==
        R"([{"node":"hook","reason":"first \"reason\"","code":500,"attempts":5,"first":"1970-01-01T00:01:39.999Z",)"
        R"("last":"1970-01-01T00:01:40.000Z"},)"
        R"({"node":"hook","reason":"second","code":500,"attempts":5,"first":"1970-01-01T00:03:19.999Z",)"
        R"("last":"1970-01-01T00:03:20.000Z"}])");
}

TEST_CASE("dead letters: a history is bounded, the oldest deaths go") {
  std::string history = "[]";
  for (int i = 0; i < 5; ++i) history = longer_history(history, {"n" + std::to_string(i), "{\"node\":", 0, 1, 0, 0}, 3);
  CHECK(history.find("\"n1\"") == std::string::npos);
  for (const char* name : {"\"n2\"", "\"n3\"", "\"n4\""}) CHECK(history.find(name) != std::string::npos);
  CHECK(history.starts_with("[{\"node\":\"n2\""));
  CHECK(history.ends_with("}]"));
}

TEST_CASE("dead letters: a letter that died again while its redrive was told as delivered stays") {
  const Folder folder;
  DeadLetterStore store(folder.file());
  put(store, {"a", "t", "hook", "first", 100});
  put(store, {"b", "t", "hook", "first", 100});
  put(store, {"b", "t", "hook", "second", 100, 1});
  const DeadLetterStore::Delivered both[] = {{1, 0}, {2, 0}};
  store.remove(both);
  CHECK(ids(store, {}) == "b");
}

TEST_CASE("dead letters: the bound refuses what is new and never what goes back") {
  const Folder folder;
  DeadLetterStore store(folder.file());
  const Made one("a", "t", "hook", "first", 100), two("b", "t", "hook", "first", 100);
  const NewLetter letters[] = {one.letter(), two.letter()};
  const std::uint64_t room_for_one = one.json.size() + one.death.reason.size();
  CHECK(store.add(letters, room_for_one) == 1);
  CHECK(store.add({letters + 1, 1}, room_for_one) == 0);
  const Made again("a", "t", "hook", "a longer reason than before", 200, 1);
  const NewLetter back = again.letter();
  CHECK(store.add({&back, 1}, room_for_one) == 1);
  CHECK(only(store).redrives == 1);
  CHECK(store.totals().bytes > room_for_one);
}

TEST_CASE("dead letters: totals follow what comes and goes") {
  const Folder folder;
  DeadLetterStore store(folder.file());
  CHECK(store.totals().letters == 0);
  CHECK(store.totals().bytes == 0);
  for (int i = 0; i < 3; ++i) put(store, {std::to_string(i), "t", "hook", "why", 100 + i});
  CHECK(store.totals().letters == 3);
  CHECK(store.totals().oldest_unix_ns == 100'000'000'000);
  CHECK(store.purge_before(101'000'000'000) == 1);
  CHECK(store.totals().oldest_unix_ns == 101'000'000'000);
  LetterChoice choice;
  choice.limit = 1;
  CHECK(store.purge(choice) == 1);
  CHECK(store.totals().letters == 1);
  CHECK(store.purge({}) == 1);
  CHECK(store.totals().letters == 0);
  CHECK(store.totals().bytes == 0);
}

TEST_CASE("dead letters: another program's database is refused, and left as it is") {
  const Folder folder;
  {
    Sqlite other(folder.file());
    other.run("CREATE TABLE t (a INTEGER)");
    other.set_version(99);
  }
  CHECK_THROWS_AS(DeadLetterStore(folder.file()), StoreError);
}

TEST_CASE("dead letters: an event comes out of its letter as it was before it died") {
  BlockPool pool;
  const BlockRef block = pool.take();
  EventWriter writer;
  const sluice_attribute tenant{{"tenant", 6}, {"acme", 4}, SLUICE_STRING, 0};
  EventParts parts;
  parts.id = "1", parts.source = "/s", parts.type = "t", parts.data = R"({ "n" : 1.0 })", parts.has_data = true;
  parts.extensions = {&tenant, 1};
  REQUIRE_FALSE(check_parts(parts));
  const sluice_event event = writer.write(parts, *block);
  const auto json_of = [](const sluice_event& e) { return std::string_view(e.text + e.json.at, e.json.len); };
  const sluice_event dead = as_dead_letter(event, {"hook", "why", -7, 3, 1'000'000'000, 2'000'000'000}, writer, *block);
  CHECK(json_of(dead) != json_of(event));
  CHECK(json_of(as_it_was(dead, writer, *block)) == json_of(event));
  const Death death = death_of(dead);
  CHECK(death.node == "hook");
  CHECK(death.reason == "why");
  CHECK(death.code == -7);
  CHECK(death.attempts == 3);
  CHECK(death.first_unix_ns == 1'000'000'000);
  CHECK(death.last_unix_ns == 2'000'000'000);
  CHECK(with_redrives(json_of(event), 3) == R"({"sluiceredrives":"3",)" + std::string(json_of(event).substr(1)));
}
