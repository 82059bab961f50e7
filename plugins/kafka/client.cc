#include "client.hh"

#include "library.hh"

#include <sluice/cpp/guard.hh>

#include <array>
#include <map>

namespace kafka {
namespace {

using std::chrono::milliseconds;

Owned<rd_kafka_conf_t> made_of(const Properties& properties, Role role) {
  Owned<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  char why[512];
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why, sizeof why) != RD_KAFKA_CONF_OK) {
      throw sluice::BadConfig("property " + name + ": " + why);
    }
  }
  int events = RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG;
  events |= role == Role::producer ? RD_KAFKA_EVENT_DR : RD_KAFKA_EVENT_REBALANCE | RD_KAFKA_EVENT_OFFSET_COMMIT;
  rd_kafka_conf_set_events(conf.get(), events);
  rd_kafka_conf_set(conf.get(), "log.queue", "true", nullptr, 0);
  return conf;
}

Failure failure_of(rd_kafka_resp_err_t error, const char* text) {
  return {error, rd_kafka_err2name(error), text != nullptr && *text != 0 ? text : rd_kafka_err2str(error)};
}
Failure failure_of(rd_kafka_error_t* error) {
  const Owned<rd_kafka_error_t> owned(error);
  return failure_of(rd_kafka_error_code(error), rd_kafka_error_string(error));
}
void ignore(rd_kafka_error_t* error) noexcept {
  if (error != nullptr) rd_kafka_error_destroy(error);
}

/// One client instance; gone when the library's threads are.
struct Client {
  Client(const Properties& properties, Role role) {
    Owned<rd_kafka_conf_t> conf = made_of(properties, role);
    char why[512];
    const auto type = role == Role::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    handle = rd_kafka_new(type, conf.get(), why, sizeof why);
    if (handle == nullptr) throw sluice::BadConfig(why);
    (void)conf.release();  // the instance has it now
  }
  ~Client() { rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  rd_kafka_t* handle;
};

/// What both roles are told; false when the event is none of these.
bool tell(rd_kafka_t* handle, rd_kafka_event_t* event, Notices& notices) {
  switch (rd_kafka_event_type(event)) {
    case RD_KAFKA_EVENT_ERROR: {
      const auto error = rd_kafka_event_error(event);
      if (error == RD_KAFKA_RESP_ERR__FATAL || rd_kafka_event_error_is_fatal(event) != 0) {
        char text[512];
        const auto first = rd_kafka_fatal_error(handle, text, sizeof text);
        notices.broken(failure_of(first, text));
      } else {
        notices.trouble(failure_of(error, rd_kafka_event_error_string(event)));
      }
      return true;
    }
    case RD_KAFKA_EVENT_LOG: {
      const char *facility = nullptr, *text = nullptr;
      int level = 0;
      if (rd_kafka_event_log(event, &facility, &text, &level) == 0) notices.chatter(level, text);
      return true;
    }
    default:
      return false;
  }
}

Reach reach_by(rd_kafka_t* handle, const std::string& topic, milliseconds timeout, Failure& why) {
  Owned<rd_kafka_topic_t> wanted;
  if (!topic.empty()) wanted.reset(rd_kafka_topic_new(handle, topic.c_str(), nullptr));
  const struct rd_kafka_metadata* found = nullptr;
  const auto error = rd_kafka_metadata(handle, 0, wanted.get(), &found, static_cast<int>(timeout.count()));
  const std::unique_ptr<const struct rd_kafka_metadata, Free> owned(found);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    why = failure_of(error, nullptr);
    return Reach::away;
  }
  for (int i = 0; i < found->topic_cnt; ++i) {
    const auto answer = found->topics[i].err;
    if (topic != found->topics[i].topic || answer == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    if (answer == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) continue;  // it was made this moment
    why = failure_of(answer, nullptr);
    return Reach::no_topic;
  }
  return Reach::ready;
}

}  // namespace

void check(const Properties& properties, Role role) { (void)made_of(properties, role); }

// ---- Producer ----

struct Producer::Topic {
  Owned<rd_kafka_topic_t> handle;
};

struct Producer::State : Client {
  State(const Properties& properties, Reports& whom)
      : Client(properties, Role::producer), reports(whom), queue(rd_kafka_queue_get_main(handle)) {
    rd_kafka_set_log_queue(handle, queue.get());
  }
  void report(rd_kafka_event_t* event);

  Reports& reports;
  std::map<std::string, Topic, std::less<>> topics;
  Signalled queue;
};

Producer::Producer(const Properties& properties, Reports& reports)
    : state_(std::make_unique<State>(properties, reports)) {}

Producer::~Producer() = default;

int Producer::fd() const noexcept { return state_->queue.fd(); }

