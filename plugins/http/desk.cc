#include "desk.hh"

#include <utility>

namespace sluice_http {
namespace {

constexpr std::size_t kBodyKeptBytes = 4 * 1024;  // a larger buffer is given back instead of kept for the next request

void drop_body(Request& request) {
  request.body.clear();
  if (request.body.capacity() > kBodyKeptBytes) std::string().swap(request.body);
}

}  // namespace

Desk::Desk(std::uint32_t requests_max, bool raw_header_values) : places_(requests_max), queue_(requests_max) {
  for (Place& place : places_) place.request.attributes = sluice::http_binding::BinaryHeaders(raw_header_values);
  free_.reserve(requests_max);
  for (std::uint32_t i = requests_max; i > 0; --i) free_.push_back(i - 1);
}

Desk::Place& Desk::place_of(const Request& request) { return places_[request.tag & 0xffffffffu]; }

Request* Desk::reserve() {
  // A place that was answered while it waited stays in the queue until the queue reaches it.
  while (queued_ > 0 && places_[queue_[head_]].state == State::gone) (void)oldest();
  if (free_.empty()) return nullptr;
  const std::uint32_t number = free_.back();
  free_.pop_back();
  ++in_use_;
  Place& place = places_[number];
  place.state = State::reserved;
  place.request.tag = (std::uint64_t{place.generation} << 32) | number;
  return &place.request;
}

void Desk::park(Request& request) {
  place_of(request).state = State::waiting;
  waiting_bytes_ += request.body.size();
  queue_[(head_ + queued_) % queue_.size()] = static_cast<std::uint32_t>(request.tag & 0xffffffffu);
  ++queued_;
  ++waiting_;
}

void Desk::give_back(Request& request) { free(place_of(request)); }

Request* Desk::oldest() {
  while (queued_ > 0) {
    Place& place = places_[queue_[head_]];
    if (place.state == State::waiting) return &place.request;
    head_ = static_cast<std::uint32_t>((head_ + 1) % queue_.size());
    --queued_;
    free(place);
  }
  return nullptr;
}

void Desk::pulled() {
  Place& place = places_[queue_[head_]];
  head_ = static_cast<std::uint32_t>((head_ + 1) % queue_.size());
  --queued_;
  --waiting_;
  waiting_bytes_ -= place.request.body.size();
  drop_body(place.request);
  place.state = State::pulled;
}

void Desk::refuse_oldest(Answer text) {
  Place& place = places_[queue_[head_]];
  pulled();
  answer(place.request, std::move(text));
  free(place);
}

bool Desk::settle(const sluice_settlement& settlement, std::uint32_t retry_after_s) {
  const std::uint64_t number = settlement.tag & 0xffffffffu;
  if (number >= places_.size()) return false;
  Place& place = places_[number];
  if (place.state != State::pulled || place.request.tag != settlement.tag) return false;
  if (place.request.caller) answer(place.request, answer_to(settlement, retry_after_s));
  free(place);
  return true;
}

void Desk::expire(std::uint64_t now_ns, std::uint32_t retry_after_s) {
  for (Place& place : places_) {
    if (!place.request.caller || place.request.deadline_ns > now_ns) continue;
    if (place.state == State::waiting) {
      place.state = State::gone;
      --waiting_;
      waiting_bytes_ -= place.request.body.size();
      drop_body(place.request);
      answer(place.request, later(503, "busy", "the graph had no room in time; nothing was taken", retry_after_s));
    } else if (place.state == State::pulled) {
      answer(place.request, later(504, "not_settled",
                                  "no outcome in time; the event may still be delivered, so send it again with the "
                                  "same id and source",
                                  retry_after_s));
    }
  }
}

void Desk::refuse_waiting() {
  while (oldest() != nullptr) {
    Answer made = later(503, "stopping", "this server is stopping; nothing was taken", 1);
    made.close = true;
    refuse_oldest(std::move(made));
  }
}

void Desk::answer(Request& request, Answer text) {
  const std::shared_ptr<Caller> caller = std::move(request.caller);
  request.caller = nullptr;
  caller->answer(std::move(text));
}

void Desk::free(Place& place) {
  Request& request = place.request;
  drop_body(request);
  request.attributes.clear();
  request.caller = nullptr;
  place.state = State::free;
  ++place.generation;
  free_.push_back(static_cast<std::uint32_t>(&place - places_.data()));
  --in_use_;
}

}  // namespace sluice_http
