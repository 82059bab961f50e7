#include "edge/report_command.hh"

#include "core/decode.hh"
#include "core/exit_code.hh"
#include "core/report_chart.hh"
#include "core/setup_error.hh"
#include "edge/json_object.hh"
#include "edge/report_input.hh"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <limits>
#include <ostream>

namespace sluice {
namespace {

constexpr int kNotEventsTold = 20;         // lines; the rest is counted
constexpr int kLinesToLookAt = 64;         // for a file's first time
constexpr std::size_t kChartPoints = 120;  // of --json

/// An event of any envelope that an event log is written in.
class AnyEnvelope {
 public:
  AnyEnvelope()
      : decoders_{Decoder(cloudevents_format(), {}), Decoder(bus_event_format("/sluice/report"), {}),
                  Decoder(domain_event_format("/sluice/report"), {})} {}

  /// Null when the line is an event; event() holds until the next call.
  std::optional<Reject> read(std::string& line) {
    const std::size_t length = line.size();
    if (length > limits::kEventBytes) return Reject{"too_large", "longer than an event may be"};
    line.append(SLUICE_PADDING, '\0');
    const std::size_t likely = kind_of({line.data(), length});
    std::optional<Reject> refused = decode(likely, line, length);
    for (std::size_t other = 1; refused && likely != 0 && other < decoders_.size(); ++other) {
      if (other != likely && !decode(other, line, length)) refused.reset();
    }
    line.resize(length);
    return refused;
  }
  [[nodiscard]] const sluice_event& event() const { return block_->events.front(); }

 private:
  static std::size_t kind_of(std::string_view line) {
    const auto has = [&](std::string_view word) { return line.find(word) != line.npos; };
    if (has("\"specversion\"")) return 0;
    return has("\"payload\"") || has("\"aggregate_id\"") || has("\"aggregateId\"") ? 2 : 1;
  }
  std::optional<Reject> decode(std::size_t which, const std::string& line, std::size_t length) {
    block_ = {};
    block_ = pool_.take();
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(line.data());
    record.len = length;
    record.flags = SLUICE_SINGLE;
    return decoders_[which].decode(record, {}, *block_);
  }

  BlockPool pool_;
  std::array<Decoder, 3> decoders_;
  BlockRef block_;
};

std::optional<std::int64_t> time_of(const sluice_event& event) {
  constexpr std::int64_t kSecondsMax = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
  if ((event.flags & SLUICE_HAS_TIME) == 0 || event.time_s > kSecondsMax || event.time_s < -kSecondsMax) return {};
  return event.time_s * 1'000'000'000 + event.time_ns;
}

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r") == line.npos; }

/// Reads the inputs into the report, and keeps count of what was no event.
class Reading {
 public:
  Reading(RunReport& report, std::ostream& err) : report_(report), err_(err) {}

  void read(const std::string& path) {
    ReportInput input(path);
    const std::string name = path == ReportInput::kStandardInput ? "standard input" : path;
    std::string line;
    for (std::uint64_t number = 1; input.next(line, limits::kEventBytes); ++number) {
      if (is_blank(line)) continue;
      ++lines_;
      if (const auto refused = envelope_.read(line)) {
        if (++not_events_ <= kNotEventsTold) tell(name, number, refused->reason);
        continue;
      }
      const sluice_event& event = envelope_.event();
      report_.add({event.text + event.type.at, event.type.len}, time_of(event));
    }
    if (!input.error().empty()) {
      broken_ = true;
      err_ << "sluice: " << name << ": " << input.error() << "; what came before it counts\n";
    }
  }
  void finish() {
    if (not_events_ > kNotEventsTold) {
      err_ << "sluice: and " << not_events_ - kNotEventsTold << " more lines that are no events\n";
    }
  }
  /// The time of a file's first event; nothing when it cannot be looked at twice.
  std::optional<std::int64_t> first_time(const std::string& path) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error)) return {};
    ReportInput input(path);
    std::string line;
    for (int i = 0; i < kLinesToLookAt && input.next(line, limits::kEventBytes); ++i) {
      if (!is_blank(line) && !envelope_.read(line)) {
        if (const auto time = time_of(envelope_.event())) return time;
      }
    }
    return {};
  }
  [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
  [[nodiscard]] std::uint64_t not_events() const noexcept { return not_events_; }
  [[nodiscard]] bool clean() const noexcept { return not_events_ == 0 && !broken_; }

 private:
  void tell(const std::string& name, std::uint64_t number, const std::string& reason) {
    std::string text = "sluice: ";
    append_plain(text, name + ":" + std::to_string(number) + ": not an event: " + reason, 1000);
    err_ << text << '\n';
  }

  RunReport& report_;
  std::ostream& err_;
  AnyEnvelope envelope_;
  std::uint64_t lines_ = 0, not_events_ = 0;
  bool broken_ = false;
};

