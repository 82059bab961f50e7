// What the host has and was not settled yet: a small number, the record's tag, for each entry's id. Pure.
#pragma once

#include "stream_id.hh"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace redis_streams {

class Flights {
 public:
  struct Flight {
    StreamId id;
    bool backlog = false;
  };
  [[nodiscard]] std::uint64_t add(StreamId id, bool backlog) {
    ++count_;
    if (free_.empty()) {
      flights_.push_back({id, backlog});
      return flights_.size() - 1;
    }
    const std::uint64_t tag = free_.back();
    free_.pop_back();
    flights_[tag] = {id, backlog};
    return tag;
  }
  Flight remove(std::uint64_t tag) {
    const Flight flight = flights_.at(tag);
    flights_[tag] = {};
    free_.push_back(tag);
    --count_;
    return flight;
  }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  /// In no order; for the rare looks at everything.
  [[nodiscard]] std::vector<StreamId> ids() const {
    std::vector<StreamId> all;
    for (const Flight& flight : flights_) {
      if (flight.id != StreamId{}) all.push_back(flight.id);
    }
    return all;
  }

 private:
  std::vector<Flight> flights_;  // by tag; 0-0: free
  std::vector<std::uint64_t> free_;
  std::size_t count_ = 0;
};

}  // namespace redis_streams
