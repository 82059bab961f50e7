// `sluice plugin check`: runs the conformance tests, each in a process of its own with a time limit, and reports.
//
// This process never loads the module. A test's process writes its verdict to descriptor 3; when it dies without one,
// its last line on standard error says how.

#include "core/exit_code.hh"
#include "edge/plugin_check/case.hh"
#include "edge/plugin_commands.hh"
#include "edge/plugin_elf.hh"
#include "edge/plugin_tables.hh"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iomanip>
#include <random>

namespace sluice {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kOutputBytesMax = 256 * 1024;  // kept of what a test prints
constexpr milliseconds kGrace{2'000};                // between asking a test to end and ending it

struct Verdict {
  enum class Kind { passed, skipped, failed } kind = Kind::failed;
  std::string text;
};

/// A folder that goes away with everything in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-check-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::string& path() const noexcept { return path_; }

 private:
  std::string path_;
};

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_end(std::size_t i) {
    if (ends[i] >= 0) close(ends[i]);
    ends[i] = -1;
  }
};

std::string last_line(const std::string& text) {
  const auto end = text.find_last_not_of("\n ");
  if (end == std::string::npos) return {};
  const auto begin = text.rfind('\n', end);
  return text.substr(begin == std::string::npos ? 0 : begin + 1,
                     end - (begin == std::string::npos ? 0 : begin + 1) + 1);
}

pid_t spawn(const std::string& program, std::vector<std::string> arguments, const std::string& folder, Pipe& verdict,
            Pipe& output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output.ends[1], STDERR_FILENO);
  posix_spawn_file_actions_adddup2(&actions, verdict.ends[1], 3);
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);  // what a test leaves behind ends with it
  std::vector<char*> pointers;
  arguments.insert(arguments.begin(), "sluice");
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  pid_t child = -1;
  const int failed = posix_spawn(&child, program.c_str(), &actions, &attributes, pointers.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) throw check::Failed(program + " cannot be started: " + std::strerror(failed));
  verdict.close_end(1);
  output.close_end(1);
  return child;
}

