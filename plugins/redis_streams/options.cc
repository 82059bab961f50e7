#include "options.hh"

#include "client.hh"

#include <sluice/cpp/guard.hh>

#include <cmath>
#include <cstdlib>

#include <unistd.h>

namespace redis_streams {
namespace {

using std::chrono::milliseconds;

std::string machine_name() {
  if (const char* name = std::getenv("HOSTNAME"); name != nullptr && *name != 0) return name;
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != 0 ? name : "sluice";
}

/// `url` wins over the single keys.
Address read_address(sluice::ConfigView config) {
  if (config.has("url")) return parse_address(config.text("url"));
  Address address;
  address.host = config.text("host");
  address.port = static_cast<std::uint16_t>(config.integer("port"));
  address.database = static_cast<std::uint32_t>(config.integer("db"));
  address.user = config.text("username");
  address.password = config.text("password");
  return address;
}

Endpoint read_endpoint(sluice::ConfigView config) {
  Endpoint endpoint;
  endpoint.address = read_address(config);
  endpoint.tls = {config.text("tls/ca_file"), config.text("tls/certificate_file"), config.text("tls/key_file")};
  if (endpoint.tls.certificate.empty() != endpoint.tls.key.empty()) {
    throw sluice::BadConfig("tls: certificate_file and key_file belong together: give both, or none");
  }
  if (config.has("sentinel")) {
    endpoint.sentinel_primary = config.text("sentinel/master");
    for (const std::string& each : config.texts("sentinel/addresses")) {
      Address sentinel = parse_authority(each, 26379);
      sentinel.password = config.text("sentinel/password");
      sentinel.tls = endpoint.address.tls;
      endpoint.sentinels.push_back(std::move(sentinel));
    }
  }
  if (endpoint.address.tls && !has_tls()) {
    throw sluice::BadConfig(
        "url: rediss:// needs TLS, and the hiredis that this module was built with has none: build with hiredis 1.x "
        "and its ssl part, or reach the server through a tunnel with redis://");
  }
  return endpoint;
}

}  // namespace

std::string Endpoint::shown() const {
  if (sentinels.empty()) return address.shown();
  return "'" + sentinel_primary + "' of the sentinels at " + sentinels.front().shown() +
         (sentinels.size() > 1 ? " and " + std::to_string(sentinels.size() - 1) + " more" : "");
}

BackendOptions read_backend_options(sluice::ConfigView config) {
  BackendOptions options;
  options.endpoint = read_endpoint(config);
  options.stream = config.text("stream_name");
  options.field = config.text("field");
  options.key_prefix = config.text("key_prefix");
  options.max_len = static_cast<std::uint64_t>(config.integer("max_len"));
  options.ttl = std::chrono::seconds(config.integer("ttl_seconds"));
  options.timeout = milliseconds(std::llround(config.number("connection_pool/timeout") * 1000));
  options.window = static_cast<std::uint32_t>(config.integer("window"));
  options.event_bytes_max = static_cast<std::uint64_t>(config.integer("max_event_bytes"));
  return options;
}

RangeOptions read_range_options(sluice::ConfigView config) {
  RangeOptions options;
  options.endpoint = read_endpoint(config);
  options.stream = config.text("stream_name");
  options.field = config.text("field");
  options.checkpoint = config.text("checkpoint");
  options.delete_delivered = config.boolean("delete_delivered");
  options.timeout = config.duration("timeout");
  return options;
}

SourceOptions read_source_options(sluice::ConfigView config, std::string_view node) {
  SourceOptions options;
  options.endpoint = read_endpoint(config);
  options.stream = config.text("source_stream");
  options.group = config.text("consumer_group");
  options.consumer = config.text("consumer_name");
  if (options.consumer.empty()) options.consumer = machine_name() + "-" + std::string(node);
  options.field = config.text("field");
  options.batch_size = static_cast<std::uint32_t>(config.integer("batch_size"));
  options.in_flight_max = static_cast<std::uint32_t>(config.integer("max_in_flight"));
  options.poll_interval = milliseconds(config.integer("poll_interval_ms"));
  options.timeout = config.duration("timeout");
  options.retry = config.duration("retry_after");
  options.claim_idle = config.duration("claim_idle_ms");
  options.deliveries_max = static_cast<std::uint64_t>(config.integer("max_deliveries"));
  options.stop_at_end = config.boolean("stop_at_end");
  options.process_backlog = config.boolean("process_backlog");
  options.backlog_batch_size = static_cast<std::uint32_t>(config.integer("backlog_batch_size"));
  options.backlog_age_max = milliseconds(std::llround(config.number("backlog_max_age_hours") * 3'600'000));
  return options;
}

}  // namespace redis_streams
