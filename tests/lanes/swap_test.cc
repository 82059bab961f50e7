// A reload swaps the instance inside its lane: queue, held events, spool and key order stay, and nothing is lost or
// charged.
#include "catch.hh"
#include "rig.hh"

#include <poll.h>

#include <algorithm>
#include <iterator>

using namespace sluice;
using namespace sluice::test;
using std::chrono::milliseconds;

namespace {

NodeIndex index_of(Rig& rig, const std::string& name) {
  const auto& nodes = rig.pipeline().graph().nodes;
  const auto found = std::ranges::find(nodes, name, &GraphNode::name);
  REQUIRE(found != nodes.end());
  return static_cast<NodeIndex>(std::distance(nodes.begin(), found));
}

/// Tells when it is destroyed, and can keep silent when it is stopped.
class Fresh final : public BackendNode {
 public:
  explicit Fresh(std::vector<std::string>& story, std::string name) : story_(story), name_(std::move(name)) {}
  ~Fresh() override { story_.push_back(name_ + " destroyed"); }

  FakeBackend inner;
  Status start_with;
  bool silent = false;

  void attach(NodeEvents* events) noexcept override { inner.attach(events); }
  [[nodiscard]] Status start(milliseconds) override {
    story_.push_back(name_ + " started");
    return start_with;
  }
  [[nodiscard]] bool poll(int, milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(milliseconds timeout) override {
    story_.push_back(name_ + " stopped");
    return silent ? Status{} : inner.stop(timeout);
  }
  [[nodiscard]] sluice_status publish(const sluice_batch& batch, std::uint32_t& count, std::string& error) override {
    return inner.publish(batch, count, error);
  }
  void flush() override { inner.flush(); }

 private:
  std::vector<std::string>& story_;
  std::string name_;
};

struct Swapped {
  std::shared_ptr<NodeSwap> swap = std::make_shared<NodeSwap>();
  Fresh* node = nullptr;
};

Swapped ask(Rig& rig, std::vector<std::string>& story, const std::string& lane, const std::string& name,
            Status start_with = {}) {
  Swapped made;
  auto fresh = std::make_unique<Fresh>(story, name);
  fresh->start_with = std::move(start_with);
  made.node = fresh.get();
  made.swap->backend = std::move(fresh);
  rig.pipeline().swap(index_of(rig, lane), made.swap);
  return made;
}

void go(Rig& rig, const std::string& lane, Swapped& swapped) {
  rig.pipeline().end_swap(index_of(rig, lane), *swapped.swap);
  rig.step();
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("swap: the lane offers nothing, and waits for what the old instance has before it is stopped",
          "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  Swapped swapped = ask(rig, story, "out", "new");
  const auto b = in.offer("b");
  rig.step();
  CHECK(out.ids() == Ids{"a"});  // b waits in the lane
  CHECK_FALSE(swapped.swap->answered());
  out.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
  REQUIRE(swapped.swap->answered());
  CHECK(swapped.swap->under_way == 1);
  CHECK(swapped.swap->taken_back == 0);
  CHECK(swapped.node->inner.taken.empty());  // before `go`
  go(rig, "out", swapped);
  CHECK(swapped.node->inner.ids() == Ids{"b"});
  swapped.node->inner.complete("b");
  rig.step();
  CHECK(in.of(b).outcome == Outcome::delivered);
}

TEST_CASE("swap: what is not answered in time is taken back and offered to the new instance, in order, uncharged",
          "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  Delivery once = Rig::fast();
  once.retry.max_attempts = 1;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}, once);
  rig.build();
  std::vector<std::uint64_t> tags;
  for (const char* id : {"a", "b", "c"}) tags.push_back(in.offer(id));
  rig.step();
  Swapped swapped = ask(rig, story, "out", "new");
  tags.push_back(in.offer("d"));
  rig.step();
  CHECK_FALSE(swapped.swap->answered());
  rig.advance(limits::kSwapWait + milliseconds(1));
  REQUIRE(swapped.swap->answered());
  CHECK(swapped.swap->taken_back == 3);
  go(rig, "out", swapped);
  CHECK(swapped.node->inner.ids() == Ids{"a", "b", "c", "d"});
  swapped.node->inner.complete_all();
  rig.step();
  for (const auto tag : tags) CHECK(in.of(tag).outcome == Outcome::delivered);
  CHECK(rig.stats("out").attempts.get() == 0);
  CHECK(rig.stats("out").away_periods.get() == 0);
  CHECK(rig.stats("out").in_flight.get() == 0);
}

TEST_CASE("swap: the old instance is destroyed before the new one starts", "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  rig.source("in");
  rig.backend("out", {"in"});
  rig.build();
  Swapped first = ask(rig, story, "out", "first");
  rig.step();
  go(rig, "out", first);
  Swapped second = ask(rig, story, "out", "second");
  rig.step();
  go(rig, "out", second);
  CHECK(story == Ids{"first started", "first stopped", "first destroyed", "second started"});
}

TEST_CASE("swap: what an instance never completes, even when it is destroyed, goes to the new one and is counted",
          "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"});
  rig.build();
  Swapped first = ask(rig, story, "out", "first");
  rig.step();
  first.node->silent = true;
  go(rig, "out", first);
  const auto a = in.offer("a");
  rig.step();
  REQUIRE(first.node->inner.ids() == Ids{"a"});
  Swapped second = ask(rig, story, "out", "second");
  rig.step();
  rig.advance(limits::kSwapWait + milliseconds(1));
  go(rig, "out", second);
  CHECK(second.node->inner.ids() == Ids{"a"});
  CHECK(rig.stats("out").breaches.get() == 1);
  CHECK(rig.stats("out").duplicates_possible.get() == 1);
  second.node->inner.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
}

