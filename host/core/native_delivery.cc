// The `delivery:` block, the same for every backend.
#include "core/map_reader.hh"
#include "core/native_format.hh"

namespace sluice {
namespace {

using std::chrono::hours;

constexpr milliseconds kLongest = hours(24 * 366);

void read_queue(const Value* value, const std::string& path, QueueBounds& queue, Problems& problems) {
  MapReader map(value, path, problems);
  if (const auto events = map.integer("max_events", 1, 10'000'000)) {
    queue.max_events = static_cast<std::uint64_t>(*events);
  }
  if (const auto bytes = map.size("max_bytes", 1024, 1ull << 40)) queue.max_bytes = *bytes;
  map.done();
}

void read_retry(const Value* value, const std::string& path, RetryPolicy& retry, Problems& problems) {
  MapReader map(value, path, problems);
  if (const auto tries = map.integer("max_attempts", 1, 1'000'000)) {
    retry.max_attempts = static_cast<std::uint32_t>(*tries);
  }
  using Backoff = RetryPolicy::Backoff;
  map.choice("backoff",
             {{"constant", Backoff::constant}, {"linear", Backoff::linear}, {"exponential", Backoff::exponential}},
             retry.backoff);
  using Jitter = RetryPolicy::Jitter;
  map.choice("jitter", {{"none", Jitter::none}, {"full", Jitter::full}}, retry.jitter);
  if (const auto delay = map.duration("delay", milliseconds(0), kLongest)) retry.delay = *delay;
  const bool has_most = value != nullptr && value->find("max_delay") != nullptr;
  if (const auto most = map.duration("max_delay", milliseconds(0), kLongest)) retry.max_delay = *most;
  if (retry.max_delay < retry.delay) {
    if (has_most) {
      map.wrong(*value->find("max_delay"), "max_delay", "must not be less than delay");
    } else {
      retry.max_delay = retry.delay;
    }
  }
  if (const auto age = map.duration("max_age", milliseconds(0), kLongest)) retry.max_age = *age;
  map.done();
}

void read_breaker(const Value* value, const std::string& path, BreakerPolicy& breaker, Problems& problems) {
  if (value != nullptr && value->kind == Value::Kind::boolean) {
    breaker.enabled = value->boolean;
    return;
  }
  MapReader map(value, path, problems);
  if (const auto enabled = map.boolean("enabled")) breaker.enabled = *enabled;
  if (const auto rate = map.number("failure_rate", 0, 1)) {
    breaker.failure_rate = *rate;
    if (*rate <= 0) map.wrong(*value->find("failure_rate"), "failure_rate", "must be more than 0 and at most 1");
  }
  if (const auto window = map.integer("window", 1, 100'000)) breaker.window = static_cast<std::uint32_t>(*window);
  if (const auto least = map.integer("min_results", 1, 100'000)) {
    breaker.min_results = static_cast<std::uint32_t>(*least);
    if (breaker.min_results > breaker.window) {
      map.wrong(*value->find("min_results"), "min_results", "must not be more than window, or it never trips");
    }
  } else if (breaker.min_results > breaker.window) {
    breaker.min_results = breaker.window;
  }
  if (const auto open = map.duration("open_for", milliseconds(1), kLongest)) breaker.open_for = *open;
  if (const Value* on_open = map.take("on_open"); on_open != nullptr && on_open->string == "spool") {
    map.wrong(*on_open, "on_open", "spool is not in this version; hold (wait) or dead_letter");
  } else {
    using OnOpen = BreakerPolicy::OnOpen;
    map.choice("on_open", {{"hold", OnOpen::hold}, {"dead_letter", OnOpen::dead_letter}}, breaker.on_open);
  }
  map.done();
}

}  // namespace

Delivery read_delivery(const Value* value, const std::string& path, Problems& problems) {
  Delivery delivery;
  MapReader map(value, path, problems);
  read_queue(map.take("queue"), map.path_of("queue"), delivery.queue, problems);
  if (const Value* full = map.take("when_full"); full != nullptr && full->string == "spool") {
    map.wrong(*full, "when_full", "spool is not in this version; block, dead_letter or drop_newest");
  } else {
    map.choice(
        "when_full",
        {{"block", WhenFull::block}, {"drop_newest", WhenFull::drop_newest}, {"dead_letter", WhenFull::dead_letter}},
        delivery.when_full);
  }
  read_retry(map.take("retry"), map.path_of("retry"), delivery.retry, problems);
  read_breaker(map.take("breaker"), map.path_of("breaker"), delivery.breaker, problems);
  if (const auto rate = map.rate("rate_limit")) delivery.rate_per_second = *rate;
  if (const auto target = map.text("dead_letter")) {
    delivery.dead_letter = *target;
    delivery.dead_letter_mark = value->find("dead_letter")->mark;
  }
  if (const auto deadline = map.duration("publish_deadline", milliseconds(1), hours(24))) {
    delivery.publish_deadline = *deadline;
  }
  if (const auto events = map.integer("max_batch", 1, 65'536)) delivery.max_batch = static_cast<std::uint32_t>(*events);
  if (const auto events = map.integer("max_in_flight", 1, 1'000'000)) {
    delivery.max_in_flight = static_cast<std::uint32_t>(*events);
  }
  map.later("spool", "queue.max_events and queue.max_bytes bound the queue in memory");
  delivery.ordering = read_ordering(map.take("ordering"), map.path_of("ordering"), problems);
  map.done();
  return delivery;
}

}  // namespace sluice
