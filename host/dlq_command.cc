#include "dlq_command.hh"

#include "core/exit_code.hh"
#include "core/native_format.hh"
#include "core/setup_error.hh"
#include "edge/crash_report.hh"
#include "edge/letter_choice.hh"
#include "edge/letter_text.hh"
#include "edge/signals.hh"
#include "edge/wall_clock.hh"
#include "redrive.hh"
#include "stream_letters.hh"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>

namespace sluice {
namespace {

/// The nodes that take dead letters, each once, in the order of the file.
std::vector<const NodeConfig*> takers(const Config& config) {
  std::set<std::string> names;
  for (const NodeConfig& node : config.nodes) names.insert(node.delivery.dead_letter);
  std::vector<const NodeConfig*> out;
  for (const NodeConfig& node : config.nodes) {
    if (names.contains(node.name) || node.klass == kDeadLetterStoreClass) out.push_back(&node);
  }
  return out;
}

std::string path_of(const NodeConfig& store) { return store.config.find("path")->string; }

std::size_t columns_of_terminal() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 160;
}

void list(DeadLetterStore& store, const std::string& name, const LetterChoice& choice) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const std::size_t columns = columns_of_terminal();
  std::uint64_t shown = 0;
  store.each(choice, [&](const Letter& letter) {
    if (terminal && shown++ == 0) std::cout << letter_heading();
    std::cout << (terminal ? letter_row(letter, columns) : letter_line(letter, name));
    return static_cast<bool>(std::cout);
  });
  if (!terminal) return;
  const StoreTotals totals = store.totals();
  std::cout << shown << " of " << totals.letters << " letters in " << store.path() << '\n';
}

std::uint64_t show(DeadLetterStore& store, const std::string& name, const LetterChoice& choice) {
  std::uint64_t shown = 0;
  store.each(choice, [&](const Letter& letter) {
    ++shown;
    std::cout << letter_whole(letter, name);
    return static_cast<bool>(std::cout);
  });
  return shown;
}

void purge(DeadLetterStore& store, const LetterChoice& choice, bool dry_run) {
  std::uint64_t count = 0;
  if (dry_run) {
    store.each(choice, [&](const Letter&) { return ++count, true; });
    std::cout << "would delete " << count << " letters of " << store.path() << '\n';
    return;
  }
  count = store.purge(choice);
  std::cout << "deleted " << count << " letters of " << store.path() << "; " << store.totals().letters << " are left\n";
}

class Letters {
 public:
  Letters(const DlqCommand& command, const OpenConfig& open, Signals& signals)
      : command_(command), open_(open), signals_(signals), choice_(choice_of(command, WallClock().unix_ns())) {
    if (command.what == DlqCommand::What::purge && choice_.is_everything() && !command.all) {
      throw SetupError("purge deletes for good: say which letters (--node, --until …), or --all", kUsage);
    }
    if (!command.to.empty() && !find_backend(open.config, command.to)) {
      throw SetupError("--to: the configuration has no backend \"" + command.to + "\"", kUsage);
    }
  }

  int run() {
    const auto all = takers(open_.config);
    if (all.empty()) {
      throw SetupError(open_.config.file + " keeps no dead letters: write delivery.dead_letter: store at a backend");
    }
    int code = kClean;
    bool any = false;
    for (const NodeConfig* node : all) {
      if (reads_letters_of(*node)) {
        any = true;
        code = std::max(code, with_stream(*node));
        continue;
      }
      if (node->klass != kDeadLetterStoreClass) {
        std::cerr
            << "sluice: the dead letters in " << node->name << " (class " << node->klass
            << ") cannot be read back from there: keep them in a local store (dead_letter: store), or in a class that "
               "is read, too: redis_streams, kafka, nats, rabbitmq, event_log\n";
        continue;
      }
      any = true;
      code = std::max(code, with_store(*node));
    }
    if (!any && command_.what != DlqCommand::What::list) return kBadConfig;
    const bool streams = std::ranges::any_of(all, [](const NodeConfig* node) { return reads_letters_of(*node); });
    if (command_.what == DlqCommand::What::show && shown_ == 0 && !streams) {
      std::cerr << "sluice: no such letter\n";
      return kUndelivered;
    }
    return code;
  }

 private:
  /// One that cannot be read does not hide the others.
  int with_stream(const NodeConfig& node) {
    try {
      return stream_letters(command_, open_, node, choice_, signals_);
    } catch (const SetupError& error) {
      std::cerr << "sluice: " << error.what() << '\n';
      return error.code();
    }
  }

  int with_store(const NodeConfig& node) {
    std::error_code error;
    if (!std::filesystem::exists(path_of(node), error)) {
      std::cerr << "sluice: " << path_of(node) << " is not there yet: nothing has died so far\n";
      return kClean;
    }
    const bool writes = command_.what == DlqCommand::What::purge && !command_.dry_run;
    DeadLetterStore store(path_of(node), writes ? Sqlite::Mode::existing : Sqlite::Mode::read_only);
    switch (command_.what) {
      case DlqCommand::What::list:
        list(store, node.name, choice_);
        break;
      case DlqCommand::What::show:
        shown_ += show(store, node.name, choice_);
        break;
      case DlqCommand::What::purge:
        purge(store, choice_, command_.dry_run);
        break;
      case DlqCommand::What::redrive:
        return redrive(command_, open_, node, store, choice_, signals_);
    }
    return kClean;
  }

  const DlqCommand& command_;
  const OpenConfig& open_;
  Signals& signals_;
  LetterChoice choice_;
  std::uint64_t shown_ = 0;
};

}  // namespace

int dlq_command(const DlqCommand& command) {
  install_crash_report();
  Signals signals;  // before any thread
  const auto open = open_config(command.config, command.settings);
  if (!open) return kBadConfig;
  return Letters(command, *open, signals).run();
}

}  // namespace sluice
