// librdkafka's objects with an owner. This file alone includes the library.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <stdexcept>

#include <sys/eventfd.h>
#include <unistd.h>

namespace kafka {

struct Free {
  void operator()(rd_kafka_conf_t* p) const noexcept { rd_kafka_conf_destroy(p); }
  void operator()(rd_kafka_queue_t* p) const noexcept { rd_kafka_queue_destroy(p); }
  void operator()(rd_kafka_topic_t* p) const noexcept { rd_kafka_topic_destroy(p); }
  void operator()(rd_kafka_event_t* p) const noexcept { rd_kafka_event_destroy(p); }
  void operator()(rd_kafka_headers_t* p) const noexcept { rd_kafka_headers_destroy(p); }
  void operator()(rd_kafka_message_t* p) const noexcept { rd_kafka_message_destroy(p); }
  void operator()(rd_kafka_DeleteRecords_t* p) const noexcept { rd_kafka_DeleteRecords_destroy(p); }
  void operator()(rd_kafka_AdminOptions_t* p) const noexcept { rd_kafka_AdminOptions_destroy(p); }
  void operator()(rd_kafka_error_t* p) const noexcept { rd_kafka_error_destroy(p); }
  void operator()(rd_kafka_topic_partition_list_t* p) const noexcept { rd_kafka_topic_partition_list_destroy(p); }
  void operator()(const struct rd_kafka_metadata* p) const noexcept { rd_kafka_metadata_destroy(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

/// A queue of the library and the fd that says when it has something.
class Signalled {
 public:
  explicit Signalled(rd_kafka_queue_t* queue) : queue_(queue), fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    if (fd_ < 0) throw std::runtime_error("no file descriptor left for an eventfd");
    constexpr std::uint64_t kOne = 1;
    rd_kafka_queue_io_event_enable(queue_.get(), fd_, &kOne, sizeof kOne);
  }
  ~Signalled() {
    rd_kafka_queue_io_event_enable(queue_.get(), -1, nullptr, 0);
    queue_.reset();
    ::close(fd_);
  }
  Signalled(const Signalled&) = delete;
  Signalled& operator=(const Signalled&) = delete;
  [[nodiscard]] rd_kafka_queue_t* get() const noexcept { return queue_.get(); }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  /// When the fd was seen readable, and before the queue is looked at: what comes later signals again.
  void clear() const noexcept {
    std::uint64_t times = 0;
    (void)!::read(fd_, &times, sizeof times);
  }

 private:
  Owned<rd_kafka_queue_t> queue_;
  int fd_;
};

}  // namespace kafka