TEST_CASE("swap: events that waited for a far side that is away go to the new one at once", "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  const auto a = in.offer("a");
  const auto b = in.offer("b");
  rig.step();
  out.complete("a", SLUICE_AGAIN, "busy");
  out.complete("b", SLUICE_AWAY, "refused");
  out.away = true;
  rig.step();
  Swapped swapped = ask(rig, story, "out", "new");
  rig.step();
  go(rig, "out", swapped);
  CHECK(swapped.node->inner.ids() == Ids{"a", "b"});
  CHECK(rig.stats("out").state.load() == NodeState::running);
  swapped.node->inner.complete_all();
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
  CHECK(in.of(b).outcome == Outcome::delivered);
}

TEST_CASE("swap: an instance whose far side is away is tried again, as at the start", "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"});
  rig.build();
  Swapped swapped = ask(rig, story, "out", "new", {SLUICE_AWAY, "refused"});
  rig.step();
  CHECK(swapped.swap->step == NodeSwap::Step::started);
  CHECK(swapped.swap->away);
  go(rig, "out", swapped);
  const auto a = in.offer("a");
  rig.step();
  CHECK(swapped.node->inner.taken.empty());
  swapped.node->start_with = {};
  rig.advance(limits::kAwayBackoffMax);
  REQUIRE(swapped.node->inner.ids() == Ids{"a"});
  swapped.node->inner.complete("a");
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
}

TEST_CASE("swap: an instance that does not start publishes nothing, and the way back goes on with everything",
          "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  Swapped swapped = ask(rig, story, "out", "new", {SLUICE_FAILED, "no such folder"});
  rig.step();
  rig.advance(limits::kSwapWait + milliseconds(1));
  CHECK(swapped.swap->step == NodeSwap::Step::failed);
  CHECK(swapped.swap->text == "no such folder");
  const auto b = in.offer("b");
  rig.step();
  CHECK(swapped.node->inner.taken.empty());
  Swapped back = ask(rig, story, "out", "back");
  back.swap->way_back = true;
  rig.step();
  CHECK(story == Ids{"new started", "new destroyed", "back started"});
  go(rig, "out", back);
  CHECK(back.node->inner.ids() == Ids{"a", "b"});
  back.node->inner.complete_all();
  rig.step();
  CHECK(in.of(a).outcome == Outcome::delivered);
  CHECK(in.of(b).outcome == Outcome::delivered);
}

TEST_CASE("swap: a broken backend runs again with another instance", "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"});
  rig.build();
  const auto a = in.offer("a");
  out.fail = true;
  rig.step();
  CHECK(in.of(a).outcome == Outcome::retry);
  CHECK(rig.stats("out").state.load() == NodeState::broken);
  Swapped swapped = ask(rig, story, "out", "new");
  rig.step();
  go(rig, "out", swapped);
  CHECK(rig.stats("out").state.load() == NodeState::running);
  const auto b = in.offer("b");
  rig.step();
  swapped.node->inner.complete_all();
  rig.step();
  CHECK(in.of(b).outcome == Outcome::delivered);
}

