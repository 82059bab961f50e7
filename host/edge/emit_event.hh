// The event that `sluice emit` sends, built from what was said on the command line. Pure: id and time come from
// outside.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sluice {

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// The four types of the documents (event-publishing-usage.md), by their fields. Empty or absent fields are left out.
struct DocumentProcessed {
  static constexpr std::string_view kName = "document.processed";
  std::string document_id, job_id;
  std::optional<double> processing_time_seconds;
  NamedTexts outputs;   // output_location: where the results are, by kind
  NamedTexts metrics;   // numbers
  NamedTexts metadata;  // texts
};
struct DocumentFailed {
  static constexpr std::string_view kName = "document.failed";
  std::string document_id, job_id, error, error_type;
  std::optional<std::int64_t> retry_count;
  NamedTexts metadata;
};
struct BatchStarted {
  static constexpr std::string_view kName = "batch.started";
  std::string job_id;
  std::optional<std::int64_t> document_count;
  std::string started_at;  // default: now
  NamedTexts metadata;
};
struct BatchCompleted {
  static constexpr std::string_view kName = "batch.completed";
  std::string job_id;
  std::optional<std::int64_t> total_documents, successful, failed;
  std::optional<double> duration_seconds;
  std::string started_at, completed_at;  // completed_at defaults to now
  NamedTexts outputs;                    // output_locations
  NamedTexts metrics;                    // aggregate_metrics
};

struct EmitRequest {
  std::string to;           // URL; empty with print_only
  bool print_only = false;  // write the event to standard output instead of sending it
  std::string token;        // bearer token
  std::uint32_t timeout_seconds = 10;
  std::string type, subject, id;  // id empty: a UUID
  std::string source = "stage2-nlp-processing";
  std::string data_content_type;         // empty: application/json
  std::optional<std::string> data_file;  // "-" = standard input
  std::optional<std::string> data_json;
  NamedTexts extensions;
  std::variant<std::monostate, DocumentProcessed, DocumentFailed, BatchStarted, BatchCompleted> body;
};

/// What the command line cannot know by itself.
struct EmitContext {
  std::string id;                   // used when the request names none
  std::string time;                 // RFC 3339, UTC
  std::optional<std::string> data;  // the bytes of data_file or data_json
};

/// The event in the CloudEvents JSON format. Throws SetupError (exit 64) naming the option that is wrong.
[[nodiscard]] std::string build_event(const EmitRequest& request, const EmitContext& context);

}  // namespace sluice
