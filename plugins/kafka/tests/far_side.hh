// The far side of the live tests: the broker that the environment names (tests/servers/with_kafka.py), or librdkafka's
// mock cluster where there is none; and what a foreign program does there: make topics, write, read.
#pragma once

#include "catch.hh"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace kafka_test {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Message {
  std::optional<std::string> value;
  std::string key;
  Headers headers;
  std::int32_t partition = 0;
};

inline std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A client of the library with these properties.
class Handle {
 public:
  Handle(rd_kafka_type_t type, const std::vector<std::pair<std::string, std::string>>& properties) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char why[512];
    for (const auto& [name, value] : properties) {
      REQUIRE(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) == RD_KAFKA_CONF_OK);
    }
    handle = rd_kafka_new(type, conf, why, sizeof why);
    REQUIRE(handle != nullptr);
  }
  ~Handle() { rd_kafka_destroy(handle); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  rd_kafka_t* handle;
};

class Broker {
 public:
  /// One for all tests of the process.
  static Broker& get() {
    static Broker broker;
    return broker;
  }
  [[nodiscard]] bool real() const noexcept { return mock_ == nullptr; }
  [[nodiscard]] const std::string& servers() const noexcept { return servers_; }

  /// A topic that no other test has.
  std::string topic(int partitions = 1, const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    static std::atomic<int> made{0};
    const std::string name = "t" + std::to_string(::getpid()) + "-" + std::to_string(++made);
    make_topic(name, partitions, settings);
    return name;
  }
  void make_topic(const std::string& name, int partitions = 1,
                  const std::vector<std::pair<std::string, std::string>>& settings = {}) {
    if (!real()) {
      REQUIRE(rd_kafka_mock_topic_create(mock_, name.c_str(), partitions, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
      return;
    }
    char why[512];
    rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(name.c_str(), partitions, 1, why, sizeof why);
    for (const auto& [key, value] : settings) rd_kafka_NewTopic_set_config(wanted, key.c_str(), value.c_str());
    rd_kafka_queue_t* queue = rd_kafka_queue_new(admin_->handle);
    rd_kafka_CreateTopics(admin_->handle, &wanted, 1, nullptr, queue);
    rd_kafka_event_t* answer = rd_kafka_queue_poll(queue, 30'000);
    REQUIRE(answer != nullptr);
    std::size_t count = 0;
    const auto* results = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(answer), &count);
    REQUIRE(count == 1);
    REQUIRE(rd_kafka_topic_result_error(results[0]) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(answer);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wanted);
  }

  void write(const std::string& topic, const std::vector<Message>& messages) {
    Handle client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", servers_}, {"linger.ms", "1"}});
    for (const Message& message : messages) {
      rd_kafka_headers_t* headers = rd_kafka_headers_new(4);
      for (const auto& [name, value] : message.headers) {
        rd_kafka_header_add(headers, name.c_str(), -1, value.data(), static_cast<ssize_t>(value.size()));
      }
      void* value = message.value ? const_cast<char*>(message.value->data()) : nullptr;
      const std::size_t size = message.value ? message.value->size() : 0;
      REQUIRE(rd_kafka_producev(client.handle, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(message.partition),
                                RD_KAFKA_V_VALUE(value, size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                                RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
    }
    REQUIRE(rd_kafka_flush(client.handle, 30'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  /// Everything that is in a partition, in its order.
  std::vector<Message> read(const std::string& topic, std::int32_t partition = 0) {
    Handle client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", servers_},
                                      {"group.id", "reader"},
                                      {"enable.partition.eof", "true"},
                                      {"fetch.wait.max.ms", "10"},
                                      {"enable.auto.commit", "false"}});
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic.c_str(), partition)->offset = RD_KAFKA_OFFSET_BEGINNING;
    REQUIRE(rd_kafka_assign(client.handle, list) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    std::vector<Message> all;
    for (;;) {
      rd_kafka_message_t* got = rd_kafka_consumer_poll(client.handle, 30'000);
      REQUIRE(got != nullptr);
      const bool ended = got->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
      if (!ended) {
        REQUIRE(got->err == RD_KAFKA_RESP_ERR_NO_ERROR);
        all.push_back(copied(*got));
      }
      rd_kafka_message_destroy(got);
      if (ended) break;
    }
    rd_kafka_consumer_close(client.handle);
    return all;
  }

 private:
  Broker() : servers_(variable("SLUICE_KAFKA")) {
    if (servers_.empty()) {
      maker_.emplace(RD_KAFKA_PRODUCER, std::vector<std::pair<std::string, std::string>>{});
      mock_ = rd_kafka_mock_cluster_new(maker_->handle, 1);
      servers_ = rd_kafka_mock_cluster_bootstraps(mock_);
    } else {
      admin_.emplace(RD_KAFKA_PRODUCER,
                     std::vector<std::pair<std::string, std::string>>{{"bootstrap.servers", servers_}});
    }
  }
  ~Broker() {
    if (mock_ != nullptr) rd_kafka_mock_cluster_destroy(mock_);
  }
  static Message copied(const rd_kafka_message_t& got) {
    Message made;
    if (got.payload != nullptr) made.value.emplace(static_cast<const char*>(got.payload), got.len);
    if (got.key != nullptr) made.key.assign(static_cast<const char*>(got.key), got.key_len);
    made.partition = got.partition;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&got, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return made;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i) {
      made.headers.emplace_back(name, std::string(static_cast<const char*>(value), size));
    }
    return made;
  }

  std::optional<Handle> maker_, admin_;
  rd_kafka_mock_cluster_t* mock_ = nullptr;
  std::string servers_;
};

/// True, with a line that says so, when a test needs what the mock cluster has not.
inline bool skipped_without_a_broker(const char* what) {
  if (Broker::get().real()) return false;
  WARN("skipped, it needs a real broker: " << what);
  return true;
}

}  // namespace kafka_test
