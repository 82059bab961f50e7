#include "redrive.hh"

#include "core/exit_code.hh"
#include "edge/letter_choice.hh"
#include "edge/signals.hh"

#include <algorithm>
#include <iostream>
#include <limits>
#include <map>

namespace sluice {
namespace {

constexpr const char* kSource = "letters";

/// How many of the chosen letters each node gave up.
std::map<std::string, std::uint64_t> count_by_node(DeadLetterStore& store, const LetterChoice& choice) {
  std::map<std::string, std::uint64_t> counts;
  store.each(choice, [&](const Letter& letter) { return ++counts[letter.death.node], true; });
  return counts;
}

void say(const std::string& target, const SideFigures& figures, std::uint64_t chosen) {
  const std::uint64_t left = chosen - std::min(chosen, figures.delivered + figures.rejected);
  std::cout << "redriven to " << target << ": " << figures.delivered << " delivered";
  if (figures.rejected > 0) std::cout << ", " << figures.rejected << " died again and are back with their history";
  if (left > 0) std::cout << ", " << left << " not delivered and still in the store";
  std::cout << '\n';
}

}  // namespace

Value choice_config(const DlqCommand& command, const LetterChoice& choice, const std::string& node) {
  Value where;
  Value config = make_map(where);
  Value numbers = make_list(where);
  for (const std::int64_t number : choice.numbers) numbers.list.push_back(make_integer(number, where));
  config.put("numbers", std::move(numbers));
  config.put("node", make_string(node, where));
  config.put("reason", make_string(choice.reason_part, where));
  config.put("filter", make_string(filter_json(command.types, command.when_json), where));
  config.put("limit", make_integer(static_cast<std::int64_t>(choice.limit), where));
  if (choice.since_unix_ns != std::numeric_limits<std::int64_t>::min()) {
    config.put("since_ns", make_integer(choice.since_unix_ns, where));
  }
  if (choice.until_unix_ns != std::numeric_limits<std::int64_t>::max()) {
    config.put("until_ns", make_integer(choice.until_unix_ns, where));
  }
  return config;
}

int redrive(const DlqCommand& command, const OpenConfig& open, const NodeConfig& store_node, DeadLetterStore& store,
            const LetterChoice& choice, Signals& signals) {
  int code = kClean;
  std::map<std::string, std::uint64_t> groups = count_by_node(store, choice);
  if (groups.empty()) std::cout << "no letters to redrive in " << store.path() << '\n';
  for (auto& [node, chosen] : groups) {
    if (signals.stopping()) return kUndelivered;
    const std::string& name = command.to.empty() ? node : command.to;
    auto target = find_backend(open.config, name);
    if (!target) {
      std::cerr << "sluice: " << chosen << " letters were given up by \"" << node
                << "\", which is no backend of the configuration any more: say where to with --to\n";
      code = kUndelivered;
      continue;
    }
    if (command.dry_run) {
      std::cout << "would redrive " << chosen << " letters of " << node << " to " << name << '\n';
      continue;
    }
    // With a limit over several nodes, each gets the share that was counted.
    LetterChoice part = choice;
    if (choice.limit > 0) part.limit = chosen;
    Config run = without_nodes(open.config);
    Value config = choice_config(command, part, node);
    config.put("path", make_string(store.path(), config));
    run.nodes.push_back(make_node(open, NodeKind::source, kSource, "dead_letters", std::move(config)));
    target->when.reset();
    target->when_json.clear();
    target->delivery.dead_letter = store_node.name;  // what dies again goes back to where it was
    add_target(run, open.config, std::move(*target), kSource, rate_of(command.rate));
    SideFigures figures;
    const int run_code =
        run_beside(run, *open.library, signals, [&](const GraphView& view) { figures = figures_of_sources(view); });
    say(name, figures, chosen);
    code = std::max(code, figures.delivered < chosen ? std::max(run_code, int{kUndelivered}) : run_code);
  }
  return code;
}

}  // namespace sluice
