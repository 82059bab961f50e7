// `sluice emit`: the events it makes, and what it does with the answers of a server on a real socket.
#include "edge/emit.hh"
#include "catch.hh"
#include "core/setup_error.hh"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

using namespace sluice;
using nlohmann::json;

namespace {

const EmitContext kContext{"0190-id", "2025-12-14T12:00:00.000Z", std::nullopt};

EmitRequest free_event() {
  EmitRequest request;
  request.type = "com.example.image.processed";
  request.print_only = true;
  return request;
}

std::string refusal(const EmitRequest& request, const EmitContext& context = kContext) {
  try {
    (void)build_event(request, context);
  } catch (const SetupError& error) {
    CHECK(error.code() == kUsage);
    return error.what();
  }
  return "accepted";
}

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Answers one request with a fixed text and keeps what it was sent.
class OneAnswer {
 public:
  explicit OneAnswer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 1) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this, answer = std::move(answer)] { serve(answer); });
  }
  ~OneAnswer() { finish(); }
  /// The request as it came.
  const std::string& finish() {
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(std::exchange(listener_, -1));
    return request_;
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port) + "/events"; }
  std::uint16_t port = 0;

 private:
  void serve(const std::string& answer) {
    const int fd = ::accept(listener_, nullptr, nullptr);
    char part[4096];
    while (!complete()) {
      const ssize_t got = ::read(fd, part, sizeof part);
      if (got <= 0) break;
      request_.append(part, static_cast<std::size_t>(got));
    }
    (void)!::write(fd, answer.data(), answer.size());
    ::close(fd);
  }
  [[nodiscard]] bool complete() const {
    const std::size_t end = request_.find("\r\n\r\n");
    const std::size_t at = request_.find("Content-Length: ");
    return end != std::string::npos && at != std::string::npos &&
           request_.size() >= end + 4 + std::strtoul(request_.c_str() + at + 16, nullptr, 10);
  }

  int listener_;
  std::string request_;
  std::thread thread_;
};

