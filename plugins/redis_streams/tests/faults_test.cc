// Against a real server that is not there, refuses, hangs or goes away.
#include "reader.hh"

using namespace redis_test;

namespace {

constexpr std::string_view kPassword = "hunter2";

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// What start() says, and that it says AWAY.
std::string start_refused(Driver& driver) {
  try {
    driver.node.start();
  } catch (const std::exception& refused) {
    CHECK(driver.node.status == SLUICE_AWAY);
    return refused.what();
  }
  return "started";
}

}  // namespace

TEST_CASE("redis_streams: a server that is not there is away, and nothing is taken", "[redis][live]") {
  const std::string url = "redis://127.0.0.1:" + std::to_string(free_port());
  Driver driver(config(url));
  CHECK(holds(start_refused(driver), url));
  CHECK(driver.offer(events(0, 3)) == 0);
  CHECK(driver.node.status == SLUICE_AWAY);
  CHECK(holds(driver.node.error, "refused"));
  CHECK(driver.node.probe() == SLUICE_AWAY);
  driver.poll(1);
  CHECK(driver.answered() == 0);
}

TEST_CASE("redis_streams: a missing or wrong password is away, and stays secret", "[redis][live]") {
  RedisServer server({"--requirepass", "right"}, "right");
  {
    Driver driver(config(server.url()));
    CHECK(holds(start_refused(driver), "NOAUTH"));
  }
  {
    Driver driver(config(server.url(":" + std::string(kPassword) + "@")));
    const std::string text = start_refused(driver);
    CHECK(holds(text, "WRONGPASS"));
    CHECK_FALSE(holds(text, kPassword));
  }
}

TEST_CASE("redis_streams: a database that is not there is away", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url("", 99)));
  CHECK(holds(start_refused(driver), "check the database number"));
}

TEST_CASE("redis_streams: TLS is refused with the cure where the library has none", "[redis]") {
  if (redis_streams::has_tls()) return;
  rig::Host host;
  try {
    rig::Node node(backend_class(), config("rediss://127.0.0.1"), host);
    FAIL("accepted");
  } catch (const std::exception& refused) {
    CHECK(holds(refused.what(), "rediss:// needs TLS"));
  }
}

TEST_CASE("redis_streams: a full server is away, and takes the same events later", "[redis][live]") {
  RedisServer server({"--maxmemory", "1", "--maxmemory-policy", "noeviction"});
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 300)));
  CHECK(driver.host.completed(SLUICE_AWAY) == 300);
  CHECK(holds(driver.host.completions.front().reason, "OOM"));
  CHECK(driver.each_answered_once());
  server.ask({"CONFIG", "SET", "maxmemory", "0"});
  REQUIRE(driver.publish_all(events(0, 300)));
  CHECK(driver.host.completed(SLUICE_OK) == 300);
  CHECK(server.length("nlp-events") == 300);
}

