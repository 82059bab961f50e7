// The backend against real servers: a Python receiver that answers, hangs, resets and lies, and nginx.
#include "catch.hh"
#include "far_side.hh"
#include "plugin_rig.hh"

#include <sluice/ext/codes.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <chrono>
#include <cstring>
#include <functional>
#include <set>

using test::Receiver;
using test::Request;

namespace {

const sluice_class& webhook_class() { return rig::class_of(*sluice_module_v1(), "webhook"); }

std::string event(int id, const std::string& more = "") {
  return R"({"specversion":"1.0","id":")" + std::to_string(id) + R"(","source":"/s","type":"t")" + more + "}";
}

std::vector<std::string> events(int count) {
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) all.push_back(event(i));
  return all;
}

/// A backend, offered what it leaves over until all is completed: a lane in five lines.
struct Lane {
  Lane(const std::string& url, const std::string& more = "")
      : node(webhook_class(), R"({"url":")" + url + "\"" + more + "}", host) {
    node.start();
  }
  /// Steps until `what` holds; false when it never did.
  bool until(const std::function<bool()>& what) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!what()) {
      if (std::chrono::steady_clock::now() > give_up) return false;
      node.poll(20);
    }
    return true;
  }
  /// Publishes the texts and waits for their completions.
  const std::vector<rig::Completion>& deliver(const std::vector<std::string>& texts) {
    // Batches stay: what was taken is lent until it is completed.
    batches.push_back(std::make_unique<rig::Batch>(texts, ticket));
    sluice_batch rest = *batches.back();
    const std::size_t wanted = host.completions.size() + texts.size();
    until([&] {
      const std::uint32_t taken = node.publish(rest);
      rest.events = static_cast<const char*>(rest.events) + std::size_t{taken} * rest.stride;
      rest.count -= taken;
      rest.ticket += taken;
      if (rest.count == 0) node.flush();
      return host.completions.size() >= wanted;
    });
    ticket += texts.size();
    REQUIRE(host.completions.size() == wanted);
    return host.completions;
  }
  const rig::Completion& deliver_one() { return deliver({event(1)}).back(); }

  rig::Host host;
  rig::Node node;
  std::vector<std::unique_ptr<rig::Batch>> batches;
  std::uint64_t ticket = 100;
};

/// A port where nobody listens.
int closed_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof at);
  socklen_t size = sizeof at;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size);
  ::close(fd);
  return ntohs(at.sin_port);
}

}  // namespace

TEST_CASE("webhook: an event arrives as it was received, with the headers of the document", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/hook?x=1"),
            R"(,"headers":{"X-API-Key":"k3y","Content-Type":"application/cloudevents+json","X-Empty":""})");
  const std::string text = event(7, R"(,"data":{ "a" : 1.0 })");
  CHECK(lane.deliver({text}).back().status == SLUICE_OK);
  const Request request = far.request();
  CHECK(request.method == "POST");
  CHECK(request.path == "/hook?x=1");
  CHECK(request.body == text);
  CHECK(request.header("content-type") == "application/cloudevents+json");
  CHECK(request.header("x-api-key") == "k3y");
  CHECK(request.header("x-empty").empty());
  CHECK(request.header("user-agent") == "sluice/0.1");
  CHECK(request.header("expect") == "(absent)");
  CHECK_FALSE(lane.host.logged("k3y"));
}

TEST_CASE("webhook: many events go out in parallel, each is completed once, connections are kept", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/ok"), R"(,"max_in_flight":8)");
  const auto& done = lane.deliver(events(150));  // what the receiver tells of them must fit into a pipe
  std::set<std::uint64_t> tickets;
  for (const rig::Completion& one : done) tickets.insert(one.ticket);
  CHECK(tickets.size() == 150);
  CHECK(*tickets.begin() == 100);
  CHECK(lane.host.completed(SLUICE_OK) == 150);
  std::set<int> peers;
  std::set<std::string> bodies;
  for (int i = 0; i < 150; ++i) {
    const Request request = far.request();
    peers.insert(request.peer);
    bodies.insert(request.body);
  }
  CHECK(peers.size() <= 8);
  CHECK(bodies.size() == 150);
}

TEST_CASE("webhook: publish takes a prefix while all requests are under way", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/hang"), R"(,"max_in_flight":3)");
  rig::Batch batch(events(10), 1);
  CHECK(lane.node.publish(batch) == 3);
  CHECK(lane.node.publish(batch) == 0);
  lane.node.stop();
  CHECK(lane.host.completed(SLUICE_CANCELLED) == 3);
}

