// Handing records over without counting bytes: what a source pulled, or what a consumer derived, goes into the host's
// own memory. A source with large records of its own can lend them instead (sluice_writer.release).
#pragma once

#include "../writer.h"
#include "text.hh"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace sluice {

class WriterView {
 public:
  explicit WriterView(sluice_writer& out) noexcept : out_(&out) {}

  /// A source's record; `tag` comes back in settle(). False when there is no room: keep it for the next pull.
  /// `position` names the record again after a restart; it must live until the node's next call.
  [[nodiscard]] bool add(std::string_view text, std::uint64_t tag, std::string_view position = {}) noexcept {
    sluice_record* record = make(text);
    if (record == nullptr) return false;
    record->tag = tag;
    record->parent = SLUICE_NO_PARENT;
    record->position = str(position);
    return true;
  }
  /// A consumer's event, in the CloudEvents JSON format. With a parent (an index into the batch) it shares that event's
  /// outcome; SLUICE_NO_PARENT: nobody is told what became of it. False when the host's bound per call is reached.
  [[nodiscard]] bool emit(std::string_view json, std::uint32_t parent, std::uint32_t port = 0) noexcept {
    sluice_record* record = make(json);
    if (record == nullptr) return false;
    record->parent = parent;
    record->port = port;
    return true;
  }
  /// The same, in the place of the parent.
  [[nodiscard]] bool replace(std::string_view json, std::uint32_t parent) noexcept {
    sluice_record* record = make(json);
    if (record == nullptr) return false;
    record->parent = parent;
    record->flags |= SLUICE_REPLACES;
    return true;
  }
  /// Records that fit without asking for more room.
  [[nodiscard]] std::uint32_t room() const noexcept { return out_->cap - out_->count; }
  [[nodiscard]] std::uint32_t size() const noexcept { return out_->count; }

 private:
  sluice_record* make(std::string_view text) noexcept {
    const bool full = out_->count == out_->cap || text.size() > out_->bytes_cap - out_->bytes_len;
    if (full && (out_->grow == nullptr || out_->grow(out_, 1, text.size()) == 0)) return nullptr;
    std::uint8_t* to = out_->bytes + out_->bytes_len;
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    out_->bytes_len += text.size();
    sluice_record* record = SLUICE_RECORD(out_, out_->count++);
    record->ptr = to;
    record->len = text.size();
    return record;
  }
  sluice_writer* out_;
};

}  // namespace sluice
