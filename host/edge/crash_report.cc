#include "edge/crash_report.hh"

#include "core/exit_code.hh"

#include <execinfo.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <exception>

namespace sluice {
namespace {

constexpr std::array kSignals{SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL};
constexpr std::size_t kStackBytes = 64 * 1024;
constexpr std::size_t kModulesMax = 256;
constexpr int kFramesMax = 64;

struct ModuleRange {
  const char* name;
  std::uintptr_t begin, end;
};
ModuleRange modules[kModulesMax];
std::atomic<std::size_t> module_count{0};
std::atomic<bool> reporting{false};

/// A line put together without allocating: the process may be in any state.
class Line {
 public:
  Line& operator<<(const char* text) noexcept {
    const std::size_t length = std::min(std::strlen(text), sizeof buffer_ - 1 - used_);
    for (std::size_t i = 0; i < length; ++i) buffer_[used_++] = text[i] == '\n' ? ' ' : text[i];
    return *this;
  }
  void write() noexcept {
    buffer_[used_++] = '\n';
    for (std::size_t done = 0; done < used_;) {
      const ssize_t wrote = ::write(STDERR_FILENO, buffer_ + done, used_ - done);
      if (wrote <= 0) break;
      done += static_cast<std::size_t>(wrote);
    }
  }

 private:
  char buffer_[1024];
  std::size_t used_ = 0;
};

const char* signal_text(int number) noexcept {
  switch (number) {
    case SIGSEGV:
      return "signal SIGSEGV";
    case SIGABRT:
      return "signal SIGABRT";
    case SIGBUS:
      return "signal SIGBUS";
    case SIGFPE:
      return "signal SIGFPE";
    case SIGILL:
      return "signal SIGILL";
    default:
      return "a signal";
  }
}

/// The module whose code is nearest on this thread's stack.
const char* module_on_stack() noexcept {
  void* frames[kFramesMax];
  const int depth = backtrace(frames, kFramesMax);
  const std::size_t count = std::min(module_count.load(std::memory_order_acquire), kModulesMax);
  for (int i = 0; i < depth; ++i) {
    const auto at = reinterpret_cast<std::uintptr_t>(frames[i]);
    for (std::size_t m = 0; m < count; ++m) {
      if (at >= modules[m].begin && at < modules[m].end) return modules[m].name;
    }
  }
  return nullptr;
}

/// One thread reports; the others wait for the process to end.
void only_one() noexcept {
  if (reporting.exchange(true)) {
    for (;;) pause();
  }
}

/// True when a plugin is to blame, and the line says so.
bool blame(Line& line) noexcept {
  const PluginCall& current = current_plugin_call;
  if (current.call != nullptr) {
    line << "sluice: plugin crashed: module " << current.module << ", node " << current.node << ", call "
         << current.call << "(), ";
    return true;
  }
  const char* module = module_on_stack();
  if (module == nullptr) return false;
  line << "sluice: plugin crashed: module " << module << ", on a thread of its own, ";
  return true;
}

void on_signal(int number, siginfo_t*, void*) {
  only_one();
  Line line;
  if (blame(line)) {
    (line << signal_text(number)).write();
    _exit(kPluginCrashed);
  }
  (line << "sluice: internal error: " << signal_text(number)).write();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

[[noreturn]] void on_terminate() {
  only_one();
  const char* what = "std::terminate";
  try {
    if (const std::exception_ptr current = std::current_exception()) {
      what = "an uncaught exception";
      std::rethrow_exception(current);
    }
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {  // NOLINT(bugprone-empty-catch): the text above says it
  }
  Line line;
  const bool plugin = blame(line);
  if (!plugin) line << "sluice: internal error: ";
  (line << "uncaught exception: " << what).write();
  if (plugin) _exit(kPluginCrashed);
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

/// A plugin that calls exit() takes the process down as surely as one that crashes.
void on_exit() noexcept {
  if (current_plugin_call.call == nullptr) return;
  only_one();
  Line line;
  (void)blame(line);
  (line << "it called exit()").write();
  _exit(kPluginCrashed);
}

/// Frees the thread's signal stack when the thread ends.
struct SignalStack {
  void* memory = nullptr;
  ~SignalStack() {
    if (memory == nullptr) return;
    const stack_t off{nullptr, SS_DISABLE, 0};
    sigaltstack(&off, nullptr);
    munmap(memory, kStackBytes);
    current_plugin_call.prepared = false;
  }
};
thread_local SignalStack signal_stack;

}  // namespace

void prepare_thread_for_crash_report() noexcept {
  current_plugin_call.prepared = true;
  stack_t present{};
  if (sigaltstack(nullptr, &present) == 0 && (present.ss_flags & SS_DISABLE) == 0) return;  // a sanitizer's, say
  void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return;
  signal_stack.memory = memory;
  const stack_t stack{memory, 0, kStackBytes};
  sigaltstack(&stack, nullptr);
}

void install_crash_report() noexcept {
  prepare_thread_for_crash_report();
  void* frame = nullptr;
  backtrace(&frame, 1);  // loads what backtrace() needs now: in a handler it would be too late
  struct sigaction action {};
  action.sa_sigaction = &on_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (const int number : kSignals) sigaction(number, &action, nullptr);
  std::set_terminate(&on_terminate);
  std::atexit(&on_exit);
}

void add_module_to_crash_report(const char* module, const void* base, std::size_t bytes) noexcept {
  const std::size_t at = module_count.load(std::memory_order_relaxed);
  if (at >= kModulesMax) return;
  const auto begin = reinterpret_cast<std::uintptr_t>(base);
  modules[at] = {module, begin, begin + bytes};
  module_count.store(at + 1, std::memory_order_release);
}

}  // namespace sluice
