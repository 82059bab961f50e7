// What every class must stand: the file itself, creation and destruction in any order, odd configurations, hosts
// without services and hosts of an older minor version.
#include "edge/crash_report.hh"
#include "edge/plugin_check/auditor.hh"
#include "edge/plugin_check/case.hh"
#include "edge/plugin_check/process_watch.hh"
#include "edge/plugin_config.hh"
#include "edge/plugin_elf.hh"
#include "edge/plugin_link.hh"
#include "edge/schema_check.hh"

#include <cstring>

namespace sluice::check {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kStart{2'000}, kStop{2'000};

bool every(const ClassDescription&) { return true; }

void no_breach(const Case& test) {
  if (!test.first_breach().empty()) throw Failed(test.first_breach());
}

void linked(Case& test) {
  const ElfFile file(test.module().path);
  if (file.has_text_relocations()) throw Failed("its code has text relocations: compile with -fPIC");
  const auto problems = link_problems(test.module().path);
  if (!problems.empty()) throw Failed(problems.front());
}

void loads(Case& test) {
  const ProcessState before = ProcessState::now();
  const sluice_module* first = load_module(test.module());
  const std::string changed = before.changed_until(ProcessState::now());
  if (!changed.empty()) throw Failed("loading it changed " + changed);
  if (load_module(test.module()) != first) throw Failed("its entry gives another table the second time");
}

void schema(Case& test) {
  if (const auto why = why_bad_schema(test.description().schema_json)) throw Failed("its config schema " + *why);
}

void unknown_extension(Case& test) {
  const sluice_class& table = *test.loaded().table;
  if (table.extension == nullptr) return;
  for (const char* id : {"", "sluice.no-such-thing/1", "sluice.summary/999", "SLUICE.SUMMARY/1"}) {
    const CallGuard guard(test.loaded().module, "checked", "extension");
    if (table.extension(&table, id) != nullptr) throw Failed(std::string("extension(\"") + id + "\") is not null");
  }
}

void create_destroy(Case& test) {
  (void)test.create();
  (void)test.create();
  no_breach(test);
}

void two_at_once(Case& test) {
  const CreatedNode one = test.create();
  const CreatedNode other = test.create();
  no_breach(test);
}

void start_stop(Case& test) {
  Auditor auditor;
  const CreatedNode made = test.create();
  made.node()->attach(&auditor);
  (void)made.node()->start(kStart);
  (void)made.node()->stop(kStop);
  (void)made.node()->stop(kStop);  // a second time: the host may be stopping already when a deadline passes
  no_breach(test);
}

void stop_unstarted(Case& test) {
  Auditor auditor;
  const CreatedNode made = test.create();
  made.node()->attach(&auditor);
  (void)made.node()->stop(kStop);
  no_breach(test);
}

void leaves_process_alone(Case& test) {
  (void)test.loaded();
  const ProcessState before = ProcessState::now();
  const auto compare = [&](const char* call) {
    const std::string changed = before.changed_until(ProcessState::now());
    if (!changed.empty()) throw Failed(std::string(call) + "() changed " + changed);
  };
  Auditor auditor;
  CreatedNode made = test.create();
  compare("create");
  made.node()->attach(&auditor);
  (void)made.node()->start(kStart);
  compare("start");
  (void)made.node()->stop(kStop);
  compare("stop");
  made = {};
  compare("destroy");
}

/// Libraries may keep a thread or a descriptor for the whole process; what grows with every node is a leak.
void leaves_nothing(Case& test) {
  constexpr std::size_t kRounds = 8;
  const auto round = [&] {
    Auditor auditor;
    const CreatedNode made = test.create();
    made.node()->attach(&auditor);
    if (made.node()->start(kStart).ok()) (void)made.node()->stop(kStop);
  };
  round();
  round();
  const std::size_t threads = thread_count(), descriptors = descriptor_count();
  for (std::size_t i = 0; i < kRounds; ++i) round();
  if (thread_count() >= threads + kRounds) throw Failed("each destroy() leaves a thread running");
  if (descriptor_count() >= descriptors + kRounds) throw Failed("each destroy() leaves a file descriptor open");
}

void odd_configuration(Case& test) {
  constexpr std::size_t kConfigs = 200;
  for (const std::string& config : odd_configs(test.description(), test.random(), kConfigs)) {
    const CreatedNode made = create_node(test.loaded(), {"checked", config, 0, 1}, test.services());
    const std::string shown = config.substr(0, 300);
    if (!test.first_breach().empty()) throw Failed(test.first_breach() + ": " + made.status.text + ", with " + shown);
    if (!made.status.ok() && made.status.text.rfind("create(): ", 0) == 0) {
      throw Failed("create() fails without saying why, with " + shown);
    }
  }
}

/// A host of minor 0 offers nothing but what was there then, and its table ends where it ended then.
void plain_host(Case& test) {
  constexpr std::size_t kTableBytes[] = {sizeof(sluice_host)};  // by minor version; one more with each
  for (std::size_t minor = 0; minor < std::size(kTableBytes); ++minor) {
    sluice_host host{};
    host.size = static_cast<std::uint32_t>(kTableBytes[minor]);
    host.abi_minor = static_cast<std::uint32_t>(minor);
    host.replicas = 1;
    host.node = "checked";
    host.service = [](const sluice_host*, const char*) -> const void* { return nullptr; };
    host.wake = [](const sluice_host*) {};
    host.complete = [](const sluice_host*, std::uint64_t, std::uint32_t, const sluice_result*) {};
    host.complete_each = [](const sluice_host*, std::uint64_t, std::uint32_t, const std::uint8_t*) {};
    host.explain = [](const sluice_host*, std::uint32_t, sluice_str) {};
    host.now_ns = [](const sluice_host*) -> std::uint64_t { return 1; };
    host.log_level = [](const sluice_host*) -> std::int32_t { return SLUICE_LOG_ERROR + 1; };
    host.log = [](const sluice_host*, std::int32_t, sluice_str) {};
    GuardedPages pages("a host table of ABI 1." + std::to_string(minor), kTableBytes[minor]);
    std::memcpy(pages.data(), &host, kTableBytes[minor]);
    pages.make_read_only();
    const auto* table = reinterpret_cast<const sluice_host*>(pages.data());
    const PluginConfig config(test.sample_config());
    char text[256];
    sluice_error error{sizeof(sluice_error), sizeof text, 0, 0, text};
    sluice_node* node = nullptr;
    const sluice_class& klass = *test.loaded().table;
    const CallGuard guard(test.loaded().module, "checked", "create");
    const sluice_status status = klass.create(table, &config.table(), &node, &error);
    if (status == SLUICE_OK && node != nullptr) klass.destroy(node);
  }
}

}  // namespace

