#include "quiet.hh"

#include "json_reader.hh"

#include <algorithm>

namespace alerting {

bool Matcher::matches(const Labels& labels) const {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& one) {
    const auto found = labels.find(one.first);
    const std::string& value = found == labels.end() ? std::string() : found->second;
    if (one.second.empty() || one.second.back() != '*') return value == one.second;
    return value.compare(0, one.second.size() - 1, one.second, 0, one.second.size() - 1) == 0;
  });
}

Labels whole_labels(const Labels& labels, const std::string& rule, Severity severity) {
  Labels whole = labels;
  whole["rule"] = rule;
  whole["severity"] = to_text(severity);
  return whole;
}

std::vector<Silence> silences_in(const std::string& lines, std::size_t& unreadable) {
  std::vector<Silence> all;
  JsonReader reader;
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    const std::string line = lines.substr(at, end - at);
    at = end + 1;
    if (line.empty()) continue;
    const bool is_json = reader.open(line, false);
    const auto id = is_json ? reader.at("/id") : std::nullopt;
    if (!id || id->kind != JsonField::Kind::text) {
      ++unreadable;
      continue;
    }
    std::erase_if(all, [&](const Silence& silence) { return silence.id == id->text; });
    const auto expired = reader.at("/expired");
    if (expired && expired->boolean) continue;
    Silence silence;
    silence.id = id->text;
    for (int i = 0; const auto name = reader.at("/match/" + std::to_string(i) + "/0"); ++i) {
      const auto value = reader.at("/match/" + std::to_string(i) + "/1");
      if (value) silence.matcher.wanted[name->text] = value->text;
    }
    if (const auto from = reader.at("/from_ms")) silence.from_ms = static_cast<std::int64_t>(from->number);
    if (const auto until = reader.at("/until_ms")) silence.until_ms = static_cast<std::int64_t>(until->number);
    if (const auto comment = reader.at("/comment")) silence.comment = comment->text;
    if (silence.matcher.wanted.empty()) {
      ++unreadable;  // it would silence everything
      continue;
    }
    all.push_back(std::move(silence));
  }
  return all;
}

}  // namespace alerting
