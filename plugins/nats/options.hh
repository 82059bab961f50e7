// What the nodes were told, checked. The schemas have seen to types, bounds and defaults.
#pragma once

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/template.hh>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace nats {

/// How a server is reached, and as whom.
struct Address {
  std::vector<std::string> servers;  // nats://host:port, without credentials
  std::string user, password, token, credentials_file;
  bool tls = false;
  std::string ca, certificate, key, server_name;
  std::string name;          // as the server shows it
  std::string inbox_prefix;  // "" = the library's own

  /// The servers, for people.
  [[nodiscard]] std::string shown() const;
};

struct StreamOptions {
  std::string name;
  std::vector<std::string> subjects;
  bool create = false;
  bool memory = false;
  std::chrono::milliseconds max_age{}, duplicate_window{};
  std::int64_t max_bytes = 0, max_messages = 0, replicas = 1;  // 0 = without end
  std::string must_take;                                       // a subject that the stream must take in; "" = any
};

struct ConsumerOptions {
  std::string stream, durable, filter;
  bool create = true;
  bool from_new = false;  // a consumer that is made starts at what comes, not at what is there
  std::chrono::milliseconds ack_wait{}, inactive_threshold{};  // 0: the server never removes it
  std::int64_t max_deliver = -1, max_ack_pending = 0;
};

struct BackendOptions {
  Address address;
  std::string subject_text;  // as configured, for people
  sluice::Template subject, message_id;
  bool jetstream = true, binary = false, content_type_header = false;
  StreamOptions stream;
  std::chrono::milliseconds timeout{};  // for a connection, and for the next answer while some are owed
  std::uint32_t window = 0;             // events that may be unanswered
};

struct SourceOptions {
  Address address;
  ConsumerOptions consumer;
  bool stop_at_end = false;
  bool delete_delivered = false;
  std::uint32_t batch_size = 0;
  std::uint64_t max_bytes = 0;  // of one fetch
  std::chrono::milliseconds timeout{}, fetch_wait{}, nak_delay{};
};

struct CoreSourceOptions {
  Address address;
  std::string subject, queue;
  std::uint32_t messages_max = 0;
  std::uint64_t bytes_max = 0;
  std::chrono::milliseconds timeout{};
};

/// Throw sluice::BadConfig.
[[nodiscard]] BackendOptions read_backend(sluice::ConfigView config);
[[nodiscard]] SourceOptions read_source(sluice::ConfigView config);
[[nodiscard]] CoreSourceOptions read_core_source(sluice::ConfigView config);

}  // namespace nats
