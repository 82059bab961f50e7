// The only file that knows CLI11. One function per command declares its options and binds them to the command's struct.
#include "edge/command_line.hh"

#include "core/suggest.hh"
#include "edge/command_help.hh"

#include <CLI/CLI.hpp>

#include <map>
#include <tuple>

namespace sluice {
namespace {

/// Everything that parsing fills; the chosen subcommand says which member counts.
struct Parsed {
  RunCommand run;
  CheckCommand check;
  GraphCommand graph;
  DlqCommand dlq;
  ReplayCommand replay;
  PluginListCommand list;
  PluginExplainCommand explain;
  PluginCheckCommand plugin_check;
  PluginNewCommand plugin_new;
  EventCheckCommand event_check;
  EventMatchCommand event_match;
  EventEvalCommand event_eval;
  SchemaCheckCommand schema_check;
  ReportCommand report;
  SpoolCommand spool;
  AlertCommand alert;
  EmitRequest emit;
  DocumentProcessed document_processed;
  DocumentFailed document_failed;
  BatchStarted batch_started;
  BatchCompleted batch_completed;
  bool one = false, batch = false;
};

CLI::App* command(CLI::App& parent, const char* name, const char* what, const char* footer) {
  CLI::App* made = parent.add_subcommand(name, what);
  made->footer(footer);
  return made;
}

std::pair<std::string, std::string> split(const std::string& option, const std::string& text, const char* shape) {
  const std::size_t at = text.find('=');
  if (at == 0 || at == std::string::npos) {
    throw CLI::ValidationError(option, "expected " + std::string(shape) + ", got '" + text + "'");
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

void add_settings(CLI::App& app, std::vector<Setting>& into) {
  app.add_option_function<std::vector<std::string>>(
         "--set",
         [&into](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) {
             auto [path, value] = split("--set", text, "path=value");
             into.push_back({std::move(path), std::move(value)});
           }
         },
         "Set one value of the configuration, after reading it. May be given many times")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
}

void add_named(CLI::App& app, const std::string& option, NamedTexts& into, const char* what) {
  app.add_option_function<std::vector<std::string>>(
         option,
         [&into, option](const std::vector<std::string>& texts) {
           for (const std::string& text : texts) into.push_back(split(option, text, "name=value"));
         },
         what)
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
}

void add_path(CLI::App& app, std::vector<std::string>& into) {
  app.add_option("--path", into, "Folder to look for modules in, instead of where a run would look")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

void declare_run(CLI::App& app, Parsed& parsed) {
  CLI::App* run = command(app, "run", "Run the graph of a configuration until it ends or is stopped.", help::kRun);
  run->add_option("CONFIG", parsed.run.config, "The configuration, a YAML file")->required();
  run->add_flag("--stdin", parsed.run.standard_input,
                "Also take events from standard input, one per line; the run ends when it ends");
  add_settings(*run, parsed.run.settings);

  CLI::App* check = command(app, "check", "Say everything that is wrong with a configuration.", help::kCheck);
  check->add_option("CONFIG", parsed.check.configs, "Configurations, YAML files")->required();
  add_settings(*check, parsed.check.settings);

  CLI::App* graph = command(app, "graph", "Show what would run, with every effective value.", help::kGraph);
  graph->add_option("CONFIG", parsed.graph.config, "The configuration, a YAML file")->required();
  static const std::map<std::string, GraphCommand::Format> formats{{"text", GraphCommand::Format::text},
                                                                   {"dot", GraphCommand::Format::dot},
                                                                   {"mermaid", GraphCommand::Format::mermaid}};
  graph
      ->add_option_function<std::string>(
          "--format",
          [&parsed](const std::string& name) {
            const auto found = formats.find(name);
            if (found == formats.end()) {
              throw CLI::ValidationError("--format", "expected text, dot or mermaid, got '" + name + "'");
            }
            parsed.graph.format = found->second;
          },
          "text (default), dot (Graphviz) or mermaid")
      ->type_name("FORMAT");
  add_settings(*graph, parsed.graph.settings);
}

void add_config(CLI::App& app, std::string& config, std::vector<Setting>& settings) {
  app.add_option("--config", config, "The configuration, a YAML file")->type_name("FILE")->required();
  add_settings(app, settings);
}

/// What `dlq` and `replay` have in common: which events, and how fast.
void add_event_filters(CLI::App& app, std::vector<std::string>& types, std::string& when) {
  app.add_option("--type", types, "Only events whose type matches; * stands for any text. May be given many times")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  app.add_option("--when", when, "Only events that pass this filter, an object as behind when: in a configuration")
      ->type_name("JSON");
}

void declare_letters(CLI::App& app, Parsed& parsed) {
  CLI::App* dlq = command(app, "dlq", "Look at dead letters, send them again, or delete them.", help::kDlq);
  DlqCommand& asked = parsed.dlq;
  using What = DlqCommand::What;
  for (const auto& [kind, name, text, footer] :
       {std::tuple{What::list, "list", "List dead letters.", help::kDlqList},
        std::tuple{What::show, "show", "Show letters whole, with their history.", help::kDlqShow},
        std::tuple{What::redrive, "redrive", "Send letters again.", help::kDlqRedrive},
        std::tuple{What::purge, "purge", "Delete letters for good.", help::kDlqPurge}}) {
    CLI::App* one = command(*dlq, name, text, footer);
    one->callback([&asked, chosen = kind] { asked.what = chosen; });
    add_config(*one, asked.config, asked.settings);
    one->add_option("NUMBER", asked.numbers, "Only these letters, by the numbers that list shows");
    add_event_filters(*one, asked.types, asked.when_json);
    one->add_option("--since", asked.since, "Only letters that died at this time or later")->type_name("TIME");
    one->add_option("--until", asked.until, "Only letters that died before this time")->type_name("TIME");
    one->add_option("--node", asked.node, "Only letters that this backend gave up")->type_name("NODE");
    one->add_option("--reason", asked.reason, "Only letters with this text in their reason")->type_name("TEXT");
    one->add_option("--queue", asked.queue, "RabbitMQ: the queue that keeps them")->type_name("NAME");
    one->add_option("--limit", asked.limit, "At most so many, the oldest first")->type_name("N");
    if (kind == What::purge) one->add_flag("--all", asked.all, "All letters: needed where nothing else chooses");
    if (kind == What::redrive || kind == What::purge) {
      one->add_flag("--dry-run", asked.dry_run, "Only say what would be done");
    }
    if (kind != What::redrive) continue;
    one->add_option("--to", asked.to, "To this backend, not to the one that gave them up")->type_name("NODE");
    one->add_option("--rate", asked.rate, "No faster than this, e.g. 100/s")->type_name("N/s");
  }

  CLI::App* replay = command(app, "replay", "Deliver past events once more.", help::kReplay);
  ReplayCommand& past = parsed.replay;
  add_config(*replay, past.config, past.settings);
  replay->add_option("--into", past.into, "The backend that gets the events")->type_name("NODE")->required();
  replay
      ->add_option("--source", past.sources,
                   "Where the events are: files, a node of CONFIG, or redis|kafka|nats://…#NAME")
      ->type_name("FILE|NODE|URL");
  replay->add_option("--from", past.from, "Only events of this time or later")->type_name("TIME");
  replay->add_option("--to", past.to, "Only events before this time")->type_name("TIME");
  add_event_filters(*replay, past.types, past.when_json);
  replay->add_option("--state", past.state, "File that keeps how far it is; the next call goes on there")
      ->type_name("FILE");
  replay->add_option("--rate", past.rate, "No faster than this, e.g. 100/s")->type_name("N/s");
  replay->add_flag("--dry-run", past.dry_run, "Read and count, deliver nothing");
}

void declare_plugin(CLI::App& app, Parsed& parsed) {
  CLI::App* plugin = command(app, "plugin", "Look at modules, test one, or begin one.", "");
  CLI::App* list = command(*plugin, "list", "List modules and classes, with versions.", help::kPluginList);
  add_path(*list, parsed.list.path);

  CLI::App* explain = command(*plugin, "explain", "Print what a class can be told.", help::kPluginExplain);
  explain->add_option("CLASS", parsed.explain.klass, "The class, as it stands behind class: in a configuration")
      ->required();
  add_path(*explain, parsed.explain.path);

  CLI::App* check = command(*plugin, "check", "Test a module against the contract.", help::kPluginCheck);
  check->add_option("FILE", parsed.plugin_check.file, "The module, a .so file")->required();
  check->add_option("--seed", parsed.plugin_check.seed, "Repeat a run that printed this seed")->type_name("N");
  check
      ->add_option_function<std::uint32_t>(
          "--timeout", [&parsed](std::uint32_t s) { parsed.plugin_check.timeout = std::chrono::seconds(s); },
          "Seconds for each test (default 30)")
      ->type_name("S")
      ->check(CLI::Range(1, 3600));

  // The name is not shown: it is how `plugin check` calls itself.
  plugin->add_subcommand("check-one", "")->group("")->prefix_command();

  CLI::App* fresh = command(*plugin, "new", "Write a plugin project to begin with.", help::kPluginNew);
  fresh->add_option("KIND", parsed.plugin_new.kind, "source, consumer or backend")
      ->required()
      ->check(CLI::IsMember({"source", "consumer", "backend"}));
  fresh->add_option("NAME", parsed.plugin_new.name, "Name of the class")->required();
  fresh->add_option("DIR", parsed.plugin_new.folder, "Folder to make")->required();
}

void declare_event(CLI::App& app, Parsed& parsed) {
  CLI::App* event = command(app, "event", "Check events, or try a filter on them.", "");
  CLI::App* check =
      command(*event, "check", "Say whether each event is a valid CloudEvent, and if not, why.", help::kEventCheck);
  CLI::Option* one = check->add_flag("--one", parsed.one, "The whole input is one event");
  check->add_flag("--batch", parsed.batch, "The whole input is one JSON batch: an array of events")->excludes(one);
  check->add_option("FILE", parsed.event_check.file, "The events; standard input when left out");

  CLI::App* match = command(*event, "match", "Say whether a filter would pass each event.", help::kEventMatch);
  match->add_option("--filter", parsed.event_match.filter_json, "A filter object, or an array of them")
      ->type_name("JSON")
      ->required();
  match->add_option("FILE", parsed.event_match.file, "The events, one per line; standard input when left out");

  CLI::App* eval = command(*event, "eval", "Say what a CESQL expression is for each event.", help::kEventEval);
  eval->add_option("--sql", parsed.event_eval.sql, "The expression")->type_name("EXPR")->required();
  eval->add_option("FILE", parsed.event_eval.file, "The events, one per line; standard input when left out");
}

void declare_schema(CLI::App& app, Parsed& parsed) {
  CLI::App* schema = command(app, "schema", "Ask a schema registry.", "");

  CLI::App* check = command(*schema, "check", "May this schema become a subject's next version?", help::kSchemaCheck);
  SchemaCheckOptions& asked = parsed.schema_check.options;
  check->add_option("FILE", asked.file, "The schema")->required();
  check->add_option("--subject", asked.subject, "The subject")->type_name("NAME")->required();
  check->add_option("--registry", asked.registry, "The registry")
      ->type_name("URL")
      ->required()
      ->envname("SCHEMA_REGISTRY_URL");
  check->add_option("--version", asked.version, "Against this version of it, a number or latest")->type_name("VERSION");
  check->add_option("--type", asked.type, "JSON, AVRO or PROTOBUF")->check(CLI::IsMember({"JSON", "AVRO", "PROTOBUF"}));
}

void declare_report(CLI::App& app, Parsed& parsed) {
  CLI::App* report = command(app, "report", "Show what event logs say of a run.", help::kReport);
  report->add_option("FILE", parsed.report.files, "Event logs, also rotated and gzipped; standard input when left out");
  report
      ->add_option_function<double>(
          "--threshold", [&parsed](double ratio) { parsed.report.options.threshold = ratio; },
          "Say where the success rate first fell below this, 0 to 1")
      ->type_name("RATIO")
      ->check(CLI::Range(0.0, 1.0));
  report
      ->add_option("--after", parsed.report.options.after, "Judge the threshold from this many outcomes on (default 5)")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  const auto types = [&](const char* option, std::vector<std::string>& into, const char* what) {
    report->add_option(option, into, what)->type_name("TYPE")->allow_extra_args(false);
  };
  types("--success", parsed.report.options.success_types, "Type that is a success (default specimen.completed)");
  types("--failure", parsed.report.options.failure_types, "Type that is a failure (default specimen.failed)");
  report->add_option("--svg", parsed.report.svg, "Write the chart to this file, too")->type_name("FILE");
  report->add_flag("--json", parsed.report.json, "One JSON object instead of text");
}

CLI::App* spool_part(CLI::App& spool, Parsed& parsed, const char* name, const char* what, const char* footer) {
  CLI::App* made = command(spool, name, what, footer);
  made->add_option("PATH", parsed.spool.paths, "Folders of spools, as delivery.spool.path names them");
  made->add_option("--config", parsed.spool.config, "Every spool of this configuration")->type_name("CONFIG");
  add_settings(*made, parsed.spool.settings);
  return made;
}

void declare_spool(CLI::App& app, Parsed& parsed) {
  CLI::App* spool = command(app, "spool", "Look into the disk buffers of backends.", "");
  spool_part(*spool, parsed, "ls", "Show what each segment holds.", help::kSpoolLs);
  spool_part(*spool, parsed, "fsck", "Verify every checksum.", help::kSpoolFsck);
  CLI::App* cat = spool_part(*spool, parsed, "cat", "Print the events that wait, one JSON line each.", help::kSpoolCat);
  CLI::Option* all = cat->add_flag("--all", parsed.spool.all, "Delivered events that still lie there, too");
  cat->add_flag("--rejected", parsed.spool.rejected, "The events that the far side refused for good, instead")
      ->excludes(all);
}

CLI::App* emit_kind(CLI::App& emit, std::string_view name, const char* what) {
  CLI::App* made = command(emit, std::string(name).c_str(), what, help::kEmitKind);
  made->fallthrough();  // --to and the like belong to emit, wherever they stand
  return made;
}

void declare_emit_kinds(CLI::App& emit, Parsed& parsed) {
  CLI::App* processed = emit_kind(emit, DocumentProcessed::kName, "A document was processed.");
  processed->add_option("--document-id", parsed.document_processed.document_id, "The document")->required();
  processed->add_option("--job-id", parsed.document_processed.job_id, "The job it belongs to");
  processed->add_option("--processing-time-seconds", parsed.document_processed.processing_time_seconds,
                        "How long it took");
  add_named(*processed, "--output", parsed.document_processed.outputs, "Where a result is, e.g. jsonl=file:///…");
  add_named(*processed, "--metric", parsed.document_processed.metrics, "A number, e.g. event_count=10");
  add_named(*processed, "--metadata", parsed.document_processed.metadata, "A text, e.g. pipeline_version=1.0.0");

  CLI::App* failed = emit_kind(emit, DocumentFailed::kName, "A document could not be processed.");
  failed->add_option("--document-id", parsed.document_failed.document_id, "The document")->required();
  failed->add_option("--error", parsed.document_failed.error, "What went wrong")->required();
  failed->add_option("--error-type", parsed.document_failed.error_type, "Its kind, e.g. TimeoutError");
  failed->add_option("--retry-count", parsed.document_failed.retry_count, "Tries so far, after the first");
  failed->add_option("--job-id", parsed.document_failed.job_id, "The job it belongs to");
  add_named(*failed, "--metadata", parsed.document_failed.metadata, "A text");

  CLI::App* started = emit_kind(emit, BatchStarted::kName, "A batch begins.");
  started->add_option("--job-id", parsed.batch_started.job_id, "The job")->required();
  started->add_option("--document-count", parsed.batch_started.document_count, "Documents in it")->required();
  started->add_option("--started-at", parsed.batch_started.started_at, "RFC 3339; now when left out");
  add_named(*started, "--metadata", parsed.batch_started.metadata, "A text");

  CLI::App* completed = emit_kind(emit, BatchCompleted::kName, "A batch is done.");
  completed->add_option("--job-id", parsed.batch_completed.job_id, "The job")->required();
  completed->add_option("--successful", parsed.batch_completed.successful, "Documents that succeeded")->required();
  completed->add_option("--failed", parsed.batch_completed.failed, "Documents that failed")->required();
  completed->add_option("--total-documents", parsed.batch_completed.total_documents,
                        "All documents; the sum of both when left out");
  completed->add_option("--duration-seconds", parsed.batch_completed.duration_seconds, "How long it took");
  completed->add_option("--started-at", parsed.batch_completed.started_at, "RFC 3339");
  completed->add_option("--completed-at", parsed.batch_completed.completed_at, "RFC 3339; now when left out");
  add_named(*completed, "--output", parsed.batch_completed.outputs, "Where the results are");
  add_named(*completed, "--metric", parsed.batch_completed.metrics, "A number, e.g. total_events=490");
}

void declare_emit(CLI::App& app, Parsed& parsed) {
  CLI::App* emit = command(app, "emit", "Make one event and send it.", help::kEmit);
  EmitRequest& request = parsed.emit;
  emit->add_option("--to", request.to, "Where to send it, e.g. http://127.0.0.1:8620/events")->type_name("URL");
  emit->add_flag("--print", request.print_only, "Print the event instead of sending it");
  emit->add_option("--type", request.type, "The event's type")->type_name("T");
  emit->add_option("--source", request.source, "The event's source (default stage2-nlp-processing)")->type_name("S");
  emit->add_option("--subject", request.subject, "The event's subject")->type_name("S");
  emit->add_option("--id", request.id, "The event's id; a UUID when left out")->type_name("ID");
  CLI::Option* file =
      emit->add_option("--data", request.data_file, "File with the data; '-' is standard input")->type_name("FILE");
  emit->add_option("--data-json", request.data_json, "The data itself, as JSON")->type_name("JSON")->excludes(file);
  emit->add_option("--content-type", request.data_content_type,
                   "What the data is (default application/json; other data is sent as text or base64)")
      ->type_name("MIME");
  add_named(*emit, "--extension", request.extensions, "An extension attribute");
  emit->add_option("--token", request.token, "Bearer token")->type_name("TOKEN");
  emit->add_option("--timeout", request.timeout_seconds, "Seconds to wait for the answer (default 10)")
      ->type_name("S")
      ->check(CLI::Range(1, 3600));
  declare_emit_kinds(*emit, parsed);
}

const CLI::App& deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? "sluice" : full_name(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App* s) { return !s->get_group().empty(); })) {
    names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* at = &app; at != nullptr; at = at->get_fallthrough() ? at->get_parent() : nullptr) {
    for (const CLI::Option* option : at->get_options()) {
      if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
    }
  }
  return names;
}

Answer wrong(const CLI::App& at, const std::string& what) {
  return {"sluice: " + what + "\nTry '" + full_name(at) + " --help'.\n", kUsage};
}

/// The first word that nobody wanted, with the word that was probably meant.
Answer unknown_word(const CLI::App& at, const std::string& word) {
  const bool option = word.size() > 1 && word.front() == '-';
  const auto names = option ? option_names(at) : subcommand_names(at);
  const std::string typed = option ? word.substr(0, word.find('=')) : word;
  const std::string meant = nearest(typed, names);
  const std::string group = at.get_parent() == nullptr ? "" : full_name(at).substr(7) + " ";
  std::string what = option          ? "unknown option '" + typed + "'"
                     : names.empty() ? "one argument too many: '" + word + "'"
                                     : "unknown command '" + group + word + "'";
  if (!meant.empty()) what += ": did you mean '" + meant + "'?";
  return wrong(at, what);
}

Answer usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& at = deepest(app);
  const auto left_over = app.remaining(true);
  const auto option = std::find_if(left_over.begin(), left_over.end(),
                                   [](const std::string& word) { return word.size() > 1 && word.front() == '-'; });
  if (option != left_over.end()) return unknown_word(at, *option);
  if (!left_over.empty()) return unknown_word(at, left_over.front());
  return wrong(at, error.what());
}

