#include "instance.hh"

#include <array>
#include <map>
#include <utility>

namespace kafka {

using std::chrono::milliseconds;

struct Producer::Topic {
  Owned<rd_kafka_topic_t> handle;
};

struct Producer::State : Instance {
  State(const Properties& properties, Reports& whom)
      : Instance(properties, Role::producer), reports(whom), queue(rd_kafka_queue_get_main(handle)) {
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

}  // namespace kafka
