#include "log_purge.hh"

#include "core/exit_code.hh"
#include "core/native_format.hh"
#include "core/setup_error.hh"
#include "edge/signals.hh"
#include "redrive.hh"
#include "replay_source.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <utility>

namespace sluice {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSource = "letters";
constexpr const char* kChosen = "chosen";

/// The lock that a host holds while it writes the log.
class LogLock {
 public:
  explicit LogLock(const std::string& path) : fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (fd_ < 0 && errno == ENOENT) return;  // only rotated files are there
    if (fd_ < 0) throw SetupError(path + " cannot be opened for writing: " + std::strerror(errno));
    if (::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    ::close(fd_);
    throw SetupError("a host is writing " + path +
                     ": stop it for the purge, or let the log rotate and delete what was rotated");
  }
  ~LogLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  LogLock(const LogLock&) = delete;
  LogLock& operator=(const LogLock&) = delete;

 private:
  int fd_;
};

class LogPurge {
 public:
  LogPurge(const LogOfLetters& letters, const DlqCommand& command, const LetterChoice& choice)
      : letters_(letters), command_(command), choice_(choice) {}

  int run() {
    const std::string path = text("path");
    const bool all = choice_.is_everything();
    if (!all && text("format") != "cloudevents") {
      throw SetupError("letters of " + letters_.log.name + " cannot be chosen for a purge: format " + text("format") +
                       " does not keep what an event says of its death; --all deletes them");
    }
    std::uint64_t deleted = 0;
    const std::vector<std::string> files = files_of_log(path);
    if (command_.dry_run) {
      for (const std::string& file : files) deleted += chosen_in(file);
      std::cout << "would delete " << deleted << " letters of " << letters_.log.name << '\n';
      return kClean;
    }
    const LogLock lock(path);
    for (const std::string& file : files) {
      const std::uint64_t chosen = chosen_in(file);
      if (letters_.signals.stopping()) break;
      if (all) empty(file, file == path);
      if (!all && chosen > 0) write_anew(file);
      if (choice_.limit > 0) choice_.limit -= std::min(choice_.limit, chosen);
      deleted += chosen;
      if (limited_ && choice_.limit == 0) break;
    }
    if (all && !letters_.signals.stopping()) (void)std::remove(letters_.done_file.c_str());
    std::cout << "deleted " << deleted << " letters of " << letters_.log.name << '\n';
    return letters_.signals.stopping() ? kUndelivered : kClean;
  }

 private:
  std::string text(const char* key) const {
    const Value* value = letters_.log.config.find(key);
    return value == nullptr ? "" : value->string;
  }

  std::uint64_t chosen_in(const std::string& file) {
    if (limited_ && choice_.limit == 0) return 0;
    const Value where;
    return run_over(file, false, make_node(letters_.open, NodeKind::backend, "none", "dry_run", make_map(where)))
        .delivered;
  }

  void write_anew(const std::string& file) {
    const bool packed = file.ends_with(".gz");
    const std::string to = packed ? file.substr(0, file.size() - 3) : file, beside = to + ".kept";
    std::error_code error;
    fs::remove(beside, error);  // of a purge that was killed
    const Value where;
    Value config = make_map(where);
    config.put("path", make_string(beside, where));
    config.put("fsync", make_string("every_batch", where));
    const SideFigures figures =
        run_over(file, true, make_node(letters_.open, NodeKind::backend, "kept", "event_log", std::move(config)));
    if (figures.rejected + figures.undelivered > 0 || letters_.signals.stopping()) {
      fs::remove(beside, error);
      if (letters_.signals.stopping()) return;
      throw SetupError(file + " holds " + std::to_string(figures.rejected + figures.undelivered) +
                       " lines that are no events or could not be kept: it stays as it is");
    }
    fs::rename(beside, to, error);
    if (error) throw SetupError(to + " cannot be replaced by " + beside + ": " + error.message());
    if (packed) fs::remove(file, error);
  }

  static void empty(const std::string& file, bool is_the_log) {
    std::error_code error;
    if (is_the_log)
      fs::resize_file(file, 0, error);
    else
      fs::remove(file, error);
    if (error) throw SetupError(file + " cannot be emptied: " + error.message());
  }

  SideFigures run_over(const std::string& file, bool keep, NodeConfig target) {
    const Value where;
    Config run = without_nodes(letters_.open.config);
    Value source = make_map(where);
    Value paths = make_list(where);
    paths.list.push_back(make_string(file, where));
    source.put("paths", std::move(paths));
    source.put("stop_at_end", make_boolean(true, where));
    run.nodes.push_back(make_node(letters_.open, NodeKind::source, kSource, "file", std::move(source)));
    if (text("format") != "cloudevents" && !text("format").empty()) {
      Problems problems;
      const Value preset = make_string(text("format"), where);
      run.nodes.back().format = read_event_format(&preset, kSource, "format", problems);
    }
    Value config = choice_config(command_, choice_, choice_.node);
    config.put("done", make_string(letters_.done_file, where));
    config.put("keep", make_boolean(keep, where));
    NodeConfig chosen = make_node(letters_.open, NodeKind::consumer, kChosen, "letter_choice", std::move(config));
    chosen.inputs = {{kSource, "", {}}};
    run.nodes.push_back(std::move(chosen));
    add_target(run, letters_.open.config, std::move(target), kChosen, 0);
    SideFigures figures;
    (void)run_beside(run, *letters_.open.library, letters_.signals,
                     [&](const GraphView& view) { figures = figures_of_sources(view); });
    return figures;
  }

  const LogOfLetters& letters_;
  const DlqCommand& command_;
  LetterChoice choice_;
  const bool limited_ = choice_.limit > 0;
};

}  // namespace

int purge_log(const LogOfLetters& letters, const DlqCommand& command, const LetterChoice& choice) {
  return LogPurge(letters, command, choice).run();
}

}  // namespace sluice
