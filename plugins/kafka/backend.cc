#include "backend.hh"

#include "headers.hh"

#include <algorithm>

#include <poll.h>

namespace kafka {
namespace {

using namespace std::chrono_literals;

// What a client that is given up may take to hand its messages back: no network is involved.
constexpr milliseconds kPurgeMax = 5s;
// Asking whether a broker is back must not keep the lane from its other duties.
constexpr milliseconds kLookAround = 500ms;

}  // namespace

Backend::Backend(sluice::HostView host, sluice::ConfigView config)
    : host_(host), options_(read_backend_options(config)), structured_{Header{"content-type", kStructuredType, true}} {
  if (config.boolean("holds_dead_letters") && options_.topic.is_fixed()) {
    letter_watch_.emplace(host, [this](milliseconds timeout) { return letters(timeout); });
  }
}

sluice::LetterFacts Backend::letters(milliseconds timeout) {
  if (desk_ == nullptr) desk_ = std::make_unique<TopicDesk>(options_.properties, fixed_topic());
  const TopicDesk::Held held = desk_->held(timeout);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto now_ms = std::chrono::duration_cast<milliseconds>(now).count();
  const double age_s = held.oldest_unix_ms == 0 ? 0 : static_cast<double>(now_ms - held.oldest_unix_ms) / 1e3;
  return {held.messages, age_s};
}

std::string Backend::fixed_topic() const {
  return options_.topic.is_fixed() ? std::string(options_.topic.fixed_text()) : std::string();
}

void Backend::start(milliseconds timeout) {
  if (letter_watch_) letter_watch_->start();
  connect(std::min(timeout, options_.patience));
}

/// Makes the client and asks whether a broker, and the topic, are there. Throws Away.
void Backend::connect(milliseconds timeout) {
  if (producer_ == nullptr) {
    producer_.reset(new Producer(options_.properties, *this));
    topic_ = options_.topic.is_fixed() ? &producer_->topic(fixed_topic()) : nullptr;
    away_ = true;
  }
  Failure why;
  const Reach reach = producer_->reach(fixed_topic(), timeout, why);
  serve();
  if (producer_ == nullptr) throw sluice::Away(options_.servers + ": the client had to be made again");
  if (reach == Reach::ready) {
    if (away_ && host_.logs(SLUICE_LOG_INFO)) host_.log(SLUICE_LOG_INFO, "connected to " + options_.servers);
    away_ = false;
    last_trouble_.clear();
    return;
  }
  away_ = true;
  if (reach == Reach::no_topic && why.name == "UNKNOWN_TOPIC_OR_PART") {
    throw sluice::Away(missing_topic(fixed_topic(), options_.servers));
  }
  throw sluice::Away(last_trouble_.empty() ? explained(why, options_.servers) : last_trouble_);
}

sluice_status Backend::publish(sluice::BatchView batch, std::uint32_t& taken) {
  if (producer_ == nullptr || away_) connect(std::min(kLookAround, options_.patience));
  while (taken < batch.size() && take(batch[taken], batch.ticket() + taken)) ++taken;
  tell_run();
  return SLUICE_OK;
}

bool Backend::take(const sluice::EventView& event, std::uint64_t ticket) {
  if (topic_ != nullptr) return produce(*topic_, options_.topic.fixed_text(), event, ticket);
  topic_name_.clear();
  if (!options_.topic.append(event, topic_name_)) {
    complete(ticket, 0, {SLUICE_REJECTED, options_.topic.missing(event)});
    return true;
  }
  return produce(producer_->topic(topic_name_), topic_name_, event, ticket);
}

bool Backend::produce(Producer::Topic& topic, std::string_view name, const sluice::EventView& event,
                      std::uint64_t ticket) {
  Producer::Message message;
  message.ticket = ticket;
  fill(event, message);
  Failure why;
  switch (producer_->produce(topic, message, why)) {
    case Producer::Taken::yes:
      ++in_flight_;
      return true;
    case Producer::Taken::queue_full:
      return false;
    case Producer::Taken::refused:
      break;
  }
  const Sent sent{name, topic_ != nullptr, message.value.size() + message.key.size(), options_.max_message_bytes};
  complete(ticket, why.code, meaning_of(why, sent, false));
  return true;
}

void Backend::fill(const sluice::EventView& event, Producer::Message& message) {
  if (options_.key == Key::partitionkey) message.key = event.key();
  if (options_.key != Key::none && message.key.empty()) message.key = event.subject();
  message.has_key = !message.key.empty();
  if (!options_.binary) {
    message.value = event.json();
    message.headers = structured_;
    return;
  }
  message.value = event.data();
  message.has_value = event.has_data();
  kafka::headers_of(event, names_, headers_);
  message.headers = headers_;
  if (!message.has_value && !std::exchange(warned_of_null_, true)) {
    host_.log(SLUICE_LOG_WARN,
              "an event without data becomes a message without a value: on a compacted topic that deletes its key "
              "(content_mode: structured never does)");
  }
}

sluice_status Backend::poll(int wake_fd, milliseconds timeout, std::uint32_t) {
  pollfd waiting[2] = {{.fd = wake_fd, .events = POLLIN, .revents = 0}, {.fd = -1, .events = POLLIN, .revents = 0}};
  if (producer_ != nullptr) {
    if (serve()) return SLUICE_OK;
    waiting[1].fd = producer_->fd();
  }
  if (timeout.count() <= 0) return SLUICE_OK;
  if (::poll(waiting, 2, static_cast<int>(timeout.count())) > 0 && waiting[1].revents != 0) {
    producer_->clear_signal();
    serve();
  }
  return SLUICE_OK;
}

// Reports.

bool Backend::serve() {
  const bool something = producer_->serve();
  tell_run();
  if (!broken_why_.empty()) {
    abandon(std::exchange(broken_why_, {}));
  } else if (timed_out_ && away_) {
    // Given up one by one, the rest would be sent before them when the broker is back: all of it goes back in order.
    abandon(last_trouble_.empty() ? options_.servers + ": no broker answers" : last_trouble_);
  }
  timed_out_ = false;
  return something;
}

void Backend::delivered(std::uint64_t first_ticket, std::uint32_t count) {
  host_.complete(first_ticket, count);
  in_flight_ -= count;
  away_ = false;
}

void Backend::failed(const Undelivered& what) {
  --in_flight_;
  if (giving_up_) return given_up_.push_back({what.ticket, what.bytes, {}, {}, what.perhaps_written});
  timed_out_ = timed_out_ || what.failure.name == "_MSG_TIMED_OUT";
  const Sent sent{what.topic, topic_ != nullptr, what.bytes, options_.max_message_bytes};
  complete(what.ticket, what.failure.code, meaning_of(what.failure, sent, what.perhaps_written));
}

void Backend::complete(std::uint64_t ticket, std::int32_t code, Meaning meaning) {
  const bool same = run_.count > 0 && ticket == run_.first + run_.count && code == run_.code &&
                    meaning.status == run_.meaning.status && meaning.reason == run_.meaning.reason;
  if (!same) {
    tell_run();
    run_ = {ticket, 0, std::move(meaning), code};
  }
  ++run_.count;
}

void Backend::tell_run() {
  if (run_.count > 0) host_.complete(run_.first, run_.count, run_.meaning.status, run_.meaning.reason, run_.code);
  run_.count = 0;
}

void Backend::trouble(const Failure& failure) {
  if (failure.name != "_ALL_BROKERS_DOWN") last_trouble_ = explained(failure, options_.servers);
  if (host_.logs(SLUICE_LOG_DEBUG)) host_.log(SLUICE_LOG_DEBUG, failure.name + ": " + failure.text);
  if (failure.name == "_ALL_BROKERS_DOWN") away_ = true;
}

void Backend::broken(const Failure& failure) { broken_why_ = explained(failure, options_.servers); }

void Backend::chatter(int, std::string_view text) {
  if (host_.logs(SLUICE_LOG_DEBUG)) host_.log(SLUICE_LOG_DEBUG, text);
}

/// Ends this client and completes, in order, what it held. The next publish makes a new one.
void Backend::abandon(const std::string& reason) {
  giving_up_ = true;
  producer_->purge();
  const auto end = std::chrono::steady_clock::now() + kPurgeMax;
  while (in_flight_ > 0 && std::chrono::steady_clock::now() < end) {
    if (producer_->serve()) continue;
    pollfd waiting{.fd = producer_->fd(), .events = POLLIN, .revents = 0};
    if (::poll(&waiting, 1, 50) > 0) producer_->clear_signal();
  }
  topic_ = nullptr;
  producer_.reset();  // from here on nobody reads the events
  giving_up_ = false;
  broken_why_.clear();
  std::sort(given_up_.begin(), given_up_.end(), [](const auto& a, const auto& b) { return a.ticket < b.ticket; });
  for (const Undelivered& each : given_up_) {
    complete(each.ticket, 0, {each.perhaps_written ? SLUICE_TIMEOUT : SLUICE_CANCELLED, reason});
  }
  tell_run();
  given_up_.clear();
  in_flight_ = 0;
}

// Life cycle.

void Backend::probe(milliseconds timeout) {
  Failure why;
  const Reach found = look(options_.properties, fixed_topic(), std::min(timeout, options_.patience), why);
  if (found == Reach::no_topic) throw sluice::Away(missing_topic(fixed_topic(), options_.servers));
  if (found == Reach::away) throw sluice::Away(explained(why, options_.servers));
}

void Backend::stop(milliseconds) {
  if (letter_watch_) letter_watch_->stop();
  desk_.reset();
  if (producer_ != nullptr) abandon("the host stopped before the answer came");
}

}  // namespace kafka
