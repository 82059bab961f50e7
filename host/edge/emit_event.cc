#include "edge/emit_event.hh"

#include "core/attribute.hh"
#include "core/decode.hh"
#include "core/media_type.hh"
#include "core/setup_error.hh"
#include "core/timestamp.hh"
#include "edge/json_object.hh"

#include <sluice/cpp/encode.hh>
#include <sluice/cpp/utf8.hh>

#include <algorithm>
#include <cmath>

namespace sluice {
namespace {

constexpr std::string_view kTypePrefix = "com.storytelling.nlp.";

[[noreturn]] void refuse(const std::string& what) { throw SetupError(what, kUsage); }

/// -1.5e3 is a JSON number; 0x10, .5, +1 and inf are not.
bool is_json_number(std::string_view text) noexcept {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') ++at;
    return at - begin;
  };
  const auto skip = [&](std::string_view any) {
    const bool found = at < text.size() && any.find(text[at]) != std::string_view::npos;
    if (found) ++at;
    return found;
  };
  (void)skip("-");
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (skip(".") && digits() == 0) return false;
  if (skip("eE")) {
    (void)skip("+-");
    if (digits() == 0) return false;
  }
  return at == text.size();
}

void check_time(const char* option, const std::string& text) {
  if (!text.empty() && !parse_timestamp(text)) {
    refuse(std::string(option) + ": expected a time like 2025-12-14T12:00:00Z, got '" + text + "'");
  }
}

template <class Number>
void check_not_negative(const char* option, const std::optional<Number>& number) {
  if (number && (*number < 0 || !std::isfinite(static_cast<double>(*number)))) {
    refuse(std::string(option) + ": must be 0 or more");
  }
}

void put_text(JsonText& json, const char* key, const std::string& text) {
  if (!text.empty()) json.member(key, text);
}
template <class Number>
void put_number(JsonText& json, const char* key, const std::optional<Number>& number) {
  if (number) json.member(key, *number);
}
void put_texts(JsonText& json, const char* key, const NamedTexts& texts) {
  if (texts.empty()) return;
  const auto scope = json.object(key);
  for (const auto& [name, text] : texts) json.member(name, text);
}
void put_metrics(JsonText& json, const char* key, const NamedTexts& metrics) {
  if (metrics.empty()) return;
  const auto scope = json.object(key);
  for (const auto& [name, text] : metrics) {
    if (!is_json_number(text)) refuse("--metric " + name + ": expected a number, got '" + text + "'");
    json.raw(name, text);
  }
}

/// A body of one of the documents' types: its name, its subject, and its data.
struct Made {
  std::string_view name;
  std::string subject;
  std::string data;
};

Made made(const DocumentProcessed& body, const EmitContext&) {
  check_not_negative("--processing-time-seconds", body.processing_time_seconds);
  JsonText json;
  {
    const auto scope = json.object();
    json.member("document_id", body.document_id);
    put_text(json, "job_id", body.job_id);
    json.member("status", "success");
    put_number(json, "processing_time_seconds", body.processing_time_seconds);
    put_texts(json, "output_location", body.outputs);
    put_metrics(json, "metrics", body.metrics);
    put_texts(json, "metadata", body.metadata);
  }
  return {DocumentProcessed::kName, "document/" + body.document_id, json.text()};
}

Made made(const DocumentFailed& body, const EmitContext&) {
  check_not_negative("--retry-count", body.retry_count);
  JsonText json;
  {
    const auto scope = json.object();
    json.member("document_id", body.document_id);
    put_text(json, "job_id", body.job_id);
    json.member("status", "failed");
    json.member("error", body.error);
    put_text(json, "error_type", body.error_type);
    put_number(json, "retry_count", body.retry_count);
    put_texts(json, "metadata", body.metadata);
  }
  return {DocumentFailed::kName, "document/" + body.document_id, json.text()};
}

Made made(const BatchStarted& body, const EmitContext& context) {
  check_not_negative("--document-count", body.document_count);
  check_time("--started-at", body.started_at);
  JsonText json;
  {
    const auto scope = json.object();
    json.member("job_id", body.job_id);
    put_number(json, "document_count", body.document_count);
    json.member("started_at", body.started_at.empty() ? context.time : body.started_at);
    put_texts(json, "metadata", body.metadata);
  }
  return {BatchStarted::kName, "batch/" + body.job_id, json.text()};
}

Made made(const BatchCompleted& body, const EmitContext& context) {
  check_not_negative("--successful", body.successful);
  check_not_negative("--failed", body.failed);
  check_not_negative("--duration-seconds", body.duration_seconds);
  check_time("--started-at", body.started_at);
  check_time("--completed-at", body.completed_at);
  const std::int64_t sum = body.successful.value_or(0) + body.failed.value_or(0);
  if (body.total_documents && *body.total_documents < sum) {
    refuse("--total-documents: " + std::to_string(*body.total_documents) + " is less than --successful and --failed (" +
           std::to_string(sum) + ")");
  }
  JsonText json;
  {
    const auto scope = json.object();
    json.member("job_id", body.job_id);
    json.member("total_documents", body.total_documents.value_or(sum));
    put_number(json, "successful", body.successful);
    put_number(json, "failed", body.failed);
    put_number(json, "duration_seconds", body.duration_seconds);
    put_text(json, "started_at", body.started_at);
    json.member("completed_at", body.completed_at.empty() ? context.time : body.completed_at);
    put_texts(json, "output_locations", body.outputs);
    put_metrics(json, "aggregate_metrics", body.metrics);
  }
  return {BatchCompleted::kName, "batch/" + body.job_id, json.text()};
}

Made made(const std::monostate&, const EmitContext&) { return {}; }

void check_options(const EmitRequest& request, const Made& body) {
  if (body.name.empty()) {
    if (request.type.empty())
      refuse("--type is missing: say what kind of event this is, e.g. com.example.image.processed");
    return;
  }
  const std::string name(body.name);
  if (!request.type.empty()) refuse("--type: " + name + " has a type of its own");
  if (request.data_file || request.data_json) refuse("--data: " + name + " makes its data from its fields");
  if (!request.data_content_type.empty()) refuse("--content-type: the data of " + name + " is JSON");
}

void put_extensions(JsonText& json, const NamedTexts& extensions) {
  for (std::size_t i = 0; i < extensions.size(); ++i) {
    const std::string& name = extensions[i].first;
    const std::string option = "--extension " + name + ": ";
    if (!is_attribute_name(name)) refuse(option + "a name has only lower-case letters and digits");
    if (known_name(name) != Known::none) refuse(option + "this is no extension but an attribute of every event");
    const auto same = [&](const auto& other) { return other.first == name; };
    if (std::any_of(extensions.begin(), extensions.begin() + static_cast<std::ptrdiff_t>(i), same)) {
      refuse(option + "given twice");
    }
    json.member(name, extensions[i].second);
  }
}

/// The data of a free event. JSON goes in as it is; raw line ends, which can only stand between its tokens, become
/// spaces so that the event stays one line.
void put_data(JsonText& json, const EmitRequest& request, std::string data) {
  const std::string type = request.data_content_type.empty() ? "application/json" : request.data_content_type;
  const MediaType media = media_type_of(type);
  if (media == MediaType::malformed) refuse("--content-type: expected something like text/plain, got '" + type + "'");
  json.member("datacontenttype", type);
  if (media == MediaType::json) {
    std::replace_if(
        data.begin(), data.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    json.raw("data", data);
  } else if (type.starts_with("text/") && valid_utf8(data)) {
    json.member("data", data);
  } else {
    std::string encoded;
    append_base64(encoded, data);
    json.member("data_base64", encoded);
  }
}

/// The same strict check that the receiving host makes, so that mistakes show here.
void check_event(const std::string& event) {
  std::string padded = event + std::string(SLUICE_PADDING, '\0');
  sluice_record record{};
  record.ptr = reinterpret_cast<const std::uint8_t*>(padded.data());
  record.len = event.size();
  BlockPool pool;
  const BlockRef block = pool.take();
  if (const auto reject = Decoder(cloudevents_format(), {}).decode(record, {}, *block)) {
    refuse("this makes no valid event: " + reject->reason);
  }
}

}  // namespace

std::string build_event(const EmitRequest& request, const EmitContext& context) {
  const Made body = std::visit([&](const auto& kind) { return made(kind, context); }, request.body);
  check_options(request, body);
  JsonText json;
  {
    const auto scope = json.object();
    json.member("specversion", "1.0");
    json.member("type", body.name.empty() ? request.type : std::string(kTypePrefix) + std::string(body.name));
    json.member("source", request.source);
    json.member("id", request.id.empty() ? context.id : request.id);
    json.member("time", context.time);
    put_text(json, "subject", request.subject.empty() ? body.subject : request.subject);
    put_extensions(json, request.extensions);
    if (!body.name.empty()) {
      json.member("datacontenttype", "application/json");
      json.raw("data", body.data);
    } else if (context.data) {
      put_data(json, request, *context.data);
    } else if (!request.data_content_type.empty()) {
      refuse("--content-type: there is no data: give --data or --data-json");
    }
  }
  check_event(json.text());
  return json.text();
}

}  // namespace sluice
