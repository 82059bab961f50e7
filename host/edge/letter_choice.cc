#include "edge/letter_choice.hh"

#include "core/document.hh"
#include "core/moment.hh"
#include "core/setup_error.hh"
#include "core/units.hh"

namespace sluice {

std::string filter_json(const std::vector<std::string>& types, const std::string& when_json) {
  if (types.empty() && when_json.empty()) return {};
  std::string out = "[";
  if (!types.empty()) {
    out += "{\"types\":[";
    for (const std::string& type : types) out += (&type == &types.front() ? "" : ",") + json_string(type);
    out += "]}";
  }
  if (!when_json.empty()) {
    std::string why;
    if (!Filter::parse(when_json, why)) throw SetupError("--when: " + why, kUsage);
    const std::size_t begin = when_json.find_first_not_of(" \t\r\n");
    const bool list = when_json[begin] == '[';
    // The members of a list, or the one object.
    const std::string members = list ? when_json.substr(begin + 1, when_json.find_last_of(']') - begin - 1) : when_json;
    if (!types.empty() && members.find_first_not_of(" \t\r\n") != std::string::npos) out += ',';
    out += members;
  }
  out += ']';
  std::string why;
  if (!Filter::parse(out, why)) throw SetupError("--type: " + why, kUsage);
  return out;
}

std::int64_t moment_of(const std::string& option, const std::string& text, std::int64_t now_unix_ns) {
  const auto moment = parse_moment(text, now_unix_ns);
  if (!moment) throw SetupError(option + ": expected " + kMomentHint + ", got '" + text + "'", kUsage);
  return *moment;
}

double rate_of(const std::string& text) {
  if (text.empty()) return 0;
  const auto rate = parse_rate(text);
  if (!rate || *rate <= 0)
    throw SetupError("--rate: expected " + std::string(kRateHint) + ", got '" + text + "'", kUsage);
  return *rate;
}

LetterChoice choice_of(const DlqCommand& command, std::int64_t now_unix_ns) {
  LetterChoice choice;
  choice.numbers = command.numbers;
  choice.node = command.node;
  choice.reason_part = command.reason;
  choice.limit = command.limit;
  if (!command.since.empty()) choice.since_unix_ns = moment_of("--since", command.since, now_unix_ns);
  if (!command.until.empty()) choice.until_unix_ns = moment_of("--until", command.until, now_unix_ns);
  if (const std::string json = filter_json(command.types, command.when_json); !json.empty()) {
    std::string why;
    choice.filter = Filter::parse(json, why);
  }
  return choice;
}

}  // namespace sluice
