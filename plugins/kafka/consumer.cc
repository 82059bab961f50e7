#include "instance.hh"

#include <sluice/cpp/guard.hh>

#include <utility>

namespace kafka {

using std::chrono::milliseconds;

namespace {

Owned<rd_kafka_topic_partition_list_t> list_of(std::span<const Partition> partitions) {
  Owned<rd_kafka_topic_partition_list_t> list(rd_kafka_topic_partition_list_new(static_cast<int>(partitions.size())));
  for (const Partition& each : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), each.topic.c_str(), each.number)->offset = each.offset;
  }
  return list;
}

std::vector<Partition> partitions_of(const rd_kafka_topic_partition_list_t* list) {
  std::vector<Partition> all;
  for (int i = 0; list != nullptr && i < list->cnt; ++i) {
    all.push_back({list->elems[i].topic, list->elems[i].partition, list->elems[i].offset});
  }
  return all;
}

}  // namespace

struct Consumer::State : Instance {
  State(const Properties& properties, Membership& whom)
      : Instance(properties, Role::consumer),
        membership(whom),
        notices(rd_kafka_queue_get_consumer(handle)),
        messages(rd_kafka_queue_new(handle)) {
    rd_kafka_set_log_queue(handle, notices.get());
    rd_kafka_poll_set_consumer(handle);
  }
  [[nodiscard]] bool cooperative() const noexcept {
    const char* protocol = rd_kafka_rebalance_protocol(handle);
    return protocol != nullptr && std::string_view(protocol) == "COOPERATIVE";
  }
  void told(Owned<rd_kafka_event_t> event);
  void forget_messages() noexcept {
    for (rd_kafka_message_t* message : taken) rd_kafka_message_destroy(message);
    taken.clear();
    views.clear();
  }
  ~State() { forget_messages(); }

  Membership& membership;
  Owned<rd_kafka_event_t> rebalance;  // not answered yet
  std::vector<rd_kafka_message_t*> taken;
  std::vector<Fetched> views;
  // Messages have a queue of their own, so that the group's duties go on while nothing may be taken in.
  Signalled notices, messages;
};

Consumer::Consumer(const Properties& properties, const std::vector<std::string>& topics, Membership& membership)
    : state_(std::make_unique<State>(properties, membership)) {
  std::vector<Partition> wanted;
  for (const std::string& topic : topics) wanted.push_back({topic, RD_KAFKA_PARTITION_UA, 0});
  const auto error = rd_kafka_subscribe(state_->handle, list_of(wanted).get());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    throw sluice::BadConfig(std::string("topics: ") + rd_kafka_err2str(error));
  }
}

Consumer::~Consumer() = default;

int Consumer::notices_fd() const noexcept { return state_->notices.fd(); }
int Consumer::messages_fd() const noexcept { return state_->messages.fd(); }
bool Consumer::has_fetched() const noexcept { return rd_kafka_queue_length(state_->messages.get()) > 0; }
void Consumer::clear_notices_signal() noexcept { state_->notices.clear(); }
void Consumer::clear_messages_signal() noexcept { state_->messages.clear(); }

void Consumer::State::told(Owned<rd_kafka_event_t> event) {
  if (tell(handle, event.get(), membership)) return;
  const auto error = rd_kafka_event_error(event.get());
  if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_OFFSET_COMMIT) {
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__NO_OFFSET) {
      return membership.committed(nullptr);
    }
    const Failure failure = failure_of(error, rd_kafka_event_error_string(event.get()));
    return membership.committed(&failure);
  }
  if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_REBALANCE) return;
  const std::vector<Partition> partitions = partitions_of(rd_kafka_event_topic_partition_list(event.get()));
  rebalance = std::move(event);
  if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) return membership.assigned(partitions);
  membership.revoked(partitions, rd_kafka_assignment_lost(handle) != 0);
}

bool Consumer::serve() {
  bool something = false;
  while (Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(state_->notices.get(), 0)}) {
    something = true;
    state_->told(std::move(event));
  }
  return something;
}

