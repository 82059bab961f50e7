// alert_bench PLUGIN_FOLDER CONFIG EVENTS — what an event costs an alerting node whose rules it does not fire:
// process() of class `alert_webhook` through the host's own node, with a node's configuration as JSON and events as
// lines. Prints one RESULT line; CPU time of this thread, the median of several rounds.
#include "core/decode.hh"
#include "core/ports.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_node.hh"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kEventsMax = 100'000, kBatch = 256;
constexpr int kRounds = 5;

double cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

class Silent final : public sluice::Log {
 public:
  [[nodiscard]] bool enabled(sluice::Level) const noexcept override { return false; }
  void write(sluice::Level, std::string_view, std::span<const sluice::Field>) noexcept override {}
};

class Stopped final : public sluice::Clock {
 public:
  [[nodiscard]] std::uint64_t now_ns() const noexcept override { return 0; }
  [[nodiscard]] std::int64_t unix_ns() const noexcept override { return 0; }
};

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 4) return std::puts("usage: alert_bench PLUGIN_FOLDER CONFIG EVENTS"), 64;
  Silent log;
  Stopped clock;
  sluice::PluginMetrics metrics;
  sluice::PluginLibrary library({arguments[1]});
  const sluice::NodeServices services{log, clock, metrics};
  sluice::CreatedNode created =
      sluice::create_node(library.load("alert_webhook"), {"bench", text_of(arguments[2]), 0, 1}, services);
  if (created.consumer == nullptr) return std::fprintf(stderr, "%s\n", created.status.text.c_str()), 1;

  std::ifstream file(arguments[3]);
  sluice::BlockPool pool;
  sluice::BlockRef block = pool.take();
  sluice::Decoder decoder(sluice::cloudevents_format(), {});
  std::vector<std::string> lines;
  for (std::string line; lines.size() < kEventsMax && std::getline(file, line);) {
    lines.push_back(line + std::string(SLUICE_PADDING, ' '));
  }
  for (const std::string& line : lines) {
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(line.data());
    record.len = line.size() - SLUICE_PADDING;
    if (decoder.decode(record, {.node = "bench"}, *block)) return std::fprintf(stderr, "not an event\n"), 1;
  }
  std::vector<double> rounds;
  std::string error;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = cpu_ns();
    for (std::size_t at = 0; at < block->events.size(); at += kBatch) {
      const auto size = static_cast<std::uint32_t>(std::min(kBatch, block->events.size() - at));
      const sluice_batch batch{sizeof(sluice_batch), size, sizeof(sluice_event), 0, &block->events[at], 0};
      if (created.consumer->process(batch, nullptr, nullptr, error) != SLUICE_OK) {
        return std::fprintf(stderr, "%s\n", error.c_str()), 1;
      }
    }
    rounds.push_back((cpu_ns() - begin) / static_cast<double>(block->events.size()));
  }
  std::sort(rounds.begin(), rounds.end());
  std::printf("RESULT events=%zu ns=%.1f\n", block->events.size(), rounds[rounds.size() / 2]);
  return 0;
}
