#include "edge/event_commands.hh"

#include "core/cesql.hh"
#include "core/decode.hh"
#include "core/exit_code.hh"
#include "core/filter.hh"

#include <sluice/cpp/encode.hh>

#include <cstddef>
#include <cstdint>
#include <istream>
#include <optional>
#include <ostream>
#include <string_view>

namespace sluice {

namespace {

constexpr std::size_t kInputBytes = std::size_t{16} * limits::kEventBytes;  // of one line, or of a whole input

/// Decodes one text after the other, each in a fresh block.
class Checker {
 public:
  Checker() : decoder_(cloudevents_format(), {}) {}

  /// Null when text is valid; then event() holds until the next call.
  std::optional<Reject> check(std::string& text, std::uint32_t flags) {
    block_ = {};
    block_ = pool_.take();
    const std::size_t length = text.size();
    if (length > kInputBytes) return Reject{"too_large", "more than 16 MiB"};
    text.append(SLUICE_PADDING, '\0');
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(text.data());
    record.len = length;
    record.flags = flags;
    std::optional<Reject> refused = decoder_.decode(record, {}, *block_);
    text.resize(length);
    return refused;
  }
  [[nodiscard]] const sluice_event& event() const { return block_->events.front(); }

 private:
  BlockPool pool_;
  Decoder decoder_;
  BlockRef block_;
};

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

/// One line without its newline; an over-long one is cut, but read to its end, so that the next one starts in place.
bool read_line(std::istream& in, std::string& line) {
  line.clear();
  int c = in.get();
  if (c == std::istream::traits_type::eof()) return false;
  for (; c != std::istream::traits_type::eof() && c != '\n'; c = in.get()) {
    if (line.size() <= kInputBytes) line += static_cast<char>(c);
  }
  return true;
}

std::string read_all(std::istream& in) {
  std::string text;
  char chunk[65536];
  while (text.size() <= kInputBytes && (in.read(chunk, sizeof chunk), in.gcount() > 0)) {
    text.append(chunk, static_cast<std::size_t>(in.gcount()));
  }
  return text;
}

void write_answer(std::ostream& out, std::uint64_t line, const std::optional<Reject>& refused) {
  std::string answer = "{\"line\":" + std::to_string(line);
  if (!refused) {
    answer += ",\"valid\":true}\n";
  } else {
    answer += ",\"valid\":false,\"code\":";
    append_json_string(answer, refused->code);
    answer += ",\"reason\":";
    append_json_string(answer, refused->reason);
    answer += "}\n";
  }
  out << answer;
}

void write_value(std::string& answer, const cesql::Value& value) {
  switch (value.type) {
    case cesql::Type::string:
      append_json_string(answer, value.text);
      break;
    case cesql::Type::integer:
      answer += std::to_string(value.number);
      break;
    case cesql::Type::boolean:
      answer += value.number != 0 ? "true" : "false";
      break;
  }
}

std::string result_json(const cesql::Result& result) {
  std::string answer = "{\"value\":";
  write_value(answer, result.value);
  answer += ",\"errors\":[";
  for (std::size_t i = 0; i < result.error_count; ++i) {
    if (i > 0) answer += ',';
    append_json_string(answer, cesql::name_of(result.errors[i].kind));
  }
  return answer + "]}\n";
}

}  // namespace

int run_event_check(const EventCheckOptions& options, std::istream& in, std::ostream& out) {
  Checker checker;
  bool all_valid = true;
  const auto answer = [&](std::uint64_t line, std::string& text, std::uint32_t flags) {
    const std::optional<Reject> refused = checker.check(text, flags);
    all_valid = all_valid && !refused;
    write_answer(out, line, refused);
  };
  std::string text;
  if (options.input == EventCheckOptions::Input::lines) {
    for (std::uint64_t line = 1; read_line(in, text); ++line) {
      if (!is_blank(text)) answer(line, text, SLUICE_SINGLE);
    }
  } else {
    text = read_all(in);
    answer(1, text, options.input == EventCheckOptions::Input::batch ? SLUICE_BATCHED : SLUICE_SINGLE);
  }
  out.flush();
  return all_valid ? 0 : 1;
}

int run_event_match(const EventMatchOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  std::string why;
  const std::optional<Filter> filter = Filter::parse(options.filter, why);
  if (!filter) {
    err << "sluice: --filter: " << why << '\n';
    return kUsage;
  }
  Checker checker;
  std::string text;
  for (std::uint64_t line = 1; read_line(in, text); ++line) {
    if (is_blank(text)) continue;
    const std::optional<Reject> refused = checker.check(text, SLUICE_SINGLE);
    if (refused) err << "sluice: line " << line << ": not an event: " << refused->reason << '\n';
    out << (!refused && filter->matches(checker.event()) ? "true\n" : "false\n");
  }
  out.flush();
  return 0;
}

int run_event_eval(const EventEvalOptions& options, std::istream& in, std::ostream& out, std::ostream& err) {
  std::string why;
  const auto expression = cesql::Expression::parse(options.sql, why);
  if (!expression) {
    err << "sluice: --sql: " << why << '\n';
    return kUsage;
  }
  Checker checker;
  std::string text;
  for (std::uint64_t line = 1; read_line(in, text); ++line) {
    if (is_blank(text)) continue;
    if (const auto refused = checker.check(text, SLUICE_SINGLE)) {
      err << "sluice: line " << line << ": not an event: " << refused->reason << '\n';
      out << "{\"value\":false,\"errors\":[\"generic\"]}\n";
      continue;
    }
    cesql::Scratch scratch;
    const cesql::Result result = expression->evaluate(checker.event(), scratch);
    out << result_json(result);
    for (std::size_t i = 0; i < result.error_count; ++i) {
      err << "sluice: line " << line << ": " << cesql::name_of(result.errors[i].kind) << " error at byte "
          << result.errors[i].at << " of the expression\n";
    }
  }
  out.flush();
  return 0;
}

}  // namespace sluice
