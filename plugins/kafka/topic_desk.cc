#include "topic_desk.hh"

#include "library.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <stdexcept>

namespace kafka {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFirstMessageMax{500};  // there may be none: what stands between two offsets may be a mark
constexpr int kNoticesMax = 100;               // of one question; they are not ours to tell

/// For messages of which only the first one of a partition is wanted.
constexpr std::pair<const char*, const char*> kSmallFetches[] = {
    {"queued.min.messages", "1"}, {"queued.max.messages.kbytes", "1024"}, {"fetch.message.max.bytes", "4096"}};

int left_ms(Clock::time_point end) {
  const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
  if (left <= 0) throw sluice::Away("no answer in time");
  return static_cast<int>(left);
}

void must(rd_kafka_resp_err_t error) {
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw sluice::Away(rd_kafka_err2str(error));
}

}  // namespace

struct TopicDesk::State {
  State(const Properties& properties, const std::string& topic_name) : name(topic_name) {
    Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
    for (const auto& [key, value] : properties) {
      if (key != "message.max.bytes") rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), nullptr, 0);
    }
    for (const auto& [key, value] : kSmallFetches) rd_kafka_conf_set(conf.get(), key, value, nullptr, 0);
    rd_kafka_conf_set_log_cb(conf.get(), nullptr);  // what there is to say, the producer says
    char why[512];
    handle = rd_kafka_new(RD_KAFKA_CONSUMER, conf.get(), why, sizeof why);
    if (handle == nullptr) throw sluice::BadConfig(why);
    (void)conf.release();  // the instance has it now
    topic.reset(rd_kafka_topic_new(handle, name.c_str(), nullptr));
  }
  ~State() {
    topic.reset();
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] std::vector<std::int32_t> partitions(Clock::time_point end) const;
  [[nodiscard]] std::int64_t time_of(std::int32_t partition, std::int64_t offset, Clock::time_point end) const;
  void forget_notices() const {
    for (int i = 0; i < kNoticesMax && rd_kafka_poll(handle, 0) > 0; ++i) {
    }
  }

  const std::string name;
  rd_kafka_t* handle = nullptr;
  Owned<rd_kafka_topic_t> topic;
};

std::vector<std::int32_t> TopicDesk::State::partitions(Clock::time_point end) const {
  const struct rd_kafka_metadata* raw = nullptr;
  must(rd_kafka_metadata(handle, 0, topic.get(), &raw, left_ms(end)));
  const std::unique_ptr<const struct rd_kafka_metadata, Free> found(raw);
  std::vector<std::int32_t> numbers;
  for (int i = 0; i < found->topic_cnt; ++i) {
    must(found->topics[i].err);
    for (int p = 0; p < found->topics[i].partition_cnt; ++p) numbers.push_back(found->topics[i].partitions[p].id);
  }
  return numbers;
}

/// When the message at that offset was written; 0: nothing is there.
std::int64_t TopicDesk::State::time_of(std::int32_t partition, std::int64_t offset, Clock::time_point end) const {
  if (rd_kafka_consume_start(topic.get(), partition, offset) != 0) must(rd_kafka_last_error());
  const int patience_ms = std::min(left_ms(end), static_cast<int>(kFirstMessageMax.count()));
  std::int64_t unix_ms = 0;
  if (const Owned<rd_kafka_message_t> message{rd_kafka_consume(topic.get(), partition, patience_ms)}) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) unix_ms = rd_kafka_message_timestamp(message.get(), nullptr);
  }
  rd_kafka_consume_stop(topic.get(), partition);
  return std::max<std::int64_t>(unix_ms, 0);
}

TopicDesk::TopicDesk(const Properties& properties, const std::string& topic)
    : state_(std::make_unique<State>(properties, topic)) {}

TopicDesk::~TopicDesk() = default;

TopicDesk::Held TopicDesk::held(milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  state_->forget_notices();
  Held all;
  for (const std::int32_t partition : state_->partitions(end)) {
    std::int64_t low = 0, high = 0;
    must(rd_kafka_query_watermark_offsets(state_->handle, state_->name.c_str(), partition, &low, &high, left_ms(end)));
    if (high <= low) continue;
    all.messages += static_cast<std::uint64_t>(high - low);
    Oldest& oldest = oldest_[partition];
    if (oldest.offset != low || oldest.unix_ms == 0) oldest = {low, state_->time_of(partition, low, end)};
    if (oldest.unix_ms == 0) continue;
    all.oldest_unix_ms = all.oldest_unix_ms == 0 ? oldest.unix_ms : std::min(all.oldest_unix_ms, oldest.unix_ms);
  }
  return all;
}

void TopicDesk::delete_before(const std::vector<Partition>& partitions, milliseconds timeout) {
  const auto timeout_ms = static_cast<int>(timeout.count());
  Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const Partition& each : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.number)->offset = each.offset;
  }
  const Owned<rd_kafka_DeleteRecords_t> wish(rd_kafka_DeleteRecords_new(list.get()));
  const Owned<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(state_->handle, RD_KAFKA_ADMIN_OP_DELETERECORDS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms, nullptr, 0);
  const Owned<rd_kafka_queue_t> answers(rd_kafka_queue_new(state_->handle));
  rd_kafka_DeleteRecords_t* wishes[] = {wish.get()};
  rd_kafka_DeleteRecords(state_->handle, wishes, 1, options.get(), answers.get());
  // The library answers when the request's own time is up; a little longer is waited for that answer.
  const Owned<rd_kafka_event_t> answer(rd_kafka_queue_poll(answers.get(), timeout_ms + 1000));
  if (answer == nullptr) throw std::runtime_error("messages cannot be deleted: no answer");
  if (rd_kafka_event_error(answer.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw std::runtime_error(std::string("messages cannot be deleted: ") + rd_kafka_event_error_string(answer.get()));
  }
  const rd_kafka_topic_partition_list_t* deleted =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(answer.get()));
  for (int i = 0; i < deleted->cnt; ++i) {
    if (deleted->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    throw std::runtime_error("messages of " + state_->name + "/" + std::to_string(deleted->elems[i].partition) +
                             " cannot be deleted: " + rd_kafka_err2str(deleted->elems[i].err));
  }
}

}  // namespace kafka
