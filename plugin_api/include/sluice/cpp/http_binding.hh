// The HTTP binding of CloudEvents 1.0: which mode a request is in, and how attribute values travel in headers.
// Header values are percent-encoded UTF-8; NATS headers follow the same rules, Kafka's and RabbitMQ's do not.
#pragma once

#include "../event.h"
#include "text.hh"
#include "utf8.hh"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::http_binding {

enum class Mode { binary, structured, batched };

/// What a Content-Type says. `readable` is false for a CloudEvents format other than JSON in UTF-8: answer 415.
struct Content {
  Mode mode = Mode::binary;
  bool readable = true;
};

/// Why a request is no event. The codes are stable.
struct Refusal {
  const char* code = "";
  std::string reason;
};

[[nodiscard]] constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

[[nodiscard]] inline bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) noexcept {
  if (text.size() < prefix.size()) return false;
  for (std::size_t i = 0; i < prefix.size(); ++i) {
    if (lower(text[i]) != prefix[i]) return false;
  }
  return true;
}

[[nodiscard]] inline bool equals_ignoring_case(std::string_view text, std::string_view lower_case) noexcept {
  return text.size() == lower_case.size() && starts_with_ignoring_case(text, lower_case);
}

/// Without the optional whitespace that surrounds a header value.
[[nodiscard]] inline std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The mode depends on the Content-Type alone, never on ce- headers. The longer prefix is tested first.
[[nodiscard]] inline Content mode_of(std::string_view content_type) noexcept {
  std::string_view rest = trimmed(content_type);
  Content found;
  if (starts_with_ignoring_case(rest, "application/cloudevents-batch")) {
    found.mode = Mode::batched;
    rest.remove_prefix(sizeof "application/cloudevents-batch" - 1);
  } else if (starts_with_ignoring_case(rest, "application/cloudevents")) {
    found.mode = Mode::structured;
    rest.remove_prefix(sizeof "application/cloudevents" - 1);
  } else {
    return found;
  }
  const std::size_t semicolon = std::min(rest.find(';'), rest.size());
  found.readable = equals_ignoring_case(trimmed(rest.substr(0, semicolon)), "+json");
  rest.remove_prefix(semicolon);
  while (!rest.empty()) {  // a charset other than UTF-8 cannot be read either
    rest.remove_prefix(1);
    const std::size_t next = std::min(rest.find(';'), rest.size());
    std::string_view parameter = trimmed(rest.substr(0, next));
    rest.remove_prefix(next);
    if (!starts_with_ignoring_case(parameter, "charset=")) continue;
    parameter.remove_prefix(sizeof "charset=" - 1);
    if (parameter.size() > 1 && parameter.front() == '"' && parameter.back() == '"') {
      parameter = parameter.substr(1, parameter.size() - 2);
    }
    found.readable = found.readable && equals_ignoring_case(parameter, "utf-8");
  }
  return found;
}

/// Appends a value as it may stand in a header: space, '"', '%' and everything outside U+0021..7E as %XX.
inline void encode(std::string_view value, std::string& out) {
  constexpr char kHex[] = "0123456789ABCDEF";
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '"' && c != '%') {
      out += c;
    } else {
      out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
    }
  }
}

[[nodiscard]] inline std::string encode(std::string_view value) {
  std::string out;
  out.reserve(value.size());
  encode(value, out);
  return out;
}

namespace detail {

/// Undoes double quotes, wherever they stand; a backslash escapes inside quotes only.
[[nodiscard]] inline bool unquote(std::string_view value, std::string& out) {
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"') {
      quoted = !quoted;
    } else if (quoted && value[i] == '\\') {
      if (++i == value.size()) return false;
      out += value[i];
    } else {
      out += value[i];
    }
  }
  return !quoted;
}

[[nodiscard]] constexpr int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  const char folded = lower(c);
  return folded >= 'a' && folded <= 'f' ? folded - 'a' + 10 : -1;
}

/// One round of percent-decoding, in place.
[[nodiscard]] inline bool undo_percent(std::string& text) {
  std::size_t out = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      text[out++] = text[i];
      continue;
    }
    if (text.size() - i < 3) return false;
    const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
    if (high < 0 || low < 0) return false;
    text[out++] = static_cast<char>(high * 16 + low);
    i += 2;
  }
  text.resize(out);
  return true;
}

}  // namespace detail

/// The attribute value that a header carries; nothing, and why, when it carries none. The attribute's own rules
/// (control characters, timestamps, …) are checked by whoever takes the record.
[[nodiscard]] inline std::optional<std::string> decode(std::string_view value, Refusal& why) {
  std::string text;
  if (!detail::unquote(trimmed(value), text)) {
    why = {"header_bad_quoting", "a double quote or an escape is not closed"};
    return std::nullopt;
  }
  if (!detail::undo_percent(text)) {
    why = {"header_bad_percent", "% must be followed by two hexadecimal digits (% itself is %25)"};
    return std::nullopt;
  }
  if (!valid_utf8(text)) {
    why = {"header_bad_utf8", "the value is not UTF-8 after percent-decoding"};
    return std::nullopt;
  }
  return text;
}

/// Collects the attributes of one request in binary mode, as sluice_record.headers wants them. Feed it every header.
class BinaryHeaders {
 public:
  /// `raw_values`: take header values as they are, for senders that do not percent-encode.
  explicit BinaryHeaders(bool raw_values = false) : raw_values_(raw_values) {}

  /// Returns why the request cannot be an event, if so.
  [[nodiscard]] std::optional<Refusal> add(std::string_view name, std::string_view value) {
    if (equals_ignoring_case(name, "content-type")) {
      const std::string_view type = trimmed(value);
      if (has_content_type_) return Refusal{"duplicate_header", "the header Content-Type stands there twice"};
      has_content_type_ = true;
      if (!type.empty()) keep("datacontenttype", std::string(type));
      return std::nullopt;
    }
    if (!starts_with_ignoring_case(name, "ce-")) return std::nullopt;
    std::string attribute;
    for (const char c : name.substr(3)) attribute += lower(c);
    if (attribute == "datacontenttype") {
      return Refusal{"ce_datacontenttype_header",
                     "the data's type is the header Content-Type, never ce-datacontenttype"};
    }
    for (const sluice_attribute& earlier : attributes_) {
      if (view(earlier.name) == attribute) {
        return Refusal{"duplicate_header", "the header ce-" + attribute + " stands there twice"};
      }
    }
    Refusal why;
    std::optional<std::string> decoded = raw_values_ ? std::string(trimmed(value)) : decode(value, why);
    if (!decoded) return Refusal{why.code, "header ce-" + attribute + ": " + why.reason};
    keep(std::move(attribute), std::move(*decoded));
    return std::nullopt;
  }

  /// Valid until the next add() or clear().
  [[nodiscard]] const std::vector<sluice_attribute>& attributes() const noexcept { return attributes_; }
  void clear() {
    attributes_.clear();
    texts_.clear();
    has_content_type_ = false;
  }

 private:
  void keep(std::string name, std::string value) {
    const std::string& kept_name = texts_.emplace_back(std::move(name));  // a deque: texts stay in place
    const std::string& kept_value = texts_.emplace_back(std::move(value));
    attributes_.push_back({.name = str(kept_name), .value = str(kept_value), .type = SLUICE_STRING, .reserved = 0});
  }

  std::vector<sluice_attribute> attributes_;
  std::deque<std::string> texts_;
  bool raw_values_;
  bool has_content_type_ = false;
};

}  // namespace sluice::http_binding
