// The state's text form: one line per change, fields between tabs. Tabs, line ends and backslashes are escaped.
#pragma once

#include "alert.hh"

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace alerting {

class LineWriter {
 public:
  LineWriter(std::string& out, char kind) : out_(out) { out_ += kind; }
  ~LineWriter() { out_ += '\n'; }
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  LineWriter& add(std::string_view text) {
    out_ += '\t';
    for (const char c : text) {
      if (c == '\t' || c == '\n' || c == '\\') out_ += '\\';
      out_ += c == '\t' ? 't' : c == '\n' ? 'n' : c;
    }
    return *this;
  }
  LineWriter& add(std::uint64_t number) { return add(std::string_view(std::to_string(number))); }
  LineWriter& add(std::int64_t number) { return add(std::string_view(std::to_string(number))); }
  LineWriter& add(const Labels& labels) {
    add(std::uint64_t{labels.size()});
    for (const auto& [name, value] : labels) add(std::string_view(name)).add(std::string_view(value));
    return *this;
  }

 private:
  std::string& out_;
};

class LineReader {
 public:
  explicit LineReader(std::string_view line) {
    fields_.emplace_back();
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\t') {
        fields_.emplace_back();
      } else if (line[i] == '\\' && i + 1 < line.size()) {
        const char c = line[++i];
        fields_.back() += c == 't' ? '\t' : c == 'n' ? '\n' : c;
      } else {
        fields_.back() += line[i];
      }
    }
  }
  [[nodiscard]] std::string_view kind() const noexcept { return fields_.front(); }
  [[nodiscard]] bool more() const noexcept { return next_ < fields_.size(); }
  /// False from the first field on that is missing or no number.
  [[nodiscard]] bool good() const noexcept { return good_; }
  std::string text() {
    if (more()) return fields_[next_++];
    good_ = false;
    return {};
  }
  template <class Number = std::int64_t>
  Number number() {
    const std::string digits = text();
    Number value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) good_ = false;
    return value;
  }
  Labels labels() {
    Labels out;
    for (auto count = number<std::uint64_t>(); count > 0 && good_; --count) {
      std::string name = text();
      out[std::move(name)] = text();
    }
    return out;
  }

 private:
  std::vector<std::string> fields_;
  std::size_t next_ = 1;
  bool good_ = true;
};

}  // namespace alerting
