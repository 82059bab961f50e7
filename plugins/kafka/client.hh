// What the rest of this module sees of librdkafka: a producer and a member of a consumer group, in plain types.
// instance.cc, producer.cc and consumer.cc alone act on the library.
//
// The library has threads of its own; everything here is called on the node's lane only, and what the library has to
// say waits in its queues until serve(). An fd becomes readable when a queue that was empty has something.
#pragma once

#include <sluice/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kafka {

/// The library's own properties by their names, in the order in which they are set: the last one counts.
using Properties = std::vector<std::pair<std::string, std::string>>;

enum class Role { producer, consumer };

/// Throws sluice::BadConfig with the library's own words for a property that it does not know or take.
void check(const Properties& properties, Role role);

/// An error as the library or the broker gave it: the protocol's number (below 0: the library's own), its name as in
/// the Kafka protocol ("MSG_SIZE_TOO_LARGE", the library's own with an underscore in front), and a text for people.
struct Failure {
  std::int32_t code = 0;
  std::string name, text;
};

struct Header {
  std::string_view name, value;
  bool has_value = true;  // Kafka knows null
};

struct Partition {
  std::string topic;
  std::int32_t number = 0;
  std::int64_t offset = 0;
};

/// Who is told of what the library noticed by itself, inside serve().
class Notices {
 public:
  virtual void trouble(const Failure& failure) = 0;  // a connection, a broker, the subscription
  virtual void broken(const Failure& failure) = 0;   // this client is of no more use: make another one
  virtual void chatter(int level, std::string_view text) = 0;

 protected:
  ~Notices() = default;
};

struct Undelivered {
  std::uint64_t ticket = 0, bytes = 0;
  std::string_view topic;
  Failure failure;
  bool perhaps_written = false;  // the broker may have it all the same
};

/// What became of messages, inside serve().
class Reports : public Notices {
 public:
  virtual void delivered(std::uint64_t first_ticket, std::uint32_t count) = 0;
  virtual void failed(const Undelivered& what) = 0;

 protected:
  ~Reports() = default;
};

enum class Reach { ready, no_topic, away };

/// Asks the brokers with a client of its own. `topic` empty: only whether one answers.
[[nodiscard]] Reach look(const Properties& properties, const std::string& topic, std::chrono::milliseconds timeout,
                         Failure& why);

class Producer {
 public:
  struct Topic;  // the library's handle of one topic; lives as long as the producer

  /// Connects in the background. Throws sluice::BadConfig for properties that contradict each other.
  Producer(const Properties& properties, Reports& reports);
  /// Ends the library's threads: from here on no memory of a message is read any more. Nothing is reported.
  ~Producer();
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  [[nodiscard]] Topic& topic(const std::string& name);
  struct Message {
    std::string_view value, key;
    bool has_value = true, has_key = false;
    std::span<const Header> headers;
    std::uint64_t ticket = 0;
  };
  enum class Taken { yes, queue_full, refused };
  /// The value is not copied: it stays where it is until the ticket is reported, or the producer is gone.
  [[nodiscard]] Taken produce(Topic& topic, const Message& message, Failure& why);
  /// Gives out what is known by now. True when there was something.
  bool serve();
  /// Readable when serve() may have something: then clear_signal(), and serve().
  [[nodiscard]] int fd() const noexcept;
  void clear_signal() noexcept;
  /// Asks the brokers. `topic` empty: only whether one answers.
  [[nodiscard]] Reach reach(const std::string& topic, std::chrono::milliseconds timeout, Failure& why);
  /// Gives up what is under way; all of it is reported as failed, soon.
  void purge();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A message as it was fetched; the views live until the next take().
struct Fetched {
  const void* topic_mark = nullptr;  // equal marks in one take(): the same topic
  std::string_view topic, value, key;
  std::int32_t partition = 0;
  std::int64_t offset = 0;
  bool has_value = true;
  const void* handle = nullptr;  // for headers_of()
};

/// What a member of a group is told, inside serve().
class Membership : public Notices {
 public:
  /// Partitions are to be taken: answer with assign().
  virtual void assigned(const std::vector<Partition>& partitions) = 0;
  /// Partitions are to be given back: answer with unassign(), soon. `lost`: somebody else has them already.
  virtual void revoked(const std::vector<Partition>& partitions, bool lost) = 0;
  virtual void committed(const Failure* failure) = 0;  // null: well
  /// Inside take(), when the library was asked for it: for now nothing follows; `end.offset` comes next.
  virtual void ended(const Partition& end) = 0;

 protected:
  ~Membership() = default;
};

class Consumer {
 public:
  /// Joins in the background. A topic that begins with ^ is a regular expression. Throws sluice::BadConfig.
  Consumer(const Properties& properties, const std::vector<std::string>& topics, Membership& membership);
  /// Leaves at once; see close().
  ~Consumer();
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  bool serve();
  /// What was fetched, at most `most`; what was taken before is gone.
  [[nodiscard]] std::span<const Fetched> take(std::size_t most);
  /// The headers of a message of the last take(), in their order.
  void headers_of(const Fetched& message, std::vector<Header>& out) const;
  [[nodiscard]] bool has_fetched() const noexcept;
  [[nodiscard]] int notices_fd() const noexcept;   // serve() may have something
  [[nodiscard]] int messages_fd() const noexcept;  // take() may have something
  void clear_notices_signal() noexcept;            // once its fd was readable, before serve()
  void clear_messages_signal() noexcept;           // likewise, before take()

  void assign();
  void unassign();
  /// Offsets of the next messages to read. The answer comes by committed(), unless it failed at once.
  [[nodiscard]] std::optional<Failure> commit(const std::vector<Partition>& next);
  void pause(const Partition& partition);
  /// Fetches from `partition.offset` on, also when it was paused.
  void go_back(const Partition& partition);
  /// Fetches from where reading stands, at once. Only while nothing fetched is waiting: it would be fetched again.
  void fetch_on(std::span<const Partition> from);
  /// The offset that the partition's next message will get, as far as known; -1: not known yet.
  [[nodiscard]] std::int64_t end_of(const Partition& partition) const;
  /// The same, asked of the broker that leads the partition.
  [[nodiscard]] std::optional<std::int64_t> ask_end(const Partition& partition,
                                                    std::chrono::milliseconds timeout) const;
  [[nodiscard]] Reach reach(const std::string& topic, std::chrono::milliseconds timeout, Failure& why);
  /// Leaves the group, so that others take over at once.
  void close(std::chrono::milliseconds timeout);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace kafka
