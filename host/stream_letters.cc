#include "stream_letters.hh"

#include "core/exit_code.hh"
#include "core/setup_error.hh"
#include "edge/letter_choice.hh"
#include "edge/signals.hh"
#include "log_purge.hh"
#include "redrive.hh"
#include "replay_source.hh"

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace sluice {
namespace {

constexpr const char* kSource = "letters";
constexpr const char* kChosen = "chosen";
constexpr std::int64_t kQueueMost = 65'535;  // what a server hands out without an acknowledgement

std::string text_of(const NodeConfig& node, const char* key) {
  const Value* value = node.config.find(key);
  return value == nullptr ? "" : value->string;
}

bool deletes_single_letters(const NodeConfig& taker) {
  return taker.klass == "redis_streams" || taker.klass == "rabbitmq" || taker.klass == "nats";
}

/// The queue behind a backend that writes to an exchange: only for the default exchange it is known.
std::string queue_of(const NodeConfig& taker, const std::string& asked) {
  if (!asked.empty()) return asked;
  if (std::string known = text_of(taker, "dead_letters_queue"); !known.empty()) return known;
  std::string key = text_of(taker, "routing_key");
  if (text_of(taker, "exchange").empty() && !key.empty() && key.find('{') == std::string::npos) return key;
  throw SetupError("the dead letters of " + taker.name + " go to the exchange \"" + text_of(taker, "exchange") +
                       "\": name the queue that keeps them with --queue, or as its dead_letters_queue",
                   kUsage);
}

/// Where single letters cannot be deleted: what was sent again, beside the log or the configuration.
std::string done_file(const OpenConfig& open, const NodeConfig& taker) {
  if (deletes_single_letters(taker)) return {};
  if (taker.klass == "event_log") return text_of(taker, "path") + ".redriven";
  return open.config.file + "." + taker.name + ".redriven";
}

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
    if (taker_.klass == "event_log") {
      return purge_log({open_, taker_, done_file(open_, taker_), signals_}, command_, choice_);
    }
    const bool kafka = taker_.klass == "kafka";
    if (kafka && !choice_.is_everything()) {
      throw SetupError("dead letters of " + taker_.name +
                       " cannot be chosen for a purge: Kafka deletes a partition's records only from its beginning up "
                       "to an offset. --all deletes all that the topic holds now; what was redriven is listed no more; "
                       "the topic's retention deletes the oldest");
    }
    Config run = begin(choice_.node, !command_.dry_run, false);
    if (kafka) take_all(run);
    add_target(run, open_.config, make_node(open_, NodeKind::backend, "none", "dry_run", make_map(Value())), kChosen,
               0);
    const int code = end(run);
    std::cout << (command_.dry_run ? "would delete " : "deleted ") << figures_.delivered << " letters of "
              << taker_.name << '\n';
    if (kafka && !command_.dry_run && code == kClean) std::remove(done_file(open_, taker_).c_str());
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
    take_letters_anew(run);
    const int code = end(run);
    std::cout << "redriven to " << name << ": " << figures_.delivered << " delivered";
    if (figures_.rejected > 0) std::cout << ", " << figures_.rejected << " died again and are back";
    if (figures_.undelivered > 0) std::cout << ", " << figures_.undelivered << " not delivered and still there";
    std::cout << '\n';
    return figures_.rejected + figures_.undelivered > 0 ? std::max(code, int{kUndelivered}) : code;
  }

  /// What was redriven, too: a message that stays keeps all that is behind it.
  void take_all(Config& run) const {
    for (NodeConfig& node : run.nodes) {
      Value config = node.config;
      if (node.name == kSource)
        config.put("delete_read", make_boolean(!command_.dry_run, config));
      else
        config = choice_config(command_, choice_, {});
      NodeConfig made = make_node(open_, node.kind, node.name, node.klass, std::move(config));
      made.inputs = node.inputs;
      made.format = node.format;
      node = std::move(made);
    }
  }

  Config begin(const std::string& node, bool remove, bool redrive) const {
    Value where;
    Config run = without_nodes(open_.config);
    run.nodes.push_back(source(remove));
    Value config = choice_config(command_, choice_, node);
    config.put("redrive", make_boolean(redrive, where));
    if (const std::string done = done_file(open_, taker_); !done.empty()) {
      config.put("done", make_string(done, where));
      config.put("note_done", make_boolean(remove, where));
    }
    NodeConfig chosen = make_node(open_, NodeKind::consumer, kChosen, "letter_choice", std::move(config));
    chosen.inputs = {{kSource, "", {}}};
    run.nodes.push_back(std::move(chosen));
    return run;
  }

  /// JetStream leaves out what has an id that it saw in the last minutes: a letter of an event that died again would be
  /// lost. So it gets none.
  void take_letters_anew(Config& run) const {
    if (taker_.klass != "nats") return;
    for (NodeConfig& node : run.nodes) {
      if (node.name != taker_.name) continue;
      Value config = node.config;
      config.put("message_id", make_string("", config));
      NodeConfig made = make_node(open_, NodeKind::backend, node.name, node.klass, std::move(config));
      node.config = std::move(made.config);
      node.config_json = std::move(made.config_json);
      node.shown_json = std::move(made.shown_json);
    }
  }

  /// What reads the letters back. `remove`: what was delivered leaves, where it can.
  NodeConfig source(bool remove) const {
    Value where;
    if (taker_.klass == "redis_streams") {
      Value range = range_config(taker_);
      range.put("delete_delivered", make_boolean(remove, where));
      return make_node(open_, NodeKind::source, kSource, "redis_range", std::move(range));
    }
    if (taker_.klass == "rabbitmq") {
      Value queue = make_map(taker_.config);
      for (const char* key : {"url", "tls", "timeout", "heartbeat", "frame_max"}) {
        if (const Value* value = taker_.config.find(key); value != nullptr) queue.put(key, *value);
      }
      queue.put("queue", make_string(queue_of(taker_, command_.queue), where));
      queue.put("passive", make_boolean(true, where));
      queue.put("prefetch_count", make_integer(kQueueMost, where));
      queue.put("read_once", make_string(remove ? "take" : "look", where));
      return make_node(open_, NodeKind::source, kSource, "rabbitmq", std::move(queue));
    }
    NodeConfig node = std::move(replay_sources(open_, {taker_.name}, "", "").front());
    node.name = kSource;
    if (taker_.klass == "nats") {
      Value config = node.config;
      config.put("delete_delivered", make_boolean(remove, where));
      NodeConfig made = make_node(open_, NodeKind::source, kSource, "nats", std::move(config));
      made.format = node.format;
      return made;
    }
    return node;
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

bool reads_letters_of(const NodeConfig& taker) {
  return deletes_single_letters(taker) || taker.klass == "kafka" || taker.klass == "nats" || taker.klass == "event_log";
}

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