TEST_CASE("webhook: batches fill up to batch_size, and what is there goes at flush", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/ok"), R"(,"mode":"batched","batch_size":100)");
  lane.deliver(events(256));
  CHECK(lane.host.completed(SLUICE_OK) == 256);
  std::multiset<std::size_t> sizes;
  for (int i = 0; i < 3; ++i) {
    const Request request = far.request();
    CHECK(request.header("content-type") == "application/cloudevents-batch+json");
    sizes.insert(nlohmann::json::parse(request.body).size());
  }
  CHECK(sizes == std::multiset<std::size_t>{56, 100, 100});
}

TEST_CASE("webhook: a batch is bounded in bytes too, and one event always fits", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/ok"), R"(,"mode":"batched","batch_bytes":1024)");
  lane.deliver({event(1, R"(,"data":")" + std::string(5000, 'x') + "\""), event(2), event(3)});
  std::multiset<std::size_t> sizes;
  for (int i = 0; i < 2; ++i) sizes.insert(nlohmann::json::parse(far.request().body).size());
  CHECK(sizes == std::multiset<std::size_t>{1, 2});
}

TEST_CASE("webhook: binary mode sends data as the body and attributes as encoded headers", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/ok"), R"(,"mode":"binary")");
  lane.deliver({event(1, R"(,"subject":"50% \"café\"","myext":"v","data":{"a":1})")});
  const Request request = far.request();
  CHECK(request.body == R"({"a":1})");
  CHECK(request.header("content-type") == "application/json");
  CHECK(request.header("ce-specversion") == "1.0");
  CHECK(request.header("ce-id") == "1");
  CHECK(request.header("ce-source") == "/s");
  CHECK(request.header("ce-type") == "t");
  CHECK(request.header("ce-subject") == "50%25%20%22caf%C3%A9%22");
  CHECK(request.header("ce-myext") == "v");
  CHECK(request.header("ce-time") == "(absent)");

  lane.deliver({event(2, R"(,"datacontenttype":"text/plain")")});
  CHECK(far.request().header("content-type") == "text/plain");
  lane.deliver({event(3)});
  const Request bare = far.request();
  CHECK(bare.header("content-type") == "(absent)");
  CHECK(bare.body.empty());
}

TEST_CASE("webhook: requests carry a Standard Webhooks signature that the receiver can check", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/ok"), R"(,"signature":{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"})");
  lane.deliver({event(5)});
  const Request request = far.request();
  CHECK(request.header("webhook-id") == "5");
  test::Folder folder;
  std::ofstream(folder / "signed") << "5." << request.header("webhook-timestamp") << "." << request.body;
  test::shell(
      "openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf %s MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw | base64 -d | "
      "od -An -tx1 | tr -d ' \\n') -binary " +
      folder / "signed" + " | base64 > " + folder / "mac");
  std::string mac;
  std::ifstream(folder / "mac") >> mac;
  CHECK(request.header("webhook-signature") == "v1," + mac);
  CHECK(std::abs(std::stoll(request.header("webhook-timestamp")) - std::time(nullptr)) < 60);
}

TEST_CASE("webhook: what the far side says decides who is to blame", "[webhook]") {
  Receiver far;
  const auto answered = [&](const std::string& path) { return Lane(far.url(path)).deliver_one(); };

  rig::Completion done = answered("/status/500");
  CHECK(done.status == SLUICE_AGAIN);
  CHECK(done.code == 500);
  CHECK(done.reason == "HTTP 500: why: it is so");
  CHECK(answered("/status/408").status == SLUICE_AGAIN);
  done = answered("/status/503?retry-after=12");
  CHECK(done.status == SLUICE_AGAIN);
  CHECK(done.retry_after_ms == 12'000);
  done = answered("/status/429?retry-after=3");
  CHECK(done.status == SLUICE_AWAY);
  CHECK(done.retry_after_ms == 3'000);
  CHECK(answered("/status/401").status == SLUICE_AWAY);
  CHECK(answered("/status/403").status == SLUICE_AWAY);
  CHECK(answered("/status/400").status == SLUICE_REJECTED);
  CHECK(answered("/status/413").status == SLUICE_REJECTED);
  CHECK(answered("/status/415").status == SLUICE_REJECTED);
}

TEST_CASE("webhook: a redirect is never followed", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/redirect"));
  const rig::Completion& done = lane.deliver_one();
  CHECK(done.status == SLUICE_REJECTED);
  CHECK(done.code == 302);
  CHECK_THAT(done.reason, Catch::Contains("redirect"));
  CHECK(far.request().path == "/redirect");
  Lane(far.url("/ok")).deliver_one();
  CHECK(far.request().path == "/ok");  // the next request it saw is ours, not a followed one
}

TEST_CASE("webhook: 410 retires the URL for good, and says so once", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/status/410"));
  CHECK(lane.deliver_one().status == SLUICE_REJECTED);
  const rig::Completion& later = lane.deliver({event(2), event(3)}).back();
  CHECK(later.status == SLUICE_REJECTED);
  CHECK_THAT(later.reason, Catch::Contains("410 Gone"));
  CHECK(lane.host.logged("410 Gone"));
  CHECK(lane.host.logs.size() == 1);
  far.request();
  Lane(far.url("/ok")).deliver_one();
  CHECK(far.request().path == "/ok");  // nothing was sent in between
}

TEST_CASE("webhook: a far side that hangs, resets, cuts off or talks nonsense costs an attempt", "[webhook]") {
  Receiver far;
  rig::Completion done = Lane(far.url("/hang"), R"(,"timeout_seconds":0.2)").deliver_one();
  CHECK(done.status == SLUICE_AGAIN);
  CHECK(done.code == SLUICE_CODE_PERHAPS_DELIVERED);
  CHECK_THAT(done.reason, Catch::Contains("timed out"));
  for (const char* path : {"/reset", "/garbage", "/cut"}) {
    INFO(path);
    CHECK(Lane(far.url(path)).deliver_one().status == SLUICE_AGAIN);
  }
  CHECK(Lane(far.url("/long")).deliver_one().status == SLUICE_OK);  // a status came; the endless body is cut off
}

TEST_CASE("webhook: a far side that is not there is away, and nothing is charged", "[webhook]") {
  const std::string url = "http://127.0.0.1:" + std::to_string(closed_port()) + "/";
  Lane lane(url);
  const rig::Completion& done = lane.deliver_one();
  CHECK(done.status == SLUICE_AWAY);
  CHECK_THAT(done.reason, Catch::Contains("connect"));
  CHECK(lane.node.probe() == SLUICE_AWAY);
  CHECK(Lane("http://no-such-host.invalid/").deliver_one().status == SLUICE_AWAY);

  Receiver far;
  Lane there(far.url("/ok"));
  CHECK(there.node.probe() == SLUICE_OK);
  CHECK(there.deliver_one().status == SLUICE_OK);
  far.end();
  CHECK(there.deliver_one().status == SLUICE_AWAY);  // the kept connection is dead, and a new one is refused
}

TEST_CASE("webhook: a certificate is checked against its authority, name and time", "[webhook][tls]") {
  const test::Certificates certificates;
  const auto tried = [&](const std::string& name, const std::string& more) {
    Receiver far(certificates[name + ".pem"], certificates[name + ".key"]);
    return Lane("https://127.0.0.1:" + std::to_string(far.port()) + "/ok", more).deliver_one();
  };
  const std::string ca = R"(,"ca_file":")" + certificates["ca.pem"] + "\"";
  CHECK(tried("good", ca).status == SLUICE_OK);
  rig::Completion done = tried("good", "");
  CHECK(done.status == SLUICE_AWAY);
  CHECK_THAT(done.reason, Catch::Contains("certificate"));
  CHECK(tried("good", R"(,"ca_file":")" + certificates["other.pem"] + "\"").status == SLUICE_AWAY);
  done = tried("other_name", ca);
  CHECK(done.status == SLUICE_AWAY);
  CHECK_THAT(done.reason, Catch::Contains("name"));
  done = tried("expired", ca);
  CHECK(done.status == SLUICE_AWAY);
  CHECK_THAT(done.reason, Catch::Contains("expired"));
  CHECK(tried("expired", R"(,"verify_ssl":false)").status == SLUICE_OK);
}

TEST_CASE("webhook: HTTP/2 is agreed on by TLS, many requests share a connection", "[webhook][tls]") {
  const test::Certificates certificates;
  const test::Folder folder;
  const int port = closed_port(), plain_port = closed_port(), answer_port = closed_port();
  std::ofstream(folder / "nginx.conf") << "daemon off; pid " << folder / "pid"
                                       << "; error_log stderr crit; worker_processes 1; events {}\n"
                                       << "http { log_format two '$server_protocol $connection'; access_log "
                                       << folder / "access"
                                       << " two;\n"
                                       << "client_body_temp_path " << folder / "body"
                                       << "; proxy_temp_path " << folder / "p"
                                       << "; fastcgi_temp_path " << folder / "f"
                                       << "; uwsgi_temp_path " << folder / "u"
                                       << "; scgi_temp_path " << folder / "s"
                                       << ";\n"
                                       << "server { listen 127.0.0.1:" << port << " ssl http2; ssl_certificate "
                                       << certificates["good.pem"] << "; ssl_certificate_key "
                                       << certificates["good.key"]
                                       << "; location / { proxy_pass http://127.0.0.1:" << answer_port
                                       << "; } }\n"
                                       // nginx answers `return` before it has read the body: as a receiver that takes
                                       // the body it stands in front of that.
                                       << "server { listen 127.0.0.1:" << answer_port
                                       << "; access_log off; location / { return 204; } }\n"
                                       << "server { listen 127.0.0.1:" << plain_port
                                       << " http2; location / { return 204; } } }\n";
  test::Process nginx({"/usr/sbin/nginx", "-c", folder / "nginx.conf", "-p", folder.path(), "-e", "stderr"});
  const std::string ca = R"(,"ca_file":")" + certificates["ca.pem"] + "\"";
  const auto url = [](const std::string& scheme, int at) {
    return scheme + "://127.0.0.1:" + std::to_string(at) + "/";
  };

  Lane lane(url("https", port), ca);
  REQUIRE(lane.until([&] { return lane.node.probe() == SLUICE_OK; }));
  INFO(lane.deliver(events(200)).front().reason);
  CHECK(lane.host.completed(SLUICE_OK) == 200);
  Lane one(url("https", port), ca + R"(,"http_version":"1.1")");
  CHECK(one.deliver_one().status == SLUICE_OK);
  Lane prior(url("http", plain_port), R"(,"http_version":"2")");
  CHECK(prior.deliver_one().status == SLUICE_OK);

  nginx.end();
  std::ifstream log(folder / "access");
  std::map<std::string, int> protocols;
  std::set<std::string> connections;
  for (std::string protocol, connection; log >> protocol >> connection; ++protocols[protocol]) {
    if (protocol == "HTTP/2.0") connections.insert(connection);
  }
  CHECK(protocols["HTTP/2.0"] == 201);
  CHECK(protocols["HTTP/1.1"] == 1);
  CHECK(connections.size() <= 4);
}

TEST_CASE("webhook: consent is asked for before the first delivery, and the granted rate is kept", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/consent"), R"(,"origin":"sluice.example.org","handshake":true,"requested_rate":120)");
  lane.deliver(events(2));
  const Request question = far.request();
  CHECK(question.method == "OPTIONS");
  CHECK(question.header("WebHook-Request-Origin") == "sluice.example.org");
  CHECK(question.header("WebHook-Request-Rate") == "120");
  CHECK(far.request().header("WebHook-Request-Origin") == "sluice.example.org");
  far.request();
  rig::Batch third({event(3)}, lane.ticket);
  CHECK(lane.node.publish(third) == 0);  // two a minute were granted
  lane.host.advance_ms(31'000);
  CHECK(lane.node.publish(third) == 1);
  CHECK(lane.until([&] { return lane.host.completed(SLUICE_OK) == 3; }));
}

TEST_CASE("webhook: without consent nothing is sent", "[webhook]") {
  Receiver far;
  Lane lane(far.url("/no"), R"(,"origin":"sluice.example.org","handshake":true)");
  rig::Batch batch({event(1)}, 1);
  CHECK(lane.until([&] {
    CHECK(lane.node.publish(batch) == 0);
    return lane.node.status == SLUICE_AWAY;
  }));
  CHECK_THAT(lane.node.error, Catch::Contains("no consent"));
  CHECK(far.request().method == "OPTIONS");
  lane.node.stop();
}

TEST_CASE("webhook: a configuration that cannot work is refused with its key", "[webhook]") {
  rig::Host host;
  const auto refused = [&](const std::string& config, const std::string& part) {
    INFO(config);
    CHECK_THROWS_WITH(rig::Node(webhook_class(), config, host), Catch::Contains(part));
  };
  refused("{}", "url");
  refused(R"({"url":"ftp://h/"})", "ftp");
  refused(R"({"url":"nonsense and blanks"})", "not a URL");
  refused(R"({"url":"http://"})", "not a URL");
  refused(R"({"url":"http://h/","headers":{"A b":"1"}})", "headers/A b");
  refused(R"({"url":"http://h/","headers":{"X":"a\r\nEvil: 1"}})", "line break");
  refused(R"({"url":"http://h/","headers":{"Content-Length":"1"}})", "headers/Content-Length");
  refused(R"({"url":"http://h/","headers":{"Content-Type":"application/json"}})", "application/cloudevents+json");
  refused(R"({"url":"http://h/","mode":"batched","headers":{"Content-Type":"application/cloudevents+json"}})",
          "batched");
  refused(R"({"url":"http://h/","handshake":true})", "origin");
  refused(R"({"url":"http://h/","signature":{"secret":"whsec_***"}})", "base64");
}

TEST_CASE("webhook: the node of a fan-out sees one URL of the list", "[webhook]") {
  Receiver far;
  rig::Host host;
  rig::Node node(webhook_class(), R"({"urls":[")" + far.url("/ok") + "\"]}", host);
  rig::Batch batch({event(1)}, 1);
  CHECK(node.publish(batch) == 1);
  while (host.completions.empty()) node.poll(20);
  CHECK(host.completed(SLUICE_OK) == 1);
}
