// The desk: requests that are complete and wait, first to be pulled, then to be settled. Bounded; a tag names a request
// once. No sockets here: whoever asked is a Caller, held until the answer is there. One thread: the source's lane.
//
//   park() ──▶ waiting ──pull──▶ in the graph ──settle()──▶ answered
//                 └── too long: expire() answers 503      └── too long: expire() answers 504, settle() finds nobody
#pragma once

#include "answer.hh"

#include <sluice/cpp/http_binding.hh>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sluice_http {

/// Whoever waits for an answer. Called once, from the lane.
class Caller {
 public:
  virtual ~Caller() = default;
  virtual void answer(Answer answer) = 0;
};

/// A complete request.
struct Request {
  std::string body;
  std::uint32_t flags = 0;                         // of the record it becomes
  sluice::http_binding::BinaryHeaders attributes;  // binary mode
  std::shared_ptr<Caller> caller;                  // null once answered
  std::uint64_t deadline_ns = 0;
  std::uint64_t tag = 0;
};

class Desk {
 public:
  /// `raw_header_values`: see sluice::http_binding::BinaryHeaders.
  Desk(std::uint32_t requests_max, bool raw_header_values);

  /// A free place to fill in, or null when all are taken: then nothing happened.
  [[nodiscard]] Request* reserve();
  /// The request got its place: it waits to be pulled. Requires: the last reserve() gave it.
  void park(Request& request);
  /// The place is not used after all.
  void give_back(Request& request);

  [[nodiscard]] bool has_waiting() const noexcept { return waiting_ > 0; }
  /// The oldest that waits; null when there is none.
  [[nodiscard]] Request* oldest();
  /// The oldest went into the graph: its bytes were copied. Its attributes stay until it is settled.
  void pulled();
  /// It can never go into the graph: answered, and its place is free.
  void refuse_oldest(Answer answer);

  /// The request of this tag is final. Answers whoever still waits. False: no such request (a contract broken
  /// elsewhere).
  bool settle(const sluice_settlement& settlement, std::uint32_t retry_after_s);

  /// Answers those whose time is up.
  void expire(std::uint64_t now_ns, std::uint32_t retry_after_s);
  /// Answers all that wait and were not pulled: the source stops.
  void refuse_waiting();

  [[nodiscard]] std::uint32_t waiting() const noexcept { return waiting_; }
  [[nodiscard]] std::uint32_t in_use() const noexcept { return in_use_; }
  [[nodiscard]] std::uint32_t places() const noexcept { return static_cast<std::uint32_t>(places_.size()); }
  [[nodiscard]] std::uint64_t waiting_bytes() const noexcept { return waiting_bytes_; }

 private:
  enum class State : std::uint8_t { free, reserved, waiting, gone, pulled };
  struct Place {
    Request request;
    State state = State::free;  // gone: it waited, was answered, and still stands in the queue
    std::uint32_t generation = 1;
  };
  [[nodiscard]] Place& place_of(const Request& request);
  void free(Place& place);
  static void answer(Request& request, Answer answer);

  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> queue_;  // a ring of place numbers, oldest at head_
  std::uint32_t head_ = 0, queued_ = 0, waiting_ = 0, in_use_ = 0;
  std::uint64_t waiting_bytes_ = 0;
};

}  // namespace sluice_http
