// What a reload may change and what needs a restart: two configurations compared as they are read from their files.
#include "core/config_change.hh"
#include "catch.hh"
#include "edge/config_support.hh"

#include <sluice/module.h>

#include <algorithm>

using namespace sluice;
using namespace sluice_tests;

namespace {

const std::string kBefore = R"(sluice: 1
sources:
  in: { class: file, config: { paths: [in.jsonl] } }
consumers:
  check: { class: validation, inputs: [in], config: { early_checkpoint: 5 } }
  watch: { class: slack, inputs: [check], config: { webhook_url: "https://hooks.slack.com/services/a", rules: [{ name: low, title: t, when: { types: [a] } }] } }
backends:
  log: { class: event_log, inputs: [check], config: { path: out.jsonl }, delivery: { retry: { max_attempts: 3 } } }
  hooks: { class: webhook, inputs: [check], config: { urls: ["http://a/1", "http://a/2"] } }
)";

std::vector<NodeFacts> facts_of(const Config& config) {
  std::vector<NodeFacts> facts;
  for (const NodeConfig& node : config.nodes) {
    facts.push_back({node.name == "watch" ? std::uint32_t{SLUICE_OBSERVER} : 0, {}, 0});
  }
  return facts;
}

/// kBefore against itself with one text in place of another.
ConfigChange change(const std::string& text, const std::string& other, const std::string& before = kBefore) {
  const std::size_t at = before.find(text);
  REQUIRE(at != std::string::npos);
  std::string after = before;
  after.replace(at, text.size(), other);
  const Loaded was = load_text(before), is = load_text(after);
  INFO(was.lines << is.lines);
  REQUIRE(was.ok());
  REQUIRE(is.ok());
  const auto had = facts_of(was.config), has = facts_of(is.config);
  return compare({was.config, had}, {is.config, has});
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("reload: the same configuration with other places and comments is no change", "[edge][reload]") {
  const ConfigChange none = change("sluice: 1\n", "# a comment\n\nsluice: 1\n");
  CHECK(none.nothing());
  CHECK(change("max_attempts: 3", "max_attempts: 3, delay: 1s").nothing());  // the default, written out
}

TEST_CASE("reload: a backend's config, and a backend's class, is another instance", "[edge][reload]") {
  for (const auto& [text, other] :
       {std::pair<std::string, std::string>{"out.jsonl", "other.jsonl"},
        {"event_log, inputs: [check], config: { path: out.jsonl }", "stdout, inputs: [check]"}}) {
    const ConfigChange of = change(text, other);
    CHECK(of.restart.empty());
    REQUIRE(of.nodes.size() == 1);
    CHECK(of.nodes.front().replaced == std::vector<std::uint32_t>{0});
    CHECK(of.nodes.front().numbers.empty());
  }
}

TEST_CASE("reload: an observer's config is another instance, a secret in it too", "[edge][reload]") {
  const ConfigChange of = change("services/a", "services/b");
  CHECK(of.restart.empty());
  REQUIRE(of.nodes.size() == 1);
  CHECK(of.nodes.front().running == 2);
}

TEST_CASE("reload: numbers of delivery change with the instance kept", "[edge][reload]") {
  const ConfigChange of = change("max_attempts: 3", "max_attempts: 4");
  CHECK(of.restart.empty());
  REQUIRE(of.nodes.size() == 1);
  CHECK(of.nodes.front().replaced.empty());
  CHECK(of.nodes.front().numbers == Words{"retry"});
}

TEST_CASE("reload: of a list's lanes only the changed ones get another instance", "[edge][reload]") {
  const ConfigChange of = change("http://a/2", "http://b/2");
  CHECK(of.restart.empty());
  REQUIRE(of.nodes.size() == 1);
  CHECK(of.nodes.front().replaced == std::vector<std::uint32_t>{1});
}

TEST_CASE("reload: what cannot change while the host runs is named by its key", "[edge][reload]") {
  struct Case {
    const char *text, *other, *named;
  };
  for (const Case& each : {
           Case{"in.jsonl", "other.jsonl", "sources.in.config"},
           {"early_checkpoint: 5", "early_checkpoint: 6", "consumers.check.config"},
           {"event_log, inputs: [check]", "event_log, inputs: [in]", "backends.log.inputs"},
           {"event_log, inputs: [check]", "event_log, inputs: [check], when: {types: [a]}", "backends.log.when"},
           {"event_log, inputs: [check]", "event_log, inputs: [check], required: false", "backends.log.required"},
           {"retry: { max_attempts: 3 }", "queue: { max_events: 5 }", "backends.log.delivery.queue"},
           {"retry: { max_attempts: 3 }", "ordering: key", "backends.log.delivery.ordering"},
           {"retry: { max_attempts: 3 }", "when_full: drop_newest", "backends.log.delivery.when_full"},
           {"retry: { max_attempts: 3 }", "dead_letter: hooks", "backends.log.delivery.dead_letter"},
           {", \"http://a/2\"", "", "backends.hooks.config.urls (another number of lanes)"},
           {"  log: {", "  journal: {", "backends.log (removed)"},
           {"  log: {", "  journal: {", "backends.journal (new)"},
           {"class: file, config", "class: file, acknowledge: any, config", "sources.in.acknowledge"},
           {"sluice: 1", "sluice: 1\nadmin: {listen: \"127.0.0.1:1\"}", "admin"},
           {"sluice: 1", "sluice: 1\nbatch: {max_events: 7}", "batch"},
           {"sluice: 1", "sluice: 1\nlog: {format: json}", "log (but for its level)"},
       }) {
    const ConfigChange of = change(each.text, each.other);
    INFO(each.named);
    CHECK(std::ranges::find(of.restart, each.named) != of.restart.end());
  }
}

TEST_CASE("reload: the log's level changes by itself, and where plugins are looked for is no change",
          "[edge][reload]") {
  const ConfigChange of = change("sluice: 1", "sluice: 1\nlog: {level: debug}");
  CHECK(of.log_level);
  CHECK(of.restart.empty());
  CHECK(of.nodes.empty());
  CHECK(change("sluice: 1", "sluice: 1\nplugins: {path: [/nowhere]}").nothing());
}

TEST_CASE("reload: with a spool, retry needs a restart: the spool has its own copy", "[edge][reload]") {
  const std::string spooled = R"(sluice: 1
sources: { in: { class: file, config: { paths: [in.jsonl] } } }
backends:
  log: { class: event_log, inputs: [in], config: { path: out.jsonl }, delivery: { when_full: spool, spool: { path: s }, retry: { max_attempts: 3 }, max_batch: 9 } }
)";
  CHECK(change("max_attempts: 3", "max_attempts: 4", spooled).restart == Words{"backends.log.delivery.retry"});
  CHECK(change("path: s }", "path: other }", spooled).restart == Words{"backends.log.delivery.spool"});
  CHECK(change("max_batch: 9", "max_batch: 8", spooled).restart.empty());
}
