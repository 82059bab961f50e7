// bare_kafka_pub FILE SERVERS TOPIC — each line as one message by librdkafka: acks=all with idempotence, lz4, linger 5
// ms, at most 8192 unanswered, the header that structured mode asks for; every delivery report is looked at.
#include "measured.hh"

#include <librdkafka/rdkafka.h>

namespace {

std::uint64_t delivered = 0;

void report(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    std::fprintf(stderr, "kafka: %s\n", rd_kafka_err2str(message->err));
    std::exit(1);
  }
  ++delivered;
}

constexpr char kType[] = "application/cloudevents+json; charset=UTF-8";
constexpr int kPatienceMs = 60'000;

}  // namespace

int main(int, char** arguments) {
  char why[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const char* settings[][2] = {{"bootstrap.servers", arguments[2]},
                               {"acks", "all"},
                               {"enable.idempotence", "true"},
                               {"compression.type", "lz4"},
                               {"linger.ms", "5"},
                               {"queue.buffering.max.messages", "8192"},
                               {"queue.buffering.max.kbytes", "16384"},
                               {"partitioner", "murmur2_random"}};
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) != RD_KAFKA_CONF_OK) bare::give_up(why);
  }
  rd_kafka_conf_set_dr_msg_cb(conf, report);
  rd_kafka_t* kafka = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
  if (kafka == nullptr) bare::give_up(why);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(kafka, arguments[3], nullptr);
  const struct rd_kafka_metadata* metadata = nullptr;
  if (rd_kafka_metadata(kafka, 0, topic, &metadata, kPatienceMs) != RD_KAFKA_RESP_ERR_NO_ERROR)
    bare::give_up("metadata");
  rd_kafka_metadata_destroy(metadata);

  std::string_view line;
  std::uint64_t sent = 0;
  const bare::Stopwatch watch;
  bare::Lines lines(arguments[1]);
  while (lines.next(line)) {
    for (;;) {
      // The line's memory is used again, so this side has to copy.
      const auto error =
          rd_kafka_producev(kafka, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_VALUE(const_cast<char*>(line.data()), line.size()),
                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                            RD_KAFKA_V_HEADER("content-type", kType, sizeof kType - 1), RD_KAFKA_V_END);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR) break;
      if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) bare::give_up(rd_kafka_err2str(error));
      rd_kafka_poll(kafka, 5);
    }
    if ((++sent & 255) == 0) rd_kafka_poll(kafka, 0);
  }
  rd_kafka_flush(kafka, kPatienceMs);
  watch.report(delivered, lines.bytes());
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(kafka);
  return 0;
}