TEST_CASE("swap: the order of a key holds through it", "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  Delivery ordered = Rig::fast();
  ordered.ordering = {.by_key = true, .key = "/n", .max_held = 100};
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, ordered);
  rig.build();
  for (const char* id : {"a", "b", "c"}) in.offer(id);  // all of one key
  rig.step();
  CHECK(out.ids() == Ids{"a"});
  Swapped swapped = ask(rig, story, "out", "new");
  rig.step();
  rig.advance(limits::kSwapWait + milliseconds(1));
  go(rig, "out", swapped);
  CHECK(swapped.node->inner.ids() == Ids{"a"});
  swapped.node->inner.complete("a");
  rig.step();
  swapped.node->inner.complete("b");
  rig.step();
  CHECK(swapped.node->inner.ids() == Ids{"a", "b", "c"});
}

TEST_CASE("swap: the breaker is closed for the new instance", "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  Delivery broken = Rig::fast();
  broken.breaker.enabled = true;
  broken.breaker.min_results = 1;
  broken.retry.max_attempts = 10;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, broken);
  rig.build();
  in.offer("a");
  rig.step();
  out.complete("a", SLUICE_AGAIN, "500");
  rig.step();
  REQUIRE(rig.stats("out").breaker.load() == BreakerState::open);
  Swapped swapped = ask(rig, story, "out", "new");
  rig.step();
  go(rig, "out", swapped);
  CHECK(rig.stats("out").breaker.load() == BreakerState::closed);
  CHECK(swapped.node->inner.ids() == Ids{"a"});
}

TEST_CASE("swap: numbers of delivery change without another instance", "[lanes][swap]") {
  Rig rig;
  Delivery one = Rig::fast();
  one.max_in_flight = 1;
  auto& in = rig.source("in");
  auto& out = rig.backend("out", {"in"}, one);
  rig.build();
  for (const char* id : {"a", "b", "c"}) in.offer(id);
  rig.step();
  CHECK(out.taken.size() == 1);
  Swapped change;
  rig.pipeline().swap(index_of(rig, "out"), change.swap);
  rig.step();
  REQUIRE(change.swap->answered());
  Delivery two = one;
  two.max_in_flight = 2;
  change.swap->delivery = two;
  go(rig, "out", change);
  CHECK(out.taken.size() == 2);
}

TEST_CASE("swap: a spool feeds the new instance, and what it had written stays", "[lanes][swap]") {
  MemoryDisk disk;
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  auto& out = rig.spooled("out", {"in"}, disk);
  rig.build();
  out.away = true;
  std::vector<std::uint64_t> tags;
  for (const char* id : {"a", "b"}) tags.push_back(in.offer(id));
  rig.step();
  for (const auto tag : tags) CHECK(in.of(tag).outcome == Outcome::delivered);  // the spool has them
  Swapped swapped = ask(rig, story, "out", "new");
  rig.step();
  go(rig, "out", swapped);
  CHECK(swapped.node->inner.ids() == Ids{"a", "b"});
  swapped.node->inner.complete_all();
  rig.step();
  CHECK(rig.stats("out").spool_records.get() == 0);
}

TEST_CASE("swap: the host ends while an instance is being changed, and every event is answered", "[lanes][swap]") {
  Ids story;  // outlives the rig and its nodes
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"});
  rig.build();
  const auto a = in.offer("a");
  rig.step();
  Swapped swapped = ask(rig, story, "out", "new", {SLUICE_FAILED, "no"});
  rig.step();
  rig.advance(limits::kSwapWait + milliseconds(1));
  rig.stop();
  CHECK(in.of(a).outcome == Outcome::retry);
}

TEST_CASE("swap: an observer is shown the events that waited, each once", "[lanes][swap]") {
  MemoryDisk disk;
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  auto& old = rig.durable("watch", {"in"}, disk);
  rig.build();
  in.offer("a");
  rig.step();
  CHECK(old.seen == Ids{"a"});
  Swapped change;
  auto fresh = std::make_unique<FakeConsumer>();
  FakeConsumer& watch = *fresh;
  change.swap->observer = std::move(fresh);
  rig.pipeline().swap(index_of(rig, "watch"), change.swap);
  in.offer("b");
  rig.step();
  REQUIRE(change.swap->answered());
  CHECK(watch.seen.empty());
  go(rig, "watch", change);
  in.offer("c");
  rig.step();
  CHECK(watch.seen == Ids{"b", "c"});
}

