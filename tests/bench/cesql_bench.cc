// cesql_bench FILE — what a CESQL filter costs an event: each line is decoded once, then expressions are asked about
// all of them. Prints one RESULT line per expression; CPU time of this thread, the median of several rounds.
#include "core/cesql.hh"
#include "core/decode.hh"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::size_t kEventsMax = 100'000;
constexpr int kRounds = 9;
constexpr const char* kExpressions[] = {
    "type LIKE 'com.storytelling.%' AND subject = 'doc_0f4aa46764e2'",
    "type LIKE '%.failed' OR (EXISTS subject AND source = '/nlp/worker-07')",
};

double cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) return std::puts("usage: cesql_bench FILE"), 64;
  std::ifstream file(arguments[1]);
  sluice::BlockPool pool;
  sluice::BlockRef block = pool.take();
  sluice::Decoder decoder(sluice::cloudevents_format(), {});
  const sluice::RecordContext context{.node = "bench"};
  std::vector<std::string> lines;
  for (std::string line; lines.size() < kEventsMax && std::getline(file, line);) {
    lines.push_back(line + std::string(SLUICE_PADDING, ' '));
  }
  for (const std::string& line : lines) {
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(line.data());
    record.len = line.size() - SLUICE_PADDING;
    if (decoder.decode(record, context, *block)) return std::puts("not an event"), 1;
  }
  for (const char* text : kExpressions) {
    std::string why;
    const auto expression = sluice::cesql::Expression::parse(text, why);
    if (!expression) return std::puts(why.c_str()), 1;
    std::vector<double> rounds;
    std::uint64_t matched = 0;
    for (int round = 0; round < kRounds; ++round) {
      const double begin = cpu_ns();
      matched = 0;
      for (const sluice_event& event : block->events) matched += expression->matches(event) ? 1 : 0;
      rounds.push_back((cpu_ns() - begin) / static_cast<double>(block->events.size()));
    }
    std::sort(rounds.begin(), rounds.end());
    std::printf("RESULT events=%zu matched=%llu ns=%.2f\n", block->events.size(),
                static_cast<unsigned long long>(matched), rounds[rounds.size() / 2]);
  }
  return 0;
}
