// A member of a group against a broker: what it hands over, what it commits, and how partitions change hands.
#include "driver.hh"

#include <algorithm>
#include <array>
#include <numeric>
#include <set>

using namespace kafka_test;

namespace {

/// `more` are further members. The group is the topic's own.
std::string group(const std::string& topic, const std::string& more = "") {
  return config(
      topic,
      R"("group_id":")" + topic + R"(","commit_interval":1,"session_timeout":6000)" + (more.empty() ? "" : "," + more),
      Broker::get().servers(), "topics");
}

std::vector<Message> messages(std::uint64_t first, std::uint64_t count, int partitions = 1) {
  std::vector<Message> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    Message made;
    made.value = event(first + i);
    made.partition = static_cast<std::int32_t>((first + i) % static_cast<std::uint64_t>(partitions));
    all.push_back(std::move(made));
  }
  return all;
}

/// A member of its own that sees what the group has not committed: it takes all there is until nothing comes any more.
std::vector<std::string> left_for_the_group(const std::string& topic) {
  Broker::get().write(topic, {{"the end", "", {}, 0}});
  SourceDriver next(group(topic));
  next.node.start();
  REQUIRE(until([&] { return !next.records.empty() && next.records.back().text == "the end"; }, [&] { next.step(); }));
  std::vector<std::string> texts = next.texts();
  texts.pop_back();
  return texts;
}

}  // namespace

TEST_CASE("kafka source: messages come as they were written, in the order of their partition", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  Broker::get().write(topic, messages(0, 3000));
  SourceDriver source(group(topic));
  source.node.start();
  REQUIRE(source.receive(3000));
  CHECK(source.texts() == events(0, 3000));
  CHECK(source.records.front().position == topic + "/0/0");
  CHECK(source.records.back().position == topic + "/0/2999");
}

TEST_CASE("kafka source: a reader that takes faster than the library fetches gets everything once and in order",
          "[kafka][live]") {
  const std::string topic = Broker::get().topic(2);
  Broker::get().write(topic, messages(0, 6000, 2));
  SourceDriver source(group(topic, R"("prefetch":10,"max_message_bytes":16384)"));
  source.node.start();
  REQUIRE(source.receive(6000));
  REQUIRE(source.records.size() == 6000);
  // Each partition in its own order; the two beside one another as they come.
  std::array<std::uint64_t, 2> next{0, 1};
  for (const auto& record : source.records) {
    const std::size_t partition = record.position.find("/1/") != std::string::npos ? 1 : 0;
    REQUIRE(record.text == event(next[partition]));
    next[partition] += 2;
  }
}

TEST_CASE("kafka source: each mode is told apart by its headers", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  Broker::get().write(topic,
                      {{event(1), "", {{"content-type", "application/cloudevents+json"}}, 0},
                       {"data", "key", {{"ce_specversion", "1.0"}, {"ce_id", "2"}, {"content-type", "text/plain"}}, 0},
                       {std::nullopt, "", {{"ce_id", "3"}}, 0},
                       {event(4), "", {}, 0},
                       {"[" + event(5) + "]", "", {{"content-type", "application/cloudevents-batch+json"}}, 0}});
  SourceDriver source(group(topic, R"("accept_batches":true)"));
  source.node.start();
  REQUIRE(source.receive(5));
  CHECK(source.records[0].flags == SLUICE_SINGLE);
  CHECK(source.records[1].flags == SLUICE_ATTRIBUTES);
  CHECK(source.records[1].text == "data");
  const std::map<std::string, std::string> wanted{
      {"specversion", "1.0"}, {"id", "2"}, {"datacontenttype", "text/plain"}};
  CHECK(source.records[1].attributes == wanted);
  CHECK_FALSE(source.records[2].has_value);
  CHECK(source.records[3].flags == 0);
  CHECK(source.records[4].flags == SLUICE_BATCHED);
}

TEST_CASE("kafka source: what was settled does not come again, what was not does", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  Broker::get().write(topic, messages(0, 100));
  {
    SourceDriver source(group(topic));
    source.settles = false;
    source.node.start();
    REQUIRE(source.receive(100));
    source.settle(SLUICE_WAS_DELIVERED, 0, 40);
    source.settle(SLUICE_WAS_REJECTED, 40, 60);   // told to somebody else: done here
    source.settle(SLUICE_WAS_DELIVERED, 70, 90);  // 60 to 69 are not: nothing behind them may be committed
    source.step();
    source.node.stop();
    source.settle(SLUICE_NOT_DELIVERED, 90, 100);
  }
  const std::vector<std::string> left = left_for_the_group(topic);
  REQUIRE(left.size() == 40);
  CHECK(left == events(60, 40));
}

