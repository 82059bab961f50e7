// bare_kafka_read SERVERS TOPIC GROUP EVENTS — reads so many messages as a member of a group, by 256, looks at the
// content type of each, and commits what it read every 100 ms and at the end, without waiting in between. When all that
// was prefetched is read, it seeks to where it stands, as the host does: the library would pause for up to a second.
#include "measured.hh"

#include <librdkafka/rdkafka.h>

#include <array>

namespace {

constexpr std::size_t kBatch = 256;
constexpr double kCommitSeconds = 0.1;
constexpr std::uint64_t kPrefetch = 8192;

[[noreturn]] void fail(rd_kafka_resp_err_t error) { bare::give_up(rd_kafka_err2str(error)); }

void must(rd_kafka_resp_err_t error) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(error);
}

}  // namespace

int main(int, char** arguments) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const char* settings[][2] = {{"bootstrap.servers", arguments[1]},   {"group.id", arguments[3]},
                               {"auto.offset.reset", "earliest"},     {"enable.auto.commit", "false"},
                               {"queued.min.messages", "8192"},       {"queued.max.messages.kbytes", "16384"},
                               {"fetch.message.max.bytes", "1048576"}};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) bare::give_up(why);
  }
  const auto wanted = std::strtoull(arguments[4], nullptr, 10);
  rd_kafka_t* kafka = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
  if (kafka == nullptr) bare::give_up(why);
  rd_kafka_poll_set_consumer(kafka);
  rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(topics, arguments[2], RD_KAFKA_PARTITION_UA);
  must(rd_kafka_subscribe(kafka, topics));
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(kafka);

  std::array<rd_kafka_message_t*, kBatch> messages{};
  std::uint64_t events = 0, bytes = 0, labelled = 0, dry_at = 0;
  // Joining the group takes as long on both sides, and is taken off the host's time: the clock starts with the first
  // one.
  ssize_t count = 0;
  while (count <= 0) count = rd_kafka_consume_batch_queue(queue, 1000, messages.data(), 1);
  const bare::Stopwatch watch;
  double committed = bare::seconds_of(CLOCK_MONOTONIC);
  for (;;) {
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* message = messages[static_cast<std::size_t>(i)];
      must(message->err);
      rd_kafka_headers_t* headers = nullptr;
      const void* type = nullptr;
      std::size_t size = 0;
      if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR &&
          rd_kafka_header_get_last(headers, "content-type", &type, &size) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++labelled;
      }
      ++events;
      bytes += message->len + 1;
      rd_kafka_message_destroy(message);
    }
    if (events >= wanted) break;
    if (bare::seconds_of(CLOCK_MONOTONIC) - committed >= kCommitSeconds) {
      committed = bare::seconds_of(CLOCK_MONOTONIC);
      rd_kafka_commit(kafka, nullptr, 1);
    }
    count = rd_kafka_consume_batch_queue(queue, 0, messages.data(), kBatch);
    if (count == 0 && events - dry_at > kPrefetch / 2) {
      dry_at = events;
      topics->elems[0].partition = 0;
      topics->elems[0].offset = static_cast<std::int64_t>(events);
      rd_kafka_error_t* error = rd_kafka_seek_partitions(kafka, topics, 0);
      if (error != nullptr) rd_kafka_error_destroy(error);
    }
    if (count == 0) count = rd_kafka_consume_batch_queue(queue, 1000, messages.data(), 1);
  }
  const auto last = rd_kafka_commit(kafka, nullptr, 0);
  if (last != RD_KAFKA_RESP_ERR__NO_OFFSET) must(last);  // the one before had committed all of it
  watch.report(labelled, bytes);
  rd_kafka_topic_partition_list_destroy(topics);
  rd_kafka_queue_destroy(queue);
  rd_kafka_consumer_close(kafka);
  rd_kafka_destroy(kafka);
  return 0;
}
