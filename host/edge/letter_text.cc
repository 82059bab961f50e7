#include "edge/letter_text.hh"

#include "core/dead_letter.hh"
#include "edge/json_object.hh"

#include <algorithm>

namespace sluice {
namespace {

constexpr std::size_t kNumberWidth = 8, kTimeWidth = 20, kNodeWidth = 16, kTypeWidth = 32, kIdWidth = 20;

void put_death(JsonText& json, const Letter& letter, std::string_view store) {
  json.member("number", letter.number);
  json.member("store", store);
  json.member("node", letter.death.node);
  json.member("reason", letter.death.reason);
  json.member("code", letter.death.code);
  json.member("attempts", letter.death.attempts);
  json.member("first", timestamp_text(letter.death.first_unix_ns));
  json.member("last", timestamp_text(letter.death.last_unix_ns));
  json.member("redrives", letter.redrives);
}

/// A cell of that width and two blanks; what is longer is cut, and shows it.
void put_cell(std::string& row, std::string_view text, std::size_t width) {
  const std::size_t from = row.size();
  append_plain(row, text, width);
  std::size_t shown = 0;  // characters, not bytes
  for (std::size_t i = from; i < row.size(); ++i) shown += (static_cast<unsigned char>(row[i]) & 0xC0) != 0x80;
  row.append(width - std::min(width, shown) + 2, ' ');
}

}  // namespace

std::string letter_line(const Letter& letter, std::string_view store) {
  JsonText json;
  {
    const auto scope = json.object();
    put_death(json, letter, store);
    json.member("id", letter.id);
    json.member("type", letter.type);
    json.member("source", letter.source);
  }
  return json.text() + "\n";
}

std::string letter_whole(const Letter& letter, std::string_view store) {
  JsonText json;
  {
    const auto scope = json.object();
    put_death(json, letter, store);
    json.raw("history", letter.history_json);
    json.raw("event", letter.event_json);
  }
  return json.text() + "\n";
}

std::string letter_heading() {
  std::string row;
  put_cell(row, "NUMBER", kNumberWidth);
  put_cell(row, "DIED", kTimeWidth);
  put_cell(row, "NODE", kNodeWidth);
  put_cell(row, "TYPE", kTypeWidth);
  put_cell(row, "ID", kIdWidth);
  put_cell(row, "TRIES", 5);
  put_cell(row, "REDRIVES", 8);
  return row + "REASON\n";
}

std::string letter_row(const Letter& letter, std::size_t columns) {
  std::string row;
  put_cell(row, std::to_string(letter.number), kNumberWidth);
  put_cell(row, timestamp_text(letter.death.last_unix_ns).substr(0, 19) + "Z", kTimeWidth);
  put_cell(row, letter.death.node, kNodeWidth);
  put_cell(row, letter.type, kTypeWidth);
  put_cell(row, letter.id, kIdWidth);
  put_cell(row, std::to_string(letter.death.attempts), 5);
  put_cell(row, std::to_string(letter.redrives), 8);
  constexpr std::size_t kReasonLeast = 20;
  append_plain(row, letter.death.reason, std::max(kReasonLeast, columns - std::min(columns, row.size())));
  return row + "\n";
}

}  // namespace sluice
