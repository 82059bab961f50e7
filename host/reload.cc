#include "reload.hh"

#include "core/setup_error.hh"
#include "edge/config_commands.hh"
#include "edge/host_classes.hh"
#include "edge/log.hh"

#include <sluice/module.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace sluice {
namespace {

/// A lane answers within its own bounds; a plugin that does not keep to them is named after this.
constexpr milliseconds kLong = limits::kSwapWait + 2 * limits::kStartTimeout;

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Reload::Reload(LoadOptions options, const Config& config, PluginLibrary& library, const NodeServices& services,
               Pipeline& pipeline, const std::vector<std::unique_ptr<OnceKeys>>& once_keys, LiveView& view,
               StreamLog& log)
    : options_(std::move(options)),
      services_(services),
      pipeline_(pipeline),
      once_keys_(once_keys),
      view_(view),
      log_(log),
      running_(config),
      facts_(facts_of(config, library)),
      libraries_(config.nodes.size(), Library(Library(), &library)) {}

void Reload::ask() {
  if (phase_ != Phase::none) {
    again_ = true;
    return log_.write(Level::info, "A reload is under way; the configuration is read once more after it", {});
  }
  begin();
}

void Reload::begin() {
  const Field fields[] = {{"file", options_.path, false}};
  log_.write(Level::info, "Reloading the configuration", fields);
  began_ns_ = services_.clock.now_ns();
  waited_long_ = false;
  if (pipeline_.state() != Pipeline::State::running) return refuse("the host is stopping");
  try {
    next_ = {};
    if (!read(next_, next_library_)) return;
    next_facts_ = facts_of(next_, *next_library_);
    change_ = compare({running_, facts_}, {next_, next_facts_});
    compare_modules(change_);
    if (!change_.restart.empty()) return refuse("these need a restart: " + joined(change_.restart));
    if (change_.nothing()) {
      log_.write(Level::info, "Reload: nothing changed", {});
      return note("unchanged", "");
    }
    create(change_);
  } catch (const std::exception& e) {
    return refuse(e.what());
  }
  hand_over();
}

/// False: it is refused, and every problem has been said.
bool Reload::read(Config& next, Library& library) {
  Problems problems;
  next = read_config(options_, problems);
  library = std::make_shared<PluginLibrary>(next.plugin_path);
  add_host_classes(*library);
  check_classes(next, *library, problems);
  if (has_errors(problems)) {
    std::erase_if(problems, [](const Problem& problem) { return problem.severity == Severity::note; });
    sort_problems(problems);
    for (const Problem& problem : problems) log_.write(Level::error, to_line(problem), {});
    const std::size_t more = problems.size() - 1;
    refuse(to_line(problems.front()) + (more == 0 ? "" : " (and " + std::to_string(more) + " more)"));
    return false;
  }
  if (!next.disabled.empty()) {
    refuse(next.disabled + "; stop the host for that");
    return false;
  }
  return true;
}

/// A class may come from another module than before, or from a newer file of the same name: that is loaded beside what
/// runs, and its instances take the old ones' place.
void Reload::compare_modules(ConfigChange& change) const {
  for (std::size_t i = 0; i < running_.nodes.size(); ++i) {
    const NodeConfig& node = running_.nodes[i];
    const NodeConfig* now = next_.find(node.name);
    if (now == nullptr || now->kind != node.kind || now->klass != node.klass) continue;  // has been compared
    const ModuleDescription* had = libraries_[i]->module_of(node.kind, node.klass);
    const ModuleDescription* has = next_library_->module_of(node.kind, node.klass);
    if (had == nullptr || has == nullptr || (had->path == has->path && had->stamp == has->stamp)) continue;
    if (node.kind != NodeKind::backend && (facts_[i].flags & SLUICE_OBSERVER) == 0) {
      change.restart.push_back(node.path + " (its module is another: " + has->path + ")");
      continue;
    }
    auto of = std::ranges::find(change.nodes, i, &NodeChange::running);
    if (of == change.nodes.end()) {
      of = change.nodes.insert(of, {i, static_cast<std::size_t>(now - next_.nodes.data()), {}, {}});
    }
    of->replaced.resize(std::max<std::size_t>(1, now->fan_out_json.size()));
    std::iota(of->replaced.begin(), of->replaced.end(), 0U);
  }
}

/// Creates beside what runs: create() does no I/O. Throws SetupError.
void Reload::create(const ConfigChange& change) {
  swaps_.clear();
  for (std::size_t c = 0; c < change.nodes.size(); ++c) {
    const NodeChange& of = change.nodes[c];
    const NodeConfig& from = next_.nodes[of.next];
    const std::size_t lanes = std::max<std::size_t>(1, from.fan_out_json.size());
    for (std::uint32_t element = 0; element < lanes; ++element) {
      Swap made{graph_node(of.running, element), c, std::make_shared<NodeSwap>(), false};
      made.replaced = std::ranges::find(of.replaced, element) != of.replaced.end();
      if (!made.replaced && of.numbers.empty()) continue;
      if (made.replaced) {
        CreatedNode created = create_instance(pipeline_.graph().nodes[made.node], from, *next_library_, services_,
                                              once_keys_[made.node].get());
        made.swap->backend = std::move(created.backend);
        made.swap->observer = std::move(created.consumer);
      }
      swaps_.push_back(std::move(made));
    }
  }
}

void Reload::hand_over() {
  phase_ = Phase::forward;
  for (const Swap& swap : swaps_) pipeline_.swap(swap.node, swap.swap);
  step();  // there may be nothing but the log's level
}

void Reload::step() {
  if (phase_ == Phase::none) return;
  if (std::ranges::any_of(swaps_, [](const Swap& swap) { return !swap.swap->answered(); })) return watch_the_time();
  if (phase_ == Phase::back) {
    gone_back();
  } else {
    const auto failed =
        std::ranges::find_if(swaps_, [](const Swap& swap) { return swap.swap->step.load() == NodeSwap::Step::failed; });
    if (failed != swaps_.end()) {
      failed_ = pipeline_.graph().nodes[failed->node].name + ": cannot start: " + failed->swap->text;
      go_back();
    } else {
      apply();
    }
  }
  if (phase_ == Phase::none && std::exchange(again_, false)) begin();
}

void Reload::apply() {
  std::vector<std::string> words, kept;
  for (const Swap& swap : swaps_) {
    const NodeConfig& from = next_.nodes[change_.nodes[swap.change].next];
    if (from.kind == NodeKind::backend) swap.swap->delivery = from.delivery;
    pipeline_.end_swap(swap.node, *swap.swap);
    say_node(swap);
    words.push_back(pipeline_.graph().nodes[swap.node].name + (swap.replaced ? " replaced" : " adjusted"));
  }
  if (change_.log_level) {
    (void)log_.set_level(next_.log.level);
    running_.log.level = next_.log.level;
    words.push_back("log.level " + next_.log.level);
  }
  for (NodeIndex i = 0; i < pipeline_.graph().nodes.size(); ++i) {
    if (std::ranges::find(swaps_, i, &Swap::node) == swaps_.end()) kept.push_back(pipeline_.graph().nodes[i].name);
  }
  for (const NodeChange& change : change_.nodes) {
    running_.nodes[change.running] = next_.nodes[change.next];
    facts_[change.running] = next_facts_[change.next];
    if (!change.replaced.empty()) libraries_[change.running] = next_library_;
  }
  const Field fields[] = {
      {"changed", joined(words), false},
      {"kept", joined(kept), false},
      {"took_ms", std::to_string((services_.clock.now_ns() - began_ns_) / 1'000'000), true},
  };
  log_.write(Level::info, "Reload applied", fields);
  note("applied", joined(words));
}

void Reload::say_node(const Swap& swap) const {
  const NodeChange& change = change_.nodes[swap.change];
  const std::string& name = pipeline_.graph().nodes[swap.node].name;
  if (!swap.replaced) {
    const Field fields[] = {{"node", name, false}, {"delivery", joined(change.numbers), false}};
    return log_.write(Level::info, "Reload: node kept, with other numbers of delivery", fields);
  }
  const Field fields[] = {
      {"node", name, false},
      {"class", next_.nodes[change.next].klass, false},
      {"under_way", std::to_string(swap.swap->under_way), true},
      {"taken_back", std::to_string(swap.swap->taken_back), true},
      {"queued", std::to_string(pipeline_.stats(swap.node).queue_events.get()), true},
  };
  log_.write(Level::info, "Reload: node replaced", fields);
  if (!swap.swap->away) return;
  const Field away[] = {{"node", name, false}, {"reason", swap.swap->text, false}};
  log_.write(Level::warn, "Not reachable after the reload; its events wait, and it is tried again until it is", away);
}

/// One did not start: every node that was changed gets an instance of the old configuration.
void Reload::go_back() {
  phase_ = Phase::back;
  for (Swap& swap : swaps_) {
    if (!swap.replaced) continue;
    const NodeChange& change = change_.nodes[swap.change];
    auto back = std::make_shared<NodeSwap>();
    back->way_back = true;
    try {
      CreatedNode created = create_instance(pipeline_.graph().nodes[swap.node], running_.nodes[change.running],
                                            *libraries_[change.running], services_, once_keys_[swap.node].get());
      back->backend = std::move(created.backend);
      back->observer = std::move(created.consumer);
    } catch (const std::exception& e) {
      const Field fields[] = {{"reason", e.what(), false}};
      log_.write(Level::error, "The old instance cannot be created again; its events wait for the next reload", fields);
      continue;
    }
    swap.swap = std::move(back);
    pipeline_.swap(swap.node, swap.swap);
  }
}

void Reload::gone_back() {
  for (const Swap& swap : swaps_) {
    const bool cannot = swap.swap->step.load() == NodeSwap::Step::failed;
    if (cannot) {
      const Field fields[] = {{"node", pipeline_.graph().nodes[swap.node].name, false},
                              {"reason", swap.swap->text, false}};
      log_.write(Level::error, "The old configuration does not start again either", fields);
    }
    if (swap.swap->way_back || !swap.replaced) pipeline_.end_swap(swap.node, *swap.swap);
  }
  refuse(std::exchange(failed_, {}));
}

void Reload::refuse(const std::string& why) {
  const Field fields[] = {{"reason", why, false}};
  log_.write(Level::error, "Reload refused, the old configuration stays", fields);
  note("refused", why);
}

void Reload::note(const char* result, const std::string& text) {
  phase_ = Phase::none;
  swaps_.clear();
  next_ = {};
  change_ = {};
  next_library_.reset();
  const std::lock_guard lock(view_.mutex);
  ReloadView& view = view_.graph.reloads;
  view.last = result;
  view.last_text = text;
  view.last_unix_ns = services_.clock.unix_ns();
  ++(view.last == "applied" ? view.applied : view.last == "refused" ? view.refused : view.unchanged);
  for (NodeIndex i = 0; i < view_.graph.nodes.size(); ++i) {
    view_.graph.nodes[i].klass = running_.nodes[pipeline_.graph().nodes[i].config].klass;
  }
}

void Reload::watch_the_time() {
  if (waited_long_ || services_.clock.now_ns() < began_ns_ + as_ns(kLong)) return;
  waited_long_ = true;
  std::vector<std::string> names;
  for (const Swap& swap : swaps_) {
    if (!swap.swap->answered()) names.push_back(pipeline_.graph().nodes[swap.node].name);
  }
  const Field fields[] = {{"nodes", joined(names), false}};
  log_.write(Level::error, "A reload waits for a plugin that does not return", fields);
}

NodeIndex Reload::graph_node(std::size_t config_node, std::uint32_t element) const {
  const auto& nodes = pipeline_.graph().nodes;
  const auto found = std::ranges::find_if(
      nodes, [&](const GraphNode& node) { return node.config == config_node && node.element == element; });
  if (found == nodes.end()) throw SetupError("a reload names a lane that does not run");
  return static_cast<NodeIndex>(found - nodes.begin());
}

}  // namespace sluice