TEST_CASE("redis_streams: a key that is no stream is away and says so", "[redis][live]") {
  RedisServer server;
  server.ask({"SET", "nlp-events", "text"});
  Driver driver(config(server.url(), R"("ttl_seconds":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 3)));
  CHECK(driver.host.completed(SLUICE_AWAY) == 3);
  CHECK(holds(driver.host.completions.front().reason, "no stream"));
}

TEST_CASE("redis_streams: a cluster's redirect is refused with the address to use, by backend and source",
          "[redis][live]") {
  const auto cluster = [] {
    return std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port())};
  };
  RedisServer owner(cluster()), other(cluster());
  owner.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  const std::vector<std::string> bus = other.options();
  owner.ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(other.address().port), bus.back()});
  const auto moved = [&] {
    return redis_streams::Connection(other.address(), 10s).request({"XLEN", "nlp-events"}).text.starts_with("MOVED");
  };
  for (int i = 0; i < 3000 && !moved(); ++i) ::poll(nullptr, 0, 10);
  REQUIRE(moved());
  Driver driver(config(other.url(), R"("ttl_seconds":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 3)));
  CHECK(driver.host.completed(SLUICE_AWAY) == 3);
  CHECK(holds(driver.host.completions.front().reason, "MOVED"));
  CHECK(holds(driver.host.completions.front().reason, "redirects are not followed"));
  Reader reader(source_config(other.url()));
  CHECK_THROWS_WITH(reader.node.start(), Catch::Matchers::Contains("redirects are not followed"));
  CHECK(reader.node.status == SLUICE_AWAY);
}

TEST_CASE("redis_streams: a cluster that is moving the stream's slot is away for it, by backend and source",
          "[redis][live]") {
  const auto cluster = [] {
    return std::vector<std::string>{"--cluster-enabled", "yes", "--cluster-port", std::to_string(free_port())};
  };
  RedisServer owner(cluster()), other(cluster());
  owner.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
  owner.ask({"CLUSTER", "MEET", "127.0.0.1", std::to_string(other.address().port), other.options().back()});
  const auto said = [](RedisServer& server, std::initializer_list<std::string_view> words) {
    return redis_streams::Connection(server.address(), 10s).request(words).text;
  };
  for (int i = 0; i < 3000 && !said(other, {"XLEN", "nlp-events"}).starts_with("MOVED"); ++i) ::poll(nullptr, 0, 10);
  // The slot is on its way: a key that is not here any more is asked for there.
  const std::string slot = owner.ask({"CLUSTER", "KEYSLOT", "nlp-events"});
  const std::string here = said(owner, {"CLUSTER", "MYID"}), there = said(other, {"CLUSTER", "MYID"});
  for (int i = 0; i < 3000 && said(owner, {"CLUSTER", "SETSLOT", slot, "MIGRATING", there}) != "OK"; ++i) {
    ::poll(nullptr, 0, 10);
  }
  REQUIRE(said(other, {"CLUSTER", "SETSLOT", slot, "IMPORTING", here}) == "OK");
  REQUIRE(said(owner, {"XLEN", "nlp-events"}).starts_with("ASK "));
  Driver driver(config(owner.url(), R"("ttl_seconds":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 3)));
  CHECK(driver.host.completed(SLUICE_AWAY) == 3);
  CHECK(holds(driver.host.completions.front().reason, "ASK"));
  CHECK(holds(driver.host.completions.front().reason, "moving this stream"));
  Reader reader(source_config(owner.url()));
  CHECK_THROWS_WITH(reader.node.start(), Catch::Matchers::Contains("moving this stream"));
  CHECK(reader.node.status == SLUICE_AWAY);
  // When the move is given up, the stream is here again.
  REQUIRE(said(owner, {"CLUSTER", "SETSLOT", slot, "STABLE"}) == "OK");
  REQUIRE(driver.publish_all(events(0, 3)));
  CHECK(driver.host.completed(SLUICE_OK) == 3);
}

TEST_CASE("redis_streams: a replica is away", "[redis][live]") {
  RedisServer server({"--replicaof", "127.0.0.1", std::to_string(free_port()), "--replica-serve-stale-data", "yes"});
  Driver driver(config(server.url()));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 3)));
  CHECK(driver.host.completed(SLUICE_AWAY) == 3);
  CHECK(holds(driver.host.completions.front().reason, "READONLY"));
}

