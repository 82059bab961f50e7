// The seams between the lanes (run/) and the world (edge/): a node that a lane drives, and what a node may say back.
// edge/ implements the nodes over the plugin ABI, tests implement them in memory; neither side knows the other.
#pragma once

#include "core/key_hash.hh"

#include <sluice/backend.h>
#include <sluice/consumer.h>
#include <sluice/source.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The answer of a control call. `text` is for people and is empty on success.
struct Status {
  sluice_status code = SLUICE_OK;
  std::string text;

  [[nodiscard]] bool ok() const noexcept { return code == SLUICE_OK; }
};

/// What a node may say to its lane, at any time and from any thread. Implemented by the lanes.
class NodeEvents {
 public:
  virtual ~NodeEvents() = default;
  virtual void wake() noexcept = 0;
  virtual void complete(std::uint64_t ticket, std::uint32_t count, const sluice_result* result) noexcept = 0;
  virtual void complete_each(std::uint64_t ticket, std::uint32_t count, const std::uint8_t* status) noexcept = 0;
  /// Inside process() only.
  virtual void explain(std::uint32_t index, std::string_view reason) noexcept = 0;
  [[nodiscard]] virtual std::uint64_t now_ns() const noexcept = 0;
};

/// A created instance of a class. Destroying it is the plugin's destroy(). Calls of one node never overlap.
class Node {
 public:
  virtual ~Node() = default;
  /// Must be called before start(); until then what the node says goes nowhere and is counted as a contract breach.
  virtual void attach(NodeEvents* events) noexcept = 0;
  /// Connects or listens. SLUICE_AWAY: try again later.
  [[nodiscard]] virtual Status start(std::chrono::milliseconds timeout) = 0;
  /// The lane's only wait. Returns false at once when the class has no poll(): then the lane sleeps by itself.
  [[nodiscard]] virtual bool poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room,
                                  Status& status) = 0;
  [[nodiscard]] virtual bool polls() const noexcept = 0;
  virtual Status stop(std::chrono::milliseconds timeout) = 0;
  /// Bytes that a source will hand over until its end; 0 when that is not known. After start().
  [[nodiscard]] virtual std::uint64_t input_bytes() { return 0; }
  /// Lines for the stop summary; empty when the class offers none.
  [[nodiscard]] virtual std::string summary() { return {}; }
  /// How often the node broke the contract outside a lane's sight (a call before attach, an over-long text).
  [[nodiscard]] virtual std::uint64_t breaches() const noexcept { return 0; }
};

class SourceNode : public Node {
 public:
  [[nodiscard]] virtual sluice_status pull(sluice_writer& out, std::string& error) = 0;
  virtual void settle(std::span<const sluice_settlement> settlements) = 0;
  [[nodiscard]] virtual bool in_order() const noexcept = 0;
  /// True when the source cannot be asked again (standard input).
  [[nodiscard]] virtual bool cannot_hold() const noexcept = 0;
};

class ConsumerNode : public Node {
 public:
  /// verdict is null for an observer; out is null unless emits().
  [[nodiscard]] virtual sluice_status process(const sluice_batch& in, std::uint8_t* verdict, sluice_writer* out,
                                              std::string& error) = 0;
  [[nodiscard]] virtual bool ticks() const noexcept = 0;
  /// In how many ms to call again; 0 = after the next batch.
  [[nodiscard]] virtual std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out) = 0;
  [[nodiscard]] virtual bool wants_settled() const noexcept = 0;
  virtual void settled(std::span<const std::uint64_t> seq, std::span<const std::uint8_t> outcome) = 0;
  [[nodiscard]] virtual bool emits() const noexcept = 0;
  /// Of an observer: patterns of the types that it can use; none: every type. Before start().
  [[nodiscard]] virtual std::vector<std::string> wanted_types() { return {}; }
};

class BackendNode : public Node {
 public:
  [[nodiscard]] virtual sluice_status publish(const sluice_batch& batch, std::uint32_t& taken, std::string& error) = 0;
  virtual void flush() = 0;
};

/// Where a source's delivered keys are kept beyond its lane. Every call may block; a lane of its own makes them.
/// A key that a store is asked for, and who claims it.
struct AskedKey {
  KeyHash key;
  KeyHash owner;  // empty: nobody does
  [[nodiscard]] bool claims() const noexcept { return owner != KeyHash{}; }
};

class KeyStoreNode : public Node {
 public:
  /// True: other hosts record keys there too, so each key that this host does not know is looked up. False: nobody else
  /// does; what load() gives at the start is all there is.
  [[nodiscard]] virtual bool shared() const noexcept = 0;
  /// Every key that was recorded and has not expired, oldest first. After start(), once.
  virtual void load(const std::function<void(const KeyHash&, std::int64_t unix_ms)>& take) = 0;
  /// present[i] becomes 1 when keys[i] was recorded and has not expired; it comes as 0.
  [[nodiscard]] virtual Status lookup(std::span<const KeyHash> keys, std::uint8_t* present) = 0;
  /// All of them or none. OK: they survive the end of this process.
  [[nodiscard]] virtual Status record(std::span<const KeyHash> keys, std::int64_t unix_ms) = 0;
  /// taken[i] becomes 1 when another owner has the key's claim; it comes as 0. Only of shared stores.
  [[nodiscard]] virtual Status claim(std::span<const AskedKey>, std::uint8_t*) { return {}; }
  /// Ends these claims, where they are these owners'.
  [[nodiscard]] virtual Status release(std::span<const AskedKey>) { return {}; }
  /// Removes expired keys, a bounded number in a call. True when there may be more.
  virtual bool tidy(std::int64_t unix_ms) = 0;
};

/// Time as the lanes see it. Tests step it by hand.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual std::uint64_t now_ns() const noexcept = 0;  // monotonic
  [[nodiscard]] virtual std::int64_t unix_ns() const noexcept = 0;  // wall clock
};

enum class Level : std::uint8_t { debug = 0, info = 1, warn = 2, error = 3 };

/// One fact of a log line: key=value behind the sentence, or a JSON member.
struct Field {
  std::string_view key;
  std::string value;
  bool bare = false;  // a number or literal: written without quotes in JSON
};

/// Where lanes write what people should know. Thread-safe. Never called per event, except for the bounded
/// "Event published" lines of the `events:` dialect.
class Log {
 public:
  virtual ~Log() = default;
  [[nodiscard]] virtual bool enabled(Level level) const noexcept = 0;
  virtual void write(Level level, std::string_view sentence, std::span<const Field> fields) noexcept = 0;
};

}  // namespace sluice
