// sluice emit: one event, from its parts or, for the four documented types, from their fields.
#include "edge/command_help.hh"
#include "edge/commands/shared_options.hh"

namespace sluice {
namespace {

using Request = std::shared_ptr<EmitRequest>;

Command emitted(const Request& request) {
  if (request->to.empty() && !request->print_only) throw BadWords{"say where to send it: --to URL (or --print)"};
  if (!request->to.empty() && request->print_only) throw BadWords{"--print sends nothing: leave out --to"};
  return EmitCommand{std::move(*request)};
}

/// A documented type as a command of its own: `add` declares its fields.
template <class Body, class Add>
void declare_type(CommandSyntax& emit, const Request& request, const char* what, const Add& add) {
  CommandSyntax made = emit.command(std::string(Body::kName), what, help::kEmitKind);
  made.takes_options_of_parent();  // --to and the like belong to emit, wherever they stand
  const auto body = std::make_shared<Body>();
  add(made, *body);
  made.means([request, body] {
    request->body = std::move(*body);
    return emitted(request);
  });
}

void add_processed(CommandSyntax& processed, DocumentProcessed& body) {
  processed.option("--document-id", body.document_id, "The document").required();
  processed.option("--job-id", body.job_id, "The job it belongs to");
  processed.option("--processing-time-seconds", body.processing_time_seconds, "How long it took");
  add_named(processed, "--output", body.outputs, "Where a result is, e.g. jsonl=file:///…");
  add_named(processed, "--metric", body.metrics, "A number, e.g. event_count=10");
  add_named(processed, "--metadata", body.metadata, "A text, e.g. pipeline_version=1.0.0");
}

void add_failed(CommandSyntax& failed, DocumentFailed& body) {
  failed.option("--document-id", body.document_id, "The document").required();
  failed.option("--error", body.error, "What went wrong").required();
  failed.option("--error-type", body.error_type, "Its kind, e.g. TimeoutError");
  failed.option("--retry-count", body.retry_count, "Tries so far, after the first");
  failed.option("--job-id", body.job_id, "The job it belongs to");
  add_named(failed, "--metadata", body.metadata, "A text");
}

void add_started(CommandSyntax& started, BatchStarted& body) {
  started.option("--job-id", body.job_id, "The job").required();
  started.option("--document-count", body.document_count, "Documents in it").required();
  started.option("--started-at", body.started_at, "RFC 3339; now when left out");
  add_named(started, "--metadata", body.metadata, "A text");
}

void add_completed(CommandSyntax& completed, BatchCompleted& body) {
  completed.option("--job-id", body.job_id, "The job").required();
  completed.option("--successful", body.successful, "Documents that succeeded").required();
  completed.option("--failed", body.failed, "Documents that failed").required();
  completed.option("--total-documents", body.total_documents, "All documents; the sum of both when left out");
  completed.option("--duration-seconds", body.duration_seconds, "How long it took");
  completed.option("--started-at", body.started_at, "RFC 3339");
  completed.option("--completed-at", body.completed_at, "RFC 3339; now when left out");
  add_named(completed, "--output", body.outputs, "Where the results are");
  add_named(completed, "--metric", body.metrics, "A number, e.g. total_events=490");
}

void add_request(CommandSyntax& emit, EmitRequest& request) {
  emit.option("--to", request.to, "Where to send it, e.g. http://127.0.0.1:8620/events").shown_as("URL");
  emit.flag("--print", request.print_only, "Print the event instead of sending it");
  emit.option("--type", request.type, "The event's type").shown_as("T");
  emit.option("--source", request.source, "The event's source (default stage2-nlp-processing)").shown_as("S");
  emit.option("--subject", request.subject, "The event's subject").shown_as("S");
  emit.option("--id", request.id, "The event's id; a UUID when left out").shown_as("ID");
  const CommandOption file =
      emit.option("--data", request.data_file, "File with the data; '-' is standard input").shown_as("FILE");
  emit.option("--data-json", request.data_json, "The data itself, as JSON").shown_as("JSON").excludes(file);
  emit.option("--content-type", request.data_content_type,
              "What the data is (default application/json; other data is sent as text or base64)")
      .shown_as("MIME");
  add_named(emit, "--extension", request.extensions, "An extension attribute");
  emit.option("--token", request.token, "Bearer token").shown_as("TOKEN");
  emit.option("--timeout", request.timeout_seconds, "Seconds to wait for the answer (default 10)")
      .shown_as("S")
      .between(1, 3600);
}

}  // namespace

void declare_emit(CommandSyntax& top) {
  CommandSyntax emit = top.command("emit", "Make one event and send it.", help::kEmit);
  const Request request = std::make_shared<EmitRequest>();
  add_request(emit, *request);
  emit.means([request] { return emitted(request); });
  declare_type<DocumentProcessed>(emit, request, "A document was processed.", add_processed);
  declare_type<DocumentFailed>(emit, request, "A document could not be processed.", add_failed);
  declare_type<BatchStarted>(emit, request, "A batch begins.", add_started);
  declare_type<BatchCompleted>(emit, request, "A batch is done.", add_completed);
}

}  // namespace sluice
