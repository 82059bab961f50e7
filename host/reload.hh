// SIGHUP: the configuration is read again, and what changed in backends and observers is put into their running lanes.
//
//   ask ──read, check, compare──▶ refused · unchanged
//             └─create the new instances──▶ each lane stops the old one, destroys it, starts the new one
//             (run/node_swap.hh)
//                      all started ─▶ the lanes go on: applied        one did not ─▶ the old configuration in all:
//                      refused
//
// All or nothing: until every new instance has started none of them is given an event.
//
// Threads: the main thread's, which reads, decides and creates; the swap itself is the lane's, between two of its
// steps.
#pragma once

#include "core/config_change.hh"
#include "core/node_view.hh"
#include "edge/config_loader.hh"
#include "graph_nodes.hh"

#include <memory>
#include <string>
#include <vector>

namespace sluice {

class StreamLog;

class Reload {
 public:
  /// Everything outlives it. `config` is what runs: its nodes are those of the pipeline's graph.
  Reload(LoadOptions options, const Config& config, PluginLibrary& library, const NodeServices& services,
         Pipeline& pipeline, const std::vector<std::unique_ptr<OnceKeys>>& once_keys, LiveView& view, StreamLog& log);

  /// Begins one, or remembers that another is wanted when this one is over.
  void ask();
  /// One round: looks what the lanes have answered. Cheap when there is nothing to do.
  void step();

 private:
  using Library = std::shared_ptr<PluginLibrary>;
  enum class Phase : std::uint8_t { none, forward, back };

  struct Swap {
    NodeIndex node = 0;      // of the graph
    std::size_t change = 0;  // of change_.nodes
    std::shared_ptr<NodeSwap> swap;
    bool replaced = false;  // else only numbers
  };

  void begin();
  [[nodiscard]] bool read(Config& next, Library& library);
  void compare_modules(ConfigChange& change) const;
  void create(const ConfigChange& change);
  void hand_over();
  void apply();
  void say_node(const Swap& swap) const;
  void go_back();
  void gone_back();
  void refuse(const std::string& why);
  void note(const char* result, const std::string& text);
  void watch_the_time();
  [[nodiscard]] NodeIndex graph_node(std::size_t config_node, std::uint32_t element) const;

  const LoadOptions options_;
  const NodeServices& services_;
  Pipeline& pipeline_;
  const std::vector<std::unique_ptr<OnceKeys>>& once_keys_;
  LiveView& view_;
  StreamLog& log_;

  Config running_;
  std::vector<NodeFacts> facts_;
  std::vector<Library> libraries_;  // by node of running_: where its class is from

  Phase phase_ = Phase::none;
  bool again_ = false;
  bool waited_long_ = false;
  std::uint64_t began_ns_ = 0;
  Config next_;
  std::vector<NodeFacts> next_facts_;
  Library next_library_;
  ConfigChange change_;
  std::vector<Swap> swaps_;
  std::string failed_;  // why it goes back
};

}  // namespace sluice
