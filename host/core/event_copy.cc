#include "core/event_copy.hh"

#include <array>
#include <cstdint>
#include <cstring>

namespace sluice {
namespace {

constexpr std::size_t round_up(std::size_t bytes) { return (bytes + 15) / 16 * 16; }

constexpr std::array<sluice_slice sluice_event::*, 9> kSlices{&sluice_event::id,
                                                              &sluice_event::source,
                                                              &sluice_event::type,
                                                              &sluice_event::subject,
                                                              &sluice_event::data,
                                                              &sluice_event::time,
                                                              &sluice_event::datacontenttype,
                                                              &sluice_event::dataschema,
                                                              &sluice_event::key};

/// The attributes usually lie inside the event's own JSON; what lies elsewhere is appended behind it.
bool inside_json(const sluice_event& event, const sluice_slice& slice) noexcept {
  const char* json = event.text + event.json.at;
  const char* at = event.text + slice.at;
  return at >= json && at + slice.len <= json + event.json.len;
}

std::size_t text_bytes(const sluice_event& event) noexcept {
  std::size_t bytes = event.json.len + SLUICE_PADDING;
  for (const auto slice : kSlices) {
    if (!inside_json(event, event.*slice)) bytes += (event.*slice).len;
  }
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    bytes += event.extensions[i].name.len + event.extensions[i].value.len;
  }
  return round_up(bytes);
}

}  // namespace

std::size_t copy_bytes(const sluice_event& event) noexcept {
  return text_bytes(event) + event.extension_count * sizeof(sluice_attribute);
}

sluice_event copy_event(const sluice_event& from, char* memory) noexcept {
  sluice_event made = from;
  const char* json = from.text + from.json.at;
  std::memcpy(memory, json, from.json.len);
  std::size_t end = from.json.len;
  const auto append = [&](const char* bytes, std::size_t length) {
    if (length > 0) std::memcpy(memory + end, bytes, length);
    end += length;
    return static_cast<std::uint32_t>(end - length);
  };
  made.text = memory;
  made.json = {0, from.json.len};
  for (const auto slice : kSlices) {
    const sluice_slice s = from.*slice;
    const char* at = from.text + s.at;
    (made.*slice).at = inside_json(from, s) ? static_cast<std::uint32_t>(at - json) : append(at, s.len);
  }
  auto* extensions = reinterpret_cast<sluice_attribute*>(memory + text_bytes(from));
  for (std::uint32_t i = 0; i < from.extension_count; ++i) {
    extensions[i] = from.extensions[i];
    extensions[i].name.ptr = memory + append(from.extensions[i].name.ptr, from.extensions[i].name.len);
    extensions[i].value.ptr = memory + append(from.extensions[i].value.ptr, from.extensions[i].value.len);
  }
  made.extensions = from.extension_count > 0 ? extensions : nullptr;
  std::memset(memory + end, 0, SLUICE_PADDING);
  return made;
}

}  // namespace sluice
