// One conformance test in this process, which `sluice plugin check` started for it.
#include "core/exit_code.hh"
#include "edge/crash_report.hh"
#include "edge/plugin_check/case.hh"
#include "edge/plugin_check/guarded_batch.hh"
#include "edge/plugin_commands.hh"
#include "edge/plugin_elf.hh"

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>

namespace sluice {
namespace {

constexpr int kVerdictDescriptor = 3;

void say(const char* word, std::string_view text) {
  std::string line = std::string(word) + " " + std::string(text.substr(0, 4000));
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  if (write(kVerdictDescriptor, line.data(), line.size()) < 0) _exit(kBadConfig);
}

struct sigaction crash_handlers[2];

/// A fault in one of the guarded pages has a name; any other goes to the crash report.
void on_fault(int number, siginfo_t* info, void* context) {
#if defined(__x86_64__)
  const bool write_access = (static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#else
  const bool write_access = false;
#endif
  if (const char* why = check::explain_fault(info->si_addr, write_access)) {
    const PluginCall& call = current_plugin_call;
    const char* parts[] = {"failed in ", call.call == nullptr ? "a thread of its own" : call.call,
                           call.call == nullptr ? ": " : "(): ", why};
    for (const char* part : parts) {
      if (write(kVerdictDescriptor, part, std::strlen(part)) < 0) break;
    }
    _exit(kBadConfig);
  }
  crash_handlers[number == SIGSEGV ? 0 : 1].sa_sigaction(number, info, context);
}

void watch_faults() {
  install_crash_report();
  struct sigaction action {};
  action.sa_sigaction = &on_fault;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, &crash_handlers[0]);
  sigaction(SIGBUS, &action, &crash_handlers[1]);
  std::signal(SIGPIPE, SIG_IGN);  // as in a run
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);  // a crash is an answer here
}

const check::Test* find_test(const std::string& class_name, const std::string& name) {
  for (const check::Test& test : class_name == "-" ? check::module_tests() : check::class_tests()) {
    if (name == test.name) return &test;
  }
  return nullptr;
}

}  // namespace

int plugin_check_one(const std::vector<std::string>& arguments) {
  const check::Test* test = arguments.size() == 4 ? find_test(arguments[1], arguments[2]) : nullptr;
  if (test == nullptr) {
    std::cerr << "sluice plugin check-one is how 'sluice plugin check' calls itself\n";
    return kUsage;
  }
  watch_faults();
  try {
    check::Case world(arguments[0], arguments[1], std::strtoull(arguments[3].c_str(), nullptr, 10));
    test->run(world);
    say("passed", "");
  } catch (const check::Skipped& e) {
    say("skipped", e.what());
  } catch (const std::exception& e) {  // Failed, Refused, and what else a test meets
    say("failed", e.what());
  }
  // Not exit(): destructors of libraries that the module brought are not what is tested here.
  std::cout.flush();
  _exit(kClean);
}

}  // namespace sluice
