// Events and batches as C++ sees them: views, no ownership, no copies. Valid as long as the host says the event is.
#pragma once

#include "../event.h"
#include "text.hh"

#include <cstdint>
#include <optional>
#include <string_view>

namespace sluice {

class EventView {
 public:
  explicit EventView(const sluice_event& event) noexcept : event_(&event) {}

  [[nodiscard]] std::string_view id() const noexcept { return slice(event_->id); }
  [[nodiscard]] std::string_view source() const noexcept { return slice(event_->source); }
  [[nodiscard]] std::string_view type() const noexcept { return slice(event_->type); }
  [[nodiscard]] std::string_view subject() const noexcept { return slice(event_->subject); }
  [[nodiscard]] std::string_view time() const noexcept { return slice(event_->time); }
  [[nodiscard]] std::string_view datacontenttype() const noexcept { return slice(event_->datacontenttype); }
  [[nodiscard]] std::string_view dataschema() const noexcept { return slice(event_->dataschema); }
  [[nodiscard]] std::string_view key() const noexcept { return slice(event_->key); }
  /// The whole event in the CloudEvents JSON format.
  [[nodiscard]] std::string_view json() const noexcept { return slice(event_->json); }
  /// JSON text, or raw bytes when data_is_bytes(). Empty when there is none: see has_data().
  [[nodiscard]] std::string_view data() const noexcept { return slice(event_->data); }
  [[nodiscard]] bool has_data() const noexcept { return (event_->flags & SLUICE_HAS_DATA) != 0; }
  [[nodiscard]] bool data_is_bytes() const noexcept { return (event_->flags & SLUICE_DATA_BYTES) != 0; }
  /// Seconds since the Unix epoch, when the event has a time.
  [[nodiscard]] std::optional<std::int64_t> time_seconds() const noexcept {
    if ((event_->flags & SLUICE_HAS_TIME) == 0) return std::nullopt;
    return event_->time_s;
  }
  [[nodiscard]] std::uint64_t seq() const noexcept { return event_->seq; }
  [[nodiscard]] std::optional<std::string_view> extension(std::string_view name) const noexcept {
    for (std::uint32_t i = 0; i < event_->extension_count; ++i) {
      if (view(event_->extensions[i].name) == name) return view(event_->extensions[i].value);
    }
    return std::nullopt;
  }
  [[nodiscard]] const sluice_event& raw() const noexcept { return *event_; }

 private:
  [[nodiscard]] std::string_view slice(sluice_slice s) const noexcept { return {event_->text + s.at, s.len}; }
  const sluice_event* event_;
};

class BatchView {
 public:
  explicit BatchView(const sluice_batch& batch) noexcept : batch_(&batch) {}

  [[nodiscard]] std::uint32_t size() const noexcept { return batch_->count; }
  [[nodiscard]] EventView operator[](std::uint32_t i) const noexcept { return EventView(*SLUICE_EVENT(batch_, i)); }
  /// An observer's may be SLUICE_KEPT.
  [[nodiscard]] std::uint32_t flags() const noexcept { return batch_->flags; }
  /// publish() only: event i is ticket() + i.
  [[nodiscard]] std::uint64_t ticket() const noexcept { return batch_->ticket; }

  class Iterator {
   public:
    Iterator(const sluice_batch* batch, std::uint32_t i) noexcept : batch_(batch), i_(i) {}
    EventView operator*() const noexcept { return EventView(*SLUICE_EVENT(batch_, i_)); }
    Iterator& operator++() noexcept {
      ++i_;
      return *this;
    }
    bool operator!=(const Iterator& other) const noexcept { return i_ != other.i_; }

   private:
    const sluice_batch* batch_;
    std::uint32_t i_;
  };
  [[nodiscard]] Iterator begin() const noexcept { return {batch_, 0}; }
  [[nodiscard]] Iterator end() const noexcept { return {batch_, batch_->count}; }

 private:
  const sluice_batch* batch_;
};

}  // namespace sluice
