// How fast the webhook backend is by itself: FILE's lines as events, offered in batches of 256 as a lane does, to URL.
// usage: http_webhook_bench FILE EVENTS CONNECTIONS BATCH URL      (BATCH 1: structured, else batched)
// Prints events per second and CPU per event: compare with a bare libcurl loop in the same minute.
#include <sluice/module.h>
#include <sluice/cpp/text.hh>

#include "plugin_rig.hh"

#include <sys/resource.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Count {
  std::uint64_t delivered = 0, failed = 0;
};

sluice_host counting_host(Count& count) {
  sluice_host host{};
  host.size = sizeof host;
  host.self = &count;
  host.node = "bench";
  host.wake = [](const sluice_host*) {};
  host.complete = [](const sluice_host* h, std::uint64_t, std::uint32_t events, const sluice_result* result) {
    auto& c = *static_cast<Count*>(h->self);
    (result == nullptr ? c.delivered : c.failed) += events;
  };
  host.now_ns = [](const sluice_host*) {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  };
  host.log_level = [](const sluice_host*) -> std::int32_t { return SLUICE_LOG_WARN; };
  host.log = [](const sluice_host*, std::int32_t, sluice_str text) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(text.len), text.ptr);
  };
  host.service = [](const sluice_host*, const char*) -> const void* { return nullptr; };
  return host;
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

std::vector<sluice_event> events_of(const std::string& text, std::size_t count) {
  std::vector<sluice_event> made;
  std::size_t at = 0;
  while (made.size() < count && at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    sluice_event event{};
    event.text = text.data() + at;
    event.json = {0, static_cast<std::uint32_t>(end - at)};
    event.id = {0, 1};
    made.push_back(event);
    at = end + 1;
  }
  return made;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return std::fprintf(stderr, "usage: %s FILE EVENTS CONNECTIONS BATCH URL\n", argv[0]), 64;
  std::ifstream file(argv[1]);
  std::stringstream whole;
  whole << file.rdbuf();
  const std::string text = whole.str();
  const std::vector<sluice_event> events = events_of(text, std::strtoull(argv[2], nullptr, 10));
  const std::string mode = std::atoi(argv[4]) > 1 ? "batched" : "structured";

  Count count;
  const sluice_host host = counting_host(count);
  const sluice_class& of = rig::class_of(*sluice_module_v1(), "webhook");
  const rig::Config config(R"({"url":")" + std::string(argv[5]) + R"(","http_version":"1.1","max_in_flight":)" +
                               argv[3] + R"(,"mode":")" + mode + R"(","batch_size":)" + argv[4] + "}",
                           of.config_schema);
  char room[1024];
  sluice_error error{sizeof error, sizeof room, 0, 0, room};
  sluice_node* node = nullptr;
  if (of.create(&host, &config, &node, &error) != SLUICE_OK) {
    return std::fprintf(stderr, "%.*s\n", static_cast<int>(error.len), room), 1;
  }

  const auto start = std::chrono::steady_clock::now();
  const double cpu = cpu_seconds();
  std::size_t offered = 0;
  while (count.delivered + count.failed < events.size()) {
    std::uint32_t taken = 0;
    if (offered < events.size()) {
      const sluice_batch batch{.size = sizeof(sluice_batch),
                               .count = static_cast<std::uint32_t>(std::min<std::size_t>(256, events.size() - offered)),
                               .stride = sizeof(sluice_event),
                               .flags = 0,
                               .events = &events[offered],
                               .ticket = offered};
      of.backend->publish(node, &batch, &taken, &error);
      offered += taken;
    }
    if (offered == events.size()) of.backend->flush(node);
    if (taken < 256) of.poll(node, -1, 1000, 0);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("webhook %s x%s, %s connections: %.0f events/s, %.2f us CPU an event, %llu failed\n", mode.c_str(),
              argv[4], argv[3], static_cast<double>(count.delivered) / seconds,
              (cpu_seconds() - cpu) * 1e6 / static_cast<double>(events.size()),
              static_cast<unsigned long long>(count.failed));
  of.destroy(node);
  return count.failed == 0 ? 0 : 1;
}
