#include "catch.hh"

#include "group_facts.hh"

using namespace redis_streams;

namespace {

Reply text(std::string value) { return {Reply::Kind::text, std::move(value), 0, {}}; }
Reply number(std::int64_t value) { return {Reply::Kind::number, {}, value, {}}; }
Reply list(std::vector<Reply> members) { return {Reply::Kind::list, {}, 0, std::move(members)}; }

Reply stream(std::int64_t length, std::int64_t added, const std::string& first) {
  return list({text("length"), number(length), text("last-generated-id"), text("20-0"), text("entries-added"),
               number(added), text("first-entry"), length == 0 ? Reply{} : list({text(first), list({})})});
}
Reply group(const std::string& last, std::int64_t read, std::int64_t lag) {
  return list({list({text("name"), text("other"), text("pending"), number(99)}),
               list({text("name"), text("g"), text("pending"), number(5), text("last-delivered-id"), text(last),
                     text("entries-read"), number(read), text("lag"), number(lag)})});
}

}  // namespace

TEST_CASE("group facts: what a server says, as Redis 7 puts it", "[redis]") {
  const GroupFacts facts = group_facts(stream(20, 20, "1-0"), group("5-0", 5, 15), "g");
  CHECK(facts.stream_exists);
  CHECK(facts.group_exists);
  CHECK(facts.pending == 5);
  CHECK(facts.lag == 15u);
  CHECK(facts.last_delivered == StreamId{5, 0});
  CHECK_FALSE(facts.behind_the_trim());
  CHECK_FALSE(facts.lost_unread());
}

TEST_CASE("group facts: entries trimmed before the group read them are counted", "[redis]") {
  const GroupFacts facts = group_facts(stream(8, 20, "13-0"), group("5-0", 5, 15), "g");
  CHECK(facts.behind_the_trim());
  CHECK(facts.lost_unread() == 7u);
  // Trimming what was read loses nothing.
  CHECK(group_facts(stream(8, 20, "13-0"), group("12-0", 12, 8), "g").lost_unread() == 0u);
  CHECK(group_facts(stream(0, 20, ""), group("20-0", 20, 0), "g").lost_unread() == 0u);
}

TEST_CASE("group facts: no stream, no group, a server that does not count", "[redis]") {
  const Reply missing{Reply::Kind::error, "ERR no such key", 0, {}};
  CHECK_FALSE(group_facts(missing, missing, "g").stream_exists);
  CHECK_FALSE(group_facts(stream(1, 1, "1-0"), list({}), "g").group_exists);
  const Reply old_stream = list({text("length"), number(8), text("last-generated-id"), text("20-0"),
                                 text("first-entry"), list({text("13-0"), list({})})});
  const Reply old_group =
      list({list({text("name"), text("g"), text("pending"), number(0), text("last-delivered-id"), text("5-0")})});
  const GroupFacts old = group_facts(old_stream, old_group, "g");
  CHECK(old.behind_the_trim());
  CHECK_FALSE(old.lag);
  CHECK_FALSE(old.lost_unread());
}

TEST_CASE("pending: only what nobody works at is taken, and what wears consumers out is left alone", "[redis]") {
  const auto row = [](const std::string& id, const std::string& consumer, std::int64_t idle, std::int64_t times) {
    return list({text(id), text(consumer), number(idle), number(times)});
  };
  const std::vector<Pending> all =
      pending_of(list({row("1-0", "me", 10, 1), row("2-0", "me", 10, 1), row("3-0", "dead", 9000, 2),
                       row("4-0", "dead", 9000, 10), row("5-0", "busy", 100, 1), row("6-0", "me", 9000, 10)}));
  REQUIRE(all.size() == 6);
  const std::vector<StreamId> here{{2, 0}};
  const Choice own = choose(all, here, "me", {.own = true});
  CHECK(own.claim == std::vector<StreamId>{{1, 0}, {6, 0}});
  const Choice others = choose(all, here, "me", {.own = false, .idle_ms_min = 5000, .deliveries_max = 10});
  CHECK(others.claim == std::vector<StreamId>{{3, 0}});
  REQUIRE(others.worn_out.size() == 1);
  CHECK(others.worn_out[0].id == StreamId{4, 0});
  CHECK(others.worn_out[0].consumer == "dead");
}

TEST_CASE("server version: read from INFO", "[redis]") {
  CHECK(server_version("# Server\r\nredis_version:7.0.15\r\nredis_git:0\r\n") == 7000);
  CHECK(server_version("redis_version:6.2.6\r\n") == 6002);
  CHECK(server_version("redis_version:5.0.14\r\n") == 5000);
  CHECK(server_version("nothing") == 0);
}
