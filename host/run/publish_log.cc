#include "run/publish_log.hh"

#include "core/data_field.hh"

#include <array>
#include <cstdio>

namespace sluice {

namespace {
std::string text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

std::string milliseconds_text(std::uint64_t ns) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.3f", static_cast<double>(ns) / 1e6);
  return {text.data(), static_cast<std::size_t>(length)};
}
}  // namespace

bool PublishLog::admit(std::uint64_t now_ns) {
  say_left_out(lines_.left_out(now_ns));
  return lines_.admit();
}

void PublishLog::say_left_out(std::uint64_t count) {
  if (count == 0) return;
  const Field fields[] = {{"backend", backend_, false}, {"count", std::to_string(count), true}};
  log_.write(Level::info, "Event published (more in the same second, not listed)", fields);
}

void PublishLog::published(const sluice_event& event, std::uint64_t latency_ns, std::uint64_t now_ns) {
  if (!log_.enabled(Level::info) || !admit(now_ns)) return;
  std::array<Field, 6> fields{Field{"event_id", text_of(event, event.id), false},
                              Field{"event_type", text_of(event, event.type), false},
                              Field{"document_id", data_field(event, "document_id"), false},
                              Field{"backend", backend_, false},
                              Field{"latency_ms", milliseconds_text(latency_ns), true},
                              Field{"payload", {}, false}};
  std::size_t count = 5;
  if (log_.enabled(Level::debug)) {
    fields[5].value = text_of(event, event.json);
    count = 6;
  }
  log_.write(Level::info, "Event published", std::span(fields.data(), count));
}

void PublishLog::failed(const sluice_event& event, std::string_view reason, std::uint64_t now_ns) {
  if (!log_.enabled(Level::warn) || !admit(now_ns)) return;
  const Field fields[] = {{"event_id", text_of(event, event.id), false},
                          {"event_type", text_of(event, event.type), false},
                          {"backend", backend_, false},
                          {"reason", std::string(reason), false}};
  log_.write(Level::warn, "Failed to publish to " + backend_, fields);
}

}  // namespace sluice
