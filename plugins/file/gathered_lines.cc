#include "gathered_lines.hh"

namespace file_plugin {
namespace {

constexpr std::size_t kBufferBytes = 1024 * 1024;
constexpr std::size_t kCopiedBytesMax = 16 * 1024;  // a single event that is shorter is copied: fewer pieces

}  // namespace

GatheredLines::GatheredLines() { buffer_.reserve(kBufferBytes + kBufferBytes / 4); }

std::size_t GatheredLines::prepare(const sluice::EventView& event, sluice::Envelope format) {
  in_place_ = event.json();
  if (format == sluice::Envelope::cloudevents && in_place_.find('\n') == in_place_.npos) return in_place_.size() + 1;
  in_place_ = {};
  made_.clear();
  sluice::append_line(event, format, made_);
  return made_.size();
}

void GatheredLines::add() {
  if (in_place_.data() != nullptr) {
    bytes_ += in_place_.size() + 1;
    add_in_place(in_place_);
  } else {
    bytes_ += made_.size();
    if (newline_owed_) end_line();
    add_buffered(made_);
  }
}

void GatheredLines::add_in_place(std::string_view json) {
  if (newline_owed_) {
    Piece& last = pieces_.back();
    const char* end = last.memory + last.length;
    if (json.data() == end + 1 && *end == '\n') {
      last.length += 1 + json.size();
      return;
    }
    end_line();
  }
  pieces_.push_back({json.data(), 0, json.size()});
  newline_owed_ = true;
}

/// The last piece stays alone: its newline comes from the buffer, and so does all of it when it is short.
void GatheredLines::end_line() {
  newline_owed_ = false;
  const Piece last = pieces_.back();
  if (last.length <= kCopiedBytesMax) {
    pieces_.pop_back();
    add_buffered({last.memory, last.length});
  }
  add_buffered("\n");
}

void GatheredLines::add_buffered(std::string_view text) {
  if (!pieces_.empty() && pieces_.back().memory == nullptr) {
    pieces_.back().length += text.size();  // whatever was buffered last lies right before it
  } else {
    pieces_.push_back({nullptr, buffer_.size(), text.size()});
  }
  buffer_ += text;
}

std::vector<iovec>& GatheredLines::pieces() {
  if (newline_owed_) end_line();
  out_.clear();
  for (const Piece& piece : pieces_) {
    const char* at = piece.memory != nullptr ? piece.memory : buffer_.data() + piece.offset;
    out_.push_back({const_cast<char*>(at), piece.length});
  }
  return out_;
}

void GatheredLines::clear() noexcept {
  pieces_.clear();
  buffer_.clear();
  bytes_ = 0;
  newline_owed_ = false;
}

}  // namespace file_plugin
