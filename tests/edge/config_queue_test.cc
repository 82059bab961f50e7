// `queue:` of an observer: what it becomes, and what is wrong with it.
#include "catch.hh"
#include "core/graph_text.hh"
#include "edge/config_support.hh"

using namespace sluice;
using namespace sluice_tests;

namespace {

Loaded with(const std::string& watch, const std::string& more = "") {
  return load_text("sluice: 1\nsources: {in: {class: generate}}\nconsumers:\n  watch: {class: metrics, inputs: [in], " +
                   watch + "}\n" + more + "backends: {out: {class: \"null\", inputs: [in]}}\n");
}

}  // namespace

TEST_CASE("queue: a durable one has a folder, a bound and a policy; graph shows them") {
  const Loaded loaded = with("queue: durable");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  const NodeConfig& watch = *loaded.config.find("watch");
  CHECK(watch.queue_kind == ObserverQueue::durable);
  CHECK(watch.delivery.spool.path == "watch.queue");
  CHECK(watch.delivery.spool.max_bytes == limits::kObserverQueueBytes);
  CHECK(watch.delivery.spool.on_full == SpoolPolicy::OnFull::drop_newest);
  CHECK(graph_as_text(loaded.config)
            .find("queue: {kind: durable, max_events: 8192, path: \"watch.queue\", max_bytes: 256MiB, "
                  "segment_bytes: 32MiB, fsync: group_commit, group_commit_ms: 10, on_full: drop_newest}") !=
        std::string::npos);

  const Loaded told = with("queue: {kind: durable, path: q, max_bytes: 8MiB, on_full: block, max_events: 7}");
  INFO(told.lines);
  REQUIRE(told.ok());
  const NodeConfig& own = *told.config.find("watch");
  CHECK(own.delivery.spool.path == "q");
  CHECK(own.delivery.spool.segment_bytes == 1024 * 1024);
  CHECK(own.delivery.spool.on_full == SpoolPolicy::OnFull::block);
  CHECK(own.observer_queue == 7);
}

TEST_CASE("queue: without a word it is what the class asks for") {
  const Loaded loaded = with("queue: {max_events: 5}");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  CHECK(loaded.config.find("watch")->queue_kind == ObserverQueue::lossy);
  CHECK_FALSE(loaded.config.find("watch")->delivery.spool.on());
  CHECK(graph_as_text(loaded.config).find("queue: {max_events: 5}") != std::string::npos);
}

TEST_CASE("queue: what is wrong with it is said with its cure") {
  CHECK(with("queue: durabel").says("consumers.watch.queue: must be lossy or durable"));
  CHECK(with("queue: {kind: lossy, path: x}").says("belongs to a durable queue, and this one is lossy"));
  CHECK(with("queue: {kind: durable, on_full: dead_letter}").says("drop_newest"));
  CHECK(with("queue: {kind: durable, max_bytes: 1MiB}").says("is less than two events may have"));
  CHECK(with("queue: {kind: durable, pth: x}").says("did you mean \"path\"?"));
  CHECK(with("queue: {kind: durable, path: q}",
             "  other: {class: metrics, inputs: [in], queue: {kind: durable, path: q}}\n")
            .says("\"q\" is the folder of \"watch\" already; give each a folder of its own"));
  CHECK(with("queue: lossy", "  judge: {class: validation, inputs: [in], queue: durable}\n")
            .says("class validation is no observer"));
}
