// Which types a node says it can use, beside what its rules pick: never one too few.
#include "catch.hh"
#include "core/wanted_types.hh"
#include "edge/plugin_filters.hh"
#include "plugin_rig.hh"
#include "rules.hh"

#include <random>
#include <string>
#include <vector>

namespace {

using rig::json;

/// The rig's host with the real host's filters.
class FilteringHost : public rig::Host {
 public:
  FilteringHost() {
    service = [](const sluice_host*, const char* id) -> const void* {
      return std::string_view(id) == SLUICE_FILTERS ? &sluice::plugin_filters() : nullptr;
    };
  }
};

struct Node {
  explicit Node(const json& rules)
      : config(json{{"rules", rules}}.dump()), made(sluice::HostView(host), sluice::ConfigView(config), &keep) {}
  static std::string keep(std::string_view text) { return std::string(text); }

  [[nodiscard]] std::vector<std::string> wanted() const {
    std::vector<std::string> all;
    for (const sluice_str pattern : made.wanted_types()) all.emplace_back(sluice::view(pattern));
    return all;
  }
  [[nodiscard]] bool picks(const std::string& event) {
    const rig::Batch batch({event});
    std::vector<alerting::Occurrence> out;
    for (const sluice::EventView one : sluice::BatchView(batch)) made.match(one, out);
    return !out.empty();
  }

  FilteringHost host;
  rig::Config config;
  alerting::Rules made;
};

std::vector<std::string> wanted(const json& when) {
  return Node(json::array({{{"name", "r"}, {"when", when}}})).wanted();
}

/// Few words, so that filters and events meet often; stars and question marks are characters of a type like others.
class Die {
 public:
  explicit Die(std::uint32_t seed) : random_(seed) {}

  int roll(int sides) { return std::uniform_int_distribution<int>(0, sides - 1)(random_); }
  std::string word(const std::vector<std::string>& of) {
    return of[static_cast<std::size_t>(roll(static_cast<int>(of.size())))];
  }
  std::string type() {
    std::string made = word({"run", "doc", "r*", "d?c"});
    if (roll(3) > 0) made += word({".failed", ".done", ".*", ".?", ".\u00fc"});
    return made;
  }
  std::string glob() { return word({"run.*", "*.failed", "d?c*", "*", "doc", "run.?one", "*.\u00fc"}); }
  json filter(int depth) {
    json made;
    switch (roll(depth > 0 ? 9 : 6)) {
      case 0:
        return {{"types", json::array({glob(), type()})}};
      case 1:
        made["exact"]["type"] = type();
        if (roll(2) == 0) made["exact"]["source"] = "/a";
        return made;
      case 2:
        return {{"prefix", {{"type", type().substr(0, 3)}}}};
      case 3:
        return {{"suffix", {{"type", word({"ed", "*", "?", "done", "\u00fc"})}}}};
      case 4:
        return {{"exact", {{"source", word({"/a", "/b"})}}}};
      case 5:
        return {{"sql", word({"type LIKE 'run%'", "source = '/a'", "TRUE"})}};
      case 6:
        return {{"not", filter(depth - 1)}};
      case 7:
        return {{"any", filters(depth - 1)}};
      default:
        return {{"all", filters(depth - 1)}};
    }
  }
  json filters(int depth) {
    json list = json::array();
    for (int i = roll(3); i >= 0; --i) list.push_back(filter(depth));
    return list;
  }
  json when() { return roll(4) == 0 ? filters(2) : filter(2); }
  json rule(int number) {
    json made{{"name", "r" + std::to_string(number)}, {"when", when()}};
    if (roll(3) == 0) made["if"] = json::array({"/n < 2"});
    if (roll(2) == 0) {
      made["resolve"] = json{{"after", 1000}};
      if (roll(2) == 0) made["resolve"]["when"] = when();
    }
    return made;
  }
  std::string event() {
    return json{{"specversion", "1.0"},
                {"id", "1"},
                {"source", word({"/a", "/b"})},
                {"type", type()},
                {"data", {{"n", roll(4)}}}}
        .dump();
  }

 private:
  std::mt19937 random_;
};

}  // namespace

TEST_CASE("wants: filters that look at types alone become patterns", "[alerting]") {
  using Patterns = std::vector<std::string>;
  CHECK(wanted({{"types", {"run.*", "doc"}}}) == Patterns{"doc", "run.*"});
  CHECK(wanted({{"exact", {{"type", "a*b"}, {"source", "/s"}}}}) == Patterns{"a?b"});
  CHECK(wanted({{"prefix", {{"type", "run."}}}}) == Patterns{"run.*"});
  CHECK(wanted({{"suffix", {{"type", ".failed"}}}}) == Patterns{"*.failed"});
  CHECK(wanted({{"any", {{{"types", {"a"}}}, {{"exact", {{"type", "b"}}}}}}}) == Patterns{"a", "b"});
  CHECK(wanted({{"all", {{{"sql", "n > 5"}}, {{"types", {"a"}}}}}}) == Patterns{"a"});
  CHECK(wanted(json::array({{{"exact", {{"source", "/s"}}}}, {{"types", {"a"}}}})) == Patterns{"a"});
}

TEST_CASE("wants: one rule that is not about types is enough to want them all", "[alerting]") {
  CHECK(wanted({{"sql", "type = 'a'"}}).empty());
  CHECK(wanted({{"not", {{"types", {"a"}}}}}).empty());
  CHECK(wanted({{"exact", {{"source", "/s"}}}}).empty());
  CHECK(wanted({{"any", {{{"types", {"a"}}}, {{"sql", "TRUE"}}}}}).empty());
  CHECK(wanted(json::array()).empty());
  const json types{{"types", {"a"}}}, sql{{"sql", "TRUE"}};
  CHECK(Node(json::array({{{"name", "x"}, {"when", types}}, {{"name", "y"}, {"when", sql}}})).wanted().empty());
  CHECK(Node(json::array({{{"name", "x"}, {"when", types}, {"resolve", {{"when", sql}}}}})).wanted().empty());
}

TEST_CASE("wants: what ends an alert is wanted as well as what fires it", "[alerting]") {
  const json ends{{"when", {{"types", {"run.done"}}}}}, after{{"after", 1000}};
  const json fires{{"types", {"run.failed"}}};
  CHECK(Node(json::array({{{"name", "x"}, {"when", fires}, {"resolve", ends}}})).wanted() ==
        std::vector<std::string>{"run.done", "run.failed"});
  CHECK(Node(json::array({{{"name", "x"}, {"when", fires}, {"resolve", after}}})).wanted() ==
        std::vector<std::string>{"run.failed"});
}

TEST_CASE("wants: no event that a rule picks is left out, whatever the rules", "[alerting]") {
  std::size_t picked = 0, left_out = 0;
  for (std::uint32_t seed = 1; seed <= 400; ++seed) {
    Die die(seed);
    json rules = json::array();
    for (int i = die.roll(3); i >= 0; --i) rules.push_back(die.rule(i));
    Node node(rules);
    const sluice::WantedTypes types(node.wanted());
    for (int i = 0; i < 40; ++i) {
      const std::string event = die.event();
      const bool comes = types.match(json::parse(event)["type"].get<std::string>());
      left_out += comes ? 0 : 1;
      if (!node.picks(event)) continue;
      ++picked;
      INFO("seed " << seed << "\nrules " << rules.dump() << "\nevent " << event);
      REQUIRE(comes);
    }
  }
  CHECK(picked > 1000);  // or it was never asked anything
  CHECK(left_out > 1000);
}
