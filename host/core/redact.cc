#include "core/redact.hh"

#include "core/json_cursor.hh"
#include "core/media_type.hh"

#include <sluice/cpp/encode.hh>
#include <sluice/cpp/event_view.hh>

#include <algorithm>
#include <cstring>

namespace sluice {

/// A step of the pointers, all of them together as a tree.
struct Redactor::Step {
  std::string name;
  bool removed = false;  // a pointer ends here
  std::vector<Step> next;

  [[nodiscard]] const Step* find(std::string_view wanted) const noexcept {
    for (const Step& step : next) {
      if (step.name == wanted) return &step;
    }
    return nullptr;
  }
  Step& find_or_add(const std::string& wanted) {
    for (Step& step : next) {
      if (step.name == wanted) return step;
    }
    next.push_back({wanted, false, {}});
    return next.back();
  }
};

namespace {

std::vector<std::string> steps_of(std::string_view pointer) {
  std::vector<std::string> steps;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::size_t length = std::min(pointer.find('/'), pointer.size());
    std::string step;
    for (std::size_t i = 0; i < length; ++i) {
      const bool escape = pointer[i] == '~';
      step += escape ? (pointer[++i] == '0' ? '~' : '/') : pointer[i];
    }
    steps.push_back(std::move(step));
    pointer.remove_prefix(length);
  }
  return steps;
}

bool may_be_index(std::string_view step) noexcept {
  return !step.empty() && std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

bool Redactor::is_pointer(std::string_view text) noexcept {
  if (!text.empty() && text.front() != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1'))) return false;
  }
  return true;
}

Redactor::Redactor(const std::vector<std::string>& pointers) : root_(std::make_unique<Step>()) {
  for (const std::string& pointer : pointers) {
    if (!is_pointer(pointer)) continue;
    ++pointers_;
    Step* step = root_.get();
    std::string needle;
    for (const std::string& name : steps_of(pointer)) {
      step = &step->find_or_add(name);
      // Any name on the way must stand in the data; the last one is the rarest. An index does not show there.
      if (!may_be_index(name) && is_plain_json_text(name)) needle = '"' + name + '"';
    }
    step->removed = true;
    needles_suffice_ = needles_suffice_ && !needle.empty();
    needles_.push_back(std::move(needle));
  }
}

Redactor::Redactor(Redactor&&) noexcept = default;
Redactor::~Redactor() = default;

/// One walk over the data, along the steps; whatever no step leads into is passed over whole. Collects what to cut.
struct Redactor::Pass {
  struct Cut {
    const char *from, *to;
  };
  JsonCursor cursor;
  std::vector<Cut>& cuts;
  std::string name;  // unescaped

  /// Walks the container at the cursor and gives the place behind it; false when it is not JSON.
  bool container(const Step& step, const char*& end) {
    const bool object = cursor.peek() == '{';
    const char close = object ? '}' : ']';
    if (!cursor.take(object ? '{' : '[')) return false;
    bool kept = false;
    const char* previous = nullptr;  // the end of the item before
    if (cursor.peek() != close) {
      std::size_t index = 0;
      do {
        const char* start = cursor.position();
        const Step* next = nullptr;
        if (object ? !take_name(step, next) : (next = step.find(std::to_string(index)), false)) return false;
        const bool removed = next != nullptr && next->removed;
        // The comma between two items goes with the second one, and also when nothing was kept before it.
        if (previous != nullptr && (removed || !kept)) cuts.push_back({previous, start});
        if (!item(removed ? nullptr : next, previous)) return false;
        if (removed) {
          cuts.push_back({start, previous});
        } else {
          kept = true;
        }
        ++index;
        if (cursor.ended()) return false;
      } while (cursor.take(','));
    }
    end = cursor.position() + 1;
    return cursor.take(close);
  }

 private:
  bool item(const Step* step, const char*& end) {
    if (step != nullptr && (cursor.peek() == '{' || cursor.peek() == '[')) return container(*step, end);
    std::string_view text;
    if (!cursor.take_value(text)) return false;
    end = text.data() + text.size();
    return true;
  }
  bool take_name(const Step& step, const Step*& next) {
    JsonString key;
    if (cursor.peek() != '"' || !cursor.take_string(key) || !cursor.take(':')) return false;
    name.assign(key.raw);
    if (key.escaped) {
      const std::size_t length = unescape_json(key.raw, name.data());
      if (length == key.raw.npos) return true;  // no pointer can spell it
      name.resize(length);
    }
    next = step.find(name);
    return true;
  }
};

/// Without an escape in the data a name stands there as it is written in the pointer, between quotes.
bool Redactor::surely_absent(std::string_view json) const noexcept {
  if (!needles_suffice_ || json.find('\\') != json.npos) return false;
  return std::none_of(needles_.begin(), needles_.end(), [&](const std::string& needle) {
    return memmem(json.data(), json.size(), needle.data(), needle.size()) != nullptr;
  });
}

Redactor::Found Redactor::remove_from(std::string_view json) {
  if (!root_->removed && surely_absent(json)) return Found::nothing;
  if (root_->removed || tokens_.split(json) != JsonTokens::Failure::none) return Found::unreadable;
  std::vector<Pass::Cut> cuts;
  Pass pass{JsonCursor(json, tokens_.offsets(), JsonCursor::kDeepest), cuts, {}};
  if (!pass.cursor.is_closed()) {  // a string or a number has no fields
    std::string_view scalar;
    const bool valid = tokens_.offsets().size() == 1 && pass.cursor.take_value(scalar);
    return valid ? Found::nothing : Found::unreadable;
  }
  const char* end = nullptr;
  if (!pass.container(*root_, end) || !pass.cursor.ended()) return Found::unreadable;
  if (cuts.empty()) return Found::nothing;
  out_.clear();
  const char* kept_from = json.data();
  for (const Pass::Cut& cut : cuts) {
    out_.append(kept_from, static_cast<std::size_t>(cut.from - kept_from));
    kept_from = cut.to;
  }
  out_.append(kept_from, static_cast<std::size_t>(json.data() + json.size() - kept_from));
  return Found::something;
}

bool Redactor::apply(const sluice_event& event, Block& block, sluice_event& redacted) {
  const EventView seen(event);
  if (empty() || !seen.has_data()) return false;
  std::string_view json = seen.data();
  if (seen.data_is_bytes()) {
    if (!root_->removed && media_type_of(seen.datacontenttype()) != MediaType::json) return false;
    padded_.assign(json).append(SLUICE_PADDING, ' ');
    json = std::string_view(padded_).substr(0, json.size());
  }
  const Found found = remove_from(json);
  if (found == Found::nothing) return false;
  EventParts parts = parts_of(event);
  parts.has_data = found == Found::something;
  parts.data = parts.has_data ? std::string_view(out_) : std::string_view{};
  parts.data_is_bytes = parts.data_is_bytes && parts.has_data;
  redacted = writer_.write(parts, block);
  redacted.seq = event.seq;
  redacted.origin = event.origin;
  redacted.flags |= event.flags & 0xFFFF0000u;
  return true;
}

}  // namespace sluice
