// A thread that decodes a source's pulls while the lane routes earlier ones. Decoding is about half of what a flood
// costs before it reaches the backends, and one thread would do it alone while other cores rest.
//
// Only a flood uses it: a pull that is not nearly full is decoded by the lane at once, so a single event never waits
// for another thread. Order is the lane's: it routes pulls in the order in which they were pulled.
#pragma once

#include "run/credit_pool.hh"
#include "run/pull.hh"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace sluice {

class DecodeAhead {
 public:
  /// Pulls in hand at most: what the bounds of a source's memory count on.
  static constexpr std::size_t kPullsMax = 6;

  /// `lane` is woken when a pull is decoded.
  DecodeAhead(Decoder decoder, std::string node, std::uint64_t seed, Wakeable& lane)
      : decoder_(std::move(decoder)), node_(std::move(node)), seed_(seed), lane_(lane) {}
  ~DecodeAhead();

  /// The lane. The pull must stay until it is decoded; the lane may claim it first. The first call starts the thread.
  void offer(Pull& pull);
  /// The lane: waits until somebody else's decoding of the pull has ended.
  void wait_for(const Pull& pull);

 private:
  void work();

  Decoder decoder_;
  const std::string node_;
  const std::uint64_t seed_;
  Wakeable& lane_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Pull*, 2 * kPullsMax> queue_{};  // a ring; what the lane has claimed since is passed over
  std::size_t head_ = 0, size_ = 0;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace sluice
