// The texts of `sluice --help`: examples and exit codes for each command. Apart from the parser, so that both can be
// read at a glance.
#pragma once

namespace sluice::help {

inline constexpr const char* kOverview =
    R"(sluice carries events from sources through consumers to backends, at least once.

  sluice run CONFIG                  run the graph of a configuration until it ends or is stopped
  sluice check CONFIG…               say everything that is wrong with a configuration
  sluice graph CONFIG                show what would run, defaults included
  sluice dlq list|show|redrive|purge dead letters: look at them, send them again, delete them
  sluice replay --into NODE          deliver past events of a log or a stream once more
  sluice plugin list|explain|check|new
                                     what modules there are, what a class can be told, test or begin one
  sluice event check|match           is this a valid CloudEvent; would this filter pass it
  sluice schema check FILE           may this schema become the next version in a registry
  sluice report FILE…                counts by type, success rate over time, first drop
  sluice spool ls|fsck|cat           look into the disk buffers of backends
  sluice alert test|render|silence|refused
                                     try, rehearse and silence what sends messages to people
  sluice emit --to URL               make and send one event

'sluice COMMAND --help' explains a command, with examples. 'sluice --version' names the version.
)";

inline constexpr const char* kTop = R"(
Exit codes: 0 clean, 1 events left undelivered, 3 halted by a consumer, 64 wrong command line,
70 a plugin crashed, 78 wrong configuration.)";

inline constexpr const char* kRun = R"(
Examples:
  sluice run settings.yaml
  sluice run settings.yaml --stdin < events.jsonl
  sluice run settings.yaml --set backends.stream.config.url=redis://127.0.0.1:6379/1 --set log.level=debug

Signals: SIGTERM or SIGINT stops the sources and delivers what is under way until drain_deadline; a second one
ends at once. SIGHUP reads the configuration again: changed backends and observers are replaced while events flow; a
wrong file, or a change that needs a restart, changes nothing and is named in the log.

Exit codes:
  0   clean: the sources ended or a signal came, and everything was delivered
  1   events were left undelivered at the drain deadline (the log says where they are)
  3   a consumer halted the run (the log says why)
  64  wrong command line
  70  a plugin crashed the process (the last line names module, node and call)
  78  the configuration or a plugin was refused; nothing was started)";

inline constexpr const char* kCheck = R"(
Prints every problem as file:line:column: path: what is wrong, and what would be right. Lines that begin with
'note:' are advice and do not fail.

