#include "core/letter.hh"

#include "core/dead_letter.hh"
#include "core/timestamp.hh"

#include <sluice/cpp/encode.hh>
#include <sluice/cpp/text.hh>

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace sluice {
namespace {

constexpr std::array<std::string_view, 7> kNames{"sluiceerrornode",     "sluiceerrorreason", "sluiceerrorcode",
                                                 "sluiceerrorattempts", "sluiceerrorfirst",  "sluiceerrorlast",
                                                 kRedrivesName};

template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::int64_t unix_ns_of(std::string_view text) {
  const auto instant = parse_timestamp(text);
  return instant ? instant->seconds * 1'000'000'000 + instant->nanoseconds : 0;
}

}  // namespace

Death death_of(const sluice_event& event) {
  Death death;
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    const std::string_view name = view(event.extensions[i].name), value = view(event.extensions[i].value);
    if (name == "sluiceerrornode") death.node = value;
    if (name == "sluiceerrorreason") death.reason = value;
    if (name == "sluiceerrorcode") death.code = number_of<std::int32_t>(value);
    if (name == "sluiceerrorattempts") death.attempts = number_of<std::uint32_t>(value);
    if (name == "sluiceerrorfirst") death.first_unix_ns = unix_ns_of(value);
    if (name == "sluiceerrorlast") death.last_unix_ns = unix_ns_of(value);
  }
  return death;
}

std::uint32_t redrives_of(const sluice_event& event) {
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    if (view(event.extensions[i].name) == kRedrivesName) {
      return number_of<std::uint32_t>(view(event.extensions[i].value));
    }
  }
  return 0;
}

bool is_letter_attribute(std::string_view name) noexcept {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

sluice_event as_it_was(const sluice_event& event, EventWriter& writer, Block& block) {
  std::vector<sluice_attribute> kept;
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    if (!is_letter_attribute(view(event.extensions[i].name))) kept.push_back(event.extensions[i]);
  }
  EventParts parts = parts_of(event);
  parts.extensions = kept;
  return writer.write(parts, block);
}

std::string with_redrives(std::string_view event_json, std::uint32_t redrives) {
  // The host's writer begins an object with its brace, and no event is an empty object.
  std::string out = "{\"" + std::string(kRedrivesName) + "\":\"" + std::to_string(redrives) + "\",";
  return out.append(event_json.substr(event_json.find('{') + 1));
}

std::string death_json(const Death& death) {
  std::string out = "{\"node\":";
  append_json_string(out, death.node);
  out += ",\"reason\":";
  append_json_string(out, death.reason);
  out += ",\"code\":" + std::to_string(death.code) + ",\"attempts\":" + std::to_string(death.attempts) +
         ",\"first\":\"" + timestamp_text(death.first_unix_ns) + "\",\"last\":\"" + timestamp_text(death.last_unix_ns) +
         "\"}";
  return out;
}

std::string longer_history(std::string_view history_json, const Death& death, std::size_t most) {
  // Every death begins with its node, and a quote inside a text is escaped: the mark cannot stand anywhere else.
  constexpr std::string_view kMark = "{\"node\":";
  std::vector<std::size_t> begins;
  for (std::size_t at = history_json.find(kMark); at != std::string_view::npos; at = history_json.find(kMark, at + 1)) {
    begins.push_back(at);
  }
  std::string out = "[";
  if (!begins.empty()) {
    const std::size_t drop = begins.size() + 1 > most ? begins.size() + 1 - most : 0;
    if (drop < begins.size())
      out.append(history_json.substr(begins[drop], history_json.size() - 1 - begins[drop])) += ',';
  }
  return out + death_json(death) + "]";
}

}  // namespace sluice
