// The native format: what a configuration becomes, and what is said about one that is wrong.
#include "catch.hh"
#include "core/graph_text.hh"
#include "edge/config_support.hh"

using namespace sluice;
using namespace sluice_tests;
using std::chrono::milliseconds;

namespace {

const std::string kSmall =
    "sluice: 1\n"
    "sources:\n"
    "  in: { class: generate }\n"
    "backends:\n"
    "  out: { class: \"null\", inputs: [in] }\n";

/// The one problem of a node's line put into a small graph.
std::string said(const std::string& backend_line) {
  const Loaded loaded = load_text("sluice: 1\nsources: {in: {class: generate}}\nbackends:\n  " + backend_line + "\n");
  return loaded.lines;
}

const std::string kWhole = R"(sluice: 1
plugins: { path: [more] }
admin: { listen: 127.0.0.1:8686 }
log: { level: debug, format: json, events: true }
limits: { event_bytes: 64KiB, nesting: 10, batch_events: 100, attributes: 20 }
batch: { max_events: 64 }
drain_deadline: 3s
undelivered: left.jsonl
sources:
  specimens: { class: stdin, format: bus_event, acknowledge: [log, stream] }
  door:
    class: http
    format: { fields: { type: [event_type, eventType], data: payload }, source: /x, type_prefix: com.x. }
    config: { listen: "127.0.0.1:0", idle_timeout: 5s, token: tok3n }
consumers:
  early_check: { class: judge, inputs: [specimens, door], config: { early_checkpoint: 7 } }
  watch: { class: metrics, inputs: [early_check], when: { exact: { type: a } }, queue: { max_events: 10 } }
backends:
  log: { class: event_log, inputs: [early_check], config: { path: a.jsonl, rotate_bytes: 1MiB, rotate_every: 1h } }
  stream:
    class: redis_streams
    inputs: [early_check, early_check.failed, early_check.rejected]
    required: false
    redact: [/text, /a~1b]
    config: { url: "redis://u:pw@127.0.0.1:1/1" }
    delivery:
      queue: { max_events: 100, max_bytes: 2MiB }
      when_full: dead_letter
      retry: { max_attempts: 7, backoff: linear, delay: 250ms, max_delay: 2s, jitter: none, max_age: 1m }
      breaker: { failure_rate: 0.25, window: 20, min_results: 5, open_for: 2s, on_open: dead_letter }
      rate_limit: 100/m
      dead_letter: parked
      publish_deadline: 9s
      max_batch: 32
  hooks:
    class: webhook
    inputs: [specimens]
    config: { urls: ["http://127.0.0.1:1/a", "http://127.0.0.1:2/b"], headers: { X-Any: hidden } }
  parked: { class: stdout }
)";

}  // namespace