void declare_alert(CLI::App& app, Parsed& parsed) {
  AlertCommand& asked = parsed.alert;
  CLI::App* alert = command(app, "alert", "Try, rehearse and silence the observers that send messages to people.", "");
  const auto part = [&](const char* name, const char* what, const char* footer) {
    CLI::App* made = command(*alert, name, what, footer);
    made->add_option("NODE", asked.node, "The observer's name in the configuration")->required();
    add_config(*made, asked.config, asked.settings);
    return made;
  };
  part("test", "Send one message that says it is a test.", help::kAlertTest);
  part("render", "Print what would be sent for the events on standard input, and when.", help::kAlertRender);
  part("refused", "Print the messages that the far side refused for good.", help::kAlertRefused);
  CLI::App* silence = part("silence", "Keep alerts quiet for a time, also in a host that runs.", help::kAlertSilence);
  CLI::Option* match = silence->add_option("--match", asked.match, "A label and its value; all given must fit");
  match->type_name("LABEL=VALUE")->allow_extra_args(false);
  CLI::Option* span = silence->add_option("--for", asked.span, "How long, such as 2h")->type_name("DURATION");
  match->needs(span);
  span->needs(match);
  silence->add_option("--comment", asked.comment, "Why")->type_name("TEXT");
  CLI::Option* end = silence->add_option("--end", asked.end, "End this silence")->type_name("ID")->excludes(match);
  silence->add_flag("--list", asked.list, "Print what was said so far")->excludes(match)->excludes(end);
}

