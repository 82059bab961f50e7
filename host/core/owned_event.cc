#include "core/owned_event.hh"

#include <array>
#include <cstring>

namespace sluice {

namespace {
constexpr std::size_t round_up(std::size_t bytes) { return (bytes + 15) / 16 * 16; }
}  // namespace

OwnedEvent::OwnedEvent(const sluice_event& from) : event_(from) {
  // The attributes usually lie inside the event's own JSON; what lies elsewhere is appended behind it.
  const std::array<sluice_slice sluice_event::*, 9> slices{&sluice_event::id,
                                                           &sluice_event::source,
                                                           &sluice_event::type,
                                                           &sluice_event::subject,
                                                           &sluice_event::data,
                                                           &sluice_event::time,
                                                           &sluice_event::datacontenttype,
                                                           &sluice_event::dataschema,
                                                           &sluice_event::key};
  const char* json = from.text + from.json.at;
  const auto inside = [&](const char* at, std::size_t length) {
    return at >= json && at + length <= json + from.json.len;
  };
  std::size_t extra = 0;
  for (const auto slice : slices) {
    const sluice_slice s = from.*slice;
    if (!inside(from.text + s.at, s.len)) extra += s.len;
  }
  for (std::uint32_t i = 0; i < from.extension_count; ++i) {
    extra += from.extensions[i].name.len + from.extensions[i].value.len;
  }
  const std::size_t text_bytes = round_up(from.json.len + extra + SLUICE_PADDING);
  memory_ = std::make_unique_for_overwrite<char[]>(text_bytes + from.extension_count * sizeof(sluice_attribute));
  char* text = memory_.get();
  std::memcpy(text, json, from.json.len);
  std::size_t end = from.json.len;
  const auto append = [&](const char* bytes, std::size_t length) {
    if (length > 0) std::memcpy(text + end, bytes, length);
    end += length;
    return static_cast<std::uint32_t>(end - length);
  };
  event_.text = text;
  event_.json = {0, from.json.len};
  for (const auto slice : slices) {
    const sluice_slice s = from.*slice;
    const char* at = from.text + s.at;
    (event_.*slice).at = inside(at, s.len) ? static_cast<std::uint32_t>(at - json) : append(at, s.len);
  }
  auto* extensions = reinterpret_cast<sluice_attribute*>(text + text_bytes);
  for (std::uint32_t i = 0; i < from.extension_count; ++i) {
    extensions[i] = from.extensions[i];
    extensions[i].name.ptr = text + append(from.extensions[i].name.ptr, from.extensions[i].name.len);
    extensions[i].value.ptr = text + append(from.extensions[i].value.ptr, from.extensions[i].value.len);
  }
  event_.extensions = from.extension_count > 0 ? extensions : nullptr;
  std::memset(text + end, 0, SLUICE_PADDING);
}

}  // namespace sluice
