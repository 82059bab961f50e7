// A real server that is killed under load, is full, or limits what it takes.
#include "server.hh"

using namespace rabbit_test;

namespace {

/// Publishes until all of `texts` were confirmed: what came back otherwise is offered again, as the host does.
bool deliver_all(Publisher& publisher, const std::vector<std::string>& texts) {
  std::vector<std::string> open = texts;
  return repeat_until([&] { return open.empty(); },
                      [&] {
                        const std::size_t before = publisher.host.completions.size();
                        std::vector<std::string> sent;
                        while (sent.size() < open.size()) {
                          const auto at = open.begin() + static_cast<std::ptrdiff_t>(sent.size());
                          const std::uint32_t taken = publisher.offer({at, open.end()});
                          if (taken == 0 && publisher.answered() - before == sent.size()) break;
                          sent.insert(sent.end(), at, at + taken);
                          publisher.poll();
                        }
                        REQUIRE(publisher.poll_until([&] { return publisher.answered() - before == sent.size(); }));
                        std::vector<std::string> again(open.begin() + static_cast<std::ptrdiff_t>(sent.size()),
                                                       open.end());
                        std::map<std::uint64_t, sluice_status> by_ticket;
                        for (std::size_t i = before; i < publisher.answered(); ++i) {
                          by_ticket[publisher.host.completions[i].ticket] = publisher.host.completions[i].status;
                        }
                        std::size_t i = 0;
                        for (const auto& [ticket, status] : by_ticket) {
                          if (status != SLUICE_OK) again.push_back(sent[i]);
                          ++i;
                        }
                        open = std::move(again);
                      },
                      120s);
}

}  // namespace

TEST_CASE("rabbitmq: a durable and a quorum queue lose nothing when the server is killed under load", "[live]") {
  const std::string type = GENERATE(as<std::string>(), "classic", "quorum");
  const std::string queue = fresh(type), exchange = fresh("exchange");
  Taker taker(config(quoted("queue", queue) + "," + quoted("queue_type", type) + "," + quoted("exchange", exchange) +
                     R"(,"bindings":["#"],"prefetch_count":500)"));
  taker.node.start();
  Publisher publisher(config(quoted("exchange", exchange) + R"(,"window":1000)"));
  publisher.node.start();
  REQUIRE(publisher.publish_all(events(0, 300)));
  REQUIRE(taker.take(200));
  control("sync");
  REQUIRE(publisher.offer(events(300, 1000)) > 100);
  control("kill");
  REQUIRE(publisher.poll_until([&] { return publisher.host.logged("connection lost"); }));
  CHECK(publisher.each_answered_once());
  CHECK(publisher.offer(events(0, 1)) == 0);
  CHECK(publisher.node.status == SLUICE_AWAY);
  REQUIRE(repeat_until([&] { return taker.node.status == SLUICE_AWAY; }, [&] { taker.step(5); }));
  // Word of the dead connection's deliveries comes late: it must acknowledge nothing on the new one.
  const std::size_t before = taker.taken.size();
  control("start");
  const bool came_again = repeat_until([&] { return taker.taken.size() > before; }, [&] { taker.step(); }, 120s);
  INFO(taker.node.error);
  REQUIRE(came_again);
  for (std::size_t i = 0; i < before; ++i) taker.settle(i, SLUICE_WAS_DELIVERED);

  REQUIRE(deliver_all(publisher, events(300, 1000)));
  std::set<std::string> seen;
  std::size_t looked_at = before;
  const auto all = [&] { return seen.size() >= 1300; };
  REQUIRE(repeat_until(all, [&] {
    taker.step();
    for (; looked_at < taker.taken.size(); ++looked_at) {
      seen.insert(taker.taken[looked_at].text);
      taker.settle(looked_at, SLUICE_WAS_DELIVERED);
    }
  }));
  for (std::uint64_t i = 0; i < 1300; ++i) CHECK(seen.count(event(i)) == 1);
}

TEST_CASE("rabbitmq backend: a server short of memory is away, holds what is under way, and takes it afterwards",
          "[live]") {
  const std::string queue = fresh("queue"), exchange = fresh("exchange");
  Peer peer;
  peer.queue(queue, exchange);
  Publisher publisher(config(quoted("exchange", exchange)));
  publisher.node.start();
  REQUIRE(publisher.publish_all(events(0, 10)));
  control("set_vm_memory_high_watermark absolute 1MB");
  REQUIRE(publisher.offer(events(10, 10)) == 10);
  REQUIRE(publisher.poll_until([&] { return publisher.host.logged("takes no messages for now"); }));
  CHECK(publisher.offer(events(20, 10)) == 0);
  CHECK(publisher.node.status == SLUICE_AWAY);
  CHECK(holds(publisher.node.error, "takes no messages"));
  control("set_vm_memory_high_watermark absolute 1GB");
  REQUIRE(publisher.poll_until([&] { return publisher.host.logged("takes messages again"); }));
  REQUIRE(publisher.publish_all(events(20, 10)));
  CHECK(publisher.host.completed(SLUICE_OK) == 30);
  CHECK(publisher.each_answered_once());
}

TEST_CASE("rabbitmq backend: an event beyond the server's limit is rejected with the limit named, the others arrive",
          "[live]") {
  const std::string queue = fresh("queue"), exchange = fresh("exchange");
  Peer peer;
  peer.queue(queue, exchange);
  control("eval application:set_env(rabbit,max_message_size,100000).");
  Publisher publisher(config(quoted("exchange", exchange)));
  publisher.node.start();
  const std::string big =
      R"({"specversion":"1.0","id":"1","source":"s","type":"t","data":")" + std::string(200'000, 'x') + R"("})";
  std::vector<std::string> mixed = events(0, 20);
  mixed.insert(mixed.begin() + 10, big);
  // The server closes the channel over the long one: the first round learns the limit, the second one keeps to it.
  REQUIRE(publisher.publish_all(mixed));
  CHECK(publisher.host.logged("larger than configured max size"));
  const std::size_t before = publisher.answered();
  REQUIRE(publisher.publish_all(mixed));
  control("eval application:set_env(rabbit,max_message_size,134217728).");
  std::size_t rejected = 0, delivered = 0;
  for (std::size_t i = before; i < publisher.answered(); ++i) {
    const rig::Completion& done = publisher.host.completions[i];
    delivered += done.status == SLUICE_OK ? 1 : 0;
    if (done.status != SLUICE_REJECTED) continue;
    ++rejected;
    CHECK(holds(done.reason, "100000"));
  }
  CHECK(rejected == 1);
  CHECK(delivered == 20);
}

TEST_CASE("rabbitmq backend: a server that hangs is given up after the timeout", "[live]") {
  const std::string queue = fresh("queue"), exchange = fresh("exchange");
  Peer peer;
  peer.queue(queue, exchange);
  Publisher publisher(config(quoted("exchange", exchange) + R"(,"timeout":500)"));
  publisher.node.start(30'000);
  control("freeze");
  REQUIRE(publisher.offer(events(0, 7)) == 7);
  REQUIRE(publisher.poll_until([&] { return publisher.answered() == 7; }));
  CHECK(publisher.host.completed(SLUICE_TIMEOUT) == 7);
  CHECK(holds(publisher.host.completions.front().reason, "no confirm for 500 ms"));
  control("thaw");
  REQUIRE(publisher.publish_all(events(7, 3)));
  CHECK(publisher.each_answered_once());
}
