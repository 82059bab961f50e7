// Backend `kafka`: each event becomes one message, produced by librdkafka in batches of its own making.
//
// The library holds what it has not sent yet, sends a message again when a connection breaks, and keeps the order of a
// partition while doing so: only it can do that without a duplicate (the idempotent producer). So retries of the wire
// are its business, within delivery_timeout, and the lane retries what it gives up. The payload is not copied: it
// stays in the host's memory until the event is completed. A client instance is destroyed, with all its threads, before
// events that it might still read are completed.
#pragma once

#include "answer.hh"
#include "client.hh"
#include "options.hh"
#include "topic_desk.hh"

#include <sluice/cpp/letter_watch.hh>
#include <sluice/cpp/plugin.hh>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace kafka {

using std::chrono::milliseconds;

class Backend final : private Reports {
 public:
  Backend(sluice::HostView host, sluice::ConfigView config);

  void start(milliseconds timeout);
  sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
  sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room);
  void probe(milliseconds timeout);
  void stop(milliseconds timeout);

 private:
  // Reports.
  void delivered(std::uint64_t first_ticket, std::uint32_t count) override;
  void failed(const Undelivered& what) override;
  void trouble(const Failure& failure) override;
  void broken(const Failure& failure) override;
  void chatter(int level, std::string_view text) override;

  /// Failures that end the same way travel as one completion.
  struct Run {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
    Meaning meaning;
    std::int32_t code = 0;
  };

  void connect(milliseconds timeout);
  /// False when the queue of the library is full.
  bool take(const sluice::EventView& event, std::uint64_t ticket);
  bool produce(Producer::Topic& topic, std::string_view name, const sluice::EventView& event, std::uint64_t ticket);
  void fill(const sluice::EventView& event, Producer::Message& message);
  void complete(std::uint64_t ticket, std::int32_t code, Meaning meaning);
  void tell_run();
  /// True when something was reported.
  bool serve();
  void abandon(const std::string& reason);
  [[nodiscard]] std::string fixed_topic() const;

  sluice::HostView host_;
  const BackendOptions options_;
  const std::array<Header, 1> structured_;
  std::unique_ptr<Producer> producer_;
  Producer::Topic* topic_ = nullptr;  // of all events, unless it depends on the event
  std::string topic_name_;            // of this event
  std::vector<std::string> names_;    // of headers
  std::vector<Header> headers_;

  std::uint64_t in_flight_ = 0;
  Run run_;
  std::vector<Undelivered> given_up_;
  bool giving_up_ = false;
  bool away_ = false;       // no broker answers
  bool timed_out_ = false;  // the library has begun to give up what it holds
  std::string last_trouble_, broken_why_;
  bool warned_of_null_ = false;

  // Of a topic that dead letters go to.
  [[nodiscard]] sluice::LetterFacts letters(milliseconds timeout);
  std::unique_ptr<TopicDesk> desk_;  // the watch's own
  std::optional<sluice::LetterWatch> letter_watch_;
};

}  // namespace kafka
