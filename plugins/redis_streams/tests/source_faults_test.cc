// The source against a server that is not there, refuses, forgets or goes away.
#include "reader.hh"

using namespace redis_test;

namespace {

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string start_refused(Reader& reader) {
  try {
    reader.node.start();
  } catch (const std::exception& refused) {
    CHECK(reader.node.status == SLUICE_AWAY);
    return refused.what();
  }
  return "started";
}

}  // namespace

TEST_CASE("redis_streams source: a server that is not there is away, and read from once it is", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 5);
  server.ask({"SAVE"});
  server.kill(SIGKILL);
  Reader reader(source_config(server.url()));
  CHECK(holds(start_refused(reader), "refused"));
  rig::Writer out;
  CHECK(reader.node.pull(out) == SLUICE_AWAY);
  CHECK(reader.node.probe() == SLUICE_AWAY);
  server.start();
  REQUIRE(reader.consume(5, server));
}

TEST_CASE("redis_streams source: a missing or wrong password is away, and stays secret", "[redis][live]") {
  RedisServer server({"--requirepass", "right"}, "right");
  {
    Reader reader(source_config(server.url()));
    CHECK(holds(start_refused(reader), "NOAUTH"));
  }
  {
    Reader reader(source_config(server.url(":hunter2@")));
    const std::string text = start_refused(reader);
    CHECK(holds(text, "WRONGPASS"));
    CHECK_FALSE(holds(text, "hunter2"));
  }
  Reader reader(source_config(server.url(":right@")));
  reader.node.start();
  publish(server, 0, 1);
  REQUIRE(reader.consume(1, server));
}

TEST_CASE("redis_streams source: a key that is no stream is away and says so", "[redis][live]") {
  RedisServer server;
  server.ask({"SET", kStream, "text"});
  Reader reader(source_config(server.url()));
  CHECK(holds(start_refused(reader), "no stream"));
}

TEST_CASE("redis_streams source: a stream that is deleted begins anew with a new group", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 10);
  Reader reader(source_config(server.url()));
  reader.node.start();
  REQUIRE(reader.consume(10, server));
  server.ask({"DEL", kStream});
  publish(server, 10, 10);
  REQUIRE(reader.read(20));
  reader.settle_all();
  REQUIRE(reader.step_until([&] { return pending(server) == "0"; }));
  CHECK(reader.reads.size() == 20);
  CHECK(reader.reads[10].text == event(10));
  CHECK(reader.host.logged("the group 'g' is gone"));
}

TEST_CASE("redis_streams source: a group that is destroyed goes on where it was", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 10);
  Reader reader(source_config(server.url()));
  reader.node.start();
  REQUIRE(reader.consume(10, server));
  server.ask({"XGROUP", "DESTROY", kStream, kGroup});
  publish(server, 10, 10);
  REQUIRE(reader.read(20));
  reader.settle_all();
  REQUIRE(reader.step_until([&] { return pending(server) == "0"; }));
  CHECK(reader.reads.size() == 20);
}

TEST_CASE("redis_streams source: entries that were deleted before they were settled are noticed", "[redis][live]") {
  RedisServer server;
  publish(server, 0, 10);
  {
    Reader crashed(source_config(server.url()));
    crashed.node.start();
    REQUIRE(crashed.read(10));
  }
  server.ask({"XTRIM", kStream, "MAXLEN", "4"});
  Reader reader(source_config(server.url()));
  reader.node.start();
  REQUIRE(reader.consume(4, server));
  REQUIRE(reader.step_until([&] { return reader.counter("redis_trimmed_total") == 6; }));
  CHECK(reader.reads[0].text == event(6));
  CHECK(reader.host.logged("was deleted from the stream before it was settled"));
}

TEST_CASE("redis_streams source: entries that were trimmed before they were read are noticed", "[redis][live]") {
  RedisServer server;
  Reader reader(source_config(server.url(), R"("max_in_flight":10,"batch_size":10)"));
  reader.node.start();
  publish(server, 0, 10);
  REQUIRE(reader.read(10));
  publish(server, 10, 90);
  server.ask({"XTRIM", kStream, "MAXLEN", "20"});
  REQUIRE(reader.step_until([&] { return reader.counter("redis_trimmed_unread_total") == 70; }));
  CHECK(reader.host.logged("70 entries were trimmed from the stream before the group read them"));
  REQUIRE(reader.consume(30, server));
  CHECK(reader.reads[10].text == event(80));
  REQUIRE(reader.step_until([&] { return reader.gauge("source_lag_events") == 0; }));
  CHECK(reader.counter("redis_trimmed_unread_total") == 70);
}

TEST_CASE("redis_streams source: nothing is lost over kills of the server under load", "[redis][live]") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  publish(server, 0, 4000);
  Reader reader(source_config(server.url(), R"("max_in_flight":500)"));
  reader.node.start();
  for (std::size_t kill = 1; kill <= 3; ++kill) {
    REQUIRE(reader.step_until([&] { return reader.settle_all(), reader.different() >= kill * 1000; }));
    server.kill(SIGKILL);
    for (int i = 0; i < 3; ++i) reader.poll_once();
    server.start();
  }
  REQUIRE(reader.consume(4000, server));
  CHECK(reader.different() == 4000);
  CHECK(reader.reads.size() <= 4000 + 3 * 500);
  CHECK(reader.host.logged("connection lost"));
}

TEST_CASE("redis_streams source: a server that hangs is given up after the timeout, and nothing is lost",
          "[redis][live]") {
  RedisServer server;
  Reader reader(source_config(server.url(), R"("timeout":300)"));
  reader.node.start();
  publish(server, 0, 5);
  REQUIRE(reader.read(5));
  server.kill(SIGSTOP);
  reader.settle_all();
  REQUIRE(reader.poll_until([&] { return reader.host.logged("connection lost"); }));
  CHECK(reader.host.logged("no answer for 300 ms"));
  server.kill(SIGCONT);
  publish(server, 5, 5);
  REQUIRE(reader.consume(10, server));
  CHECK(reader.reads.size() == 10);
}

TEST_CASE("redis_streams source: connections that the server closes are made again", "[redis][live]") {
  RedisServer server;
  Reader reader(source_config(server.url()));
  reader.node.start();
  publish(server, 0, 5);
  REQUIRE(reader.read(5));
  server.ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
  publish(server, 5, 5);
  REQUIRE(reader.read(10));
  CHECK(reader.reads.size() == 10);  // the first five are still at work, and were not offered again
  REQUIRE(reader.consume(10, server));
}