Command chosen_command(const CLI::App& app, Parsed& parsed) {
  const CLI::App& at = deepest(app);
  const std::string name = full_name(at);
  if (name == "sluice run") return std::move(parsed.run);
  if (name == "sluice check") return std::move(parsed.check);
  if (name == "sluice graph") return std::move(parsed.graph);
  if (name.starts_with("sluice dlq ")) return std::move(parsed.dlq);
  if (name == "sluice replay") return std::move(parsed.replay);
  if (name == "sluice plugin list") return std::move(parsed.list);
  if (name == "sluice plugin explain") return std::move(parsed.explain);
  if (name == "sluice plugin check") return std::move(parsed.plugin_check);
  if (name == "sluice plugin check-one") return PluginCheckOneCommand{at.remaining()};
  if (name == "sluice plugin new") return std::move(parsed.plugin_new);
  if (name == "sluice event match") return std::move(parsed.event_match);
  if (name == "sluice schema check") return std::move(parsed.schema_check);
  if (name == "sluice event eval") return std::move(parsed.event_eval);
  if (name == "sluice event check") {
    if (parsed.one) parsed.event_check.shape = EventCheckCommand::Shape::one;
    if (parsed.batch) parsed.event_check.shape = EventCheckCommand::Shape::batch;
    return std::move(parsed.event_check);
  }
  if (name == "sluice report") return std::move(parsed.report);
  if (name.starts_with("sluice spool ")) {
    using What = SpoolCommand::What;
    parsed.spool.what = at.get_name() == "ls" ? What::ls : at.get_name() == "fsck" ? What::fsck : What::cat;
    if (parsed.spool.paths.empty() && parsed.spool.config.empty()) {
      return wrong(at, "name a spool's folder, or --config CONFIG");
    }
    return std::move(parsed.spool);
  }
  if (name.starts_with("sluice alert ")) {
    using What = AlertCommand::What;
    AlertCommand& asked = parsed.alert;
    asked.what = at.get_name() == "test"      ? What::test
                 : at.get_name() == "render"  ? What::render
                 : at.get_name() == "refused" ? What::refused
                                              : What::silence;
    if (asked.what == What::silence && asked.match.empty() && asked.end.empty() && !asked.list) {
      return wrong(at, "say what to do: --match LABEL=VALUE --for DURATION, --end ID, or --list");
    }
    return std::move(asked);
  }
  if (name.starts_with("sluice emit")) {
    EmitRequest& request = parsed.emit;
    if (at.get_name() == DocumentProcessed::kName) request.body = std::move(parsed.document_processed);
    if (at.get_name() == DocumentFailed::kName) request.body = std::move(parsed.document_failed);
    if (at.get_name() == BatchStarted::kName) request.body = std::move(parsed.batch_started);
    if (at.get_name() == BatchCompleted::kName) request.body = std::move(parsed.batch_completed);
    if (request.to.empty() && !request.print_only) return wrong(at, "say where to send it: --to URL (or --print)");
    if (!request.to.empty() && request.print_only) return wrong(at, "--print sends nothing: leave out --to");
    return EmitCommand{std::move(request)};
  }
  return wrong(at, "'" + name + "' needs one of: " + CLI::detail::join(subcommand_names(at), ", "));
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments, std::string_view version) {
  if (arguments.empty()) return Answer{help::kOverview};
  CLI::App app{"sluice carries events from sources through consumers to backends, at least once.", "sluice"};
  app.footer(help::kTop);
  app.set_version_flag("--version,-V", std::string(version), "Print the version");
  app.get_formatter()->column_width(34);
  Parsed parsed;
  declare_run(app, parsed);
  declare_letters(app, parsed);
  declare_plugin(app, parsed);
  declare_event(app, parsed);
  declare_schema(app, parsed);
  declare_report(app, parsed);
  declare_spool(app, parsed);
  declare_alert(app, parsed);
  declare_emit(app, parsed);

  std::vector<std::string> words = arguments;
  if (words.front() == "help") {  // `sluice help run` is `sluice run --help`
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them last first
    app.parse(words);
    return chosen_command(app, parsed);
  } catch (const CLI::CallForHelp&) {
    return Answer{app.help()};
  } catch (const CLI::CallForVersion&) {
    return Answer{std::string(version) + "\n"};
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
}

}  // namespace sluice
