// What the benches of single nodes share: a world in which nothing happens but the node, and CPU time of this thread.
#pragma once

#include "core/ports.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_node.hh"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

namespace bench {

inline double cpu_ns() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

inline double median(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  return numbers[numbers.size() / 2];
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

/// One class out of a folder of modules, as the host's own node. Says on standard error why there is none.
class OneNode {
 public:
  OneNode(const char* folder, const char* klass, std::string config)
      : library_({folder}),
        node(sluice::create_node(library_.load(klass), {"bench", std::move(config), 0, 1}, {log_, clock_, metrics_})) {
    if (!node.status.ok()) std::fprintf(stderr, "%s: %s\n", klass, node.status.text.c_str());
  }

 private:
  Silent log_;
  Stopped clock_;
  sluice::PluginMetrics metrics_;
  sluice::PluginLibrary library_;

 public:
  sluice::CreatedNode node;
};

}  // namespace bench