std::span<const Fetched> Consumer::take(std::size_t most) {
  State& me = *state_;
  me.forget_messages();
  me.taken.resize(most);
  const ssize_t count = rd_kafka_consume_batch_queue(me.messages.get(), 0, me.taken.data(), most);
  me.taken.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  for (rd_kafka_message_t* message : me.taken) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      me.membership.ended({rd_kafka_topic_name(message->rkt), message->partition, message->offset});
      continue;
    }
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      me.membership.trouble(failure_of(message->err, rd_kafka_message_errstr(message)));
      continue;
    }
    me.views.push_back({message->rkt,
                        rd_kafka_topic_name(message->rkt),
                        {static_cast<const char*>(message->payload), message->len},
                        {static_cast<const char*>(message->key), message->key_len},
                        message->partition,
                        message->offset,
                        message->payload != nullptr,
                        message});
  }
  return me.views;
}

void Consumer::headers_of(const Fetched& message, std::vector<Header>& out) const {
  out.clear();
  rd_kafka_headers_t* headers = nullptr;
  const auto* handle = static_cast<const rd_kafka_message_t*>(message.handle);
  if (rd_kafka_message_headers(handle, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    out.push_back({name, {static_cast<const char*>(value), value == nullptr ? 0 : size}, value != nullptr});
  }
}

void Consumer::assign() {
  State& me = *state_;
  if (me.rebalance == nullptr) return;
  rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(me.rebalance.get());
  for (int i = 0; i < list->cnt; ++i) {
    const Owned<rd_kafka_queue_t> queue(
        rd_kafka_queue_get_partition(me.handle, list->elems[i].topic, list->elems[i].partition));
    if (queue != nullptr) rd_kafka_queue_forward(queue.get(), me.messages.get());
  }
  me.cooperative() ? ignore(rd_kafka_incremental_assign(me.handle, list)) : void(rd_kafka_assign(me.handle, list));
  me.rebalance.reset();
}

void Consumer::unassign() {
  State& me = *state_;
  if (me.rebalance == nullptr) return;
  rd_kafka_topic_partition_list_t* list = rd_kafka_event_topic_partition_list(me.rebalance.get());
  me.cooperative() ? ignore(rd_kafka_incremental_unassign(me.handle, list)) : void(rd_kafka_assign(me.handle, nullptr));
  me.rebalance.reset();
}

std::optional<Failure> Consumer::commit(const std::vector<Partition>& next) {
  const auto error =
      rd_kafka_commit_queue(state_->handle, list_of(next).get(), state_->notices.get(), nullptr, nullptr);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return failure_of(error, nullptr);
}

void Consumer::pause(const Partition& partition) {
  rd_kafka_pause_partitions(state_->handle, list_of({&partition, 1}).get());
}

void Consumer::go_back(const Partition& partition) {
  const auto list = list_of({&partition, 1});
  rd_kafka_resume_partitions(state_->handle, list.get());
  ignore(rd_kafka_seek_partitions(state_->handle, list.get(), 0));
}

void Consumer::fetch_on(std::span<const Partition> from) {
  ignore(rd_kafka_seek_partitions(state_->handle, list_of(from).get(), 0));
}

std::int64_t Consumer::end_of(const Partition& partition) const {
  std::int64_t low = 0, high = -1;
  rd_kafka_get_watermark_offsets(state_->handle, partition.topic.c_str(), partition.number, &low, &high);
  return high;
}

std::optional<std::int64_t> Consumer::ask_end(const Partition& partition, milliseconds timeout) const {
  std::int64_t low = 0, high = -1;
  const auto error = rd_kafka_query_watermark_offsets(state_->handle, partition.topic.c_str(), partition.number, &low,
                                                      &high, static_cast<int>(timeout.count()));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  return high;
}

Reach Consumer::reach(const std::string& topic, milliseconds timeout, Failure& why) {
  return reach_by(state_->handle, topic, timeout, why);
}

void Consumer::close(milliseconds timeout) {
  State& me = *state_;
  me.forget_messages();
  unassign();
  const Owned<rd_kafka_queue_t> farewell(rd_kafka_queue_new(me.handle));
  ignore(rd_kafka_consumer_close_queue(me.handle, farewell.get()));
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (rd_kafka_consumer_closed(me.handle) == 0 && std::chrono::steady_clock::now() < end) {
    const Owned<rd_kafka_event_t> event(rd_kafka_queue_poll(farewell.get(), 50));
    if (event == nullptr || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_REBALANCE) continue;
    rd_kafka_assign(me.handle, nullptr);
  }
}

}  // namespace kafka
