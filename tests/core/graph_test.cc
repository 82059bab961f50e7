// The graph: what configured nodes become, who is joined to whom, and what a source's acknowledgement needs.
#include "core/graph.hh"

#include "catch.hh"

#include <sluice/module.h>

#include <algorithm>
#include <string>

using namespace sluice;

namespace {

/// A configuration in a few lines: add nodes, then build.
struct Plan {
  Config config;
  std::vector<NodeFacts> facts;

  NodeConfig& add(NodeKind kind, const std::string& name, const std::vector<std::string>& inputs = {},
                  NodeFacts fact = {}) {
    NodeConfig node;
    node.kind = kind;
    node.name = name;
    for (const std::string& input : inputs) {
      const std::size_t dot = input.find('.');
      Input made;
      made.node = input.substr(0, dot);
      if (dot != std::string::npos) made.port = input.substr(dot + 1);
      node.inputs.push_back(made);
    }
    config.nodes.push_back(std::move(node));
    facts.push_back(std::move(fact));
    return config.nodes.back();
  }
  NodeConfig& source(const std::string& name) { return add(NodeKind::source, name); }
  NodeConfig& consumer(const std::string& name, const std::vector<std::string>& inputs, NodeFacts fact = {}) {
    return add(NodeKind::consumer, name, inputs, std::move(fact));
  }
  NodeConfig& backend(const std::string& name, const std::vector<std::string>& inputs, std::uint32_t elements = 0) {
    return add(NodeKind::backend, name, inputs, {.flags = 0, .ports = {}, .elements = elements});
  }
  [[nodiscard]] Graph build() const { return build_graph(config, facts); }
};

std::string names(const Graph& graph, const std::vector<NodeIndex>& nodes) {
  std::string out;
  for (const NodeIndex node : nodes) out += (out.empty() ? "" : " ") + graph.nodes[node].name;
  return out;
}

const GraphNode& node(const Graph& graph, std::string_view name) {
  const auto found = std::ranges::find(graph.nodes, name, &GraphNode::name);
  REQUIRE(found != graph.nodes.end());
  return *found;
}

NodeIndex index(const Graph& graph, std::string_view name) {
  return static_cast<NodeIndex>(&node(graph, name) - graph.nodes.data());
}

const SourceReach& reach(const Graph& graph, std::string_view source) {
  const SourceReach* found = graph.reach_of(index(graph, source));
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("graph: edges go from a node's plain port to everyone who names it") {
  // in ──▶ check ──▶ log
  //              └─▶ stream
  Plan plan;
  plan.source("in");
  plan.consumer("check", {"in"});
  plan.backend("log", {"check"});
  plan.backend("stream", {"check"});
  const Graph graph = plan.build();
  CHECK(names(graph, node(graph, "in").out[0]) == "check");
  CHECK(names(graph, node(graph, "check").out[0]) == "log stream");
  CHECK(node(graph, "check").rejected_out.empty());
  CHECK(names(graph, reach(graph, "in").consumers) == "check");
  CHECK(names(graph, reach(graph, "in").lanes) == "log stream");
}

TEST_CASE("graph: an input named twice is one edge") {
  Plan plan;
  plan.source("in");
  plan.backend("log", {"in", "in"});
  const Graph graph = plan.build();
  CHECK(names(graph, node(graph, "in").out[0]) == "log");
}

TEST_CASE("graph: a list that fans out becomes one node per element, each with every edge") {
  Plan plan;
  plan.source("in");
  plan.backend("webhook", {"in"}, 3).delivery.dead_letter = "parked";
  plan.backend("parked", {});
  const Graph graph = plan.build();
  REQUIRE(graph.nodes.size() == 5);
  CHECK(names(graph, node(graph, "in").out[0]) == "webhook[0] webhook[1] webhook[2]");
  CHECK(names(graph, reach(graph, "in").required) == "webhook[0] webhook[1] webhook[2]");
  for (std::uint32_t element = 0; element < 3; ++element) {
    const GraphNode& made = node(graph, "webhook[" + std::to_string(element) + "]");
    CHECK(made.element == element);
    CHECK(made.fanned_out);
    CHECK(plan.config.nodes[made.config].name == "webhook");
    CHECK(names(graph, made.dead_letter) == "parked");
  }
}

TEST_CASE("graph: a list of one element keeps the node's plain name") {
  Plan plan;
  plan.source("in");
  plan.backend("webhook", {"in"}, 1);
  const Graph graph = plan.build();
  CHECK_FALSE(node(graph, "webhook").fanned_out);
}

TEST_CASE("graph: named ports, the rejected port and the plain port lead to different nodes") {
  // in ──▶ route ──────────▶ plain
  //          ├─ .urgent ───▶ pager
  //          └─ .rejected ─▶ parked
  Plan plan;
  plan.source("in");
  plan.consumer("route", {"in"}, {.flags = 0, .ports = {"slow", "urgent"}, .elements = 0});
  plan.backend("plain", {"route"});
  plan.backend("pager", {"route.urgent"});
  plan.backend("parked", {"route.rejected"});
  const Graph graph = plan.build();
  const GraphNode& route = node(graph, "route");
  REQUIRE(route.out.size() == 3);
  CHECK(names(graph, route.out[0]) == "plain");
  CHECK(route.out[1].empty());
  CHECK(names(graph, route.out[2]) == "pager");
  CHECK(names(graph, route.rejected_out) == "parked");
  CHECK(names(graph, reach(graph, "in").lanes) == "plain pager parked");
}

TEST_CASE("graph: a class may have a port of its own called rejected") {
  Plan plan;
  plan.source("in");
  plan.consumer("route", {"in"}, {.flags = 0, .ports = {"rejected"}, .elements = 0});
  plan.backend("parked", {"route.rejected"});
  const Graph graph = plan.build();
  CHECK(names(graph, node(graph, "route").out[1]) == "parked");
  CHECK(node(graph, "route").rejected_out.empty());
}

TEST_CASE("graph: consumers are listed causes first, whatever their order in the file and the paths between them") {
  // in ─▶ first ─▶ second ─▶ third ─▶ log
  //         └────────────────▲
  Plan plan;
  plan.backend("log", {"third"});
  plan.consumer("third", {"second", "first"});
  plan.consumer("second", {"first"});
  plan.consumer("first", {"in"});
  plan.source("in");
  const Graph graph = plan.build();
  CHECK(names(graph, reach(graph, "in").consumers) == "first second third");
  CHECK(names(graph, reach(graph, "in").lanes) == "log");
}

TEST_CASE("graph: a source reaches what its own edges lead to and nothing else") {
  Plan plan;
  plan.source("a");
  plan.source("b");
  plan.backend("of_a", {"a"});
  plan.backend("of_both", {"a", "b"});
  plan.backend("of_nobody", {});
  const Graph graph = plan.build();
  CHECK(names(graph, reach(graph, "a").lanes) == "of_a of_both");
  CHECK(names(graph, reach(graph, "b").lanes) == "of_both");
  CHECK(graph.reach_of(index(graph, "of_a")) == nullptr);
}

TEST_CASE("graph: an observer is a lane, but no acknowledgement needs it and it holds up nobody") {
  Plan plan;
  plan.source("in");
  plan.consumer("metrics", {"in"}, {.flags = SLUICE_OBSERVER, .ports = {}, .elements = 0});
  plan.backend("log", {"in"});
  const Graph graph = plan.build();
  CHECK(node(graph, "metrics").observer);
  CHECK(reach(graph, "in").consumers.empty());
  CHECK(names(graph, reach(graph, "in").lanes) == "metrics log");
  CHECK(names(graph, reach(graph, "in").required) == "log");
  CHECK(names(graph, reach(graph, "in").gating) == "log");
}

TEST_CASE("graph: required are all backends, or the named ones") {
  Plan plan;
  NodeConfig& in = plan.source("in");
  const auto mode = GENERATE(Acknowledge::Mode::all, Acknowledge::Mode::any, Acknowledge::Mode::nodes);
  in.acknowledge.mode = mode;
  if (mode == Acknowledge::Mode::nodes) in.acknowledge.nodes = {"webhook", "elsewhere"};
  plan.backend("log", {"in"});
  plan.backend("webhook", {"in"}, 2);
  plan.backend("elsewhere", {});
  const Graph graph = plan.build();
  const std::string expected = mode == Acknowledge::Mode::nodes ? "webhook[0] webhook[1]" : "log webhook[0] webhook[1]";
  CHECK(names(graph, reach(graph, "in").required) == expected);
  CHECK(names(graph, reach(graph, "in").gating) == expected);
}

TEST_CASE("graph: a lane gates a source only if it is required and blocks when it is full") {
  Plan plan;
  plan.source("in").acknowledge = {Acknowledge::Mode::nodes, {"blocks", "drops", "buries"}};
  plan.backend("drops", {"in"}).delivery.when_full = WhenFull::drop_newest;
  plan.backend("blocks", {"in"}).delivery.when_full = WhenFull::block;
  plan.backend("buries", {"in"}).delivery.when_full = WhenFull::dead_letter;
  plan.backend("not_needed", {"in"}).delivery.when_full = WhenFull::block;
  const Graph graph = plan.build();
  CHECK(names(graph, reach(graph, "in").required) == "drops blocks buries");
  CHECK(names(graph, reach(graph, "in").gating) == "blocks");
}

TEST_CASE("graph: a source's own dead-letter backend needs room before a pull, unless it sheds") {
  Plan plan;
  plan.source("in").delivery.dead_letter = "parked";
  plan.backend("parked", {});
  plan.backend("log", {"in"});
  const bool blocks = GENERATE(true, false);
  plan.config.nodes[1].delivery.when_full = blocks ? WhenFull::block : WhenFull::drop_newest;
  const Graph graph = plan.build();
  CHECK(names(graph, node(graph, "in").dead_letter) == "parked");
  CHECK(names(graph, reach(graph, "in").required) == "log");
  CHECK(names(graph, reach(graph, "in").gating) == (blocks ? "parked log" : "log"));
  CHECK(std::ranges::count(reach(graph, "in").lanes, index(graph, "parked")) == 1);
}

TEST_CASE("graph: a backend's dead-letter edge is no way for its own events") {
  Plan plan;
  plan.source("in");
  plan.backend("stream", {"in"}).delivery.dead_letter = "parked";
  plan.backend("parked", {});
  const Graph graph = plan.build();
  CHECK(names(graph, node(graph, "stream").dead_letter) == "parked");
  CHECK(names(graph, reach(graph, "in").lanes) == "stream");
  CHECK(names(graph, reach(graph, "in").required) == "stream");
}

TEST_CASE("graph: a consumer is shared when more than one source reaches it, also over others") {
  Plan plan;
  plan.source("a");
  plan.source("b");
  plan.consumer("own", {"a"});
  plan.consumer("common", {"own", "b"});
  plan.backend("log", {"common"});
  const Graph graph = plan.build();
  CHECK_FALSE(graph.shared(index(graph, "own")));
  CHECK(graph.shared(index(graph, "common")));
}
