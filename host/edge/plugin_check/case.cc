#include "edge/plugin_check/case.hh"

#include "edge/plugin_tables.hh"

#include <chrono>
#include <mutex>

namespace sluice::check {
namespace {

/// Keeps the first broken contract that the host side saw.
class BreachLog final : public Log {
 public:
  bool enabled(Level level) const noexcept override { return level >= Level::info; }
  void write(Level, std::string_view sentence, std::span<const Field> fields) noexcept override {
    constexpr std::string_view kStart = "Plugin broke the contract: ";
    if (sentence.substr(0, kStart.size()) != kStart) return;
    const std::lock_guard lock(mutex_);
    if (!first_.empty()) return;
    first_ = sentence.substr(kStart.size());
    for (const Field& field : fields) {
      if (field.key == "call") first_ += ", in " + field.value + "()";
    }
  }
  [[nodiscard]] std::string first() const {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  mutable std::mutex mutex_;
  std::string first_;
};

class RealClock final : public Clock {
 public:
  std::uint64_t now_ns() const noexcept override {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  }
  std::int64_t unix_ns() const noexcept override { return std::chrono::system_clock::now().time_since_epoch().count(); }
};

}  // namespace

struct Case::World {
  BreachLog log;
  RealClock clock;
  PluginMetrics metrics;
  NodeServices services{log, clock, metrics};
};

std::string test_name_of(const ClassDescription& one) { return std::string(to_text(one.kind)) + ":" + one.name; }

Case::Case(const std::string& file, const std::string& class_name, std::uint64_t seed)
    : module_(inspect_module(file)), random_(seed), world_(std::make_unique<World>()) {
  for (const ClassDescription& one : module_.classes) {
    if (test_name_of(one) == class_name || (class_name == "-" && description_ == nullptr)) description_ = &one;
  }
  if (description_ == nullptr) throw Failed("there is no class '" + class_name + "'");
}

Case::~Case() = default;

const NodeServices& Case::services() const noexcept { return world_->services; }

std::string Case::first_breach() const { return world_->log.first(); }

const LoadedClass& Case::loaded() {
  if (loaded_) return *loaded_;
  const sluice_module* module = load_module(module_);
  if (const sluice_class* table = class_in(*module, *description_)) {
    static const std::string& name = *new std::string(file_name(module_.path));
    return loaded_.emplace(LoadedClass{description_, table, name.c_str()});
  }
  throw Failed("the class is not in the loaded module");
}

CreatedNode Case::create() {
  CreatedNode made = create_node(loaded(), {"checked", sample_config(), 0, 1}, services());
  if (!first_breach().empty()) throw Failed(first_breach() + ": " + made.status.text);
  if (made.status.code == SLUICE_BAD_CONFIG || made.status.code == SLUICE_UNSUPPORTED ||
      made.status.code == SLUICE_AWAY) {
    throw Skipped("create() does not take the sample configuration " + sample_config() + ": " + made.status.text);
  }
  if (!made.status.ok()) throw Failed("create(): " + made.status.text);
  return made;
}

const std::vector<Test>& class_tests() {
  static const std::vector<Test> all = [] {
    std::vector<Test> tests;
    add_life_tests(tests);
    add_backend_tests(tests);
    add_consumer_tests(tests);
    add_source_tests(tests);
    return tests;
  }();
  return all;
}

}  // namespace sluice::check
