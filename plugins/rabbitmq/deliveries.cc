#include "deliveries.hh"

#include <algorithm>
#include <utility>

namespace rabbitmq {
namespace {

// Buffers of ordinary messages are kept for the next ones; what a few huge ones needed is given back.
constexpr std::size_t kKeptBytes = 64 * 1024;

}  // namespace

Deliveries::Deliveries(std::uint32_t prefetch) : places_(prefetch) { forget(); }

void Deliveries::forget() {
  free_.clear();
  held_.clear();
  waiting_.clear();
  gathered_.clear();
  for (std::uint32_t i = static_cast<std::uint32_t>(places_.size()); i-- > 0;) {
    places_[i].open = places_[i].held = false;
    places_[i].tag = 0;
    free_.push_back(i);
  }
  first_ = last_ = kNone;
  open_ = 0;
}

bool Deliveries::arrived(Message& message) {
  if (free_.empty()) return false;
  const std::uint32_t index = free_.back();
  free_.pop_back();
  Place& place = places_[index];
  std::swap(place.message, message);
  place.tag = next_serial_++ << kIndexBits | index;
  place.failures = 0;
  place.open = true;
  place.before = std::exchange(last_, index);
  place.after = kNone;
  (place.before == kNone ? first_ : places_[place.before].after) = index;
  ++open_;
  waiting_.push_back(index);
  return true;
}

Deliveries::Place* Deliveries::waiting() { return waiting_.empty() ? nullptr : &places_[waiting_.front()]; }

void Deliveries::handed() {
  if (!waiting_.empty()) waiting_.pop_front();
}

Deliveries::Place* Deliveries::find(std::uint64_t tag) {
  const std::uint64_t index = tag & ((1u << kIndexBits) - 1);
  if (index >= places_.size()) return nullptr;
  Place& place = places_[index];
  return place.open && place.tag == tag ? &place : nullptr;
}

void Deliveries::acknowledge(Place& place) {
  gathered_.push_back(place.message.delivery_tag);
  close(place);
}

void Deliveries::close(Place& place) {
  (place.before == kNone ? first_ : places_[place.before].after) = place.after;
  (place.after == kNone ? last_ : places_[place.after].before) = place.before;
  place.open = false;
  if (place.message.body.capacity() > kKeptBytes) std::string().swap(place.message.body);
  --open_;
  free_.push_back(index_of(place));
}

void Deliveries::hold(Place& place, std::uint64_t due_ms) {
  place.due_ms = due_ms;
  place.held = true;
  held_.push_back(index_of(place));
}

void Deliveries::offer_again(Place& place) { waiting_.push_back(index_of(place)); }

std::optional<std::uint64_t> Deliveries::next_due_ms() const {
  std::optional<std::uint64_t> soonest;
  for (const std::uint32_t index : held_) {
    if (!soonest || places_[index].due_ms < *soonest) soonest = places_[index].due_ms;
  }
  return soonest;
}

const Deliveries::Acks& Deliveries::take_acks() {
  acks_.up_to = 0;
  acks_.single.clear();
  const std::uint64_t oldest_open = first_ == kNone ? UINT64_MAX : places_[first_].message.delivery_tag;
  for (const std::uint64_t tag : gathered_) {
    if (tag < oldest_open)
      acks_.up_to = std::max(acks_.up_to, tag);
    else
      acks_.single.push_back(tag);
  }
  gathered_.clear();
  return acks_;
}

}  // namespace rabbitmq