/// A glob names the current log before its rotated ones, which are older. Left as named when a file does not tell.
std::vector<std::string> in_order_of_time(std::vector<std::string> files, Reading& reading) {
  std::vector<std::pair<std::int64_t, std::string>> timed;
  if (files.size() < 2) return files;
  for (const std::string& file : files) {
    const auto time = reading.first_time(file);
    if (!time) return files;
    timed.emplace_back(*time, file);
  }
  std::ranges::stable_sort(timed, {}, &std::pair<std::int64_t, std::string>::first);
  for (std::size_t i = 0; i < files.size(); ++i) files[i] = std::move(timed[i].second);
  return files;
}

std::string report_text(const RunReport& report) {
  std::string text = "events: " + std::to_string(report.events()) + '\n';
  const auto types = report.types();
  std::size_t width = 0;
  for (const auto& [type, count] : types) width = std::max(width, std::to_string(count).size());
  for (const auto& [type, count] : types) {
    const std::string digits = std::to_string(count);
    text += "  " + std::string(width - digits.size(), ' ') + digits + "  ";
    append_plain(text, type);
    text += '\n';
  }
  const Outcomes& outcomes = report.outcomes();
  if (outcomes.all() == 0) return text + "success rate: no event is a success or a failure (--success, --failure)\n";
  text += "success rate: " + percent_text(outcomes.rate()) + " (" + std::to_string(outcomes.successes) + " of " +
          std::to_string(outcomes.all()) + ")\n";
  text += terminal_chart(report);
  if (report.untimed() > 0)
    text += std::to_string(report.untimed()) + " outcomes have no time and are not in the chart\n";
  if (!report.options().threshold) return text;
  const std::string bound = percent_text(*report.options().threshold);
  if (!report.first_drop())
    return text + "never below " + bound + " (judged from outcome " + std::to_string(report.options().after) + " on)\n";
  const RunReport::Drop& drop = *report.first_drop();
  return text + "first below " + bound + ": outcome " + std::to_string(drop.outcome) +
         (drop.unix_ns ? " at " + moment_text(*drop.unix_ns) : "") + ", " + percent_text(drop.rate) + " so far\n";
}

void write_outcomes(JsonText& json, const Outcomes& outcomes) {
  json.member("successes", outcomes.successes);
  json.member("failures", outcomes.failures);
}

std::string report_json(const RunReport& report, const Reading& reading) {
  JsonText json;
  {
    const auto all = json.object();
    json.member("lines", reading.lines());
    json.member("events", report.events());
    json.member("not_events", reading.not_events());
    {
      const auto types = json.object("types");
      for (const auto& [type, count] : report.types()) json.member(type, count);
    }
    write_outcomes(json, report.outcomes());
    if (report.outcomes().all() > 0) {
      json.member("success_rate", report.outcomes().rate());
    } else {
      json.raw("success_rate", "null");
    }
    if (report.first_drop()) {
      const RunReport::Drop& drop = *report.first_drop();
      const auto object = json.object("first_drop");
      json.member("outcome", drop.outcome);
      json.member("success_rate", drop.rate);
      if (drop.unix_ns) json.member("time", moment_text(*drop.unix_ns));
    } else {
      json.raw("first_drop", "null");
    }
    const auto points = json.list("over_time");
    for (const auto& column : report.times().columns(kChartPoints)) {
      if (column.within.all() == 0) continue;
      const auto point = json.object();
      json.member("time", moment_text(column.from_unix_ns));
      write_outcomes(json, column.within);
      json.member("success_rate", column.so_far.rate());
    }
  }
  return json.text() + '\n';
}

void write_svg(const std::string& path, const RunReport& report) {
  std::ofstream file(path, std::ios::binary);
  file << svg_chart(report);
  if (!file.flush()) throw SetupError("cannot write " + path, kUsage);
}

}  // namespace

int run_report(const ReportCommand& command, std::ostream& out, std::ostream& err) {
  RunReport report(command.options);
  Reading reading(report, err);
  auto files = command.files;
  if (files.empty()) files.emplace_back(ReportInput::kStandardInput);
  for (const std::string& file : in_order_of_time(std::move(files), reading)) reading.read(file);
  reading.finish();
  if (!command.svg.empty()) write_svg(command.svg, report);
  out << (command.json ? report_json(report, reading) : report_text(report));
  out.flush();
  return reading.clean() ? kClean : 1;
}

}  // namespace sluice
