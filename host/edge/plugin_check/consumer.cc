// Consumers: verdicts that exist, events that are not touched after the call, records that can be read.
#include "edge/plugin_check/auditor.hh"
#include "edge/plugin_check/case.hh"
#include "edge/plugin_check/record_room.hh"

#include <sluice/module.h>

#include <deque>
#include <optional>

namespace sluice::check {
namespace {

using std::chrono::milliseconds;

bool is_consumer(const ClassDescription& description) { return description.kind == NodeKind::consumer; }
bool is_inline(const ClassDescription& description) {
  return is_consumer(description) && (description.flags & SLUICE_OBSERVER) == 0;
}

class Run {
 public:
  explicit Run(Case& test) : test_(test), made_(test.create()) {
    made_.node()->attach(&auditor_);
    const Status started = made_.node()->start(milliseconds(2'000));
    if (!started.ok()) throw Skipped("start() with the sample configuration: " + started.text);
  }

  /// False when the consumer halted its run.
  bool process(std::uint32_t count) {
    GuardedBatch batch(count, 0, next_seq_, test_.random()());
    next_seq_ += count;
    const bool observer = (test_.description().flags & SLUICE_OBSERVER) != 0;
    GuardedPages verdicts("the list of verdicts", count);
    std::memset(verdicts.data(), 0, count);
    RecordRoom room(64, 64 * 1024);
    std::string error;
    auditor_.set_explainable(count);
    const sluice_status status =
        made_.consumer->process(batch.view(), observer ? nullptr : reinterpret_cast<std::uint8_t*>(verdicts.data()),
                                made_.consumer->emits() ? &room.writer() : nullptr, error);
    auditor_.set_explainable(0);
    judge(room, count);
    if (!observer) judge_verdicts(verdicts.data(), count);
    batch.end();
    if (status == SLUICE_HALT && observer) throw Failed("process() answered HALT: an observer cannot stop a run");
    if (status == SLUICE_FAILED || status == SLUICE_BAD_CONFIG) throw Failed("process(): " + error);
    if (status == SLUICE_HALT && error.empty()) throw Failed("process() answered HALT without saying why");
    return status != SLUICE_HALT;
  }
  void tick_and_settle() {
    RecordRoom room(64, 64 * 1024);
    if (made_.consumer->ticks())
      (void)made_.consumer->tick(auditor_.now_ns(), made_.consumer->emits() ? &room.writer() : nullptr);
    judge(room, 0);
    if (!made_.consumer->wants_settled()) return;
    std::vector<std::uint64_t> seq;
    std::vector<std::uint8_t> outcome;
    for (std::uint64_t i = 1; i < next_seq_; ++i) {
      seq.push_back(i);
      outcome.push_back(static_cast<std::uint8_t>(test_.random()() % 4));
    }
    seq.push_back(next_seq_ + 1'000'000);  // one that it never saw: before a restart, say
    outcome.push_back(SLUICE_WAS_DELIVERED);
    made_.consumer->settled(seq, outcome);
  }
  void finish() {
    (void)made_.node()->stop(milliseconds(2'000));
    made_ = {};
    if (!test_.first_breach().empty()) throw Failed(test_.first_breach());
    if (!auditor_.first_fault().empty()) throw Failed(auditor_.first_fault());
  }

 private:
  void judge(const RecordRoom& room, std::uint32_t parents) const {
    if (!auditor_.first_fault().empty()) throw Failed(auditor_.first_fault());
    if (!test_.first_breach().empty()) throw Failed(test_.first_breach());
    const std::string fault = room.fault(false);
    if (!fault.empty()) throw Failed(fault);
    for (std::uint32_t i = 0; i < room.size(); ++i) {
      const std::uint32_t parent = room.record(i).parent;
      if (parent != SLUICE_NO_PARENT && parent >= parents) {
        throw Failed("record " + std::to_string(i) + " names event " + std::to_string(parent) + " of " +
                     std::to_string(parents) + " as its parent");
      }
    }
  }
  void judge_verdicts(const char* verdicts, std::uint32_t count) const {
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto verdict = static_cast<std::uint8_t>(verdicts[i]);
      if (verdict >= SLUICE_TO_REFUSE || verdict <= test_.description().ports.size()) continue;
      throw Failed("event " + std::to_string(i) + " was sent to output port " + std::to_string(verdict) +
                   ", the class has " + std::to_string(test_.description().ports.size()) + " beyond port 0");
    }
  }

  Case& test_;
  Auditor auditor_;
  CreatedNode made_;
  std::uint64_t next_seq_ = 1;
};

void judges(Case& test) {
  Run run(test);
  for (int i = 0; i < 20 && run.process(1 + static_cast<std::uint32_t>(test.random()() % 64)); ++i)
    run.tick_and_settle();
  run.finish();
}

void single_events(Case& test) {
  Run run(test);
  for (int i = 0; i < 50 && run.process(1); ++i) {
  }
  run.tick_and_settle();
  run.finish();
}

}  // namespace

void add_consumer_tests(std::vector<Test>& tests) {
  const Test all[] = {
      {"judges", "verdicts exist, records can be read, events are not touched after the call", is_consumer, judges},
      {"judges_single_events", "batches of one event", is_inline, single_events},
  };
  tests.insert(tests.end(), std::begin(all), std::end(all));
}

}  // namespace sluice::check
