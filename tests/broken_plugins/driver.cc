// What the tests over broken plugins start: the conformance check without a host around it, and a plain process that
// makes one node of a class and hands it one event, to see how it ends.
#include "core/setup_error.hh"
#include "edge/crash_report.hh"
#include "edge/plugin_check/guarded_batch.hh"
#include "edge/plugin_commands.hh"
#include "edge/plugin_node.hh"

#include <iostream>

namespace {

using namespace sluice;

class QuietLog final : public Log {
 public:
  bool enabled(Level) const noexcept override { return false; }
  void write(Level, std::string_view, std::span<const Field>) noexcept override {}
};
class StoppedClock final : public Clock {
 public:
  std::uint64_t now_ns() const noexcept override { return 1; }
  std::int64_t unix_ns() const noexcept override { return 1; }
};
class Deaf final : public NodeEvents {
 public:
  void wake() noexcept override {}
  void complete(std::uint64_t, std::uint32_t, const sluice_result*) noexcept override {}
  void complete_each(std::uint64_t, std::uint32_t, const std::uint8_t*) noexcept override {}
  void explain(std::uint32_t, std::string_view) noexcept override {}
  std::uint64_t now_ns() const noexcept override { return 1; }
};

int drive(const std::string& file, const std::string& class_name) {
  install_crash_report();
  QuietLog log;
  StoppedClock clock;
  PluginMetrics metrics;
  Deaf events;
  PluginLibrary library({file});
  const CreatedNode made = create_node(library.load(class_name), {"out", "{}", 0, 1}, {log, clock, metrics});
  if (!made.status.ok()) {
    std::cerr << made.status.text << '\n';
    return kBadConfig;
  }
  made.node()->attach(&events);
  const check::GuardedBatch batch(3, 1, 1, 1);
  std::string error;
  std::uint32_t taken = 0;
  std::uint8_t verdicts[3] = {};
  const sluice_status status = made.backend != nullptr ? made.backend->publish(batch.view(), taken, error)
                                                       : made.consumer->process(batch.view(), verdicts, nullptr, error);
  std::cerr << "status " << status_text(status) << ", breaches " << made.node()->breaches() << ": " << error << '\n';
  return kClean;
}

}  // namespace

int main(int count, char** values) {
  const std::vector<std::string> words(values + 1, values + count);
  try {
    if (words.size() == 3 && words[0] == "drive") return drive(words[1], words[2]);
    if (words.size() > 2 && words[0] == "plugin" && words[1] == "check-one") {
      return plugin_check_one({words.begin() + 2, words.end()});
    }
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return kBadConfig;
  }
  std::cerr << "driver: drive FILE CLASS | plugin check-one …\n";
  return kUsage;
}
