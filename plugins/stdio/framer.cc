#include "framer.hh"

#include <cstring>

namespace stdio_plugin {
namespace {

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
constexpr bool is_space(char c) { return is_blank(c) || c == '\n'; }

const char* newline(const char* at, const char* end) {
  return static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
}

/// The end of the JSON value that starts at `at`, or null when it is not complete. Only quotes and brackets count:
/// whether the value is valid is the host's question.
const char* value_end(const char* at, const char* end) {
  int depth = 0;
  bool quoted = false;
  for (; at != end; ++at) {
    const char c = *at;
    if (quoted) {
      if (c == '\\' && ++at == end) return nullptr;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) return at;  // the array's own end, behind a bare value
      if (--depth == 0) return at + 1;
    } else if (depth == 0 && (c == ',' || c == '\n')) {
      return at;
    }
  }
  return nullptr;
}

std::string_view trimmed(const char* from, const char* to) {
  while (from != to && is_blank(to[-1])) --to;
  return {from, static_cast<std::size_t>(to - from)};
}

}  // namespace

Framer::Step Framer::next(const char*& at, const char* end, bool last, std::string_view& record) {
  for (;;) {
    if (skipping_) {
      const char* line_end = newline(at, end);
      at = line_end == nullptr ? end : line_end + 1;
      if (line_end == nullptr) return Step::more;
      skipping_ = false;
    }
    if (at == end) return Step::more;
    switch (place_ == Place::line ? line_step(at, end, last, record) : array_step(at, end, last, record)) {
      case Found::record:
        return Step::record;
      case Found::more:
        return Step::more;
      case Found::again:
        break;
    }
  }
}

Framer::Found Framer::line_step(const char*& at, const char* end, bool last, std::string_view& record) {
  const char* first = at;
  while (first != end && is_blank(*first)) ++first;
  if (first != end && *first == '\n') return at = first + 1, Found::again;  // a blank line is no record
  if (first == end && last) return at = end, Found::more;
  if (arrays_ && first != end && *first == '[') {
    const char* second = first + 1;
    while (second != end && is_blank(*second)) ++second;
    if (second == end && !last && second - at < static_cast<std::ptrdiff_t>(record_bytes_max_)) return Found::more;
    if (second == end || *second == '\n' || *second == '{' || *second == ']') {
      place_ = Place::first;
      at = first + 1;
      return Found::again;
    }
  }
  return rest_of_line(at, end, last, record);
}

Framer::Found Framer::rest_of_line(const char*& at, const char* end, bool last, std::string_view& record) {
  const char* line_end = newline(at, end);
  const char* stop = line_end == nullptr ? end : line_end;
  if (static_cast<std::size_t>(stop - at) > record_bytes_max_) return cut_here(at, record);
  if (line_end == nullptr && !last) return Found::more;
  record = trimmed(at, stop);
  at = line_end == nullptr ? end : line_end + 1;
  return Found::record;
}

Framer::Found Framer::array_step(const char*& at, const char* end, bool last, std::string_view& record) {
  while (at != end && is_space(*at)) ++at;
  if (at == end) return Found::more;
  if (*at == ']' && place_ != Place::value) return ++at, place_ = Place::line, Found::again;
  if (*at == ',' && place_ == Place::comma) return ++at, place_ = Place::value, Found::again;
  if (place_ == Place::comma || *at == ',' || *at == ']') {  // not an array any more
    const Found found = rest_of_line(at, end, last, record);
    if (found == Found::record) place_ = Place::line;
    return found;
  }
  const char* stop = value_end(at, end);
  if (static_cast<std::size_t>((stop == nullptr ? end : stop) - at) > record_bytes_max_) {
    place_ = Place::line;
    return cut_here(at, record);
  }
  if (stop == nullptr && !last) return Found::more;
  if (stop == nullptr) stop = end;
  record = trimmed(at, stop);
  at = stop;
  place_ = Place::comma;
  return Found::record;
}

Framer::Found Framer::cut_here(const char*& at, std::string_view& record) {
  record = {at, record_bytes_max_};
  at += record_bytes_max_;
  skipping_ = true;
  ++cut_;
  return Found::record;
}

}  // namespace stdio_plugin
