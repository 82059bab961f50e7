#include "run/pull.hh"

#include <cstring>

namespace sluice {

void Pull::decode(Decoder& decoder, std::string_view node, std::uint64_t seed) {
  RecordContext context{node, unix_ns, 0, false};
  for (std::uint32_t i = 0; i < count; ++i) {
    sluice_record& record = records[i];
    if (copies_bytes && (record.flags & SLUICE_PADDED) == 0) {
      const auto* bytes = reinterpret_cast<const char*>(record.ptr);
      record.ptr = reinterpret_cast<const std::uint8_t*>(block->keep({bytes, record.len}).data());
    }
    context.random = seed ^ (first + i) * 0x9e3779b97f4a7c15ull;
    if (auto reject = decoder.decode(record, context, *block)) rejects.emplace_back(i, std::move(*reject));
    events_up_to.push_back(static_cast<std::uint32_t>(block->events.size()));
  }
  state_.store(State::decoded, std::memory_order_release);
}

bool Pull::keep_for_later() {
  std::size_t bytes = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if ((records[i].flags & SLUICE_ATTRIBUTES) != 0 || records[i].header_count > 0) return false;
    if (records[i].position.ptr != nullptr) bytes += records[i].position.len;
  }
  if (bytes == 0) return true;
  char* at = block->allocate(bytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    sluice_str& position = records[i].position;
    if (position.ptr == nullptr) continue;
    std::memcpy(at, position.ptr, position.len);
    position.ptr = at;
    at += position.len;
  }
  return true;
}

void Pull::clear() noexcept {
  state_.store(State::idle, std::memory_order_release);
  block = {};
  count = 0;
  holds_credit = copies_bytes = false;
  events_up_to.clear();
  rejects.clear();
}

}  // namespace sluice