Producer::Topic& Producer::topic(const std::string& name) {
  const auto found = state_->topics.find(name);
  if (found != state_->topics.end()) return found->second;
  Topic made{Owned<rd_kafka_topic_t>(rd_kafka_topic_new(state_->handle, name.c_str(), nullptr))};
  return state_->topics.emplace(name, std::move(made)).first->second;
}

Producer::Taken Producer::produce(Topic& topic, const Message& message, Failure& why) {
  if (topic.handle == nullptr) {
    why = failure_of(RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, nullptr);
    return Taken::refused;
  }
  Owned<rd_kafka_headers_t> headers;
  if (!message.headers.empty()) {
    headers.reset(rd_kafka_headers_new(message.headers.size()));
    for (const Header& header : message.headers) {
      rd_kafka_header_add(headers.get(), header.name.data(), static_cast<ssize_t>(header.name.size()),
                          header.has_value ? header.value.data() : nullptr, static_cast<ssize_t>(header.value.size()));
    }
  }
  std::array<rd_kafka_vu_t, 5> parts;
  std::size_t count = 0;
  const auto add = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
    parts[count].vtype = type;
    return parts[count++];
  };
  add(RD_KAFKA_VTYPE_RKT).u.rkt = topic.handle.get();
  rd_kafka_vu_t& value = add(RD_KAFKA_VTYPE_VALUE);
  value.u.mem.ptr = message.has_value ? const_cast<char*>(message.value.data()) : nullptr;
  value.u.mem.size = message.value.size();
  if (message.has_key) {
    rd_kafka_vu_t& key = add(RD_KAFKA_VTYPE_KEY);
    key.u.mem.ptr = const_cast<char*>(message.key.data());
    key.u.mem.size = message.key.size();
  }
  // NOLINTNEXTLINE(performance-no-int-to-ptr): a number in the field that the library hands back as it is
  add(RD_KAFKA_VTYPE_OPAQUE).u.ptr = reinterpret_cast<void*>(static_cast<std::uintptr_t>(message.ticket));
  if (headers != nullptr) add(RD_KAFKA_VTYPE_HEADERS).u.headers = headers.get();
  rd_kafka_error_t* error = rd_kafka_produceva(state_->handle, parts.data(), count);
  if (error == nullptr) {
    (void)headers.release();  // the message has them now
    return Taken::yes;
  }
  if (rd_kafka_error_code(error) == RD_KAFKA_RESP_ERR__QUEUE_FULL) return ignore(error), Taken::queue_full;
  why = failure_of(error);
  return Taken::refused;
}

void Producer::State::report(rd_kafka_event_t* event) {
  std::uint64_t first = 0;
  std::uint32_t count = 0;
  const auto tell_range = [&] {
    if (count > 0) reports.delivered(first, count);
    count = 0;
  };
  while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
    const auto ticket = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(message->_private));
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      tell_range();
      const bool perhaps = rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED;
      reports.failed(
          {ticket, message->len, rd_kafka_topic_name(message->rkt), failure_of(message->err, nullptr), perhaps});
      continue;
    }
    if (count > 0 && ticket != first + count) tell_range();
    if (count == 0) first = ticket;
    ++count;
  }
  tell_range();
}

void Producer::clear_signal() noexcept { state_->queue.clear(); }

bool Producer::serve() {
  bool something = false;
  while (const Owned<rd_kafka_event_t> event{rd_kafka_queue_poll(state_->queue.get(), 0)}) {
    something = true;
    if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) {
      state_->report(event.get());
    } else {
      tell(state_->handle, event.get(), state_->reports);
    }
  }
  return something;
}

Reach look(const Properties& properties, const std::string& topic, milliseconds timeout, Failure& why) {
  struct Ear final : Reports {
    void delivered(std::uint64_t, std::uint32_t) override {}
    void failed(const Undelivered&) override {}
    void trouble(const Failure& failure) override {
      if (failure.name != "_ALL_BROKERS_DOWN") heard = failure;
    }
    void broken(const Failure& failure) override { heard = failure; }
    void chatter(int, std::string_view) override {}
    Failure heard;
  } ear;
  Producer alone(properties, ear);
  const Reach found = alone.reach(topic, timeout, why);
  alone.serve();
  if (found == Reach::away && ear.heard.code != 0) why = ear.heard;
  return found;
}

Reach Producer::reach(const std::string& topic, milliseconds timeout, Failure& why) {
  return reach_by(state_->handle, topic, timeout, why);
}

void Producer::purge() { rd_kafka_purge(state_->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT); }

// ---- Consumer ----

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

struct Consumer::State : Client {
  State(const Properties& properties, Membership& whom)
      : Client(properties, Role::consumer),
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
