#include "core/owned_event.hh"

#include <array>
#include <cstring>
#include <utility>

namespace sluice {

namespace {

constexpr std::array<sluice_slice sluice_event::*, 9> kSlices{&sluice_event::id,
                                                              &sluice_event::source,
                                                              &sluice_event::type,
                                                              &sluice_event::subject,
                                                              &sluice_event::data,
                                                              &sluice_event::time,
                                                              &sluice_event::datacontenttype,
                                                              &sluice_event::dataschema,
                                                              &sluice_event::key};

constexpr std::size_t round_up(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

/// The attributes usually lie inside the event's own JSON; what lies elsewhere is appended behind it.
bool inside_json(const sluice_event& event, sluice_slice slice) {
  return slice.at >= event.json.at &&
         std::uint64_t{slice.at} + slice.len <= std::uint64_t{event.json.at} + event.json.len;
}

std::size_t text_bytes_of(const sluice_event& from) {
  std::size_t extra = 0;
  for (const auto slice : kSlices) {
    if (!inside_json(from, from.*slice)) extra += (from.*slice).len;
  }
  for (std::uint32_t i = 0; i < from.extension_count; ++i) {
    extra += from.extensions[i].name.len + from.extensions[i].value.len;
  }
  return round_up(from.json.len + extra + SLUICE_PADDING);
}

}  // namespace

std::size_t copied_bytes(const sluice_event& from) {
  return text_bytes_of(from) + from.extension_count * sizeof(sluice_attribute);
}

sluice_event copy_event(const sluice_event& from, char* memory) {
  sluice_event to = from;
  char* text = memory;
  std::memcpy(text, from.text + from.json.at, from.json.len);
  std::size_t end = from.json.len;
  const auto append = [&](const char* bytes, std::size_t length) {
    if (length > 0) std::memcpy(text + end, bytes, length);
    return static_cast<std::uint32_t>(std::exchange(end, end + length));
  };
  to.text = text;
  to.json = {0, from.json.len};
  for (const auto slice : kSlices) {
    const sluice_slice s = from.*slice;
    (to.*slice).at = inside_json(from, s) ? s.at - from.json.at : append(from.text + s.at, s.len);
  }
  auto* extensions = reinterpret_cast<sluice_attribute*>(memory + text_bytes_of(from));
  for (std::uint32_t i = 0; i < from.extension_count; ++i) {
    extensions[i] = from.extensions[i];
    extensions[i].name.ptr = text + append(from.extensions[i].name.ptr, from.extensions[i].name.len);
    extensions[i].value.ptr = text + append(from.extensions[i].value.ptr, from.extensions[i].value.len);
  }
  to.extensions = from.extension_count > 0 ? extensions : nullptr;
  std::memset(text + end, 0, SLUICE_PADDING);
  return to;
}

OwnedEvent::OwnedEvent(const sluice_event& from)
    : memory_(std::make_unique_for_overwrite<char[]>(copied_bytes(from))), event_(copy_event(from, memory_.get())) {}

}  // namespace sluice
