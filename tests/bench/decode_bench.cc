// How fast records become events, against simdjson's DOM over the same lines with the same four attributes read.
//   decode_bench FILE [ROUNDS]
// FILE holds one event per line. Runs both in turn (A B A B …) and prints one RESULT line per run and the median of the
// pairs' ratios; above 1 the decoder is faster. Counts the thread's own CPU time, so that neighbours matter little.
#include "core/decode.hh"

#include <sluice/cpp/event_view.hh>

#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::uint64_t sink = 0;

void take(std::string_view id, std::string_view source, std::string_view type, std::string_view time) {
  sink += id.size() + source.size() * 3 + type.size() * 5 + time.size() * 7 + static_cast<unsigned char>(id[0]);
}

template <class Each>
std::uint64_t for_each_line(std::string_view text, Each&& each) {
  std::uint64_t count = 0;
  while (!text.empty()) {
    const auto* newline = static_cast<const char*>(std::memchr(text.data(), '\n', text.size()));
    const std::size_t length = newline != nullptr ? static_cast<std::size_t>(newline - text.data()) : text.size();
    if (length > 0) each(text.substr(0, length)), ++count;
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return count;
}

std::uint64_t run_dom(std::string_view text) {
  simdjson::dom::parser parser;
  (void)!parser.allocate(4096);
  return for_each_line(text, [&](std::string_view line) {
    simdjson::dom::element event;
    std::string_view id, source, type, time;
    if (parser.parse(line.data(), line.size(), false).get(event) || event["id"].get(id) ||
        event["source"].get(source) || event["type"].get(type) || event["time"].get(time)) {
      std::puts("not an event");
      std::exit(1);
    }
    take(id, source, type, time);
  });
}

std::uint64_t run_decoder(std::string_view text) {
  sluice::BlockPool pool;
  sluice::Decoder decoder(sluice::cloudevents_format(), {});
  sluice::BlockRef block = pool.take();
  const sluice::RecordContext context{.node = "bench"};
  return for_each_line(text, [&](std::string_view line) {
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(line.data());
    record.len = line.size();
    if (const auto refused = decoder.decode(record, context, *block)) {
      std::puts(refused->reason.c_str());
      std::exit(1);
    }
    const sluice::EventView event(block->events.back());
    take(event.id(), event.source(), event.type(), event.time());
    if (block->events.size() == 256) {  // as a lane does: the block goes out, another one comes
      block = {};
      block = pool.take();
    }
  });
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double timed(const char* label, std::string_view text, std::uint64_t (*run)(std::string_view)) {
  const double start = cpu_seconds();
  const std::uint64_t events = run(text);
  const double seconds = cpu_seconds() - start;
  std::printf("RESULT label=%s events=%llu bytes=%zu cpu=%.6f us_per_event=%.4f\n", label,
              static_cast<unsigned long long>(events), text.size(), seconds,
              seconds * 1e6 / static_cast<double>(events));
  return seconds / static_cast<double>(events);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::puts("usage: decode_bench FILE [ROUNDS]"), 64;
  std::ifstream file(argv[1], std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const std::size_t length = bytes.size();
  bytes.resize(length + SLUICE_PADDING);
  const std::string_view text(bytes.data(), length);
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 7;
  run_dom(text), run_decoder(text);
  std::vector<double> ratios;
  for (int i = 0; i < rounds; ++i) {
    const double dom = timed("sj_line_dom", text, run_dom);
    ratios.push_back(dom / timed("decode", text, run_decoder));
  }
  std::printf("implementation=%s ratio=%.3f (sink %llu)\n", simdjson::get_active_implementation()->name().c_str(),
              median(ratios), static_cast<unsigned long long>(sink % 10));
  return 0;
}
