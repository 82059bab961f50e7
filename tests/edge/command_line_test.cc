// What users type, and what the program makes of it.
#include "edge/command_line.hh"
#include "catch.hh"

using namespace sluice;

namespace {

Command parse(std::vector<std::string> words) { return parse_command_line(words, "sluice 9.9.9"); }

template <class T>
T parsed(std::vector<std::string> words) {
  const Command command = parse(std::move(words));
  if (const auto* answer = std::get_if<Answer>(&command)) INFO(answer->text);
  REQUIRE(std::holds_alternative<T>(command));
  return std::get<T>(command);
}

Answer refused(std::vector<std::string> words) {
  const auto answer = parsed<Answer>(std::move(words));
  CHECK(answer.exit_code == 64);
  CHECK(answer.to_stderr());
  CHECK(answer.text.rfind("sluice: ", 0) == 0);
  CHECK(answer.text.find("--help'") != std::string::npos);
  return answer;
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("command line: run takes a configuration and its options in any order", "[edge][cli]") {
  for (const auto& words : {std::vector<std::string>{"run", "a.yaml", "--stdin", "--set", "x.y=1=2", "--set", "z="},
                            std::vector<std::string>{"run", "--set", "x.y=1=2", "--stdin", "--set=z=", "a.yaml"}}) {
    const auto run = parsed<RunCommand>(words);
    CHECK(run.config == "a.yaml");
    CHECK(run.standard_input);
    REQUIRE(run.settings.size() == 2);
    CHECK(run.settings[0].path == "x.y");
    CHECK(run.settings[0].value == "1=2");
    CHECK(run.settings[1].path == "z");
    CHECK(run.settings[1].value.empty());
  }
  CHECK_FALSE(parsed<RunCommand>({"run", "a.yaml"}).standard_input);
}

TEST_CASE("command line: --set values may be YAML flow text", "[edge][cli]") {
  const auto run = parsed<RunCommand>({"run", "a.yaml", "--set", "webhook.urls=[http://a/, http://b/]"});
  REQUIRE(run.settings.size() == 1);
  CHECK(run.settings[0].value == "[http://a/, http://b/]");
}

TEST_CASE("command line: check takes several configurations", "[edge][cli]") {
  const auto check = parsed<CheckCommand>({"check", "a.yaml", "b.yaml", "--set", "p=v"});
  CHECK(check.configs == std::vector<std::string>{"a.yaml", "b.yaml"});
  REQUIRE(check.settings.size() == 1);
}

TEST_CASE("command line: dlq takes what to do, which letters, and how", "[edge][cli]") {
  const auto list =
      parsed<DlqCommand>({"dlq",      "list",    "--config", "a.yaml", "--since", "-2h",     "--until=2026-03-01",
                          "--type",   "a.*",     "--type",   "b",      "--node",  "hook[1]", "--reason",
                          "time out", "--limit", "7",        "--when", "{}",      "3",       "4"});
  CHECK(list.what == DlqCommand::What::list);
  CHECK(list.config == "a.yaml");
  CHECK(list.since == "-2h");
  CHECK(list.until == "2026-03-01");
  CHECK(list.types == std::vector<std::string>{"a.*", "b"});
  CHECK(list.node == "hook[1]");
  CHECK(list.reason == "time out");
  CHECK(list.limit == 7);
  CHECK(list.when_json == "{}");
  CHECK(list.numbers == std::vector<std::int64_t>{3, 4});
  const auto redrive =
      parsed<DlqCommand>({"dlq", "redrive", "--config", "a", "--to", "b", "--rate", "5/s", "--dry-run"});
  CHECK(redrive.what == DlqCommand::What::redrive);
  CHECK(redrive.to == "b");
  CHECK(redrive.rate == "5/s");
  CHECK(redrive.dry_run);
  CHECK(parsed<DlqCommand>({"dlq", "purge", "--config", "a", "--all"}).all);
  CHECK(parsed<DlqCommand>({"dlq", "show", "--config", "a"}).what == DlqCommand::What::show);
  CHECK(holds(refused({"dlq"}).text, "needs one of: list, show, redrive, purge"));
  CHECK(holds(refused({"dlq", "redrve"}).text, "did you mean 'redrive'?"));
  CHECK(holds(refused({"dlq", "list"}).text, "--config is required"));
  CHECK(holds(refused({"dlq", "list", "--config", "a", "--all"}).text, "unknown option '--all'"));
}

TEST_CASE("command line: replay needs to know where to", "[edge][cli]") {
  const auto replay =
      parsed<ReplayCommand>({"replay", "--config", "a", "--into", "b", "--from", "-1d", "--to", "now", "--source", "x",
                             "--source", "y", "--state", "s", "--rate", "1/s", "--dry-run"});
  CHECK(replay.into == "b");
  CHECK(replay.from == "-1d");
  CHECK(replay.to == "now");
  CHECK(replay.sources == std::vector<std::string>{"x", "y"});
  CHECK(replay.state == "s");
  CHECK(replay.rate == "1/s");
  CHECK(replay.dry_run);
  CHECK(holds(refused({"replay", "--config", "a"}).text, "--into is required"));
}

TEST_CASE("command line: graph knows three formats and no other", "[edge][cli]") {
  CHECK(parsed<GraphCommand>({"graph", "a"}).format == GraphCommand::Format::text);
  CHECK(parsed<GraphCommand>({"graph", "a", "--format", "dot"}).format == GraphCommand::Format::dot);
  CHECK(parsed<GraphCommand>({"graph", "a", "--format=mermaid"}).format == GraphCommand::Format::mermaid);
  CHECK(holds(refused({"graph", "a", "--format", "svg"}).text, "text, dot or mermaid"));
}

TEST_CASE("command line: plugin commands carry their options", "[edge][cli]") {
  CHECK(parsed<PluginListCommand>({"plugin", "list"}).path.empty());
  CHECK(parsed<PluginListCommand>({"plugin", "list", "--path", "a", "--path", "b"}).path ==
        std::vector<std::string>{"a", "b"});
  CHECK(parsed<PluginExplainCommand>({"plugin", "explain", "redis_streams"}).klass == "redis_streams");
  const auto check = parsed<PluginCheckCommand>({"plugin", "check", "a.so", "--seed", "18446744073709551615"});
  CHECK(check.seed == 18446744073709551615u);
  CHECK(check.timeout == std::chrono::seconds(30));
  CHECK(parsed<PluginCheckCommand>({"plugin", "check", "a.so", "--timeout", "7"}).timeout == std::chrono::seconds(7));
  CHECK_FALSE(parsed<PluginCheckCommand>({"plugin", "check", "a.so"}).seed.has_value());
  const auto fresh = parsed<PluginNewCommand>({"plugin", "new", "backend", "mine", "dir"});
  CHECK(fresh.kind == "backend");
  CHECK(fresh.name == "mine");
  CHECK(fresh.folder == "dir");
  refused({"plugin", "new", "sink", "mine", "dir"});
  refused({"plugin", "check", "a.so", "--timeout", "0"});
  refused({"plugin", "check", "a.so", "--seed", "x"});
}

TEST_CASE("command line: the hidden child command passes everything through and is not shown", "[edge][cli]") {
  const auto one = parsed<PluginCheckOneCommand>({"plugin", "check-one", "a.so", "--seed", "3", "test name", "-x"});
  CHECK(one.arguments == std::vector<std::string>{"a.so", "--seed", "3", "test name", "-x"});
  CHECK_FALSE(holds(parsed<Answer>({"plugin", "--help"}).text, "check-one"));
}

TEST_CASE("command line: event check takes one shape", "[edge][cli]") {
  CHECK(parsed<EventCheckCommand>({"event", "check"}).shape == EventCheckCommand::Shape::lines);
  CHECK(parsed<EventCheckCommand>({"event", "check"}).file.empty());
  const auto one = parsed<EventCheckCommand>({"event", "check", "--one", "f"});
  CHECK(one.shape == EventCheckCommand::Shape::one);
  CHECK(one.file == "f");
  CHECK(parsed<EventCheckCommand>({"event", "check", "--batch"}).shape == EventCheckCommand::Shape::batch);
  refused({"event", "check", "--one", "--batch"});
  refused({"event", "check", "a", "b"});
}

TEST_CASE("command line: event match keeps the filter as it was typed", "[edge][cli]") {
  const auto match = parsed<EventMatchCommand>({"event", "match", "--filter", R"([{"exact":{"type":"a,b"}},{}])", "f"});
  CHECK(match.filter_json == R"([{"exact":{"type":"a,b"}},{}])");
  CHECK(match.file == "f");
  CHECK(parsed<EventMatchCommand>({"event", "match", "--filter", "[]"}).filter_json == "[]");
  CHECK(parsed<EventMatchCommand>({"event", "match", "--filter", "{}"}).filter_json == "{}");
  CHECK(parsed<EventMatchCommand>({"event", "match", "--filter", ""}).filter_json.empty());
  CHECK(holds(refused({"event", "match", "f"}).text, "--filter"));
}

TEST_CASE("command line: emit takes a free event", "[edge][cli]") {
  const auto emit =
      parsed<EmitCommand>({"emit", "--to", "http://h/e", "--type", "t", "--subject", "s", "--id", "i", "--data-json",
                           "{}", "--extension", "a=1", "--extension", "b=", "--token", "secret"});
  CHECK(emit.request.to == "http://h/e");
  CHECK(emit.request.type == "t");
  CHECK(emit.request.source == "stage2-nlp-processing");
  CHECK(emit.request.data_json == "{}");
  CHECK_FALSE(emit.request.data_file.has_value());
  CHECK(emit.request.extensions == NamedTexts{{"a", "1"}, {"b", ""}});
  CHECK(emit.request.token == "secret");
  CHECK(std::holds_alternative<std::monostate>(emit.request.body));
  CHECK(parsed<EmitCommand>({"emit", "--print", "--type", "t", "--data", "-"}).request.data_file == "-");
}

TEST_CASE("command line: emit takes the documents' types by their fields, common options on either side",
          "[edge][cli]") {
  const auto emit = parsed<EmitCommand>({"emit", "document.processed", "--document-id", "d", "--job-id", "j",
                                         "--processing-time-seconds", "5.2", "--output", "jsonl=file:///x?a=b",
                                         "--metric", "event_count=10", "--metadata", "k=v", "--to", "http://h/e"});
  CHECK(emit.request.to == "http://h/e");
  const auto* body = std::get_if<DocumentProcessed>(&emit.request.body);
  REQUIRE(body != nullptr);
  CHECK(body->document_id == "d");
  CHECK(body->processing_time_seconds == 5.2);
  CHECK(body->outputs == NamedTexts{{"jsonl", "file:///x?a=b"}});
  CHECK(body->metrics == NamedTexts{{"event_count", "10"}});
  CHECK(body->metadata == NamedTexts{{"k", "v"}});

  const auto before = parsed<EmitCommand>(
      {"emit", "--to", "http://h/e", "batch.completed", "--job-id", "j", "--successful", "98", "--failed", "2"});
  const auto* batch = std::get_if<BatchCompleted>(&before.request.body);
  REQUIRE(batch != nullptr);
  CHECK(batch->successful == 98);
  CHECK_FALSE(batch->total_documents.has_value());

  const auto failed = parsed<EmitCommand>(
      {"emit", "document.failed", "--document-id", "d", "--error", "no memory", "--retry-count", "2", "--print"});
  REQUIRE(std::holds_alternative<DocumentFailed>(failed.request.body));
  const auto started =
      parsed<EmitCommand>({"emit", "batch.started", "--job-id", "j", "--document-count", "3", "--print"});
  REQUIRE(std::holds_alternative<BatchStarted>(started.request.body));
}

TEST_CASE("command line: emit says what is missing", "[edge][cli]") {
  CHECK(holds(refused({"emit", "--type", "t"}).text, "--to URL"));
  CHECK(holds(refused({"emit", "document.processed", "--to", "http://h/"}).text, "--document-id"));
  CHECK(holds(refused({"emit", "--to", "u", "--type", "t", "--data", "f", "--data-json", "{}"}).text, "--data"));
  CHECK(holds(refused({"emit", "--to", "u", "--extension", "novalue"}).text, "name=value, got 'novalue'"));
  CHECK(holds(refused({"emit", "document.procesed", "--to", "u"}).text, "did you mean 'document.processed'?"));
}

TEST_CASE("command line: a slip gets the word that was meant", "[edge][cli]") {
  CHECK(holds(refused({"chekc", "a.yaml"}).text, "unknown command 'chekc': did you mean 'check'?"));
  CHECK(holds(refused({"run", "a.yaml", "--stdn"}).text, "unknown option '--stdn': did you mean '--stdin'?"));
  CHECK(holds(refused({"run", "--ste", "a=b"}).text, "did you mean '--set'?"));
  CHECK(holds(refused({"plugin", "lst"}).text, "unknown command 'plugin lst': did you mean 'list'?"));
  CHECK(holds(refused({"run", "a.yaml", "b.yaml"}).text, "one argument too many: 'b.yaml'"));
  CHECK(holds(refused({"frobnicate"}).text, "unknown command 'frobnicate'"));
  CHECK(holds(refused({"run"}).text, "CONFIG"));
  CHECK(holds(refused({"plugin"}).text, "list, explain, check, new"));
  CHECK(holds(refused({"run", "a.yaml", "--set", "novalue"}).text, "path=value, got 'novalue'"));
  CHECK(holds(refused({"run", "a.yaml", "--set"}).text, "--set"));
}

TEST_CASE("command line: help is an answer, for every command", "[edge][cli]") {
  CHECK(holds(parsed<Answer>({}).text, "sluice run CONFIG"));
  CHECK(holds(parsed<Answer>({"--help"}).text, "Exit codes"));
  CHECK(holds(parsed<Answer>({"help"}).text, "Exit codes"));
  for (const char* name : {"run", "check", "graph", "emit"}) {
    for (const auto& words : {std::vector<std::string>{name, "--help"}, std::vector<std::string>{"help", name},
                              std::vector<std::string>{name, "-h"}}) {
      const auto help = parsed<Answer>(words);
      CHECK(help.exit_code == 0);
      CHECK_FALSE(help.to_stderr());
      CHECK(holds(help.text, "Examples:"));
      CHECK(holds(help.text, "Exit codes"));
    }
  }
  CHECK(holds(parsed<Answer>({"emit", "batch.started", "--help"}).text, "--document-count"));
  CHECK(parsed<Answer>({"--version"}).text == "sluice 9.9.9\n");
}
