// What the plugin tests share: where the broken plugins lie, a log that remembers, a clock that stands still, an ear
// for a node, and child processes.
#pragma once

#include "core/ports.hh"
#include "edge/plugin_node.hh"

#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <vector>

namespace plugin_fixture {

inline std::string broken(const std::string& name) { return SLUICE_BUILD_DIR "/broken_plugins/" + name + ".so"; }
inline std::string driver() { return SLUICE_BUILD_DIR "/broken_plugins/broken_plugins_driver"; }

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sluice-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Ended {
  int exit_code = -1;  // -1: by a signal
  std::string output;  // both streams
  [[nodiscard]] std::string last_line() const {
    const auto end = output.find_last_not_of('\n');
    if (end == std::string::npos) return {};
    const auto begin = output.rfind('\n', end);
    return output.substr(begin == std::string::npos ? 0 : begin + 1,
                         end - (begin == std::string::npos ? 0 : begin + 1) + 1);
  }
};

inline Ended run(const std::string& command) {
  Ended out;
  FILE* pipe = popen(("timeout 60 " + command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 4096> chunk{};
  for (std::size_t got = 0; (got = fread(chunk.data(), 1, chunk.size(), pipe)) > 0;)
    out.output.append(chunk.data(), got);
  const int status = pclose(pipe);
  if (WIFEXITED(status)) out.exit_code = WEXITSTATUS(status);
  return out;
}

class MemoryLog final : public sluice::Log {
 public:
  bool enabled(sluice::Level level) const noexcept override { return level >= least; }
  void write(sluice::Level, std::string_view sentence, std::span<const sluice::Field> fields) noexcept override {
    const std::lock_guard lock(mutex_);
    std::string line(sentence);
    for (const sluice::Field& field : fields) line += " " + std::string(field.key) + "=" + field.value;
    lines.push_back(std::move(line));
  }
  sluice::Level least = sluice::Level::info;
  std::vector<std::string> lines;

 private:
  std::mutex mutex_;
};

class StoppedClock final : public sluice::Clock {
 public:
  std::uint64_t now_ns() const noexcept override { return 77; }
  std::int64_t unix_ns() const noexcept override { return 88; }
};

class Ear final : public sluice::NodeEvents {
 public:
  struct Completion {
    std::uint64_t ticket;
    std::uint32_t count;
    sluice_status status;
    std::string reason;
  };
  void wake() noexcept override { ++wakes; }
  void complete(std::uint64_t ticket, std::uint32_t count, const sluice_result* result) noexcept override {
    const std::string reason = result == nullptr ? "" : std::string(result->reason.ptr, result->reason.len);
    completions.push_back({ticket, count, result == nullptr ? SLUICE_OK : result->status, reason});
  }
  void complete_each(std::uint64_t ticket, std::uint32_t count, const std::uint8_t*) noexcept override {
    completions.push_back({ticket, count, SLUICE_OK, "each"});
  }
  void explain(std::uint32_t index, std::string_view reason) noexcept override {
    explained.emplace_back(index, std::string(reason));
  }
  std::uint64_t now_ns() const noexcept override { return 99; }
  int wakes = 0;
  std::vector<Completion> completions;
  std::vector<std::pair<std::uint32_t, std::string>> explained;
};

}  // namespace plugin_fixture
