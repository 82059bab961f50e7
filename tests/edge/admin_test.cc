// The admin pages as a client gets them: over a real socket, and read by the programs that read them in earnest.
#include "admin_graph.hh"
#include "catch.hh"
#include "core/setup_error.hh"
#include "edge/admin_server.hh"
#include "edge/log.hh"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace sluice;
using nlohmann::json;

namespace {

class QuietLog final : public Log {
 public:
  bool enabled(Level) const noexcept override { return true; }
  void write(Level level, std::string_view sentence, std::span<const Field>) noexcept override {
    if (level >= Level::warn) warnings += std::string(sentence) + "\n";
  }
  std::string warnings;
};

struct Client {
  explicit Client(std::uint16_t port) : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval limit{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { ::close(fd); }
  void send(const std::string& text) {
    REQUIRE(::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
  }
  /// Everything until the server closes.
  std::string read_all() {
    std::string all;
    char part[4096];
    for (ssize_t got; (got = ::read(fd, part, sizeof part)) > 0;) all.append(part, static_cast<std::size_t>(got));
    return all;
  }
  int fd;
};

struct Answer {
  int status = 0;
  std::string head, body;
};

Answer parse(const std::string& text) {
  const std::size_t end = text.find("\r\n\r\n");
  REQUIRE(end != std::string::npos);
  return {std::atoi(text.c_str() + 9), text.substr(0, end), text.substr(end + 4)};
}

Answer ask(std::uint16_t port, const std::string& target, const std::string& method = "GET") {
  Client client(port);
  client.send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  return parse(client.read_all());
}

struct Served {
  Served()
      : server(
            "127.0.0.1:0",
            [this](std::string_view target) {
              return admin_page({view.graph, [this] { return samples; }, read_process_facts}, target);
            },
            log) {}
  QuietLog log;
  AdminGraph view;
  std::vector<MetricSample> samples;
  AdminServer server;
};

bool holds(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// Runs `promtool check metrics` over text; what it complains about, and its exit code.
std::pair<std::string, int> promtool(const std::string& text) {
  std::string folder = (std::filesystem::temp_directory_path() / "sluice-admin-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  std::ofstream(folder + "/metrics") << text;
  FILE* pipe = ::popen(("promtool check metrics < " + folder + "/metrics 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string said;
  char part[512];
  while (std::fgets(part, sizeof part, pipe) != nullptr) said += part;
  const int status = ::pclose(pipe);
  std::filesystem::remove_all(folder);
  return {said, WEXITSTATUS(status)};
}

}  // namespace

TEST_CASE("admin: /health shows every node, and is well while all run", "[edge][admin]") {
  Served served;
  served.view.fill();
  const Answer answer = ask(served.server.port(), "/health");
  CHECK(answer.status == 200);
  CHECK(holds(answer.head, "application/json"));
  const json health = json::parse(answer.body);
  CHECK(health["status"] == "ok");
  REQUIRE(health["nodes"].size() == 4);
  CHECK(health["nodes"][2]["name"] == "stream");
  CHECK(health["nodes"][2]["kind"] == "backend");
  CHECK(health["nodes"][2]["class"] == "redis_streams");
  CHECK(health["nodes"][2]["state"] == "running");
  CHECK(health["nodes"][2]["breaker"] == "closed");
  CHECK(health["nodes"][2]["queue"]["events"] == 3);
  CHECK(health["nodes"][2]["queue"]["bytes"] == 1755);
  CHECK_FALSE(health["nodes"][2].contains("last_error"));
  CHECK_FALSE(health["nodes"][0].contains("queue"));
}

TEST_CASE("admin: /health is 503 when a required node is down, and degraded when another is", "[edge][admin]") {
  Served served;
  served.view[3].state = NodeState::away;
  served.view[3].set_error("connection \"refused\"", 1'765'713'600'123'000'000);
  Answer answer = ask(served.server.port(), "/health");
  CHECK(answer.status == 200);
  json health = json::parse(answer.body);
  CHECK(health["status"] == "degraded");
  CHECK(health["nodes"][3]["last_error"]["text"] == "connection \"refused\"");
  CHECK(health["nodes"][3]["last_error"]["time"] == "2025-12-14T12:00:00.123Z");

  for (const auto state : {NodeState::broken, NodeState::away}) {
    served.view[2].state = state;
    answer = ask(served.server.port(), "/health");
    CHECK(answer.status == 503);
    CHECK(json::parse(answer.body)["status"] == "down");
  }
  served.view[2].state = NodeState::running;
  served.view[2].breaker = BreakerState::open;
  answer = ask(served.server.port(), "/health");
  CHECK(answer.status == 503);
  CHECK(json::parse(answer.body)["nodes"][2]["breaker"] == "open");
}

TEST_CASE("admin: /ready waits for every required node and ends with the drain", "[edge][admin]") {
  Served served;
  served.view[3].state = NodeState::away;  // not required
  CHECK(ask(served.server.port(), "/ready").status == 200);
  served.view[0].state = NodeState::ended;  // a file that was read to its end
  CHECK(ask(served.server.port(), "/ready").status == 200);
  for (const auto state : {NodeState::starting, NodeState::draining, NodeState::away, NodeState::stopped}) {
    served.view[2].state = state;
    const Answer answer = ask(served.server.port(), "/ready");
    CHECK(answer.status == 503);
    const json ready = json::parse(answer.body);
    CHECK(ready["ready"] == false);
    REQUIRE(ready["waiting_for"].size() == 1);
    CHECK(ready["waiting_for"][0]["name"] == "stream");
    CHECK(ready["waiting_for"][0]["state"] == to_text(state));
  }
}

TEST_CASE("admin: /stats has the documents' figures, in all and for each backend", "[edge][admin]") {
  Served served;
  served.view.fill();
  const json stats = json::parse(ask(served.server.port(), "/stats").body);
  CHECK(stats["events_published"] == 9);
  CHECK(stats["events_failed"] == 2);
  CHECK(stats["success_rate"].get<double>() == Approx(9.0 / 11));
  const json& stream = stats["backends"]["stream"];
  CHECK(stream["events_published"] == 9);
  CHECK(stream["events_failed"] == 1);
  CHECK(stream["success_rate"].get<double>() == Approx(0.9));
  CHECK(stream["avg_latency_ms"].get<double>() == Approx(12).epsilon(0.001));
  CHECK(stream["p50_latency_ms"].get<double>() == Approx(1).epsilon(0.2));
  CHECK(stream["p99_latency_ms"].get<double>() == Approx(100).epsilon(0.2));
  CHECK(stats["backends"]["hooks[0]"]["dead_lettered"] == 3);
  CHECK(stats["backends"]["hooks[0]"]["events_failed"] == 3);
  CHECK(stats["sources"]["http"]["settled"]["rejected"] == 2);
  CHECK(stats["sources"]["http"]["undecodable"] == 1);
  const json& type = stats["by_type"]["com.storytelling.nlp.document.processed"];
  CHECK(type["received"] == 8);
  CHECK(type["delivered"] == 12);
  CHECK(type["failed"] == 4);
}

TEST_CASE("admin: /stats of a graph that did nothing yet has no division by zero in it", "[edge][admin]") {
  Served served;
  const json stats = json::parse(ask(served.server.port(), "/stats").body);
  CHECK(stats["success_rate"] == 1.0);
  CHECK(stats["avg_latency_ms"] == 0.0);
  CHECK(stats["by_type"].empty());
}

TEST_CASE("admin: /metrics passes promtool, with types that nobody would choose", "[edge][admin]") {
  Served served;
  served.samples = {
      {"early_check", "documents_total", "Documents seen.", SLUICE_COUNTER, {{"status", "success"}}, 7},
      {"early_check", "documents_total", "Documents seen.", SLUICE_COUNTER, {{"status", "a\"b\\c\n\xFF"}}, 1},
      {"early_check", "success_ratio", "Share of successes.", SLUICE_GAUGE, {}, 0.875},
      {"early_check", "queue_events", "A name that the host has too.", SLUICE_GAUGE, {{"node", "x"}}, 1},
  };
  for (const bool filled : {false, true}) {
    if (filled) served.view.fill();
    const Answer answer = ask(served.server.port(), "/metrics");
    CHECK(answer.status == 200);
    CHECK(holds(answer.head, "text/plain; version=0.0.4"));
    const auto [said, code] = promtool(answer.body);
    CHECK(said == "");
    CHECK(code == 0);
  }
}

TEST_CASE("admin: /metrics carries the numbers under their names", "[edge][admin]") {
  Served served;
  served.view.fill();
  served.samples = {{"early_check", "documents_total", "Documents seen.", SLUICE_COUNTER, {{"status", "ok"}}, 7},
                    {"stream", "queue_events", "A name that the host has too.", SLUICE_GAUGE, {{"node", "x"}}, 5}};
  served.view[3].breaker = BreakerState::open;
  const std::string text = ask(served.server.port(), "/metrics").body;
  const std::string type = "type=\"com.storytelling.nlp.document.processed\"";
  for (const std::string& line : {
           "sluice_events_in_total{node=\"http\",kind=\"source\"," + type + "} 8",
           "sluice_events_out_total{node=\"stream\",kind=\"backend\"," + type + "} 7",
           "sluice_events_rejected_total{node=\"stream\",kind=\"backend\"," + type + "} 1",
           "sluice_events_retried_total{node=\"hooks[0]\",kind=\"backend\"," + type + "} 6",
           "sluice_events_failed_total{node=\"hooks[0]\",kind=\"backend\"," + type + "} 3",
           std::string("sluice_queue_bytes{node=\"stream\",kind=\"backend\"} 1755"),
           std::string("sluice_breaker_state{node=\"hooks[0]\",state=\"open\"} 1"),
           std::string("sluice_breaker_state{node=\"stream\",state=\"open\"} 0"),
           std::string("sluice_node_up{node=\"hooks[0]\",kind=\"backend\",class=\"webhook\"} 0"),
           std::string("sluice_records_settled_total{node=\"http\",outcome=\"delivered\"} 9"),
           std::string("sluice_publish_latency_seconds_count{node=\"stream\"} 9"),
           std::string("sluice_publish_latency_seconds_bucket{node=\"stream\",le=\"+Inf\"} 9"),
           std::string("sluice_event_size_bytes_bucket{node=\"stream\",le=\"256\"} 0"),
           std::string("sluice_event_size_bytes_bucket{node=\"stream\",le=\"1024\"} 9"),
           std::string("sluice_event_size_bytes_sum{node=\"stream\"} 5265"),
           std::string("sluice_event_age_seconds_sum{node=\"stream\"} 18"),
           std::string("sluice_build_info{version=\"9.9.9\",plugin_abi=\"1.0\"} 1"),
           std::string("sluice_documents_total{node=\"early_check\",status=\"ok\"} 7"),
           std::string("sluice_plugin_queue_events{node=\"stream\",plugin_node=\"x\"} 5"),
       }) {
    INFO(line);
    CHECK(holds(text, "\n" + line + "\n"));
  }
  CHECK(holds(text, "process_resident_memory_bytes "));
  CHECK_FALSE(holds(text, "process_open_fds 0\n"));
  CHECK_FALSE(holds(text, "process_start_time_seconds 0\n"));
}

TEST_CASE("admin: other paths are 404 and name the pages, other methods are 405", "[edge][admin]") {
  Served served;
  const Answer missing = ask(served.server.port(), "/heath");
  CHECK(missing.status == 404);
  CHECK(json::parse(missing.body)["pages"].size() == 4);
  CHECK(ask(served.server.port(), "/health?verbose=1").status == 200);
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS"}) {
    const Answer refused = ask(served.server.port(), "/health", method);
    CHECK(refused.status == 405);
    CHECK(holds(refused.head, "Allow: GET, HEAD"));
  }
  const Answer head = ask(served.server.port(), "/stats", "HEAD");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK_FALSE(holds(head.head, "Content-Length: 0"));
}

TEST_CASE("admin: a kept connection serves one request after the other", "[edge][admin]") {
  Served served;
  Client client(served.server.port());
  client.send("GET /ready HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string both = client.read_all();
  CHECK(holds(both, "\"ready\":true"));
  CHECK(holds(both, "\"status\":\"ok\""));
}

TEST_CASE("admin: what is no HTTP, or too much of it, is refused", "[edge][admin]") {
  Served served;
  {
    Client client(served.server.port());
    client.send("hello\r\n\r\n");
    CHECK(parse(client.read_all()).status == 400);
  }
  {
    Client client(served.server.port());
    client.send("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(10'000, 'x'));
    CHECK(holds(client.read_all(), " 431 "));
  }
  {
    Client client(served.server.port());
    client.send("POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
    CHECK(holds(client.read_all(), " 413 "));
  }
  CHECK(ask(served.server.port(), "/health").status == 200);
}

TEST_CASE("admin: more clients than there are places are served in turn", "[edge][admin]") {
  Served served;
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 40; ++i) idle.push_back(std::make_unique<Client>(served.server.port()));
  Client last(served.server.port());
  last.send("GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  idle.clear();
  CHECK(parse(last.read_all()).status == 200);
}

TEST_CASE("admin: a page that cannot be made is a 500 and a line in the log", "[edge][admin]") {
  QuietLog log;
  AdminServer server(
      "127.0.0.1:0", [](std::string_view) -> AdminPage { throw std::runtime_error("no"); }, log);
  CHECK(ask(server.port(), "/health").status == 500);
  CHECK(holds(log.warnings, "could not be made"));
}

TEST_CASE("admin: an address that is wrong or taken is a setup error that says so", "[edge][admin]") {
  QuietLog log;
  const auto pages = [](std::string_view) { return AdminPage{}; };
  const AdminServer first("127.0.0.1:0", pages, log);
  const auto refusal = [&](const std::string& listen) -> std::string {
    try {
      const AdminServer server(listen, pages, log);
    } catch (const SetupError& error) {
      CHECK(error.code() == kBadConfig);
      return error.what();
    }
    return "accepted";
  };
  CHECK(holds(refusal(first.address()), "in use"));
  for (const char* listen : {"", "8686", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", "example:80", "1.2.3:80"}) {
    CHECK(holds(refusal(listen), "expected address:port"));
  }
  CHECK(log.warnings.empty());
  { const AdminServer open("0.0.0.0:0", pages, log); }
  CHECK(holds(log.warnings, "everybody"));
  const AdminServer six("[::1]:0", pages, log);
  CHECK(six.address().rfind("[::1]:", 0) == 0);
}

TEST_CASE("admin: reloads are counted by what became of them, and /health tells of the last one", "[edge][admin]") {
  AdminGraph graph;
  CHECK(health_page(graph.graph).body.find("last_reload") == std::string::npos);
  graph.graph.reloads = {2, 1, 0, "refused", "sluice.yaml:3:1: \"x\"", 1'767'225'600'000'000'000};
  const std::string health = health_page(graph.graph).body;
  CHECK(
      health.find(
          R"("last_reload":{"result":"refused","time":"2026-01-01T00:00:00.000Z","text":"sluice.yaml:3:1: \"x\""})") !=
      std::string::npos);
  const std::string metrics = metrics_page(graph.graph, {}, {}).body;
  CHECK(metrics.find("sluice_reloads_total{result=\"applied\"} 2") != std::string::npos);
  CHECK(metrics.find("sluice_reloads_total{result=\"refused\"} 1") != std::string::npos);
  CHECK(metrics.find("sluice_reloads_total{result=\"unchanged\"} 0") != std::string::npos);
}