TEST_CASE("native: every key arrives where it belongs") {
  const Loaded loaded = load_text(kWhole);
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  const Config& config = loaded.config;
  CHECK(config.plugin_path.front() == "more");
  CHECK(config.plugin_path.size() == 3);
  CHECK(config.admin.listen == "127.0.0.1:8686");
  CHECK(config.log.level == "debug");
  CHECK(config.log.format == "json");
  CHECK(config.log.events);
  CHECK(config.limits.event_bytes == 65'536);
  CHECK(config.limits.nesting == 10);
  CHECK(config.limits.batch_events == 100);
  CHECK(config.limits.attributes == 20);
  CHECK(config.batch_events == 64);
  CHECK(config.drain_deadline == milliseconds(3000));
  CHECK(config.undelivered_path == "left.jsonl");
  REQUIRE(config.nodes.size() == 8);

  const NodeConfig& specimens = *config.find("specimens");
  CHECK(specimens.format.preset == "bus_event");
  CHECK(specimens.format.source == "/sluice/specimens");
  CHECK(specimens.acknowledge.mode == Acknowledge::Mode::nodes);
  CHECK(specimens.acknowledge.nodes == std::vector<std::string>{"log", "stream"});
  const NodeConfig& door = *config.find("door");
  CHECK(door.format.kind == FormatKind::envelope);
  CHECK(door.format.fields.size() == 2);
  CHECK(door.format.fields[0].from == std::vector<std::string>{"event_type", "eventType"});
  CHECK(door.format.type_prefix == "com.x.");
  CHECK(door.config.find("idle_timeout")->integer == 5000);
  CHECK(door.config_json.find("tok3n") != std::string::npos);
  CHECK(door.shown_json.find("tok3n") == std::string::npos);

  CHECK(config.find("watch")->observer_queue == 10);
  CHECK(config.find("watch")->queue_kind == ObserverQueue::lossy);  // its class does not ask for more
  CHECK_FALSE(config.find("watch")->delivery.spool.on());
  CHECK(config.find("watch")->when.has_value());
  CHECK(config.find("early_check")->config_json ==
        R"({"early_checkpoint":7,"early_threshold":0.5,"warning_threshold":0.7,"warning_interval":50})");
  CHECK(config.find("log")->config.find("rotate_bytes")->integer == 1024 * 1024);

  const NodeConfig& stream = *config.find("stream");
  CHECK_FALSE(stream.required);
  CHECK(stream.redact == std::vector<std::string>{"/text", "/a~1b"});
  REQUIRE(stream.inputs.size() == 3);
  CHECK(stream.inputs[1].port == "failed");
  const Delivery& delivery = stream.delivery;
  CHECK(delivery.queue.max_events == 100);
  CHECK(delivery.queue.max_bytes == 2u * 1024 * 1024);
  CHECK(delivery.when_full == WhenFull::dead_letter);
  CHECK(delivery.retry.max_attempts == 7);
  CHECK(delivery.retry.backoff == RetryPolicy::Backoff::linear);
  CHECK(delivery.retry.jitter == RetryPolicy::Jitter::none);
  CHECK(delivery.retry.delay == milliseconds(250));
  CHECK(delivery.retry.max_delay == milliseconds(2000));
  CHECK(delivery.retry.max_age == milliseconds(60'000));
  CHECK(delivery.breaker.failure_rate == 0.25);
  CHECK(delivery.breaker.window == 20);
  CHECK(delivery.breaker.min_results == 5);
  CHECK(delivery.breaker.open_for == milliseconds(2000));
  CHECK(delivery.breaker.on_open == BreakerPolicy::OnOpen::dead_letter);
  CHECK(delivery.rate_per_second == Approx(100.0 / 60));
  CHECK(delivery.dead_letter == "parked");
  CHECK(delivery.publish_deadline == milliseconds(9000));
  CHECK(delivery.max_batch == 32);

  const NodeConfig& hooks = *config.find("hooks");
  CHECK(hooks.fan_out == "urls");
  REQUIRE(hooks.fan_out_json.size() == 2);
  CHECK(hooks.fan_out_json[1].find("127.0.0.1:2/b") != std::string::npos);
  CHECK(hooks.fan_out_json[1].find("127.0.0.1:1/a") == std::string::npos);
}

TEST_CASE("native: the graph's text is a configuration that gives the same text") {
  const Loaded first = load_text(kWhole);
  REQUIRE(first.ok());
  const std::string text = graph_as_text(first.config);
  const Loaded second = load_text(text);
  INFO(second.lines << text);
  REQUIRE(second.ok());
  // The first line names the file; comments name the lines of each.
  const auto plain = [](const std::string& all) {
    std::istringstream lines(all);
    std::string line, out;
    while (std::getline(lines, line)) {
      const std::size_t comment = line.find("  # line ");
      const bool mark = line.find("# with what is shown as ***") != std::string::npos;  // of other secrets: "***"
      if (!line.starts_with("# ") && !mark) out += line.substr(0, comment) + "\n";
    }
    return out;
  };
  CHECK(plain(graph_as_text(second.config)) == plain(text));
}

TEST_CASE("native: secrets are in no shown text") {
  const Environment environment{{"SOME_TOKEN", "c4nary-token"}, {"PLAIN", "c4nary-plain"}};
  const TextFile secret("c4nary-file\n");
  const Loaded loaded = load_text(
      "sluice: 1\nsources: {in: {class: http, config: {token: c4nary-schema}}}\nbackends:\n"
      "  a: {class: redis_streams, inputs: [in], config: {url: \"redis://u:c4nary-url@h:1/0\", stream_name: "
      "\"${SOME_TOKEN}\"}}\n"
      "  b: {class: webhook, inputs: [in], config: {url: \"http://${PLAIN}/${file:" +
      secret.path + "}\", headers: {A: c4nary-header}}}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  const std::string text = graph_as_text(loaded.config) + graph_as_dot(loaded.config) + graph_as_mermaid(loaded.config);
  CHECK(text.find("c4nary") == std::string::npos);
  CHECK(loaded.config.find("b")->config_json.find("http://c4nary-plain/c4nary-file") != std::string::npos);
}

TEST_CASE("native: problems do not repeat what came from the environment") {
  const Environment environment{{"SOME_TOKEN", "c4nary"}};
  const Loaded loaded = load_text(
      "sluice: 1\nsources: {in: {class: generate, config: {count: \"${SOME_TOKEN}\"}}}\nbackends: {o: {class: "
      "\"null\", "
      "inputs: [in], required: \"${SOME_TOKEN}\", delivery: {retry: {delay: \"${SOME_TOKEN}\"}}}}\n");
  CHECK_FALSE(loaded.ok());
  CHECK(loaded.lines.find("c4nary") == std::string::npos);
}

TEST_CASE("native: what is wrong with a graph is said with its cure") {
  CHECK(said("out: {class: \"null\", inputs: [im]}").find("there is no node \"im\"; did you mean \"in\"?") !=
        std::string::npos);
  CHECK(said("out: {class: \"null\"}").find("has no inputs") != std::string::npos);
  CHECK(said("out: {class: nul, inputs: [in]}").find("there is no class \"nul\"; did you mean \"null\"?; looked in") !=
        std::string::npos);
  CHECK(said("out: {class: file, inputs: [in]}").find("class file is a source and belongs under sources:") !=
        std::string::npos);
  CHECK(said("out: {inputs: [in]}").find("has no class") != std::string::npos);
  CHECK(said("in: {class: \"null\", inputs: [in]}").find("the name is taken by sources.in") != std::string::npos);
  CHECK(said("o.x: {class: \"null\", inputs: [in]}").find("is no legal name") != std::string::npos);
  CHECK(said("out: {class: \"null\", inputs: [in, in]}").find("names \"in\" twice") != std::string::npos);
  CHECK(said("out: {class: \"null\", inputs: [in.x]}").find("is a source and has no ports") != std::string::npos);
  CHECK(said("out: 5").find("must be a map of keys, but is a whole number: 5") != std::string::npos);
  CHECK(said("out: {class: \"null\", inputs: [in], when: {exacct: {type: a}}}").find("when: is no filter") !=
        std::string::npos);
  CHECK(
      said("out: {class: \"null\", inputs: [in], config: {latency: 5 s x}}").find("must be a duration with its unit") !=
      std::string::npos);
  CHECK(said("out: {class: \"null\", inputs: [in], config: {statsu: away}}").find("did you mean \"status\"?") !=
        std::string::npos);
  CHECK(said("out: {class: \"null\", inputs: [in], config: {status: awy}}")
            .find("must be one of again, rejected, away") != std::string::npos);
}

TEST_CASE("native: dead letters into the store make one backend, whoever sends them") {
  const std::string nodes =
      "sluice: 1\nsources: {in: {class: generate, dead_letter: store}}\nbackends:\n"
      "  a: {class: \"null\", inputs: [in], delivery: {dead_letter: store}}\n"
      "  b: {class: \"null\", inputs: [in], delivery: {dead_letter: store}}\n";
  const Loaded plain = load_text(nodes);
  INFO(plain.lines);
  REQUIRE(plain.ok());
  REQUIRE(plain.config.find("store") != nullptr);
  CHECK(plain.config.find("store")->klass == "dead_letter_store");
  CHECK(plain.config.nodes.size() == 4);
  const std::string beside = plain.config.file + ".dead_letters.db";  // the file of the test has no extension
  CHECK(plain.config.find("store")->config_json.find("\"" + beside + "\"") != std::string::npos);
  CHECK(graph_as_text(plain.config).find("dead_letter: \"store\"") != std::string::npos);

  const Loaded told = load_text(nodes + "dead_letters: {path: /x/y.db, max_bytes: 2MiB, max_age: 1h}\n");
  INFO(told.lines);
  REQUIRE(told.ok());
  const std::string& json = told.config.find("store")->config_json;
  CHECK(json.find("\"path\":\"/x/y.db\"") != std::string::npos);
  CHECK(json.find("\"max_bytes\":2097152") != std::string::npos);
  CHECK(json.find("\"max_age\":3600000") != std::string::npos);

  CHECK(load_text(nodes + "dead_letters: {pth: x}\n").says("dead_letters.pth: unknown key; did you mean \"path\"?"));
  CHECK(load_text(nodes + "dead_letters: {max_bytes: lots}\n").says("dead_letters.max_bytes: must be a size"));
  CHECK(load_text(kSmall + "dead_letters: {path: x}\n").says("dead_letters: note: has no effect: no node says"));
}

TEST_CASE("native: a backend of the user's own that is called store wins over the local store") {
  const Loaded loaded = load_text(
      "sluice: 1\nsources: {in: {class: generate}}\nbackends:\n"
      "  a: {class: \"null\", inputs: [in], delivery: {dead_letter: store}}\n  store: {class: \"null\"}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  CHECK(loaded.config.find("store")->klass == "null");
}

TEST_CASE("native: what is wrong with a delivery is said with its cure") {
  const auto delivery = [](const std::string& text) {
    return said("out: {class: \"null\", inputs: [in], delivery: {" + text + "}}");
  };
  CHECK(delivery("when_full: dead_letter").find("delivery.dead_letter names no backend") != std::string::npos);
  CHECK(delivery("when_full: spool").find("add delivery.spool: {path: FOLDER}") != std::string::npos);
  CHECK(delivery("breaker: {on_open: spool}").find("add delivery.spool: {path: FOLDER}") != std::string::npos);
  CHECK(delivery("when_full: blok").find("did you mean \"block\"?") != std::string::npos);
  CHECK(delivery("spool: {path: x}, when_full: block").find("must be spool beside a spool") != std::string::npos);
  CHECK(delivery("spool: {max_bytes: 1GiB}").find("name the folder") != std::string::npos);
  CHECK(delivery("spool: {path: x, max_bytes: 1MiB}").find("less than two events") != std::string::npos);
  CHECK(delivery("spool: {path: x, max_bytes: 8MiB, segment_bytes: 5MiB}").find("at most half of max_bytes") !=
        std::string::npos);
  CHECK(delivery("spool: {path: x, fsync: sometimes}").find("every_batch, group_commit") != std::string::npos);
  CHECK(delivery("spool: {path: x, on_full: dead_letter}").find("delivery.dead_letter names no backend") !=
        std::string::npos);
  CHECK(delivery("spool: {path: x, interval: 1s}").find("counts with fsync: interval only") != std::string::npos);
  CHECK(delivery("spool: {path: x, max_size: 1GiB}").find("unknown key") != std::string::npos);
  CHECK(delivery("dead_letter: out").find("the graph runs in a circle: out → out") != std::string::npos);
  CHECK(delivery("dead_letter: stor").find("there is no backend \"stor\"") != std::string::npos);
  CHECK(delivery("dead_letter: nobody").find("there is no backend \"nobody\"") != std::string::npos);
  CHECK(delivery("dead_letter: in").find("is a source; dead letters go to a backend") != std::string::npos);
  CHECK(delivery("queue: {max_bytes: 64KiB}").find("is less than one event may have") != std::string::npos);
  CHECK(delivery("retry: {max_attempts: 0}").find("must be between 1 and") != std::string::npos);
  CHECK(delivery("retry: {delay: 5}").find("must be a duration with its unit") != std::string::npos);
  CHECK(delivery("retry: {delay: 5s, max_delay: 1s}").find("must not be less than delay") != std::string::npos);
  CHECK(delivery("breaker: {failure_rate: 0}").find("must be more than 0") != std::string::npos);
  CHECK(delivery("breaker: {window: 5, min_results: 6}").find("must not be more than window") != std::string::npos);
  CHECK(delivery("rate_limit: 5000").find("must be a rate with its unit") != std::string::npos);
  CHECK(delivery("rety: {}").find("did you mean \"retry\"?") != std::string::npos);
}

TEST_CASE("native: the whole file is checked, and all of its problems come at once") {
  const Loaded loaded = load_text(
      "sluice: 2\nadmn: {}\nlimits: {nesting: x}\nsources: {a: {class: generate}, b: {class: generate, inputs: [a]}}\n"
      "consumers: {c: {class: judge, inputs: [d]}, d: {class: judge, inputs: [c]}}\nbackends: {}\n");
  CHECK(loaded.says("sluice: must be between 1 and 1, not 2"));
  CHECK(loaded.says("2:1: admn: unknown key; did you mean \"admin\"?"));
  CHECK(loaded.says("3:19: limits.nesting: must be a whole number, but is text: x"));
  CHECK(loaded.says("a source has no inputs"));
  CHECK(loaded.says("the graph runs in a circle: c → d → c"));
}

TEST_CASE("native: the version is asked for when the nodes are there without it") {
  const Loaded loaded = load_text("sources: {in: {class: generate}}\nbackends: {o: {class: \"null\", inputs: [in]}}\n");
  CHECK(loaded.says("sluice: is missing: write \"sluice: 1\""));
  CHECK(load_text(kSmall + "events: {enabled: true}\n").says("events: does not go with \"sluice: 1\""));
  CHECK(load_text("sluice: 1\n").says("there is no source"));
  CHECK(load_text("- a\n").says("must be a map of keys, but is a list"));
}

TEST_CASE("native: acknowledge names backends that its events can reach") {
  const auto with = [](const std::string& acknowledge) {
    return load_text(
        "sluice: 1\nsources: {in: {class: generate, acknowledge: " + acknowledge +
        "}, other: {class: generate}}\nbackends: {o: {class: \"null\", inputs: [in]}, p: {class: \"null\", "
        "inputs: [other]}}\n");
  };
  CHECK(with("all").ok());
  CHECK(with("any").config.find("in")->acknowledge.mode == Acknowledge::Mode::any);
  CHECK(with("[o]").ok());
  CHECK(with("[p]").says("no event of this source can reach \"p\""));
  CHECK(with("[x]").says("there is no backend \"x\""));
  CHECK(with("[other]").says("is a source; only backends deliver"));
  CHECK(with("[]").says("must name at least one backend"));
}

TEST_CASE("native: several backends and one that blocks is a note, not an error") {
  const std::string start =
      "sluice: 1\nsources: {in: {class: generate}}\nbackends: {a: {class: \"null\", inputs: [in]}, b: ";
  const Loaded blocks = load_text(start + "{class: \"null\", inputs: [in], delivery: {when_full: drop_newest}}}\n");
  CHECK(blocks.ok());
  CHECK(blocks.says("note: feeds 2 backends, and when the queue of a is full the others wait too"));
}

TEST_CASE("native: --set changes the tree before anything else, and is named in problems") {
  CHECK(load_text(kSmall, false, {"sources.in.config.count=7"}).config.find("in")->config.find("count")->integer == 7);
  CHECK(load_text(kSmall, false, {"backends.out.inputs=[in]"}).ok());
  CHECK(load_text(kSmall, false, {"backends.out.delivery.retry.delay=2s"}).config.find("out")->delivery.retry.delay ==
        milliseconds(2000));
  CHECK(load_text(kSmall, false, {"sources.in.config.cuont=7"}).lines ==
        "--set: sources.in.config.cuont: unknown key; did you mean \"count\"?\n");
  CHECK(load_text(kSmall, false, {"sources.in.class.x=7"}).says("--set: sources.in.class.x: sources.in.class is text"));
  CHECK(load_text(kSmall, false, {"nonsense"}).says("must be path=value"));
  CHECK(load_text(kSmall, false, {"undelivered=\"12\""}).config.undelivered_path == "12");
  CHECK(load_text(kSmall, false, {"undelivered=12"}).says("--set: undelivered: must be text"));
}

TEST_CASE("native: --stdin feeds what has no inputs, and only that") {
  const std::string graph =
      "sluice: 1\nconsumers: {v: {class: judge}}\nbackends: {log: {class: \"null\", inputs: [v], "
      "delivery: {dead_letter: parked}}, parked: {class: \"null\"}}\n";
  CHECK(load_text(graph).says("has no inputs"));
  const Loaded fed = load_text(graph, true);
  INFO(fed.lines);
  REQUIRE(fed.ok());
  CHECK(fed.config.find("stdin")->klass == "stdin");
  CHECK(fed.config.find("v")->inputs.size() == 1);
  CHECK(fed.config.find("parked")->inputs.empty());
  CHECK(fed.config.find("stdin")->config_json.find("framing") != std::string::npos);
  const Loaded set = load_text(graph, true, {"sources.stdin.format=bus_event"});
  INFO(set.lines);
  REQUIRE(set.ok());
  CHECK(set.config.find("stdin")->format.preset == "bus_event");
  CHECK(set.config.find("v")->inputs.size() == 1);
  CHECK(load_text("sluice: 1\nsources: {s: {class: stdin}}\nbackends: {o: {class: \"null\", inputs: [s]}}\n", true)
            .says("reads standard input already"));
}

TEST_CASE("native: a whole reference takes the type that its place wants") {
  const Environment environment{{"N", "12"}, {"B", "false"}, {"D", "5s"}, {"S", "34"}};
  const Loaded loaded = load_text(
      "sluice: 1\nsources: {in: {class: generate, config: {count: \"${N}\"}}}\nbackends: {o: {class: \"null\", inputs: "
      "[in], required: \"${B}\", config: {latency: \"${D}\"}, delivery: {retry: {max_attempts: \"${N}\"}}}, "
      "r: {class: redis_streams, inputs: [in], config: {stream_name: \"${S}\"}}}\n");
  INFO(loaded.lines);
  REQUIRE(loaded.ok());
  CHECK(loaded.config.find("in")->config.find("count")->integer == 12);
  CHECK_FALSE(loaded.config.find("o")->required);
  CHECK(loaded.config.find("o")->config.find("latency")->integer == 5000);
  CHECK(loaded.config.find("o")->delivery.retry.max_attempts == 12);
  CHECK(loaded.config.find("r")->config.find("stream_name")->string == "34");
}

TEST_CASE("native: observers have no readers and ports must exist") {
  const auto fed_by = [](const std::string& input) {
    return load_text(
        "sluice: 1\nsources: {in: {class: generate}}\nconsumers: {m: {class: metrics, inputs: [in]}, v: "
        "{class: judge, inputs: [in]}}\nbackends: {o: {class: \"null\", inputs: [" +
        input + "]}}\n");
  };
  CHECK(fed_by("v.failed").ok());
  CHECK(fed_by("v.rejected").ok());
  CHECK(fed_by("v.faild").says("\"v\" has no port \"faild\"; did you mean \"failed\"?"));
  CHECK(fed_by("m").says("only observes"));
  CHECK(fed_by("o").says("is a backend: nothing comes out of it"));
}

TEST_CASE("native: format is a preset or a map of fields and constants") {
  const auto with = [](const std::string& format) {
    return load_text("sluice: 1\nsources: {in: {class: generate, format: " + format +
                     "}}\nbackends: {o: {class: \"null\", inputs: [in]}}\n");
  };
  CHECK(with("cloudevents").config.find("in")->format.kind == FormatKind::cloudevents);
  CHECK(with("domain_event").config.find("in")->format.preset == "domain_event");
  CHECK(with("raw").config.find("in")->format.kind == FormatKind::raw);
  CHECK(with("{preset: bus_event, source: /me}").config.find("in")->format.source == "/me");
  CHECK(with("{preset: bus_event, fields: {subject: who}}").config.find("in")->format.fields.size() == 6);
  CHECK(with("bus_evnt").says("did you mean \"bus_event\"?"));
  CHECK(with("envelope").says("an envelope needs its fields"));
  CHECK(with("{preset: raw, fields: {id: x}}").says("has no effect with preset raw"));
  CHECK(with("{type_prefix: x}").says("has no effect with preset cloudevents"));
  CHECK(with("{fields: {Bad-Name: x}}").says("is no attribute name"));
}

TEST_CASE("check: prints every problem, counts them, and answers 78; notes do not fail") {
  const OpenCatalog open = [](const auto&, Problems&) { return std::make_unique<SchemaCatalog>(); };
  const TextFile good(kSmall), bad("sluice: 1\nx: 1\n");
  std::ostringstream out;
  CHECK(check_command({{good.path, false, {}}}, open, out) == 0);
  CHECK(out.str() == good.path + ": ok: 1 source, 0 consumers, 1 backend\n");
  out.str("");
  CHECK(check_command({{good.path, false, {}}, {bad.path, false, {}}}, open, out) == 78);
  CHECK(out.str().find(bad.path + ":2:1: x: unknown key") != std::string::npos);
  std::ostringstream graph, errors;
  CHECK(graph_command({bad.path, false, {}}, GraphFormat::text, open, graph, errors) == 78);
  CHECK(graph.str().empty());
  CHECK(graph_command({good.path, false, {}}, GraphFormat::dot, open, graph, errors) == 0);
  CHECK(graph.str().starts_with("digraph sluice {"));
}

TEST_CASE("native: a file with more nodes than a graph may have is refused, not chewed on") {
  std::string text = "sluice: 1\nsources: {in: {class: generate}}\nbackends:\n";
  for (int i = 0; i < 1500; ++i) text += "  b" + std::to_string(i) + ": {class: \"null\", inputs: [in]}\n";
  CHECK(load_text(text).says("has 1501 nodes; a graph has at most 1000"));
}
