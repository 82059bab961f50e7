#include "core/event_parts.hh"

#include "core/media_type.hh"
#include "core/timestamp.hh"
#include "core/uri.hh"

#include <sluice/cpp/utf8.hh>

#include <string>

namespace sluice {

namespace {

struct Explanation {
  std::string_view code, before, after;  // around the subject
};

constexpr Explanation kExplanations[] = {
    {"missing_required", "the attribute \"", "\" is missing"},
    {"empty_value", "the attribute \"", "\" is empty"},
    {"wrong_type", "the member \"", "\" has the wrong JSON type"},
    {"specversion_unsupported", "\"", "\" must be the string \"1.0\""},
    {"bad_name", "\"", "\" is not an attribute name: only a-z and 0-9 are allowed, at least one"},
    {"reserved_name", "\"", "\" cannot be the name of an extension attribute"},
    {"bad_string_chars", "the attribute \"", "\" holds a control character, a noncharacter or half a surrogate pair"},
    {"bad_uri_reference", "the attribute \"", "\" is not a URI-reference (RFC 3986)"},
    {"bad_uri", "the attribute \"", "\" is not an absolute URI without a fragment (RFC 3986, 4.3)"},
    {"bad_timestamp", "the attribute \"", "\" is not an RFC 3339 timestamp like 2026-03-01T08:09:10Z"},
    {"bad_media_type", "the attribute \"", "\" is not a media type like application/json"},
    {"bad_base64", "the member \"", "\" is not base64 (RFC 4648 section 4, padded)"},
    {"integer_form", "the attribute \"", "\" must be an integer written with digits only"},
    {"integer_range", "the attribute \"", "\" lies outside -2147483648..2147483647"},
    {"data_conflict", "data and data_base64 exclude each other", ""},
    {"data_not_text", "data must be a string of whole characters, because datacontenttype is not JSON", ""},
    {"json_duplicate_member", "the member \"", "\" stands there twice"},
    {"duplicate_header", "the attribute \"", "\" stands there twice"},
    {"header_bad_utf8", "the attribute \"", "\" is not UTF-8"},
    {"not_cloudevent", "there is no CloudEvents attribute", ""},
    {"no_place", "the member \"", "\" has no place in an event: name it in the format's fields"},
};

Fault check_text(std::string_view name, std::string_view value) noexcept {
  return is_attribute_text(value) ? Fault{} : Fault{"bad_string_chars", name};
}

Fault check_required(std::string_view name, std::string_view value) noexcept {
  if (value.data() == nullptr) return {"missing_required", name};
  if (value.empty()) return {"empty_value", name};
  return check_text(name, value);
}

Fault check_optional(std::string_view name, std::string_view value) noexcept {
  return value.data() == nullptr ? Fault{} : check_required(name, value);
}

Fault check_time(EventParts& parts) noexcept {
  const auto instant = parse_timestamp(parts.time);
  if (!instant) return {parts.time.empty() ? "empty_value" : "bad_timestamp", "time"};
  parts.has_time = true;
  parts.time_s = instant->seconds;
  parts.time_ns = instant->nanoseconds;
  return {};
}

}  // namespace

Fault check_parts(EventParts& parts) noexcept {
  if (const Fault fault = check_required("id", parts.id)) return fault;
  if (const Fault fault = check_required("type", parts.type)) return fault;
  if (parts.source.empty()) return {parts.source.data() == nullptr ? "missing_required" : "empty_value", "source"};
  if (!is_uri_reference(parts.source)) return {"bad_uri_reference", "source"};
  if (const Fault fault = check_optional("subject", parts.subject)) return fault;
  if (parts.time.data() != nullptr) {
    if (const Fault fault = check_time(parts)) return fault;
  }
  if (parts.datacontenttype.data() != nullptr) {
    if (parts.datacontenttype.empty()) return {"empty_value", "datacontenttype"};
    if (media_type_of(parts.datacontenttype) == MediaType::malformed) return {"bad_media_type", "datacontenttype"};
  }
  if (parts.dataschema.data() != nullptr) {
    if (parts.dataschema.empty()) return {"empty_value", "dataschema"};
    if (!is_absolute_uri(parts.dataschema)) return {"bad_uri", "dataschema"};
  }
  for (const sluice_attribute& extension : parts.extensions) {
    if (const Fault fault = check_text(view(extension.name), view(extension.value))) return fault;
  }
  return {};
}

void fill_view(const EventParts& parts, const char* base, sluice_event& event) noexcept {
  const auto slice = [base](std::string_view text) -> sluice_slice {
    if (text.data() == nullptr) return {};
    return {static_cast<std::uint32_t>(text.data() - base), static_cast<std::uint32_t>(text.size())};
  };
  event.text = base;
  event.time_s = parts.time_s;
  event.seq = 0;
  event.id = slice(parts.id);
  event.source = slice(parts.source);
  event.type = slice(parts.type);
  event.subject = slice(parts.subject);
  event.flags = flags_of(parts);
  event.origin = 0;
  event.data = slice(parts.data);
  event.time = slice(parts.time);
  event.datacontenttype = slice(parts.datacontenttype);
  event.dataschema = slice(parts.dataschema);
  event.key = {};
  event.extensions = parts.extensions.data();
  event.extension_count = static_cast<std::uint32_t>(parts.extensions.size());
  event.time_ns = parts.time_ns;
  for (const sluice_attribute& extension : parts.extensions) {
    if (view(extension.name) == "partitionkey") event.key = slice(view(extension.value));
  }
}

namespace {

/// A name as people may see it: bounded, and whole UTF-8 characters only.
std::string shown(std::string_view name) {
  std::string text;
  for (std::size_t at = 0; at < name.size() && text.size() < 60;) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(name, at, code);
    if (length == 0 || code < 0x20 || code == 0x7F) {
      text += '?';
    } else {
      text += name.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return text;
}

}  // namespace

std::string explain(const Fault& fault) {
  for (const Explanation& known : kExplanations) {
    if (known.code != fault.code) continue;
    if (known.after.empty()) return std::string(known.before);
    return std::string(known.before).append(shown(fault.subject)).append(known.after);
  }
  return std::string(fault.subject);
}

}  // namespace sluice
