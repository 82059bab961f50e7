// node_bench PLUGIN_FOLDER CLASS CONFIG EVENTS — what an event costs a consumer: process() of that class through the
// host's own node, with a node's configuration as JSON (as the plugin sees it: nothing is filled in) and events as
// lines. Prints one RESULT line; CPU time of this thread, the median of several rounds.
#include "node_timing.hh"

#include "core/decode.hh"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr std::size_t kEventsMax = 100'000, kBatch = 256;
constexpr int kRounds = 5;

std::string text_of(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 5) return std::puts("usage: node_bench PLUGIN_FOLDER CLASS CONFIG EVENTS"), 64;
  bench::OneNode one(arguments[1], arguments[2], text_of(arguments[3]));
  sluice::CreatedNode& created = one.node;
  if (created.consumer == nullptr) return 1;

  std::ifstream file(arguments[4]);
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
  std::vector<std::uint8_t> verdicts(kBatch);
  std::string error;
  for (int round = 0; round < kRounds; ++round) {
    const double begin = bench::cpu_ns();
    for (std::size_t at = 0; at < block->events.size(); at += kBatch) {
      const auto size = static_cast<std::uint32_t>(std::min(kBatch, block->events.size() - at));
      const sluice_batch batch{sizeof(sluice_batch), size, sizeof(sluice_event), 0, &block->events[at], 0};
      if (created.consumer->process(batch, verdicts.data(), nullptr, error) != SLUICE_OK) {
        return std::fprintf(stderr, "%s\n", error.c_str()), 1;
      }
    }
    rounds.push_back((bench::cpu_ns() - begin) / static_cast<double>(block->events.size()));
  }
  std::printf("RESULT events=%zu ns=%.1f\n", block->events.size(), bench::median(rounds));
  return 0;
}
