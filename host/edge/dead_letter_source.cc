#include "edge/dead_letter_source.hh"

#include <sluice/cpp/writer_view.hh>

namespace sluice {
namespace {

constexpr std::size_t kReadLetters = 256;

}  // namespace

const char* const DeadLetterSource::kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["path"],
  "properties": {
    "path": { "description": "The store's file.", "type": "string", "minLength": 1 },
    "numbers": {
      "description": "Only these letters, by their numbers.",
      "type": "array",
      "items": { "type": "integer" },
      "default": []
    },
    "node": { "description": "Only letters of this node.", "type": "string", "default": "" },
    "reason": { "description": "Only letters with this text in their reason.", "type": "string", "default": "" },
    "since_ns": { "description": "Only letters that died at this time or later: nanoseconds since 1970.", "type": "integer" },
    "until_ns": { "description": "Only letters that died before this time: nanoseconds since 1970.", "type": "integer" },
    "filter": { "description": "Only events that pass this filter: JSON as text.", "type": "string", "default": "" },
    "limit": { "description": "At most so many; 0: all.", "type": "integer", "minimum": 0, "default": 0 }
  }
})";

LetterChoice read_choice(ConfigView config) {
  LetterChoice choice;
  for (std::uint32_t i = 0; i < config.count("numbers"); ++i) {
    choice.numbers.push_back(config.integer("numbers/" + std::to_string(i)));
  }
  choice.node = config.text("node");
  choice.reason_part = config.text("reason");
  if (config.has("since_ns")) choice.since_unix_ns = config.integer("since_ns");
  if (config.has("until_ns")) choice.until_unix_ns = config.integer("until_ns");
  choice.limit = static_cast<std::uint64_t>(config.integer("limit"));
  if (const std::string json = config.text("filter"); !json.empty()) {
    std::string why;
    choice.filter = Filter::parse(json, why);
    if (!choice.filter) throw BadConfig("filter: " + why);
  }
  return choice;
}

DeadLetterSource::DeadLetterSource(HostView host, ConfigView config)
    : host_(host), path_(config.text("path")), choice_(read_choice(config)) {}

void DeadLetterSource::start(std::chrono::milliseconds) {
  try {
    store_.emplace(path_, Sqlite::Mode::existing);
    last_ = store_->last_number();
    store_->each(
        choice_, [&](const Letter& letter) { return bytes_ += letter.event_json.size(), true; }, 0, last_);
  } catch (const StoreError& error) {
    if (error.busy()) throw Away(error.what());
    throw BadConfig(error.what());
  }
}

std::uint64_t DeadLetterSource::input_bytes() { return bytes_; }

void DeadLetterSource::read_on() {
  LetterChoice part = choice_;
  part.limit = kReadLetters;
  if (choice_.limit > 0) part.limit = std::min<std::uint64_t>(part.limit, choice_.limit - found_);
  const std::size_t before = waiting_.size();
  if (choice_.limit == 0 || choice_.limit > found_) {
    store_->each(
        part,
        [&](const Letter& letter) {
          waiting_.push_back({letter.number, letter.redrives, with_redrives(letter.event_json, letter.redrives + 1)});
          cursor_ = letter.number;
          return true;
        },
        cursor_, last_);
  }
  found_ += waiting_.size() - before;
  all_read_ = waiting_.size() - before < kReadLetters;
}

sluice_status DeadLetterSource::pull(sluice_writer& out) {
  try {
    if (waiting_.empty() && !all_read_) read_on();
  } catch (const StoreError& error) {
    throw Away(error.what());
  }
  if (waiting_.empty()) return SLUICE_END;
  WriterView writer(out);
  while (!waiting_.empty() && out.count < out.cap) {
    Waiting& letter = waiting_.front();
    if (!writer.add(letter.event_json, static_cast<std::uint64_t>(letter.number))) break;
    in_flight_.emplace(letter.number, letter.redrives);
    waiting_.pop_front();
  }
  return out.count == 0 ? SLUICE_AGAIN : SLUICE_OK;
}

void DeadLetterSource::settle(SettlementsView settlements) {
  for (std::uint32_t i = 0; i < settlements.size(); ++i) {
    const auto number = static_cast<std::int64_t>(settlements[i].tag);
    const auto letter = in_flight_.find(number);
    if (letter == in_flight_.end()) continue;
    if (settlements[i].outcome == SLUICE_WAS_DELIVERED) delivered_.push_back({number, letter->second});
    in_flight_.erase(letter);
  }
  if (delivered_.empty()) return;
  try {
    store_->remove(delivered_);
    delivered_.clear();
  } catch (const StoreError& error) {
    host_.log(SLUICE_LOG_WARN,
              std::string("Delivered letters are not yet removed, tried again with the next: ") + error.what());
  }
}

}  // namespace sluice
