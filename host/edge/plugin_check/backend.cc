// Backends: every ticket is completed exactly once, whatever the batch sizes, and an event is not touched after that.
#include "edge/plugin_check/auditor.hh"
#include "edge/plugin_check/case.hh"

#include <deque>

namespace sluice::check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStart{2'000}, kStop{2'000}, kRound{20};
constexpr std::uint32_t kBatchMax = 64;

bool is_backend(const ClassDescription& description) { return description.kind == NodeKind::backend; }

class Run {
 public:
  explicit Run(Case& test) : test_(test), made_(test.create()) {
    made_.node()->attach(&auditor_);
    const Status started = made_.node()->start(kStart);
    if (!started.ok()) throw Skipped("start() with the sample configuration: " + started.text);
  }

  void publish(std::uint32_t count) {
    GuardedBatch& batch = batches_.emplace_back(count, next_ticket_, next_ticket_, test_.random()());
    auditor_.offer(&batch);
    std::uint32_t offset = 0;
    const auto deadline = steady_clock::now() + milliseconds(5'000);
    while (offset < count) {
      const sluice_batch offered = batch.rest(offset);
      std::uint32_t taken = 0;
      std::string error;
      const sluice_status status = made_.backend->publish(offered, taken, error);
      judge();
      if (taken > offered.count) {
        throw Failed("publish() took " + std::to_string(taken) + " of " + std::to_string(offered.count) + " events");
      }
      offset += taken;
      next_ticket_ += taken;
      auditor_.took_until(next_ticket_);
      judge();
      if (status == SLUICE_AWAY) throw Skipped("the far side is away with the sample configuration: " + error);
      if (status != SLUICE_OK) throw Failed(std::string("publish(): ") + status_text(status) + " " + error);
      if (taken == 0) wait_a_round();
      if (steady_clock::now() > deadline)
        throw Failed("publish() has taken nothing for 5 s, and says neither AWAY nor FAILED");
    }
  }
  void finish(bool flush_first) {
    if (flush_first) {
      made_.backend->flush();
      const auto deadline = steady_clock::now() + milliseconds(3'000);
      while (auditor_.open() > 0 && steady_clock::now() < deadline) wait_a_round();
    }
    (void)made_.node()->stop(kStop);
    judge();
    if (auditor_.open() > 0) {
      throw Failed(std::to_string(auditor_.open()) +
                   " events were taken and never completed; stop() completes what is left as CANCELLED");
    }
    made_ = {};
    judge();
  }

 private:
  void judge() const {
    if (!auditor_.first_fault().empty()) throw Failed(auditor_.first_fault());
    if (!test_.first_breach().empty()) throw Failed(test_.first_breach());
  }
  void wait_a_round() {
    Status status;
    if (!made_.node()->poll(auditor_.wake_fd(), kRound, 0, status)) usleep(1000);
    auditor_.drain_wakes();
    judge();
  }

  Case& test_;
  std::deque<GuardedBatch> batches_;
  Auditor auditor_;
  CreatedNode made_;  // before the auditor: it is destroyed first
  std::uint64_t next_ticket_ = Auditor::kFirstTicket;
};

void completes_once(Case& test) {
  Run run(test);
  for (int i = 0; i < 20; ++i) run.publish(1 + static_cast<std::uint32_t>(test.random()() % kBatchMax));
  run.finish(true);
}

void single_events(Case& test) {
  Run run(test);
  for (int i = 0; i < 50; ++i) run.publish(1);
  run.finish(true);
}

void stopped_in_flight(Case& test) {
  Run run(test);
  run.publish(kBatchMax);
  run.finish(false);
}

}  // namespace

void add_backend_tests(std::vector<Test>& tests) {
  const Test all[] = {
      {"completes_once", "every event is completed once and not touched afterwards", is_backend, completes_once},
      {"single_events", "batches of one event", is_backend, single_events},
      {"stopped_in_flight", "stop() completes what is in flight", is_backend, stopped_in_flight},
  };
  tests.insert(tests.end(), std::begin(all), std::end(all));
}

}  // namespace sluice::check
