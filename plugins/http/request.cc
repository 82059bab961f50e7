#include "request.hh"

#include "ascii.hh"

#include <sluice/cpp/http_binding.hh>

#include <algorithm>
#include <array>

namespace sluice_http {
namespace {

namespace binding = sluice::http_binding;

constexpr std::array<std::string_view, 6> kFraming{"content-length", "transfer-encoding", "connection", "expect", "te",
                                                   "trailer"};

bool is_token(std::string_view name) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
    const char folded = lower(c);
    return (folded >= 'a' && folded <= 'z') || (c >= '0' && c <= '9') || marks.find(c) != std::string_view::npos;
  });
}

void add_encoded(HeaderLines& lines, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  std::string& text = lines.begin();
  text.append("ce-").append(name).append(": ");
  binding::encode(value, text);
  lines.end();
}

}  // namespace

std::string header_problem(Mode mode, std::string_view name, std::string_view value) {
  if (!is_token(name)) return "is no header name";
  if (std::any_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7F;
      })) {
    return "its value holds a line break or another control character";
  }
  if (std::any_of(kFraming.begin(), kFraming.end(), [&](std::string_view one) { return same_text(one, name); })) {
    return "is set by the request itself";
  }
  if (begins_with(name, "ce-")) return "is an attribute's header: it would say something else than the event";
  if (!same_text(name, "content-type")) return {};
  if (mode == Mode::binary) return "is each event's own in binary mode (its datacontenttype)";
  const binding::Content content = binding::mode_of(value);
  const binding::Mode wanted = mode == Mode::batched ? binding::Mode::batched : binding::Mode::structured;
  if (content.mode == wanted && content.readable) return {};
  return "does not say what mode " + std::string(mode == Mode::batched ? "batched" : "structured") + " sends: it is " +
         std::string(content_type_of(mode)) + " (leave the header out, or change mode)";
}

std::string_view content_type_of(Mode mode) noexcept {
  switch (mode) {
    case Mode::structured:
      return "application/cloudevents+json";
    case Mode::batched:
      return "application/cloudevents-batch+json";
    default:
      return {};
  }
}

void add_attributes(sluice::EventView event, HeaderLines& lines) {
  lines.add("ce-specversion", "1.0");
  add_encoded(lines, "id", event.id());
  add_encoded(lines, "source", event.source());
  add_encoded(lines, "type", event.type());
  add_encoded(lines, "subject", event.subject());
  add_encoded(lines, "time", event.time());
  add_encoded(lines, "dataschema", event.dataschema());
  const sluice_event& raw = event.raw();
  for (std::uint32_t i = 0; i < raw.extension_count; ++i) {
    add_encoded(lines, sluice::view(raw.extensions[i].name), sluice::view(raw.extensions[i].value));
  }
  if (!event.datacontenttype().empty()) {
    lines.add("Content-Type", event.datacontenttype());
  } else if (event.has_data() && !event.data_is_bytes()) {
    lines.add("Content-Type", "application/json");  // the JSON format's own default, said aloud
  } else {
    lines.begin().append("Content-Type:");  // libcurl's way of leaving its default out
    lines.end();
  }
}

}  // namespace sluice_http
