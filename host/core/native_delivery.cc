// The `delivery:` block, the same for every backend.
#include "core/map_reader.hh"
#include "core/native_format.hh"

#include <algorithm>

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
  using OnOpen = BreakerPolicy::OnOpen;
  map.choice("on_open", {{"hold", OnOpen::hold}, {"dead_letter", OnOpen::dead_letter}, {"spool", OnOpen::spool}},
             breaker.on_open);
  map.done();
}

void read_spool(const Value* value, const std::string& path, SpoolPolicy& spool, Problems& problems) {
  if (value == nullptr || value->kind == Value::Kind::null) return;
  MapReader map(value, path, problems);
  spool.mark = value->mark;
  if (const auto folder = map.text("path"); folder && !folder->empty()) {
    spool.path = *folder;
    spool.path_mark = value->find("path")->mark;
  } else {
    map.wrong(*value, "path", "is missing; name the folder that the spool may have for itself, such as spool/stream");
    spool.path = "spool";  // so that nothing else is said about a spool that is not there
  }
  read_spool_bounds(value, map, spool);
  using OnFull = SpoolPolicy::OnFull;
  map.choice("on_full",
             {{"block", OnFull::block}, {"drop_newest", OnFull::drop_newest}, {"dead_letter", OnFull::dead_letter}},
             spool.on_full);
  map.done();
}

/// A spool and a policy that needs one, or makes no sense beside one.
void check_spool(const Value* value, MapReader& map, Delivery& delivery) {
  const Value* full = value == nullptr ? nullptr : value->find("when_full");
  if (!delivery.spool.on()) {
    if (delivery.when_full == WhenFull::spool) {
      map.wrong(*full, "when_full", "is spool, but there is none; add delivery.spool: {path: FOLDER}");
    }
    if (delivery.breaker.on_open == BreakerPolicy::OnOpen::spool) {
      map.wrong(*value->at("breaker.on_open"), "breaker.on_open",
                "is spool, but there is none; add delivery.spool: {path: FOLDER}");
    }
    return;
  }
  if (full != nullptr && full->kind != Value::Kind::null && delivery.when_full != WhenFull::spool) {
    map.wrong(*full, "when_full",
              "must be spool beside a spool, or be left out: what does not fit in memory lies there; "
              "delivery.spool.on_full says what becomes of events when the spool itself is full");
  }
  delivery.when_full = WhenFull::spool;
}

}  // namespace

void read_spool_bounds(const Value* value, MapReader& map, SpoolPolicy& spool) {
  if (const auto bytes = map.size("max_bytes", 64 * 1024, 1ull << 50)) spool.max_bytes = *bytes;
  if (const auto bytes = map.size("segment_bytes", 4 * 1024, 1ull << 40)) {
    spool.segment_bytes = *bytes;
    if (spool.segment_bytes > spool.max_bytes / 2) {
      map.wrong(*value->find("segment_bytes"), "segment_bytes",
                "must be at most half of max_bytes: room comes back by whole segments");
    }
  } else {
    spool.segment_bytes = std::min(limits::kSpoolSegmentBytes, spool.max_bytes / 8);
  }
  using Fsync = SpoolPolicy::Fsync;
  map.choice(
      "fsync",
      {{"every_batch", Fsync::every_batch}, {"group_commit", Fsync::group_commit}, {"interval", Fsync::interval}},
      spool.fsync);
  const auto only_with = [&](const char* key, Fsync needed, const char* name) {
    if (value->find(key) == nullptr || spool.fsync == needed) return;
    (void)map.idle(key, std::string("counts with fsync: ") + name + " only");
  };
  if (const auto ms = map.integer("group_commit_ms", 1, 10'000)) spool.group_commit = milliseconds(*ms);
  only_with("group_commit_ms", Fsync::group_commit, "group_commit");
  if (const auto interval = map.duration("interval", milliseconds(1), milliseconds(60'000))) spool.interval = *interval;
  only_with("interval", Fsync::interval, "interval");
}

Delivery read_delivery(const Value* value, const std::string& path, Problems& problems) {
  Delivery delivery;
  MapReader map(value, path, problems);
  read_queue(map.take("queue"), map.path_of("queue"), delivery.queue, problems);
  map.choice("when_full",
             {{"block", WhenFull::block},
              {"drop_newest", WhenFull::drop_newest},
              {"dead_letter", WhenFull::dead_letter},
              {"spool", WhenFull::spool}},
             delivery.when_full);
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
  read_spool(map.take("spool"), map.path_of("spool"), delivery.spool, problems);
  check_spool(value, map, delivery);
  delivery.ordering = read_ordering(map.take("ordering"), map.path_of("ordering"), problems);
  map.done();
  return delivery;
}

}  // namespace sluice
