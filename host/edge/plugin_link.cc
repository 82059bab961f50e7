#include "edge/plugin_link.hh"

#include "edge/plugin_elf.hh"

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <string_view>

namespace sluice {
namespace {

constexpr std::chrono::seconds kTimeout{10};
constexpr std::size_t kOutputBytesMax = 1024 * 1024;
constexpr std::size_t kProblemsMax = 20;

/// The linker that loaded this program, and that would load the module.
std::string own_linker() {
  std::string found;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* to) {
        if (info->dlpi_name == nullptr || *info->dlpi_name == 0) {  // the program itself
          for (int i = 0; i < info->dlpi_phnum; ++i) {
            if (info->dlpi_phdr[i].p_type == PT_INTERP) {
              // NOLINTNEXTLINE(performance-no-int-to-ptr): an address in this process is what it is
              const auto* path = reinterpret_cast<const char*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
              *static_cast<std::string*>(to) = path;
            }
          }
        }
        return 0;
      },
      &found);
  return found;
}

/// Runs the linker and returns what it prints, within the time.
std::string output_of(const std::string& linker, const std::string& module) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  std::vector<std::string> environment{"LD_TRACE_LOADED_OBJECTS=1", "LD_BIND_NOW=yes", "LD_WARN=yes"};
  if (const char* path = std::getenv("LD_LIBRARY_PATH")) environment.push_back(std::string("LD_LIBRARY_PATH=") + path);
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  std::string program = linker, argument = module;
  std::array<char*, 3> arguments{program.data(), argument.data(), nullptr};

  pid_t child = -1;
  const int failed = posix_spawn(&child, linker.c_str(), &actions, nullptr, arguments.data(), variables.data());
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  std::string out;
  const auto deadline = std::chrono::steady_clock::now() + kTimeout;
  while (failed == 0 && out.size() < kOutputBytesMax) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd readable{pipe_ends[0], POLLIN, 0};
    if (left.count() <= 0 || ::poll(&readable, 1, static_cast<int>(left.count())) <= 0) break;
    std::array<char, 4096> chunk{};
    const ssize_t got = read(pipe_ends[0], chunk.data(), chunk.size());
    if (got <= 0) break;
    out.append(chunk.data(), static_cast<std::size_t>(got));
  }
  close(pipe_ends[0]);
  if (failed == 0) {
    kill(child, SIGKILL);  // harmless when it has ended by itself
    waitpid(child, nullptr, 0);
  }
  return out;
}

/// A sanitizer's calls come with the program, which the linker is not told of here.
bool comes_with_the_program(std::string_view symbol) {
  return symbol.rfind("__asan_", 0) == 0 || symbol.rfind("__ubsan_", 0) == 0 || symbol.rfind("__tsan_", 0) == 0 ||
         symbol.rfind("__sanitizer_", 0) == 0;
}

}  // namespace

std::vector<std::string> link_problems(const std::string& module_path) {
  std::vector<std::string> problems;
  std::array<char, PATH_MAX> absolute{};
  const std::string linker = own_linker();
  if (linker.empty() || realpath(module_path.c_str(), absolute.data()) == nullptr) return problems;
  std::istringstream lines(output_of(linker, absolute.data()));
  for (std::string line; std::getline(lines, line) && problems.size() < kProblemsMax;) {
    constexpr std::string_view kSymbol = "undefined symbol: ";
    const auto symbol_at = line.find(kSymbol);
    if (symbol_at != std::string::npos) {
      const auto begin = symbol_at + kSymbol.size();
      const std::string symbol = line.substr(begin, line.find_first_of(" \t,", begin) - begin);
      if (!comes_with_the_program(symbol)) problems.push_back(std::string("undefined symbol: ").append(symbol));
    } else if (const auto missing = line.find(" => not found"); missing != std::string::npos) {
      const auto begin = line.find_first_not_of(" \t");
      problems.push_back("library " + line.substr(begin, missing - begin) + " is missing");
    }
  }
  std::sort(problems.begin(), problems.end());
  problems.erase(std::unique(problems.begin(), problems.end()), problems.end());
  return problems;
}

}  // namespace sluice
