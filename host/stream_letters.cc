#include "stream_letters.hh"

#include "core/exit_code.hh"
#include "core/setup_error.hh"
#include "edge/letter_choice.hh"
#include "edge/signals.hh"
#include "redrive.hh"

#include <algorithm>
#include <iostream>

namespace sluice {
namespace {

constexpr const char* kSource = "letters";
constexpr const char* kChosen = "chosen";

/// The backends whose dead letters go there, one name per lane.
std::vector<std::string> senders(const Config& config, const std::string& taker) {
  std::vector<std::string> names;
  for (const NodeConfig& node : config.nodes) {
    if (node.kind != NodeKind::backend || node.delivery.dead_letter != taker) continue;
    if (node.fan_out_json.size() < 2) {
      names.push_back(node.name);
      continue;
    }
    for (std::size_t i = 0; i < node.fan_out_json.size(); ++i) {
      names.push_back(node.name + "[" + std::to_string(i) + "]");
    }
  }
  return names;
}

class StreamLetters {
 public:
  StreamLetters(const DlqCommand& command, const OpenConfig& open, const NodeConfig& taker, const LetterChoice& choice,
                Signals& signals)
      : command_(command), open_(open), taker_(taker), choice_(choice), signals_(signals) {}

  int print() {
    Config run = begin(choice_.node, false, false);
    Value where;
    Value config = make_map(where);
    config.put("store", make_string(taker_.name, where));
    config.put("whole", make_boolean(command_.what == DlqCommand::What::show, where));
    add_target(run, open_.config, make_node(open_, NodeKind::backend, "print", "letter_printer", std::move(config)),
               kChosen, 0);
    return end(run);
  }

  int purge() {
    Config run = begin(choice_.node, !command_.dry_run, false);
    add_target(run, open_.config, make_node(open_, NodeKind::backend, "none", "dry_run", make_map(Value())), kChosen,
               0);
    const int code = end(run);
    std::cout << (command_.dry_run ? "would delete " : "deleted ") << figures_.delivered << " letters of "
              << taker_.name << '\n';
    return code;
  }

  int redrive() {
    int code = kClean;
    std::vector<std::string> names = senders(open_.config, taker_.name);
    if (!command_.node.empty())
      names = {command_.node};
    else if (!command_.to.empty())
      names = {""};  // whoever gave them up
    for (const std::string& name : names) {
      if (signals_.stopping()) return kUndelivered;
      code = std::max(code, redrive_of(name));
    }
    return code;
  }

 private:
  int redrive_of(const std::string& node) {
    const std::string& name = command_.to.empty() ? node : command_.to;
    auto target = find_backend(open_.config, name);
    if (!target) throw SetupError("the configuration has no backend \"" + name + "\": say where to with --to", kUsage);
    if (command_.dry_run) {
      Config run = begin(node, false, true);
      add_target(run, open_.config, make_node(open_, NodeKind::backend, "none", "dry_run", make_map(Value())), kChosen,
                 0);
      const int code = end(run);
      std::cout << "would redrive " << figures_.delivered << " letters" << (node.empty() ? "" : " of " + node) << " to "
                << name << '\n';
      return code;
    }
    Config run = begin(node, true, true);
    target->when.reset();
    target->when_json.clear();
    target->delivery.dead_letter = taker_.name;  // what dies again goes back to where it was
    add_target(run, open_.config, std::move(*target), kChosen, rate_of(command_.rate));
    const int code = end(run);
    std::cout << "redriven to " << name << ": " << figures_.delivered << " delivered";
    if (figures_.rejected > 0) std::cout << ", " << figures_.rejected << " died again and are back";
    if (figures_.undelivered > 0) std::cout << ", " << figures_.undelivered << " not delivered and still there";
    std::cout << '\n';
    return figures_.rejected + figures_.undelivered > 0 ? std::max(code, int{kUndelivered}) : code;
  }

  Config begin(const std::string& node, bool remove, bool redrive) const {
    Value where;
    Value range = range_config(taker_);
    range.put("delete_delivered", make_boolean(remove, where));
    Config run = without_nodes(open_.config);
    run.nodes.push_back(make_node(open_, NodeKind::source, kSource, "redis_range", std::move(range)));
    Value config = choice_config(command_, choice_, node);
    config.put("redrive", make_boolean(redrive, where));
    NodeConfig chosen = make_node(open_, NodeKind::consumer, kChosen, "letter_choice", std::move(config));
    chosen.inputs = {{kSource, "", {}}};
    run.nodes.push_back(std::move(chosen));
    return run;
  }

  int end(const Config& run) {
    return run_beside(run, *open_.library, signals_,
                      [&](const GraphView& view) { figures_ = figures_of_sources(view); });
  }

  const DlqCommand& command_;
  const OpenConfig& open_;
  const NodeConfig& taker_;
  const LetterChoice& choice_;
  Signals& signals_;
  SideFigures figures_;
};

}  // namespace

Value range_config(const NodeConfig& backend) {
  Value config = make_map(backend.config);
  for (const char* key : {"url", "sentinel", "tls", "stream_name", "field"}) {
    if (const Value* value = backend.config.find(key); value != nullptr) config.put(key, *value);
  }
  const Value* stream = config.find("stream_name");
  if (stream != nullptr && stream->string.find('{') != std::string::npos) {
    throw SetupError(backend.name + " writes to a stream for each event (" + stream->string +
                     "): name one with redis://…#STREAM");
  }
  return config;
}

bool reads_letters_of(const NodeConfig& taker) { return taker.klass == "redis_streams"; }

int stream_letters(const DlqCommand& command, const OpenConfig& open, const NodeConfig& taker,
                   const LetterChoice& choice, Signals& signals) {
  if (!choice.numbers.empty()) {
    throw SetupError(
        "letters in " + taker.name + " have no lasting numbers: choose with --when '{\"exact\":{\"id\":\"…\"}}'",
        kUsage);
  }
  StreamLetters letters(command, open, taker, choice, signals);
  switch (command.what) {
    case DlqCommand::What::list:
    case DlqCommand::What::show:
      return letters.print();
    case DlqCommand::What::purge:
      return letters.purge();
    case DlqCommand::What::redrive:
      break;
  }
  return letters.redrive();
}

}  // namespace sluice
