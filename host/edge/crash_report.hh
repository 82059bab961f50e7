// When a plugin takes the process down, the last line on standard error says which one: module, node and call.
//
// Every call into a plugin leaves its name in a thread-local record, a few plain stores. A handler for the deadly
// signals and for std::terminate reads the record of its thread, writes the line and ends the process with exit
// code 70. Nothing else can be trusted then: no destructor runs and nothing is settled.
#pragma once

#include <cstddef>

namespace sluice {

/// The call into a plugin that this thread is in. `call` null: none.
struct PluginCall {
  const char* module = nullptr;
  const char* node = nullptr;
  const char* call = nullptr;
  bool prepared = false;  // this thread has a signal stack
};

inline thread_local constinit PluginCall current_plugin_call;

/// Gives this thread a stack of its own for signals, so that a plugin's endless recursion is reported too.
void prepare_thread_for_crash_report() noexcept;

/// Marks the call for its scope. The texts must outlive the process's last call (literals, names that are never freed).
class CallGuard {
 public:
  CallGuard(const char* module, const char* node, const char* call) noexcept {
    PluginCall& current = current_plugin_call;
    if (!current.prepared) [[unlikely]]
      prepare_thread_for_crash_report();
    current.module = module;
    current.node = node;
    current.call = call;
  }
  ~CallGuard() { current_plugin_call.call = nullptr; }
  CallGuard(const CallGuard&) = delete;
  CallGuard& operator=(const CallGuard&) = delete;
};

/// Once, from main, before the first module is loaded.
void install_crash_report() noexcept;

/// Tells the report where a module's code lies, so that a crash on a thread of its own is laid to it as well.
void add_module_to_crash_report(const char* module, const void* base, std::size_t bytes) noexcept;

}  // namespace sluice
