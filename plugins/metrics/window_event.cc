#include "window_event.hh"

#include <sluice/cpp/encode.hh>

#include <charconv>
#include <cmath>
#include <ctime>

namespace metrics {
namespace {

constexpr std::int64_t kMs = 1'000'000, kSecond = 1'000'000'000;

/// The shortest text that reads back the same; null for what JSON has no number for.
std::string number(double value) {
  if (!std::isfinite(value)) return "null";
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof(digits), value).ptr};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  sluice::append_json_escaped(out, text);
  return out + '"';
}

}  // namespace

std::string quantile_name(double share) {
  char digits[32];
  std::string text(digits,
                   std::to_chars(digits, digits + sizeof(digits), share * 100, std::chars_format::general, 8).ptr);
  for (char& c : text) {
    if (c == '.') c = '_';
  }
  return "p" + text;
}

std::string moment(std::int64_t unix_ns) {
  std::int64_t seconds = unix_ns / kSecond, rest_ms = unix_ns % kSecond / kMs;
  if (unix_ns % kSecond < 0) {
    --seconds;
    rest_ms = (unix_ns - seconds * kSecond) / kMs;
  }
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[40];
  std::size_t length = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &parts);
  for (const std::int64_t unit : {100, 10, 1}) text[length++] = static_cast<char>('0' + rest_ms / unit % 10);
  text[length++] = 'Z';
  return {text, length};
}

std::string event_head(const WindowText& of) {
  const std::string end = moment(of.end_unix_ns);
  std::string id = std::string(of.node) + "-" + std::to_string(of.end_unix_ns / kMs);
  if (of.type != nullptr) id += "-" + *of.type;
  if (!of.label.empty()) id.append("-").append(of.label);
  std::string text = R"({"specversion":"1.0","id":)" + quoted(id) + R"(,"source":"/sluice/)";
  sluice::append_json_escaped(text, of.node);
  text += R"(","type":)" + quoted(of.event_type) + R"(,"time":")" + end + '"';
  if (!of.label.empty()) text += R"(,"subject":)" + quoted(of.label);
  text += R"(,"datacontenttype":"application/json","data":{"start":")" + moment(of.start_unix_ns) + R"(","end":")" +
          end + R"(","seconds":)" + number(static_cast<double>(of.end_unix_ns - of.start_unix_ns) / 1e9);
  if (of.type != nullptr) text += R"(,"type":)" + quoted(*of.type);
  if (!of.label_name.empty()) {
    text.append(",").append(quoted(of.label_name)).append(":");
    text += of.label.empty() ? "null" : quoted(of.label);
  }
  const double seconds = static_cast<double>(of.end_unix_ns - of.start_unix_ns) / 1e9;
  text += R"(,"count":)" + std::to_string(of.count) + R"(,"rate":)" + number(static_cast<double>(of.count) / seconds) +
          R"(,"fields":{)";
  return text;
}

void append_field(std::string& text, bool first, std::string_view name, const Figures& figures,
                  std::span<const std::string> quantile_names, std::span<const double> quantiles) {
  if (!first) text += ',';
  text += quoted(name) + R"(:{"count":)" + std::to_string(figures.count);
  if (figures.count > 0) {
    text += R"(,"sum":)" + number(figures.sum) + R"(,"mean":)" + number(figures.mean()) + R"(,"min":)" +
            number(figures.least) + R"(,"max":)" + number(figures.most);
    for (std::size_t i = 0; i < quantiles.size(); ++i) {
      text += ",\"" + quantile_names[i] + "\":" + number(quantiles[i]);
    }
  }
  text += '}';
}

void append_end(std::string& text) { text += "}}}"; }

}  // namespace metrics
