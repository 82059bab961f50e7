// The configuration as plain structs, after lowering, interpolation and defaults: what the graph is built from.
// Units are in the types or the names.
#pragma once

#include "core/decode.hh"
#include "core/document.hh"
#include "core/event_format.hh"
#include "core/filter.hh"
#include "core/limits.hh"
#include "core/ports.hh"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

using std::chrono::milliseconds;

enum class NodeKind : std::uint8_t { source, consumer, backend };

/// `inputs: [early_check.rejected]`: a node, and the output port of a consumer (empty: the plain port 0).
struct Input {
  std::string node;
  std::string port;
  Mark mark;
};

struct Acknowledge {
  enum class Mode : std::uint8_t { all, any, nodes } mode = Mode::all;
  std::vector<std::string> nodes;  // Mode::nodes: backends by name
};

enum class WhenFull : std::uint8_t { block, drop_newest, dead_letter, spool };

struct QueueBounds {
  std::uint64_t max_events = limits::kQueueEvents;
  std::uint64_t max_bytes = limits::kQueueBytes;
};

struct RetryPolicy {
  enum class Backoff : std::uint8_t { constant, linear, exponential } backoff = Backoff::exponential;
  enum class Jitter : std::uint8_t { none, full } jitter = Jitter::full;
  std::uint32_t max_attempts = 5;  // tries, the first one included
  milliseconds delay{1'000};
  milliseconds max_delay{30'000};
  milliseconds max_age{0};  // since the event was queued; 0 = no bound (the queue is the bound)
};

struct BreakerPolicy {
  enum class OnOpen : std::uint8_t { hold, dead_letter, spool } on_open = OnOpen::hold;
  bool enabled = true;
  double failure_rate = 0.5;       // of the window, 0..1
  std::uint32_t window = 50;       // results looked at
  std::uint32_t min_results = 10;  // fewer results never trip it
  milliseconds open_for{30'000};

  bool operator==(const BreakerPolicy&) const = default;
};

/// `ordering: key`: one event of a key at a time, the later ones of that key behind it.
struct Ordering {
  bool by_key = false;
  std::string key;  // partitionkey, subject, or a JSON pointer into data; empty: partitionkey, or else subject
  std::uint64_t max_held = limits::kOrderingHeld;  // events that may wait behind an earlier one of their key
};

/// A backend's disk buffer: events are written there before their source hears of delivery.
struct SpoolPolicy {
  enum class Fsync : std::uint8_t { every_batch, group_commit, interval } fsync = Fsync::group_commit;
  enum class OnFull : std::uint8_t { block, drop_newest, dead_letter } on_full = OnFull::block;
  std::string path;  // a folder; empty = no spool
  std::uint64_t max_bytes = limits::kSpoolBytes;
  std::uint64_t segment_bytes = limits::kSpoolSegmentBytes;
  milliseconds group_commit{10};  // from the first event that waits to the sync
  milliseconds interval{1'000};   // between syncs
  Mark mark, path_mark;

  [[nodiscard]] bool on() const noexcept { return !path.empty(); }
};

struct Delivery {
  QueueBounds queue;
  WhenFull when_full = WhenFull::block;
  RetryPolicy retry;
  BreakerPolicy breaker;
  double rate_per_second = 0;  // 0 = unlimited
  std::string dead_letter;     // a backend's name; empty = none
  Mark dead_letter_mark;
  milliseconds publish_deadline = limits::kPublishDeadline;
  std::uint32_t max_batch = limits::kBatchEvents;
  std::uint32_t max_in_flight = 0;  // events given to the class and not completed; 0 = as many as it takes
  Ordering ordering;
  SpoolPolicy spool;
};

/// What a kill does to an observer's queue. by_class: what the class asks for, until the classes are known.
enum class ObserverQueue : std::uint8_t { by_class, lossy, durable };

struct NodeConfig;

/// A source's duplicates: what makes two events the same, for how long, and where the keys that were delivered are
/// kept.
struct DedupPolicy {
  enum class Store : std::uint8_t { memory, file, shared } store = Store::memory;
  /// Of the events that match, one goes on for each value of the key, whoever of the hosts that share the store has it.
  struct Once {
    Filter which;
    std::vector<std::string> types;  // as written: what `which` was made of
    std::string key;                 // a JSON pointer into data
  };
  std::vector<std::string> key;  // the business key, JSON pointers into data; empty: source and id
  bool only_once = false;        // key: none; `once` alone
  std::optional<Once> once;
  milliseconds ttl = limits::kDedupTtl;
  std::uint64_t max_keys = limits::kDedupKeys;  // known to this host; beyond it the oldest are forgotten and counted
  std::string path;                             // Store::file
  std::vector<NodeConfig> shared;               // Store::shared: one node, of a class that offers sluice.key_store/1
  Mark mark;
};

/// One node as configured. A fan_out list is still one node here; the graph expands it.
struct NodeConfig {
  NodeKind kind = NodeKind::source;
  std::string name;
  std::string klass;
  std::vector<Input> inputs;  // empty for sources
  std::optional<Filter> when;
  std::string when_json;                  // as given, for `sluice graph`
  Value config;                           // the plugin's own, after interpolation; schema defaults are filled in later
  std::string config_json;                // canonical, defaults filled, units resolved: what the plugin sees
  std::string shown_json;                 // the same with secrets masked: what people see
  std::string fan_out;                    // the key of the list that makes one lane per element; empty = one lane
  std::vector<std::string> fan_out_json;  // then: config_json of each element's lane, its list cut to that element
  Mark mark;
  std::string file;
  std::string path;  // "backends.log", or as a dialect's user wrote it
  Mark klass_mark;

  // Sources.
  EventFormat format;
  Acknowledge acknowledge;
  std::optional<DedupPolicy> dedup;
  // Backends.
  Delivery delivery;
  std::vector<std::string> redact;  // JSON pointers into data
  bool required = true;             // counts for /ready and for /health's 503
  // Observers.
  std::uint64_t observer_queue = limits::kQueueEvents;  // events in memory; lossy: beyond it the newest are dropped
  ObserverQueue queue_kind = ObserverQueue::by_class;   // durable: delivery.spool is where its events are kept
};

struct AdminConfig {
  std::string listen;  // "127.0.0.1:8686"; empty = no admin server
};

struct LogConfig {
  std::string level = "info";
  std::string format = "auto";  // auto | human | json
  bool events = false;          // "Event published" per event, rate-bounded (`monitoring.log_events`)
  std::uint32_t events_per_second = 100;
};

/// `event_consumer:` of a settings file, as its log lines and health fields name it.
struct EventConsumer {
  std::string node;  // the source's; empty: it is not enabled
  std::string stream, group;
  bool hands_over = false;  // false: events are logged and stay in the group
};

struct Config {
  std::string file;
  std::vector<std::string> plugin_path;
  AdminConfig admin;
  LogConfig log;
  EventLimits limits;
  std::uint32_t batch_events = limits::kBatchEvents;
  milliseconds drain_deadline = limits::kDrainDeadline;
  std::string undelivered_path;   // where unsettled events of a source that cannot hold are written at the deadline
  bool events_dialect = false;    // lowered from `events:`: its log lines and health fields apply
  EventConsumer consumer;         // lowered from `event_consumer:`
  std::string disabled;           // not empty: nothing runs, and this says why ("events.enabled is false …")
  std::vector<NodeConfig> nodes;  // in the order of the file

  [[nodiscard]] const NodeConfig* find(std::string_view name) const noexcept;
};

}  // namespace sluice