const std::vector<Test>& module_tests() {
  static const std::vector<Test> all{
      {"linked", "all libraries and symbols are found, no text relocations", every, linked},
      {"loads", "loading is quiet: no signal handler, locale, folder or environment changes", every, loads},
  };
  return all;
}

void add_life_tests(std::vector<Test>& tests) {
  const Test all[] = {
      {"schema", "the config schema is one that the host can use", every, schema, true},
      {"unknown_extension", "an unknown extension id is answered with null", every, unknown_extension},
      {"create_destroy", "a node that was never started can be destroyed", every, create_destroy, true},
      {"two_at_once", "two nodes of one class do not disturb each other", every, two_at_once},
      {"start_stop", "start, stop and stop again", every, start_stop},
      {"stop_unstarted", "stop without start", every, stop_unstarted},
      {"leaves_process_alone", "signal handlers, locale, folder, environment and umask stay", every,
       leaves_process_alone},
      {"leaves_nothing", "no thread and no descriptor is left behind by destroy()", every, leaves_nothing},
      {"odd_configuration", "create() stands whatever the schema lets through", every, odd_configuration},
      {"plain_host", "an older host without services is enough", every, plain_host},
  };
  tests.insert(tests.end(), std::begin(all), std::end(all));
}

}  // namespace sluice::check
