#include "instance.hh"

#include <sluice/cpp/guard.hh>

#include <memory>

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

}  // namespace

void check(const Properties& properties, Role role) { (void)made_of(properties, role); }

Failure failure_of(rd_kafka_resp_err_t error, const char* text) {
  return {error, rd_kafka_err2name(error), text != nullptr && *text != 0 ? text : rd_kafka_err2str(error)};
}
Failure failure_of(rd_kafka_error_t* error) {
  const Owned<rd_kafka_error_t> owned(error);
  return failure_of(rd_kafka_error_code(error), rd_kafka_error_string(error));
}

Instance::Instance(const Properties& properties, Role role) {
  Owned<rd_kafka_conf_t> conf = made_of(properties, role);
  char why[512];
  const auto type = role == Role::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
  handle = rd_kafka_new(type, conf.get(), why, sizeof why);
  if (handle == nullptr) throw sluice::BadConfig(why);
  (void)conf.release();  // the instance has it now
}

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

}  // namespace kafka
