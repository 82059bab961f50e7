// One conformance test and what it is given. A test throws Failed or Skipped, or returns: passed.
#pragma once

#include "edge/plugin_node.hh"

#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace sluice::check {

struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct Skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// How a class is named to the process that runs a test of it: one name may be a source and a backend.
[[nodiscard]] std::string test_name_of(const ClassDescription& one);

/// The world of one test: the module's description, one of its classes, and the host's services.
class Case {
 public:
  Case(const std::string& file, const std::string& class_name, std::uint64_t seed);
  ~Case();

  [[nodiscard]] const ModuleDescription& module() const noexcept { return module_; }
  [[nodiscard]] const ClassDescription& description() const noexcept { return *description_; }
  /// Loads the module when that has not happened yet.
  [[nodiscard]] const LoadedClass& loaded();
  [[nodiscard]] const NodeServices& services() const noexcept;
  [[nodiscard]] std::mt19937_64& random() noexcept { return random_; }
  /// A configuration that the class's schema takes, defaults filled in; Skipped when none can be made up.
  [[nodiscard]] std::string sample_config() const;
  /// Made from the sample. Failed when the class refuses it, Skipped when it says that this machine lacks something.
  [[nodiscard]] CreatedNode create();
  /// What a broken contract was logged as, when one was.
  [[nodiscard]] std::string first_breach() const;

 private:
  struct World;
  ModuleDescription module_;
  const ClassDescription* description_ = nullptr;
  std::optional<LoadedClass> loaded_;
  std::mt19937_64 random_;
  std::unique_ptr<World> world_;
};

struct Test {
  const char* name;
  const char* promise;  // what a plugin that passes keeps
  bool (*applies)(const ClassDescription&);
  void (*run)(Case&);
  bool needed_by_all = false;  // when it fails, the class's later tests are left out
};

/// Tests of the module come once (they look at its first class), the others once per class.
[[nodiscard]] const std::vector<Test>& module_tests();
[[nodiscard]] const std::vector<Test>& class_tests();

// By file: life.cc, backend.cc, consumer.cc, source.cc.
void add_life_tests(std::vector<Test>& tests);
void add_backend_tests(std::vector<Test>& tests);
void add_consumer_tests(std::vector<Test>& tests);
void add_source_tests(std::vector<Test>& tests);

/// JSON texts that the schema lets through but nobody expects: largest, smallest, empty, odd.
[[nodiscard]] std::vector<std::string> odd_configs(const ClassDescription& description, std::mt19937_64& random,
                                                   std::size_t how_many);

}  // namespace sluice::check