TEST_CASE("kafka source: nothing is taken in without room, and the member stays in its group", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  Broker::get().write(topic, messages(0, 10));
  SourceDriver source(group(topic));
  source.node.start();
  REQUIRE(until([&] { return source.host.logged("partitions assigned"); }, [&] { source.step(10, 0); }));
  for (int i = 0; i < 20; ++i) source.step(10, 0);
  CHECK(source.records.empty());
  REQUIRE(source.receive(10));
  CHECK(source.texts() == events(0, 10));
}

TEST_CASE("kafka source: what could not be delivered is read again, alone and before what follows", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  Broker::get().write(topic, messages(0, 20));
  SourceDriver source(group(topic, R"("redeliver_after":20,"redeliver_after_max":40)"));
  source.settles = false;
  source.node.start();
  REQUIRE(source.receive(20));
  source.settle(SLUICE_WAS_DELIVERED, 0, 5);
  source.settle(SLUICE_NOT_DELIVERED, 5, 7);
  source.settle(SLUICE_WAS_DELIVERED, 7, 20);
  Broker::get().write(topic, messages(20, 5));
  REQUIRE(source.receive(22));
  CHECK(source.records[20].text == event(5));
  CHECK(source.records[21].text == event(6));
  source.settle(SLUICE_NOT_DELIVERED, 20, 21);  // fails once more
  source.settle(SLUICE_WAS_DELIVERED, 21, source.records.size());
  source.settles = true;
  const auto times = [&](int number) {
    return std::count_if(source.records.begin(), source.records.end(),
                         [&](const auto& record) { return record.text == event(static_cast<std::uint64_t>(number)); });
  };
  REQUIRE(until([&] { return times(5) == 3 && times(24) == 1; }, [&] { source.step(); }));
  std::map<std::string, int> seen;
  for (const auto& record : source.records) ++seen[record.text];
  CHECK(seen.size() == 25);
  CHECK(seen[event(5)] == 3);
  CHECK(seen[event(6)] == 2);
  CHECK(std::count_if(seen.begin(), seen.end(), [](const auto& each) { return each.second == 1; }) == 23);
}

TEST_CASE("kafka source: a topic that is missing is named, and read once it is there", "[kafka][live]") {
  if (skipped_without_a_broker("a topic that is not made by using it")) return;
  const std::string topic = Broker::get().topic() + "-later";
  SourceDriver source(group(topic, R"("properties":{"topic.metadata.refresh.interval.ms":200})"));
  source.node.start();
  REQUIRE(until([&] { return source.host.logged(topic); }, [&] { source.step(); }));
  Broker::get().make_topic(topic);
  Broker::get().write(topic, messages(0, 3));
  REQUIRE(source.receive(3));
}

TEST_CASE("kafka source: topics by pattern, also those that come later", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  SourceDriver source(group("^" + topic + "-.*", R"("properties":{"topic.metadata.refresh.interval.ms":200})"));
  source.node.start();
  Broker::get().make_topic(topic + "-a");
  Broker::get().write(topic + "-a", messages(0, 3));
  REQUIRE(source.receive(3));
  Broker::get().make_topic(topic + "-b");
  Broker::get().write(topic + "-b", messages(3, 3));
  REQUIRE(source.receive(6));
  CHECK(source.texts() == events(0, 6));
}

TEST_CASE("kafka source: how far a partition lags is shown", "[kafka][live]") {
  const std::string topic = Broker::get().topic();
  Broker::get().write(topic, messages(0, 50));
  SourceDriver source(group(topic));
  source.settles = false;
  source.node.start();
  REQUIRE(source.receive(50));
  source.settle(SLUICE_WAS_DELIVERED, 0, 30);
  const std::string series = R"(source_lag_events{topic=")" + topic + R"(",partition="0"})";
  REQUIRE(until([&] { return source.host.cell(series) != nullptr && source.host.cell(series)->value == 20; },
                [&] { source.step(); }));
  REQUIRE(until([&] { return source.host.cell("source_pending_events")->value == 20; }, [&] { source.step(); }));
}

