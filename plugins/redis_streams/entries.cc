#include "entries.hh"

#include <algorithm>

namespace redis_streams {
namespace {

constexpr std::size_t kBytesKept = 1024 * 1024;  // of an empty buffer's memory

// Where the pieces of [[stream, [[id, [field, value, …]], …]]] are.
constexpr int kEntryDepth = 3, kIdDepth = 4, kFieldDepth = 5;

void append_json_text(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7f) {  // bytes that may be no UTF-8: each as the character of its number
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

}  // namespace

void EntryBuffer::add(StreamId id, std::string_view event, bool backlog) {
  entries_.push_back({id, bytes_.size(), event.size(), backlog});
  bytes_ += event;
}

void EntryBuffer::pop() noexcept {
  taken_bytes_ += entries_[next_].length;
  if (++next_ == entries_.size()) clear();
}

void EntryBuffer::clear() noexcept {
  entries_.clear();
  bytes_.clear();
  next_ = taken_bytes_ = 0;
  if (bytes_.capacity() > kBytesKept) bytes_.shrink_to_fit();
}

void EntryBuffer::compact() {
  if (next_ == 0) return;
  const std::size_t front = entries_[next_].at;
  bytes_.erase(0, front);
  entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(next_));
  for (Entry& entry : entries_) entry.at -= front;
  next_ = taken_bytes_ = 0;
}

std::vector<StreamId> EntryBuffer::ids() const {
  std::vector<StreamId> all;
  for (std::size_t i = next_; i < entries_.size(); ++i) all.push_back(entries_[i].id);
  return all;
}

std::pair<std::string, bool> event_of(const std::vector<std::string>& fields, std::string_view field) {
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (fields[i] == field) return {fields[i + 1], true};
  }
  std::string json = "{";
  for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
    if (i > 0) json += ',';
    append_json_text(json, fields[i]);
    json += ':';
    append_json_text(json, fields[i + 1]);
  }
  return {json + "}", false};
}

void ReadAnswer::reset() {
  fields_left_ = 0;
  others_.clear();
  seen_ = {};
}

void ReadAnswer::list(int depth, int index, std::size_t members) {
  if (depth == kEntryDepth) {
    found_ = value_is_next_ = false;
    others_.clear();
  } else if (depth == kIdDepth && index == 1) {
    fields_left_ = members;
    if (members == 0) end_of_entry();
  }
}

void ReadAnswer::text(int depth, int index, std::string_view text) {
  if (depth == kIdDepth && index == 0) {
    id_ = parse_id(text);
  } else if (depth == kFieldDepth && fields_left_ > 0) {
    if (found_) {
      // The event is here; what else the entry holds is nobody's business.
    } else if (index % 2 == 0 && text == field_) {
      value_is_next_ = true;
    } else if (value_is_next_) {
      found_ = true;
      seen_.largest_bytes = std::max(seen_.largest_bytes, text.size());
      seen_.bytes += text.size();
      buffer.add(id_, text, id_ <= backlog_end);
    } else {
      others_.emplace_back(text);
    }
    if (--fields_left_ == 0) end_of_entry();
  }
}

void ReadAnswer::end_of_entry() {
  ++seen_.entries;
  seen_.last = id_;
  if (id_ <= backlog_end) ++seen_.backlog;
  if (found_) return;
  ++seen_.strange;
  seen_.last_strange = id_;
  buffer.add(id_, event_of(others_, field_).first, id_ <= backlog_end);
}

}  // namespace redis_streams
