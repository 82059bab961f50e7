// Sources: pull() does not block and stays within its room; every record can be settled, before and after stop().
#include "edge/plugin_check/auditor.hh"
#include "edge/plugin_check/case.hh"
#include "edge/plugin_check/record_room.hh"

#include <deque>

namespace sluice::check {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPullMax{
    1'000};  // generous: the machine may be busy; a source that waits for input takes for ever
constexpr std::size_t kHeldMax = 10'000;

bool is_source(const ClassDescription& description) { return description.kind == NodeKind::source; }

class Run {
 public:
  explicit Run(Case& test) : test_(test), made_(test.create()) {
    made_.node()->attach(&auditor_);
    const Status started = made_.node()->start(milliseconds(2'000));
    if (!started.ok()) throw Skipped("start() with the sample configuration: " + started.text);
  }

  /// False at the end of the input.
  bool pull() {
    RecordRoom& room = rooms_.emplace_back(1 + static_cast<std::uint32_t>(test_.random()() % 64),
                                           1024 + test_.random()() % (64 * 1024));
    std::string error;
    const auto begin = steady_clock::now();
    const sluice_status status = made_.source->pull(room.writer(), error);
    if (steady_clock::now() - begin > kPullMax) throw Failed("pull() blocked for more than a second");
    judge();
    const std::string fault = room.fault(true);
    if (!fault.empty()) throw Failed(fault);
    for (std::uint32_t i = 0; i < room.size(); ++i) {
      sluice_settlement settlement{};
      settlement.tag = room.record(i).tag;
      settlement.outcome = static_cast<std::uint32_t>(test_.random()() % 4);
      held_.push_back(settlement);
    }
    if (room.writer().release != nullptr) room.writer().release(room.writer().release_arg);
    if (status == SLUICE_END) return false;
    if (status == SLUICE_FAILED) throw Failed("pull(): " + error);
    if (room.size() == 0) {
      Status polled;
      (void)made_.node()->poll(auditor_.wake_fd(), milliseconds(20), 64, polled);
      auditor_.drain_wakes();
      judge();
    }
    return held_.size() < kHeldMax;
  }
  /// In pull order when the class asks for it, else as it comes.
  void settle(std::size_t keep) {
    std::vector<sluice_settlement> final;
    while (held_.size() > keep) {
      const bool back = !made_.source->in_order() && test_.random()() % 2 == 0;
      final.push_back(back ? held_.back() : held_.front());
      if (back)
        held_.pop_back();
      else
        held_.pop_front();
    }
    if (!final.empty()) made_.source->settle(final);
    judge();
  }
  void stop() {
    (void)made_.node()->stop(milliseconds(2'000));
    judge();
  }
  void finish() {
    made_ = {};
    judge();
  }

 private:
  void judge() const {
    if (!test_.first_breach().empty()) throw Failed(test_.first_breach());
    if (!auditor_.first_fault().empty()) throw Failed(auditor_.first_fault());
  }
  Case& test_;
  std::deque<RecordRoom> rooms_;
  std::deque<sluice_settlement> held_;
  Auditor auditor_;
  CreatedNode made_;
};

void pulls(Case& test) {
  Run run(test);
  for (int i = 0; i < 50 && run.pull(); ++i) run.settle(test.random()() % 64);
  run.settle(0);
  run.stop();
  run.finish();
}

void settled_after_stop(Case& test) {
  Run run(test);
  for (int i = 0; i < 10 && run.pull(); ++i) {
  }
  run.stop();
  run.settle(0);
  run.finish();
}

void destroyed_unsettled(Case& test) {
  Run run(test);
  for (int i = 0; i < 5 && run.pull(); ++i) {
  }
  run.stop();
  run.finish();
}

}  // namespace

void add_source_tests(std::vector<Test>& tests) {
  const Test all[] = {
      {"pulls", "pull() does not block and stays within its room", is_source, pulls},
      {"settled_after_stop", "records are settled after stop() too", is_source, settled_after_stop},
      {"destroyed_unsettled", "records may be left unsettled when the process ends", is_source, destroyed_unsettled},
  };
  tests.insert(tests.end(), std::begin(all), std::end(all));
}

}  // namespace sluice::check