TEST_CASE("kafka source: two members share the partitions, and none of what they pass on is lost or comes twice",
          "[kafka][live]") {
  if (skipped_without_a_broker("a group that changes hands")) return;
  for (const char* strategy : {"range", "cooperative-sticky"}) {
    CAPTURE(strategy);
    const std::string topic = Broker::get().topic(6);
    const std::string how = R"("assignment_strategy":")" + std::string(strategy) + R"(")";
    SourceDriver first(group(topic, how));
    first.node.start();
    Broker::get().write(topic, messages(0, 3000, 6));
    REQUIRE(first.receive(600));
    auto second = std::make_unique<SourceDriver>(group(topic, how));
    second->node.start();
    // Each settles one round later than it took in, so that something is always under way when partitions move.
    std::uint64_t written = 3000;
    first.settles = second->settles = false;
    const auto round = [&](SourceDriver& source) {
      const std::size_t before = source.records.size();
      source.step(5, 40);
      source.settle(SLUICE_WAS_DELIVERED, source.settled, before);
    };
    const auto both = [&] {
      round(first);
      if (second != nullptr) round(*second);
    };
    REQUIRE(until([&] { return second->host.logged("3 partitions assigned"); }, both));
    Broker::get().write(topic, messages(written, 600, 6));
    written += 600;
    const auto arrived = [&](const std::vector<std::string>& earlier) {
      std::map<std::string, int> seen;
      for (const std::string& text : earlier) ++seen[text];
      for (const auto& record : first.records) ++seen[record.text];
      if (second != nullptr) {
        for (const auto& record : second->records) ++seen[record.text];
      }
      return seen;
    };
    REQUIRE(until([&] { return arrived({}).size() == written; }, both));
    round(*second);
    const std::vector<std::string> of_second = second->texts();
    CHECK(of_second.size() > 100);
    second.reset();  // leaves: the first one takes over
    Broker::get().write(topic, messages(written, 600, 6));
    written += 600;
    REQUIRE(until([&] { return arrived(of_second).size() == written; }, both));
    for (const auto& [text, times] : arrived(of_second)) {
      if (times != 1) FAIL_CHECK(text << " came " << times << " times");
    }
  }
}

TEST_CASE("kafka source: a source that is to stop at the end does so when all of it is settled", "[kafka][live]") {
  const std::string topic = Broker::get().topic(2);
  Broker::get().write(topic, messages(0, 30, 2));
  SourceDriver source(group(topic, R"("stop_at_end":true)"));
  source.settles = false;
  source.node.start();
  REQUIRE(source.receive(30));
  for (int i = 0; i < 10; ++i) source.step();
  CHECK(source.node.status == SLUICE_AGAIN);
  source.settle(SLUICE_WAS_DELIVERED, 0, 30);
  REQUIRE(until([&] { return source.node.status == SLUICE_END; }, [&] { source.step(); }));
  CHECK(source.records.size() == 30);
}

TEST_CASE("kafka source: it stops at what each partition held at the start, however much is written meanwhile",
          "[kafka][live]") {
  const std::string topic = Broker::get().topic(3);  // and one of the partitions is empty
  Broker::get().write(topic, messages(0, 20, 2));
  SourceDriver source(group(topic, R"("stop_at_end":true)"));
  source.settles = false;
  source.node.start();
  REQUIRE(source.receive(20));
  Broker::get().write(topic, messages(20, 50, 2));
  // One fails, is read again among all that was written since, and the end stays where it was.
  source.settle(SLUICE_NOT_DELIVERED, 3, 4);
  source.settle(SLUICE_WAS_DELIVERED, 0, 3);
  source.settle(SLUICE_WAS_DELIVERED, 4, 20);
  source.settles = true;
  REQUIRE(until([&] { return source.node.status == SLUICE_END; }, [&] { source.step(); }));
  const std::vector<std::string> texts = source.texts();
  CHECK(texts.size() == 21);
  CHECK(std::set<std::string>(texts.begin(), texts.end()).size() == 20);
}

TEST_CASE("kafka source: a topic without messages ends at once", "[kafka][live]") {
  SourceDriver source(group(Broker::get().topic(2), R"("stop_at_end":true)"));
  source.node.start();
  REQUIRE(until([&] { return source.node.status == SLUICE_END; }, [&] { source.step(); }));
  CHECK(source.records.empty());
}

TEST_CASE("kafka source: with nobody there the source is away and says why", "[kafka][live]") {
  SourceDriver source(config("nlp", R"("timeout":300)", "127.0.0.1:1", "topics"));
  const std::string why = start_error(source.node);
  CHECK(has(why, "127.0.0.1:1"));
  CHECK(has(why, "refused"));
  CHECK(source.node.status == SLUICE_AWAY);
  rig::Writer out;
  CHECK(source.node.pull(out) == SLUICE_AWAY);
  CHECK(source.node.probe() == SLUICE_AWAY);
  source.step(1, 0);
}
