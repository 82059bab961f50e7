#include "template.hh"

#include <sluice/cpp/guard.hh>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <kainjow/mustache.hpp>
#include <optional>

namespace alerting {
namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;
using kainjow::mustache::renderer;

constexpr std::string_view kCutMark = "… [cut]";
constexpr std::int64_t kPlacesMax = 9;

std::string trimmed(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\n");
  return from == text.npos ? std::string() : text.substr(from, text.find_last_not_of(" \t\n") - from + 1);
}

/// "value|argument", split at the last bar.
std::pair<std::string, std::string> halves(const std::string& text) {
  const std::size_t bar = text.rfind('|');
  if (bar == text.npos) return {trimmed(text), {}};
  return {trimmed(text.substr(0, bar)), trimmed(text.substr(bar + 1))};
}

std::optional<double> number_in(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return {};
  return value;
}

std::string fixed(double value, const std::string& places) {
  std::int64_t count = 0;
  (void)std::from_chars(places.data(), places.data() + places.size(), count);
  char digits[400];
  const int length = std::snprintf(digits, sizeof digits, "%.*f",
                                   static_cast<int>(std::min(std::max<std::int64_t>(count, 0), kPlacesMax)), value);
  return {digits, static_cast<std::size_t>(length)};
}

std::string percent(const std::string& text) {
  const auto [value, places] = halves(text);
  const auto number = number_in(value);
  return number ? fixed(*number * 100, places) + "%" : value;
}

std::string round_to(const std::string& text) {
  const auto [value, places] = halves(text);
  const auto number = number_in(value);
  return number ? fixed(*number, places) : value;
}

std::string date(const std::string& text) {
  const auto [value, format] = halves(text);
  const auto moment = moment_ms(value);
  return moment ? date_text(*moment, format.empty() ? "%Y-%m-%d %H:%M:%S" : format.c_str()) : value;
}

std::string otherwise(const std::string& text) {
  const auto [value, other] = halves(text);
  return value.empty() ? other : value;
}

struct Function {
  std::string_view name;
  std::string (*run)(const std::string&);
};
constexpr Function kFunctions[] = {
    {"percent", &percent}, {"round", &round_to}, {"date", &date}, {"default", &otherwise}};

/// Names are looked up when they are met; nothing is gathered beforehand.
class Names final : public kainjow::mustache::basic_context<std::string> {
 public:
  explicit Names(const Lookup& lookup) : lookup_(lookup) {}
  void push(const data*) override {}
  void pop() override {}
  [[nodiscard]] const data* get(const std::string& name) const override {
    for (const Function& function : kFunctions) {
      if (function.name != name) continue;
      const auto run = function.run;
      return &kept_.emplace_back(kainjow::mustache::lambda2{
          [run](const std::string& text, const renderer& render) { return run(render(text, false)); }});
    }
    std::string value;
    if (!lookup_(name, value)) return nullptr;
    if (value.empty() || value == "false" || value == "null") {
      // A section over it is not shown, an inverted one is; as a text it stays what it is.
      return value.empty() ? &kept_.emplace_back(data::type::bool_false) : &kept_.emplace_back(value);
    }
    return &kept_.emplace_back(value);
  }
  [[nodiscard]] const data* get_partial(const std::string& name) const override {
    throw sluice::BadConfig("{{> " + name + "}}: there are no partials");
  }

 private:
  const Lookup& lookup_;
  mutable std::deque<data> kept_;  // a reference stays good while others are added
};

}  // namespace

struct TextTemplate::Parsed {
  explicit Parsed(const std::string& text) : tmpl(text) {}
  mutable mustache tmpl;
};

TextTemplate::TextTemplate(const std::string& text, Escape escape, const std::function<bool(std::string_view)>& known)
    : parsed_(std::make_unique<Parsed>(text)) {
  if (!parsed_->tmpl.is_valid()) throw sluice::BadConfig("\"" + text + "\": " + parsed_->tmpl.error_message());
  parsed_->tmpl.set_custom_escape([escape](const std::string& value) { return escape(value); });
  std::string unknown;
  // Twice, so that sections and inverted sections are both walked.
  for (const std::string_view stand_in : {"1", ""}) {
    const Lookup lookup = [&](std::string_view name, std::string& out) {
      if (name != "." && !known(name) && unknown.empty()) unknown = name;
      out = stand_in;
      return true;
    };
    (void)fill(lookup, 1024);
    if (!parsed_->tmpl.is_valid()) throw sluice::BadConfig("\"" + text + "\": " + parsed_->tmpl.error_message());
  }
  if (!unknown.empty()) {
    throw sluice::BadConfig("{{" + unknown +
                            "}} stands for nothing: there are id, source, type, subject, time, severity, rule, "
                            "data.NAME, ext.NAME, labels.NAME, and #percent, #round, #date, #default");
  }
}

TextTemplate::TextTemplate(TextTemplate&&) noexcept = default;
TextTemplate& TextTemplate::operator=(TextTemplate&&) noexcept = default;
TextTemplate::~TextTemplate() = default;

std::string TextTemplate::fill(const Lookup& lookup, std::size_t bytes_max) const {
  Names names(lookup);
  return cut(parsed_->tmpl.render(names), bytes_max);
}

std::string escape_nothing(std::string_view text) { return std::string(text); }

std::string escape_slack(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : escape_slack(text)) {
    if (c == '"') {
      out += "&quot;";
    } else if (c == '\'') {
      out += "&#39;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string cut(std::string text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max > kCutMark.size() ? bytes_max - kCutMark.size() : 0;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text + std::string(kCutMark);
}

std::string date_text(std::int64_t unix_ms, const char* format) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[256];
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

std::optional<std::int64_t> moment_ms(const std::string& text) {
  std::tm parts{};
  const char* rest = ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &parts);
  if (rest == nullptr) return {};
  std::int64_t offset = 0;
  std::tm zone{};
  const char* sign = std::strpbrk(rest, "+-");
  if (sign != nullptr && ::strptime(sign, "%z", &zone) != nullptr) offset = zone.tm_gmtoff;
  return (static_cast<std::int64_t>(::timegm(&parts)) - offset) * 1000;
}

}  // namespace alerting