struct Ran {
  int code;
  std::string out, err;
};
Ran run(const EmitRequest& request, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out, err;
  const int code = emit(request, in, out, err);
  return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("emit: a free event has what was said and the defaults for the rest", "[edge][emit]") {
  EmitRequest request = free_event();
  request.subject = "image/img-789";
  request.extensions = {{"traceparent", "00-ab"}, {"tenant1", ""}};
  request.data_json = "unused here";
  EmitContext context = kContext;
  context.data = "{\n  \"image_id\": \"img-789\"\n}\n";
  const std::string text = build_event(request, context);
  CHECK(text.find('\n') == std::string::npos);
  const json event = json::parse(text);
  CHECK(event["specversion"] == "1.0");
  CHECK(event["type"] == "com.example.image.processed");
  CHECK(event["source"] == "stage2-nlp-processing");
  CHECK(event["id"] == "0190-id");
  CHECK(event["time"] == "2025-12-14T12:00:00.000Z");
  CHECK(event["subject"] == "image/img-789");
  CHECK(event["datacontenttype"] == "application/json");
  CHECK(event["data"]["image_id"] == "img-789");
  CHECK(event["traceparent"] == "00-ab");
}

TEST_CASE("emit: no data, text, and bytes", "[edge][emit]") {
  EmitRequest request = free_event();
  const json none = json::parse(build_event(request, kContext));
  CHECK_FALSE(none.contains("data"));
  CHECK_FALSE(none.contains("datacontenttype"));
  CHECK_FALSE(none.contains("subject"));
  EmitContext context = kContext;
  request.data_content_type = "text/plain";
  context.data = "two\nlines";
  CHECK(json::parse(build_event(request, context))["data"] == "two\nlines");
  context.data = "\xFF\x00";
  CHECK(json::parse(build_event(request, context))["data_base64"] == "/w==");
  request.data_content_type = "application/octet-stream";
  context.data = "abc";
  CHECK(json::parse(build_event(request, context))["data_base64"] == "YWJj");
}

TEST_CASE("emit: document.processed as in the documents", "[edge][emit]") {
  EmitRequest request;
  request.body = DocumentProcessed{"custom-doc-123",
                                   "custom-job-456",
                                   5.2,
                                   {{"jsonl", "file:///app/data/custom_output.jsonl"}},
                                   {{"event_count", "10"}, {"ratio", "-1.5e3"}},
                                   {{"custom_field", "custom \"value\""}}};
  const json event = json::parse(build_event(request, kContext));
  CHECK(event["type"] == "com.storytelling.nlp.document.processed");
  CHECK(event["subject"] == "document/custom-doc-123");
  CHECK(event["data"] == json::parse(R"({"document_id":"custom-doc-123","job_id":"custom-job-456","status":"success",
    "processing_time_seconds":5.2,"output_location":{"jsonl":"file:///app/data/custom_output.jsonl"},
    "metrics":{"event_count":10,"ratio":-1500.0},"metadata":{"custom_field":"custom \"value\""}})"));
}

TEST_CASE("emit: document.failed, batch.started and batch.completed", "[edge][emit]") {
  EmitRequest request;
  request.body = DocumentFailed{"d", "", "out of memory", "MemoryError", 2, {}};
  json event = json::parse(build_event(request, kContext));
  CHECK(event["type"] == "com.storytelling.nlp.document.failed");
  CHECK(event["data"] == json::parse(R"({"document_id":"d","status":"failed","error":"out of memory",
    "error_type":"MemoryError","retry_count":2})"));

  request.body = BatchStarted{"job-456", 100, "", {}};
  event = json::parse(build_event(request, kContext));
  CHECK(event["subject"] == "batch/job-456");
  CHECK(event["data"] ==
        json::parse(R"({"job_id":"job-456","document_count":100,"started_at":"2025-12-14T12:00:00.000Z"})"));

  request.body = BatchCompleted{"job-456",
                                std::nullopt,
                                98,
                                2,
                                3600.0,
                                "2025-12-14T12:00:00Z",
                                "",
                                {{"jsonl", "file:///x"}},
                                {{"total_events", "490"}}};
  event = json::parse(build_event(request, kContext));
  CHECK(event["type"] == "com.storytelling.nlp.batch.completed");
  CHECK(event["data"] == json::parse(R"({"job_id":"job-456","total_documents":100,"successful":98,"failed":2,
    "duration_seconds":3600,"started_at":"2025-12-14T12:00:00Z","completed_at":"2025-12-14T12:00:00.000Z",
    "output_locations":{"jsonl":"file:///x"},"aggregate_metrics":{"total_events":490}})"));
}

TEST_CASE("emit: what is wrong is named with its option", "[edge][emit]") {
  CHECK(holds(refusal(EmitRequest{}), "--type is missing"));
  EmitRequest request = free_event();
  EmitContext context = kContext;
  context.data = "{\"a\":}";
  CHECK(holds(refusal(request, context), "no valid event"));
  context.data = "{}, \"id\": \"other\"";
  CHECK(holds(refusal(request, context), "no valid event"));
  context.data = "";
  CHECK(holds(refusal(request, context), "no valid event"));
  for (const char* name : {"Upper", "with-dash", "", "id", "data", "specversion", "time"}) {
    request = free_event();
    request.extensions = {{name, "x"}};
    CHECK(holds(refusal(request), "--extension " + std::string(name) + ": "));
  }
  request = free_event();
  request.extensions = {{"a", "1"}, {"a", "2"}};
  CHECK(holds(refusal(request), "given twice"));
  request = free_event();
  request.source = "";
  CHECK(holds(refusal(request), "source"));
  request = free_event();
  request.data_content_type = "nonsense";
  CHECK(holds(refusal(request, context), "--content-type"));
  CHECK(holds(refusal(request), "no data"));

  request = EmitRequest{};
  for (const char* number : {"ten", "0x10", ".5", "+1", "01", "1.", "1e", "inf", "", "1,\"x\":2"}) {
    request.body = DocumentProcessed{"d", "", std::nullopt, {}, {{"count", number}}, {}};
    CHECK(holds(refusal(request), "--metric count: expected a number"));
  }
  request.body = DocumentProcessed{"d", "", -1.0, {}, {}, {}};
  CHECK(holds(refusal(request), "--processing-time-seconds"));
  request.body = BatchStarted{"j", 1, "yesterday", {}};
  CHECK(holds(refusal(request), "--started-at: expected a time like"));
  request.body = BatchCompleted{"j", 3, 2, 2, std::nullopt, "", "", {}, {}};
  CHECK(holds(refusal(request), "--total-documents: 3 is less"));
  request.body = BatchStarted{"j", 1, "", {}};
  request.type = "mine";
  CHECK(holds(refusal(request), "--type: batch.started has a type of its own"));
}

TEST_CASE("emit: an event that is taken is an id, an answer and exit 0", "[edge][emit]") {
  OneAnswer server("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
  EmitRequest request;
  request.to = server.url();
  request.token = "secret";
  request.body = DocumentProcessed{"d", "", std::nullopt, {}, {}, {}};
  const Ran ran = run(request);
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  const std::string sent = server.finish();
  CHECK(sent.rfind("POST /events HTTP/1.1\r\n", 0) == 0);
  CHECK(holds(sent, "\r\nContent-Type: application/cloudevents+json"));
  CHECK(holds(sent, "\r\nAuthorization: Bearer secret\r\n"));
  const json event = json::parse(sent.substr(sent.find("\r\n\r\n") + 4));
  CHECK(event["id"].get<std::string>().size() == 36);
  CHECK(ran.out == "id " + event["id"].get<std::string>() + "\nanswer 202\n");
}

TEST_CASE("emit: a refusal is exit 1 with the reason", "[edge][emit]") {
  OneAnswer server("HTTP/1.1 409 Conflict\r\nContent-Length: 21\r\n\r\nExtraction stopped \n\r\n");
  EmitRequest request = free_event();
  request.print_only = false;
  request.to = server.url();
  request.id = "mine";
  const Ran ran = run(request);
  CHECK(ran.code == 1);
  CHECK(ran.out == "id mine\n");
  CHECK(ran.err == "answer 409 Extraction stopped \n");
}

TEST_CASE("emit: a redirect is not followed", "[edge][emit]") {
  OneAnswer server("HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  EmitRequest request = free_event();
  request.print_only = false;
  request.to = server.url();
  CHECK(run(request).code == 1);
}

TEST_CASE("emit: nobody there is exit 1, a URL that is none is exit 64", "[edge][emit]") {
  OneAnswer gone("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EmitRequest request = free_event();
  request.print_only = false;
  request.to = gone.url();
  CHECK(run(request).code == 0);
  gone.finish();
  const Ran ran = run(request);
  CHECK(ran.code == 1);
  CHECK(holds(ran.err, request.to));
  for (const char* url : {"ftp://127.0.0.1/", "file:///etc/passwd", "http://[", "no scheme://x"}) {
    request.to = url;
    try {
      (void)run(request);
      FAIL("accepted");
    } catch (const SetupError& error) {
      CHECK(error.code() == kUsage);
      CHECK(holds(error.what(), url));
    }
  }
}

TEST_CASE("emit: data comes from a file or from standard input, within a bound", "[edge][emit]") {
  EmitRequest request = free_event();
  request.data_file = "-";
  CHECK(json::parse(run(request, "{\"a\":1}").out)["data"]["a"] == 1);
  CHECK_THROWS_AS(run(request, std::string(2 * 1024 * 1024, ' ')), SetupError);
  std::string path = (std::filesystem::temp_directory_path() / "sluice-emit-XXXXXX").string();
  const int fd = ::mkstemp(path.data());
  REQUIRE(fd >= 0);
  ::close(fd);
  std::ofstream(path) << "[1,2]";
  request.data_file = path;
  CHECK(json::parse(run(request).out)["data"] == json::parse("[1,2]"));
  std::filesystem::remove(path);
  CHECK_THROWS_AS(run(request), SetupError);
}