Examples:
  sluice check settings.yaml
  sluice check config/*.yaml --set log.level=debug

Exit codes: 0 nothing is wrong, 64 wrong command line, 78 at least one error.)";

inline constexpr const char* kGraph = R"(
Shows nodes, edges and every effective value, after lowering of the events: dialect and with all defaults;
secrets are masked.

Examples:
  sluice graph settings.yaml
  sluice graph settings.yaml --format dot | dot -Tsvg > graph.svg

Exit codes: 0, 64 wrong command line, 78 wrong configuration.)";

inline constexpr const char* kDlq = R"(
A backend that gives an event up hands it to its delivery.dead_letter: the local store, or another backend. These
commands work while the host runs, and while it does not, for letters in the local store, Redis, Kafka, JetStream, RabbitMQ
and event logs. Times are RFC 3339, a date, or as long ago as -2h.)";

inline constexpr const char* kDlqList = R"(
A table on a terminal, otherwise one JSON object per line.

Examples:
  sluice dlq list --config settings.yaml
  sluice dlq list --config settings.yaml --since -2h --type 'com.example.*' --reason timeout
  sluice dlq list --config settings.yaml --node hook | jq -r .reason | sort | uniq -c

Exit codes: 0, 64 wrong command line, 78 wrong configuration or unreadable store.)";

inline constexpr const char* kDlqShow = R"(
One JSON object per letter: the event as it was, why it died last, how often it was redriven, and its earlier deaths.

Examples:
  sluice dlq show --config settings.yaml 17
  sluice dlq show --config settings.yaml --limit 1 | jq .event.data

Exit codes: 0, 1 no such letter, 64 wrong command line, 78 wrong configuration or unreadable store.)";

inline constexpr const char* kDlqRedrive = R"(
Sends letters through the lane of the backend that gave them up, with its retries, breaker and limits. A letter leaves
the store when it is delivered, not before; one that dies again goes back with its history. The event carries the
extension sluiceredrives: how often it was redriven. Interrupted (also by kill -9), call it again.

Examples:
  sluice dlq redrive --config settings.yaml --node hook --dry-run
  sluice dlq redrive --config settings.yaml --node hook --rate 50/s
  sluice dlq redrive --config settings.yaml --type 'com.example.order.*' --to archive

Exit codes: 0 all were delivered, 1 some were not and are still there, 64 wrong command line, 70 a plugin crashed,
78 wrong configuration or unreadable store.)";

inline constexpr const char* kDlqPurge = R"(
Asks for numbers, a filter, or --all. From Kafka, JetStream and event logs single letters cannot be deleted: it says what
can be done instead.

Examples:
  sluice dlq purge --config settings.yaml --until -30d --dry-run
  sluice dlq purge --config settings.yaml 17 18
  sluice dlq purge --config settings.yaml --all

Exit codes: 0, 64 wrong command line, 78 wrong configuration or unreadable store.)";

inline constexpr const char* kReplay = R"(
Reads past events and delivers them through the lane of a backend, with its retries and dead letters. Without --source
it reads the event logs of the configuration, rotated and compressed files too. Times are of the events: RFC 3339, a
date, or as long ago as -2h. The backend's own when: still counts.

With --state it keeps how far the delivery is, and a second call, also after kill -9, goes on there; what was in flight
comes again. The same --source must be given.

Examples:
  sluice replay --config settings.yaml --into stream --from 2026-03-01 --to 2026-03-02 --dry-run
  sluice replay --config settings.yaml --into stream --from -2h --type 'com.example.*' --rate 500/s
  sluice replay --config settings.yaml --into hook --source 'old/events.jsonl*' --state replay.state
  sluice replay --config settings.yaml --into log --source redis://127.0.0.1:6379/1#nlp-events
  sluice replay --config settings.yaml --into log --source kafka://127.0.0.1:9092#nlp-document-events

Exit codes: 0 everything was delivered (or filtered), 1 some events were not, 64 wrong command line, 70 a plugin crashed,
78 wrong configuration.)";

inline constexpr const char* kPluginList = R"(
Reads the modules without running their code. A file that cannot be a module gets a line that says why.

Examples:
  sluice plugin list
  sluice plugin list --path ./build/plugins)";

inline constexpr const char* kPluginExplain = R"(
Prints the keys of a class with types, defaults and bounds, from the schema inside its module.

Example:
  sluice plugin explain redis_streams)";

inline constexpr const char* kPluginCheck = R"(
Runs the conformance tests that every module must pass, each in a process of its own. Run it before you ship.

Examples:
  sluice plugin check ./libmine.so
  sluice plugin check ./libmine.so --seed 42 --timeout 60

Exit codes: 0 all tests pass, 64 wrong command line, 78 a test failed or the file is no module.)";

inline constexpr const char* kPluginNew = R"(
Writes a plugin project that builds and passes 'sluice plugin check' as it is.

Example:
  sluice plugin new backend my_queue ./my_queue)";

inline constexpr const char* kEventCheck = R"(
Reads one event per line and prints one JSON line for each:
  {"line":1,"valid":true}
  {"line":2,"valid":false,"code":"missing_required","reason":"…"}

Examples:
  sluice event check events.jsonl
  curl -s https://example.com/event.json | sluice event check --one
  sluice event check --batch batch.json

Exit codes: 0 all are valid, 1 at least one is not, 64 wrong command line or unreadable file.)";

inline constexpr const char* kEventMatch = R"(
Reads one event per line and prints true or false for each. The filter is an object of the CloudEvents
Subscriptions API (exact, prefix, suffix, all, any, not, sql), or an array of them that must all pass.

Example:
  sluice event match --filter '{"prefix":{"type":"com.storytelling.nlp."}}' events.jsonl

Exit codes: 0, 64 wrong command line, or a filter that must be refused.)";

inline constexpr const char* kEventEval = R"(
Reads one event per line and prints what the expression (CloudEvents SQL, CESQL 1.0) is for each:
  {"value":true,"errors":[]}
  {"value":false,"errors":["missingAttribute"]}
As a filter ({"sql":"…"} in 'when:'), an event passes when the value is true and there is no error.

Examples:
  sluice event eval --sql "type LIKE 'com.storytelling.%' AND EXISTS subject" events.jsonl
  sluice event eval --sql "LENGTH(subject) > 10" events.jsonl

Exit codes: 0, 64 wrong command line, or no valid expression.)";

inline constexpr const char* kSchemaCheck = R"(
Asks a registry with Confluent's REST API and prints what it says:
  {"subject":"orders-value","version":"latest","compatible":false,"messages":["…"]}

Examples:
  sluice schema check order.json --subject orders-value --registry http://127.0.0.1:8081
  SCHEMA_REGISTRY_URL=http://127.0.0.1:8081 sluice schema check order.avsc --type AVRO --subject orders-value
  sluice schema check order.json --subject orders-value --registry https://registry.example.org --ca ca.pem \
    --user ci --password-file /run/secrets/registry

Exit codes: 0 compatible, 1 not, 64 wrong command line, no schema, or no answer from the registry.)";

inline constexpr const char* kReport = R"(
Reads event logs in any envelope that event_log writes, each line as it is; files in the order of their first events.
The chart is the success rate of everything up to then: successes among successes and failures. Lines that are no
events are named on standard error.

Examples:
  sluice report out/events.jsonl
  sluice report out/events.jsonl* --threshold 0.6 --svg rate.svg
  sluice report --json out/events.jsonl | jq .first_drop
  zcat old.gz | sluice report --success com.example.done --failure com.example.failed

Exit codes: 0, 1 some lines were no events, 64 wrong command line or unreadable file.)";

inline constexpr const char* kAlertTest = R"(
Sends one message that says it is a test, to each recipient. A host that runs is not disturbed.

Examples:
  sluice alert test slack --config config/examples/alert_slack.yaml

Exit codes: 0 sent, 1 not sent (and why), 64 wrong command line, 78 wrong configuration.)";

inline constexpr const char* kAlertRender = R"(
Takes events from standard input, one a line, in the format of the source in front of the observer, and prints each
message that would be sent and when, by the events' own times. Nothing is sent and no state is touched.

Examples:
  sluice alert render slack --config config/examples/alert_slack.yaml < events.jsonl

Exit codes: 0, 1 some lines were no events, 64 wrong command line, 78 wrong configuration.)";

inline constexpr const char* kAlertRefused = R"(
What a far side refuses for good (invalid_payload, channel_not_found, a 550) is given up, and kept beside the observer's state:
a line of JSON each, with the answer and the whole message, the last one to two MiB of them.

Examples:
  sluice alert refused slack --config settings.yaml

Exit codes: 0, 64 wrong command line, 78 wrong configuration.)";

inline constexpr const char* kAlertSilence = R"(
Writes beside the observer's state; a host that runs sees it within a second. 'rule' and 'severity' are labels too, and a
value may end with *. What fires on is told when the silence is over; notices are not.

Examples:
  sluice alert silence slack --config settings.yaml --match rule=low_success_rate --for 2h --comment maintenance
  sluice alert silence slack --config settings.yaml --list
  sluice alert silence slack --config settings.yaml --end s1795209790246

Exit codes: 0, 64 wrong command line, 78 wrong configuration.)";

inline constexpr const char* kSpoolLs = R"(
For each segment: its records, how many are still open (not delivered yet), its bytes and when its oldest open event
came. 'position' is the lowest record that is not completed. Changes nothing; works while a host has the spool open.

Examples:
  sluice spool ls spool/stream
  sluice spool ls --config settings.yaml

Exit codes: 0, 64 wrong command line or no spool there, 78 wrong configuration.)";

inline constexpr const char* kSpoolFsck = R"(
Reads every record of every segment and says which bytes hold none, which records are missing, and whether the cursor
can be read. Changes nothing. An unfinished last write is what a crash leaves: nothing of it was ever confirmed, and
the next run puts it aside as SEGMENT.torn; a damaged segment becomes SEGMENT.corrupt when the rest of it is delivered.

Examples:
  sluice spool fsck spool/stream
  sluice spool fsck --config settings.yaml && echo fine

Exit codes: 0 all is well, 1 something is wrong, 64 wrong command line or no spool there, 78 wrong configuration.)";

inline constexpr const char* kSpoolCat = R"(
Prints events as they would be published. Changes nothing: what is printed is still delivered by the next run.

Examples:
  sluice spool cat spool/stream | head
  sluice spool cat --all spool/stream > everything.jsonl
  sluice spool cat --rejected spool/stream | sluice event match --filter '{"prefix":{"type":"com."}}'

Exit codes: 0, 64 wrong command line or no spool there, 78 wrong configuration.)";

inline constexpr const char* kEmit = R"(
The event is sent as structured CloudEvents JSON over HTTP. Prints its id and the answer.

Examples:
  sluice emit --to http://127.0.0.1:8620/events --type com.example.image.processed --subject image/img-789 \
              --data-json '{"image_id":"img-789"}'
  sluice emit document.processed --to http://127.0.0.1:8620/events --document-id doc-123 --job-id job-456 \
              --processing-time-seconds 5.2 --output jsonl=file:///tmp/out.jsonl --metric event_count=10
  sluice emit batch.started --job-id job-456 --document-count 100 --print

Exit codes: 0 the answer was 2xx, 1 it was not or nobody answered, 64 wrong command line.)";

inline constexpr const char* kEmitKind = R"(
Takes the options of 'sluice emit' too (--to, --source, --subject, --id, --extension, --token, --print).)";

}  // namespace sluice::help
