#include "edge/letter_classes.hh"

#include "edge/dead_letter_source.hh"
#include "edge/letter_text.hh"

#include <sluice/cpp/writer_view.hh>

#include <algorithm>
#include <cctype>
#include <iostream>

#include <unistd.h>

namespace sluice {
namespace {

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string_view text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }

}  // namespace

const char* const ChooseLetters::kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "numbers": { "description": "Not for streams.", "type": "array", "items": { "type": "integer" }, "default": [] },
    "node": { "description": "Only letters of this node.", "type": "string", "default": "" },
    "reason": { "description": "Only letters with this text in their reason.", "type": "string", "default": "" },
    "since_ns": { "description": "Only letters that died at this time or later: nanoseconds since 1970.", "type": "integer" },
    "until_ns": { "description": "Only letters that died before this time: nanoseconds since 1970.", "type": "integer" },
    "filter": { "description": "Only events that pass this filter: JSON as text.", "type": "string", "default": "" },
    "limit": { "description": "At most so many; 0: all.", "type": "integer", "minimum": 0, "default": 0 },
    "done": { "description": "File that lists the letters that were sent again, one line each; empty: they are gone.", "type": "string", "default": "" },
    "note_done": { "description": "Write what was delivered, or died anew, into that file.", "type": "boolean", "default": false },
    "keep": { "description": "Pass on what is neither chosen nor sent again, as it is.", "type": "boolean", "default": false },
    "redrive": { "description": "Pass the event on as it was before it died.", "type": "boolean", "default": false }
  }
})";

ChooseLetters::ChooseLetters(HostView, ConfigView config)
    : choice_(read_choice(config)),
      redrive_(config.boolean("redrive")),
      keep_(config.boolean("keep")),
      note_done_(config.boolean("note_done")),
      done_path_(config.text("done")) {
  choice_.reason_part = lower_case(choice_.reason_part);
  std::ifstream lines(done_path_);
  for (std::string line; !done_path_.empty() && std::getline(lines, line);) done_.insert(line);
}

/// A death of an event: the same letter read again has the same name, one that died again another.
std::string ChooseLetters::name_of(const sluice_event& event) {
  const Death death = death_of(event);
  const EventView seen(event);
  const auto digits =
      hash_
          .key(seen.source(), std::string(seen.id()) + '\n' + death.node + '\n' + std::to_string(death.last_unix_ns) +
                                  '\n' + std::to_string(redrives_of(event)))
          .text();
  return {digits.begin(), digits.end()};
}

/// Delivered, or given up anew, which is a letter of its own.
void ChooseLetters::settled(const std::uint64_t* seq, const std::uint8_t* outcome, std::uint32_t count) {
  if (on_the_way_.empty()) return;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto found = on_the_way_.find(seq[i]);
    if (found == on_the_way_.end()) continue;
    if (outcome[i] == SLUICE_WAS_DELIVERED || outcome[i] == SLUICE_WAS_REJECTED) {
      if (!done_file_.is_open()) done_file_.open(done_path_, std::ios::app);
      done_file_ << found->second << '\n';
    }
    on_the_way_.erase(found);
  }
  done_file_.flush();
}

bool ChooseLetters::chosen(const sluice_event& event) const {
  if (choice_.limit > 0 && found_ >= choice_.limit) return false;
  const Death death = death_of(event);
  if (!choice_.node.empty() && death.node != choice_.node) return false;
  if (death.last_unix_ns < choice_.since_unix_ns || death.last_unix_ns >= choice_.until_unix_ns) return false;
  if (!choice_.reason_part.empty() && lower_case(death.reason).find(choice_.reason_part) == std::string::npos) {
    return false;
  }
  return !choice_.filter || choice_.filter->matches(event);
}

sluice_status ChooseLetters::process(BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error&) {
  const BlockRef block = blocks_.take();
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    const sluice_event& event = batch[i].raw();
    const std::string name = done_path_.empty() ? "" : name_of(event);
    const bool gone = done_.contains(name), meant = !gone && chosen(event);
    if (meant) ++found_;
    if (keep_ ? gone || meant : !meant) {
      verdict[i] = SLUICE_TO_DROP;
      continue;
    }
    if (!redrive_) continue;
    if (note_done_) on_the_way_.emplace(event.seq, name);
    const sluice_event as_was = as_it_was(event, writer_, *block);
    const std::string json = with_redrives(text_of(as_was, as_was.json), redrives_of(event) + 1);
    if (!WriterView(*out).replace(json, i)) return SLUICE_FAILED;
  }
  return SLUICE_OK;
}

const char* const PrintLetters::kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "store": { "description": "The backend that the letters are of.", "type": "string", "default": "" },
    "whole": { "description": "With the event.", "type": "boolean", "default": false }
  }
})";

PrintLetters::PrintLetters(HostView host, ConfigView config)
    : host_(host), store_(config.text("store")), whole_(config.boolean("whole")) {}

sluice_status PrintLetters::publish(BatchView batch, std::uint32_t& taken) {
  constexpr std::size_t kColumns = 160;
  const bool table = !whole_ && ::isatty(STDOUT_FILENO) == 1;
  const BlockRef block = blocks_.take();
  for (const EventView event : batch) {
    const sluice_event as_was = as_it_was(event.raw(), writer_, *block);
    Letter letter;
    letter.number = ++shown_;
    letter.event_json = text_of(as_was, as_was.json);
    letter.source = event.source();
    letter.id = event.id();
    letter.type = event.type();
    letter.death = death_of(event.raw());
    letter.redrives = redrives_of(event.raw());
    letter.history_json = "[]";
    if (table && shown_ == 1) std::cout << letter_heading();
    std::cout << (whole_  ? letter_whole(letter, store_)
                  : table ? letter_row(letter, kColumns)
                          : letter_line(letter, store_));
  }
  std::cout.flush();
  taken = batch.size();
  host_.complete(batch.ticket(), taken);
  return SLUICE_OK;
}

}  // namespace sluice