TEST_CASE(
    "redis_streams: when the server is killed under load, what was under way is perhaps delivered and the rest "
    "was never tried",
    "[redis][live]") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  Driver driver(config(server.url(), R"("max_len":0,"ttl_seconds":0,"window":1000)"));
  driver.node.start();
  std::set<std::uint64_t> wanted;
  std::uint64_t first = 0;
  REQUIRE(driver.publish_all(events(first, 500)));
  first += 500;
  std::uint64_t under_way = 0;
  under_way += driver.offer(events(first, 256));
  server.kill(SIGSTOP);  // so that the last ones are unanswered for certain when it dies
  const std::uint64_t unanswered = driver.offer(events(first + under_way, 256));
  REQUIRE(unanswered > 100);
  under_way += unanswered;
  driver.node.flush();
  server.kill(SIGKILL);
  REQUIRE(driver.poll_until([&] { return driver.answered() == first + under_way; }));
  CHECK(driver.each_answered_once());
  const std::size_t delivered = driver.host.completed(SLUICE_OK);
  const std::size_t perhaps = driver.host.completed(SLUICE_TIMEOUT);
  CHECK(delivered + perhaps + driver.host.completed(SLUICE_AWAY) == first + under_way);
  CHECK(driver.host.logged("connection lost"));
  CHECK(driver.offer(events(first + under_way, 1)) == 0);
  CHECK(driver.node.status == SLUICE_AWAY);

  server.start();
  CHECK(server.length("nlp-events") >= delivered);
  CHECK(server.length("nlp-events") <= delivered + perhaps);
  REQUIRE(driver.publish_all(events(first + under_way, 100)));
  CHECK(driver.host.completed(SLUICE_OK) == delivered + 100);
  CHECK(driver.each_answered_once());
}

TEST_CASE("redis_streams: what never left is told as not tried, when the connection breaks before it was sent",
          "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("ttl_seconds":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 10)));
  server.kill(SIGKILL);
  REQUIRE(driver.offer(events(10, 5)) == 5);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 15; }));
  // The first write to a dead connection may still succeed, so both answers are right; none may be "delivered".
  CHECK(driver.host.completed(SLUICE_OK) == 10);
  CHECK(driver.host.completed(SLUICE_TIMEOUT) + driver.host.completed(SLUICE_AWAY) == 5);
}

TEST_CASE("redis_streams: a server that hangs is given up after the timeout", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("ttl_seconds":0,"connection_pool":{"timeout":0.3})"));
  driver.node.start();
  server.kill(SIGSTOP);
  REQUIRE(driver.offer(events(0, 7)) == 7);
  REQUIRE(driver.poll_until([&] { return driver.answered() == 7; }));
  CHECK(driver.host.completed(SLUICE_TIMEOUT) == 7);
  CHECK(holds(driver.host.completions.front().reason, "no answer for 300 ms"));
  server.kill(SIGCONT);
  REQUIRE(driver.publish_all(events(7, 10)));
  CHECK(driver.host.completed(SLUICE_OK) == 10);
  CHECK(driver.each_answered_once());
}

TEST_CASE("redis_streams: an idle connection that the server closes costs nothing", "[redis][live]") {
  RedisServer server;
  Driver driver(config(server.url(), R"("ttl_seconds":0)"));
  driver.node.start();
  REQUIRE(driver.publish_all(events(0, 1)));
  server.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  REQUIRE(driver.poll_until([&] { return driver.host.logged("connection lost"); }));
  REQUIRE(driver.publish_all(events(1, 5)));
  CHECK(driver.host.completed(SLUICE_OK) == 6);
}

TEST_CASE("redis_streams: garbage instead of answers ends the connection, not the process", "[redis][live]") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listener, 4) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  Driver driver(config("redis://127.0.0.1:" + std::to_string(ntohs(address.sin_port)), R"("ttl_seconds":0)"));
  driver.node.start();
  const int peer = ::accept(listener, nullptr, nullptr);
  REQUIRE(peer >= 0);
  REQUIRE(driver.offer(events(0, 3)) == 3);
  const std::string garbage = "HTTP/1.1 400 Bad Request\r\n\r\n";
  REQUIRE(::write(peer, garbage.data(), garbage.size()) == static_cast<ssize_t>(garbage.size()));
  REQUIRE(driver.poll_until([&] { return driver.answered() == 3; }));
  CHECK(driver.host.completed(SLUICE_TIMEOUT) == 3);
  ::close(peer);
  ::close(listener);
}
