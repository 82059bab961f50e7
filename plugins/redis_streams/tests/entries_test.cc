#include "catch.hh"

#include "acks.hh"
#include "entries.hh"
#include "flights.hh"

using namespace redis_streams;

namespace {

/// The pieces of [[stream, [[id, [field, value, …]], …]]], as the client library hands them over.
void feed(ReadAnswer& answer, const std::vector<std::pair<std::string, std::vector<std::string>>>& entries) {
  answer.list(0, -1, 1);
  answer.list(1, 0, 2);
  answer.text(2, 0, "nlp-events");
  answer.list(2, 1, entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    answer.list(3, static_cast<int>(i), 2);
    answer.text(4, 0, entries[i].first);
    answer.list(4, 1, entries[i].second.size());
    for (std::size_t part = 0; part < entries[i].second.size(); ++part) {
      answer.text(5, static_cast<int>(part), entries[i].second[part]);
    }
  }
  answer.finished();
}

std::string next(EntryBuffer& buffer) {
  const EntryBuffer::Entry entry = buffer.front();
  std::string text = entry.id.text() + " " + std::string(buffer.event(entry));
  buffer.pop();
  return text;
}

}  // namespace

TEST_CASE("entries: events come out in the order of the answer, whatever stands beside them", "[redis]") {
  ReadAnswer answer("event");
  feed(answer, {{"5-0", {"event", "A"}}, {"5-1", {"x", "1", "event", "B", "y", "2"}}, {"6-0", {"event", ""}}});
  CHECK(answer.buffer.size() == 3);
  const auto seen = answer.take();
  CHECK(seen.finished);
  CHECK(seen.entries == 3);
  CHECK(seen.strange == 0);
  CHECK(seen.last == StreamId{6, 0});
  CHECK(next(answer.buffer) == "5-0 A");
  CHECK(next(answer.buffer) == "5-1 B");
  CHECK(next(answer.buffer) == "6-0 ");
  CHECK(answer.buffer.empty());
  CHECK(answer.buffer.bytes() == 0);
}

TEST_CASE("entries: one without the field comes as JSON of what it holds, and is counted", "[redis]") {
  ReadAnswer answer("event");
  feed(answer, {{"1-0", {"payload", "say \"hi\"\n\xff", "n", "1"}}, {"2-0", {}}, {"3-0", {"event", "A"}}});
  const auto seen = answer.take();
  CHECK(seen.strange == 2);
  CHECK(seen.last_strange == StreamId{2, 0});
  CHECK(next(answer.buffer) == R"(1-0 {"payload":"say \"hi\"\u000a\u00ff","n":"1"})");
  CHECK(next(answer.buffer) == "2-0 {}");
  CHECK(next(answer.buffer) == "3-0 A");
}

TEST_CASE("entries: a value that is called like the field is no event", "[redis]") {
  CHECK(event_of({"x", "event", "event", "E"}, "event") == std::pair<std::string, bool>{"E", true});
  ReadAnswer answer("event");
  feed(answer, {{"1-0", {"x", "event", "event", "E"}}});
  CHECK(next(answer.buffer) == "1-0 E");
}

TEST_CASE("entries: half an answer is forgotten with its connection, whole entries stay", "[redis]") {
  ReadAnswer answer("event");
  answer.list(0, -1, 1);
  answer.list(1, 0, 2);
  answer.list(2, 1, 2);
  answer.list(3, 0, 2);
  answer.text(4, 0, "1-0");
  answer.list(4, 1, 2);
  answer.text(5, 0, "event");
  answer.text(5, 1, "A");
  answer.list(3, 1, 2);
  answer.text(4, 0, "2-0");
  answer.list(4, 1, 2);
  answer.text(5, 0, "event");
  answer.reset();
  feed(answer, {{"3-0", {"event", "C"}}});
  CHECK(next(answer.buffer) == "1-0 A");
  CHECK(next(answer.buffer) == "3-0 C");
  CHECK(answer.buffer.empty());
}

TEST_CASE("entries: the backlog's are marked, and compacting changes none", "[redis]") {
  ReadAnswer answer("event");
  answer.backlog_end = {2, 0};
  feed(answer, {{"1-0", {"event", "A"}}, {"2-0", {"event", "BB"}}, {"3-0", {"event", "CCC"}}});
  CHECK(answer.take().backlog == 2);
  CHECK(answer.buffer.front().backlog);
  CHECK(next(answer.buffer) == "1-0 A");
  answer.buffer.compact();
  CHECK(answer.buffer.bytes() == 5);
  CHECK(answer.buffer.ids() == std::vector<StreamId>{{2, 0}, {3, 0}});
  CHECK(next(answer.buffer) == "2-0 BB");
  CHECK_FALSE(answer.buffer.front().backlog);
  CHECK(next(answer.buffer) == "3-0 CCC");
}

TEST_CASE("stream id: read, written, ordered, followed", "[redis]") {
  CHECK(parse_id("1700000000000-7") == StreamId{1700000000000, 7});
  CHECK(parse_id("5") == StreamId{5, 0});
  for (const char* bad : {"", "-", "x", "1-", "1-x", "-1", "1-2-3", "99999999999999999999-0"}) {
    INFO(bad);
    CHECK(parse_id(bad) == StreamId{});
  }
  CHECK(StreamId{1, 9} < StreamId{2, 0});
  CHECK(StreamId{1, UINT64_MAX}.next() == StreamId{2, 0});
  std::string text = "s/";
  append_id(text, {UINT64_MAX, UINT64_MAX});
  CHECK(text == "s/" + StreamId{UINT64_MAX, UINT64_MAX}.text());
}

TEST_CASE("acks: many ids travel together, and everything unanswered is sent again", "[redis]") {
  Acks acks("s", "g");
  std::size_t count = 0;
  CHECK(acks.unsent(count).empty());
  CHECK(acks.none());
  acks.add({1, 0});
  acks.add({2, 3});
  CHECK(std::string(acks.unsent(count)) == command({"XACK", "s", "g", "1-0", "2-3"}));
  CHECK(count == 1);
  acks.add({4, 0});
  CHECK(acks.any_unsent());
  CHECK(std::string(acks.unsent(count)) == command({"XACK", "s", "g", "4-0"}));
  acks.answered();
  acks.send_again();
  CHECK(std::string(acks.unsent(count)) == command({"XACK", "s", "g", "4-0"}));
  CHECK_FALSE(acks.none());
  acks.answered();
  CHECK(acks.none());
  for (std::uint64_t i = 1; i <= Acks::kIdsMax + 1; ++i) acks.add({i, 0});
  (void)acks.unsent(count);
  CHECK(count == 2);
}

TEST_CASE("flights: a tag is free again once it was settled", "[redis]") {
  Flights flights;
  const std::uint64_t one = flights.add({1, 0}, false), two = flights.add({2, 0}, true);
  CHECK(one != two);
  CHECK(flights.remove(one).id == StreamId{1, 0});
  CHECK(flights.add({3, 0}, false) == one);
  CHECK(flights.size() == 2);
  CHECK(flights.ids() == std::vector<StreamId>{{3, 0}, {2, 0}});
  CHECK(flights.remove(two).backlog);
}