TEST_CASE("swap: an observer that does not start is shown nothing until there is a way back", "[lanes][swap]") {
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  rig.consumer("watch", {"in"}, SLUICE_OBSERVER);
  rig.build();
  Swapped change;
  auto fresh = std::make_unique<FakeConsumer>();
  fresh->start_with = {SLUICE_FAILED, "the state is not readable"};
  change.swap->observer = std::move(fresh);
  rig.pipeline().swap(index_of(rig, "watch"), change.swap);
  in.offer("a");
  rig.step();
  CHECK(change.swap->step == NodeSwap::Step::failed);
  Swapped back;
  auto again = std::make_unique<FakeConsumer>();
  FakeConsumer& watch = *again;
  back.swap->observer = std::move(again);
  back.swap->way_back = true;
  rig.pipeline().swap(index_of(rig, "watch"), back.swap);
  rig.step();
  go(rig, "watch", back);
  CHECK(watch.seen == Ids{"a"});
}

TEST_CASE("swap: with a thread to each lane, instances change under load and every event arrives once",
          "[lanes][swap]") {
  // What the instances took, whoever it was: each runs on the lane's thread, the test reads when that has ended.
  struct Taking final : BackendNode {
    explicit Taking(Ids& all) : taken(all) {}
    Ids& taken;
    NodeEvents* events = nullptr;
    void attach(NodeEvents* e) noexcept override { events = e; }
    [[nodiscard]] Status start(milliseconds) override { return {}; }
    [[nodiscard]] bool poll(int, milliseconds, std::uint32_t, Status&) override { return false; }
    [[nodiscard]] bool polls() const noexcept override { return false; }
    Status stop(milliseconds) override { return {}; }
    [[nodiscard]] sluice_status publish(const sluice_batch& batch, std::uint32_t& count, std::string&) override {
      for (std::uint32_t i = 0; i < batch.count; ++i) {
        const sluice_event* event = SLUICE_EVENT(&batch, i);
        taken.emplace_back(event->text + event->id.at, event->id.len);
      }
      count = batch.count;
      events->complete(batch.ticket, batch.count, nullptr);
      return SLUICE_OK;
    }
    void flush() override {}
  };
  constexpr std::size_t kEvents = 20'000;
  Ids taken;
  Rig rig;
  auto& in = rig.source("in");
  rig.backend("out", {"in"}).answers_at_once = true;
  rig.consumer("watch", {"in"}, SLUICE_OBSERVER);
  rig.build();
  for (std::size_t i = 0; i < kEvents; ++i) in.offer(std::to_string(i));
  in.end();
  const NodeIndex out = index_of(rig, "out"), watch = index_of(rig, "watch");
  // The first instance is the rig's own; it is replaced before anything moves.
  std::shared_ptr<NodeSwap> swap, watching;
  const auto ask = [&] {
    swap = std::make_shared<NodeSwap>();
    swap->backend = std::make_unique<Taking>(taken);
    watching = std::make_shared<NodeSwap>();
    watching->observer = std::make_unique<FakeConsumer>();
    rig.pipeline().swap(out, swap);
    rig.pipeline().swap(watch, watching);
  };
  ask();
  rig.pipeline().launch();
  int swaps = 0;
  while (!rig.pipeline().finished()) {
    (void)rig.pipeline().control();
    pollfd news{rig.pipeline().fd(), POLLIN, 0};
    (void)::poll(&news, 1, 1);
    if (swap == nullptr || !swap->answered() || !watching->answered()) continue;
    swap->delivery = Rig::fast();
    rig.pipeline().end_swap(out, *swap);
    rig.pipeline().end_swap(watch, *watching);
    ++swaps;
    swap.reset();  // it is the lane's now
    if (rig.pipeline().state() == Pipeline::State::running) ask();
  }
  CHECK(swaps > 0);
  CHECK(in.told.size() == kEvents);
  for (const Told& told : in.told) CHECK(told.outcome == Outcome::delivered);
  std::ranges::sort(taken);
  CHECK(taken.size() == kEvents);
  CHECK(std::ranges::adjacent_find(taken) == taken.end());
}