/// Reads both pipes until both are closed or the time is over. False: the time is over.
bool read_until(Pipe& verdict, Pipe& output, std::string& said, std::string& printed,
                steady_clock::time_point deadline) {
  std::array<char, 4096> chunk{};
  while (verdict.ends[0] >= 0 || output.ends[0] >= 0) {
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> fds{pollfd{verdict.ends[0], POLLIN, 0}, pollfd{output.ends[0], POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) return false;
    const auto take = [&](const pollfd& fd, Pipe& from, std::string& to) {
      if (fd.fd < 0 || fd.revents == 0) return;
      const ssize_t got = read(fd.fd, chunk.data(), chunk.size());
      if (got <= 0) return from.close_end(0);
      to.append(chunk.data(), static_cast<std::size_t>(got));
      if (to.size() > kOutputBytesMax) to.erase(0, to.size() - kOutputBytesMax);
    };
    take(fds[0], verdict, said);
    take(fds[1], output, printed);
  }
  return true;
}

std::string how_it_ended(int status, const std::string& printed) {
  std::string line = last_line(printed);
  constexpr std::string_view kPrefix = "sluice: plugin ";
  if (line.rfind(kPrefix, 0) == 0) return line.substr(kPrefix.size());
  std::string out = WIFSIGNALED(status)
                        ? "the process was ended by SIG" + std::string(sigabbrev_np(WTERMSIG(status)))
                        : "the plugin ended the process with exit code " + std::to_string(WEXITSTATUS(status));
  if (!line.empty()) out += ", after: " + line.substr(0, 300);
  return out;
}

Verdict run_one(const PluginCheckOptions& options, const std::string& file, const std::string& class_name,
                const check::Test& test, std::uint64_t seed) {
  const TemporaryFolder folder;
  Pipe verdict, output;
  const pid_t child = spawn(options.program, {"plugin", "check-one", file, class_name, test.name, std::to_string(seed)},
                            folder.path(), verdict, output);
  std::string said, printed;
  bool in_time = read_until(verdict, output, said, printed, steady_clock::now() + options.timeout);
  if (!in_time) {
    kill(child, SIGABRT);  // its crash report then names the call that does not return
    (void)read_until(verdict, output, said, printed, steady_clock::now() + kGrace);
  }
  kill(-child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!in_time) {
    const std::string line = last_line(printed);
    const auto call = line.find("call ");
    return {Verdict::Kind::failed,
            "no end within " + std::to_string(options.timeout.count()) + " s" +
                (call == std::string::npos ? "" : ", in " + line.substr(call + 5, line.find(',', call) - call - 5))};
  }
  if (said.rfind("passed", 0) == 0) return {Verdict::Kind::passed, ""};
  if (said.rfind("skipped ", 0) == 0) return {Verdict::Kind::skipped, said.substr(8)};
  if (said.rfind("failed ", 0) == 0) return {Verdict::Kind::failed, said.substr(7)};
  return {Verdict::Kind::failed, how_it_ended(status, printed)};
}

/// The newest version of the C library among those that a module asks for.
std::string newest_library(const std::vector<std::string>& versions) {
  std::string newest;
  int newest_minor = -1;
  for (const std::string& version : versions) {
    constexpr std::string_view kPrefix = "GLIBC_2.";
    if (version.rfind(kPrefix, 0) != 0) continue;
    const int minor = static_cast<int>(std::strtol(version.c_str() + kPrefix.size(), nullptr, 10));
    if (minor > newest_minor) newest = version;
    newest_minor = std::max(minor, newest_minor);
  }
  return newest;
}

class Report {
 public:
  explicit Report(std::ostream& out) : out_(out) {}
  void add(const std::string& class_name, const check::Test& test, const Verdict& verdict) {
    static constexpr const char* kWords[] = {"pass", "skip", "FAIL"};
    ++counts_[static_cast<std::size_t>(verdict.kind)];
    out_ << kWords[static_cast<std::size_t>(verdict.kind)] << "  " << (class_name == "-" ? "module" : class_name) << '.'
         << test.name << ": " << (verdict.kind == Verdict::Kind::passed ? test.promise : verdict.text) << '\n'
         << std::flush;
  }
  int finish(const PluginCheckOptions& options, std::uint64_t seed) {
    out_ << options.file << ": " << counts_[0] << " passed, " << counts_[2] << " failed, " << counts_[1]
         << " skipped; seed " << seed << '\n';
    return counts_[2] == 0 ? kClean : kBadConfig;
  }

 private:
  std::ostream& out_;
  std::array<int, 3> counts_{};
};

}  // namespace

int plugin_check(const PluginCheckOptions& options, std::ostream& out) {
  const std::uint64_t seed = options.seed ? *options.seed : std::random_device{}();
  ModuleDescription module;
  try {
    module = inspect_module(options.file);
  } catch (const Refused& e) {
    out << e.what() << '\n';
    return kBadConfig;
  }
  out << options.file << ": ABI 1." << module.abi_minor << ", " << module.classes.size()
      << (module.classes.size() == 1 ? " class" : " classes") << ", seed " << seed << '\n';
  const std::string library = newest_library(ElfFile(options.file).library_versions());
  if (!library.empty()) out << "needs " << library << " or newer\n";
  std::error_code error;
  const std::string path = std::filesystem::absolute(options.file, error).string();
  Report report(out);
  bool usable = true;
  for (const check::Test& test : check::module_tests()) {
    const Verdict verdict = run_one(options, path, "-", test, seed);
    report.add("-", test, verdict);
    usable = usable && verdict.kind != Verdict::Kind::failed;
  }
  if (!usable) return report.finish(options, seed);  // nothing else would tell more
  for (const ClassDescription& one : module.classes) {
    const bool shares_its_name = std::count_if(module.classes.begin(), module.classes.end(),
                                               [&](const auto& other) { return other.name == one.name; }) > 1;
    const std::string shown = shares_its_name ? to_text(one.kind) + (" " + one.name) : one.name;
    for (const check::Test& test : check::class_tests()) {
      if (!test.applies(one)) continue;
      const Verdict verdict = run_one(options, path, check::test_name_of(one), test, seed);
      report.add(shown, test, verdict);
      if (test.needed_by_all && verdict.kind == Verdict::Kind::failed) break;  // the others would only repeat it
    }
  }
  return report.finish(options, seed);
}

}  // namespace sluice
