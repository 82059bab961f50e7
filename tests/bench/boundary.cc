// boundary PLUGIN_FOLDER — what the plugin boundary costs an event: publish() of the class `null` through the host's
// own node (its checks, the C table, complete() back into the host), against a plain function that does the same work.
// Prints one RESULT line per batch size; CPU time of this thread, the median of several rounds run in turn.
#include "node_timing.hh"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

constexpr std::uint64_t kEventsPerRound = 4'000'000;
constexpr int kRounds = 9;

/// Stands where a lane stands: counts what is completed.
class Counter final : public sluice::NodeEvents {
 public:
  void wake() noexcept override {}
  void complete(std::uint64_t, std::uint32_t count, const sluice_result*) noexcept override { completed += count; }
  void complete_each(std::uint64_t, std::uint32_t count, const std::uint8_t*) noexcept override { completed += count; }
  void explain(std::uint32_t, std::string_view) noexcept override {}
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return 0; }
  std::uint64_t completed = 0;
};

[[gnu::noinline]] sluice_status publish_directly(const sluice_batch& batch, std::uint32_t& taken, Counter& counter) {
  taken = batch.count;
  counter.complete(batch.ticket, taken, nullptr);
  return SLUICE_OK;
}

/// Nanoseconds of CPU time per event.
template <class Publish>
double round_of(std::uint32_t batch_size, Publish&& publish) {
  std::vector<sluice_event> events(batch_size);
  sluice_batch batch{sizeof(sluice_batch), batch_size, sizeof(sluice_event), 0, events.data(), 1};
  const std::uint64_t calls = kEventsPerRound / batch_size;
  const double begin = bench::cpu_ns();
  for (std::uint64_t i = 0; i < calls; ++i) {
    std::uint32_t taken = 0;
    if (publish(batch, taken) != SLUICE_OK || taken != batch_size) std::abort();
    batch.ticket += taken;
  }
  return (bench::cpu_ns() - begin) / static_cast<double>(calls * batch_size);
}

}  // namespace

int main(int, char** arguments) {
  bench::OneNode one(arguments[1], "null", R"({"in_flight":8192,"latency":0,"status":"again","status_every":0})");
  sluice::CreatedNode& created = one.node;
  if (created.backend == nullptr) return 1;
  Counter through, direct;
  created.backend->attach(&through);
  if (!created.backend->start(std::chrono::milliseconds(1000)).ok()) return 1;
  std::string error;
  for (const std::uint32_t size : {256U, 1U}) {
    std::vector<double> node_ns, direct_ns;
    for (int round = 0; round < kRounds; ++round) {
      node_ns.push_back(round_of(size, [&](const sluice_batch& batch, std::uint32_t& taken) {
        return created.backend->publish(batch, taken, error);
      }));
      direct_ns.push_back(round_of(size, [&](const sluice_batch& batch, std::uint32_t& taken) {
        return publish_directly(batch, taken, direct);
      }));
    }
    std::printf("RESULT batch=%u plugin_ns=%.3f direct_ns=%.3f\n", size, bench::median(node_ns),
                bench::median(direct_ns));
  }
  if (through.completed != direct.completed) return 1;
  (void)created.backend->stop(std::chrono::milliseconds(1000));
  return 0;
}
