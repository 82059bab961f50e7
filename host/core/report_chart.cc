#include "core/report_chart.hh"

#include "core/timestamp.hh"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace sluice {
namespace {

constexpr int kRows = 8;
constexpr int kEighths = 8;  // of a letter's height

const char* block(int eighths) {
  static constexpr const char* kBlocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  return kBlocks[std::clamp(eighths, 0, kEighths)];
}

std::string label(int row) {
  if (row == kRows - 1) return "100% ┤";
  if (row == kRows / 2 - 1) return " 50% ┤";
  return row == 0 ? "  0% ┤" : "     │";
}

// ---- SVG ----

constexpr double kLeft = 56, kTop = 40, kWidth = 640, kHeight = 220;

std::string format(const char* pattern, auto... values) {
  char text[512];
  const int length = std::snprintf(text, sizeof text, pattern, values...);
  return {text, static_cast<std::size_t>(std::clamp<int>(length, 0, sizeof text - 1))};
}

double y_of(double rate) { return kTop + kHeight * (1 - rate); }

std::string grid() {
  std::string out;
  for (int percent = 0; percent <= 100; percent += 25) {
    const double y = y_of(percent / 100.0);
    out += format("<line x1=\"%.0f\" y1=\"%.1f\" x2=\"%.0f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", kLeft, y, kLeft + kWidth,
                  y);
    out += format("<text x=\"%.0f\" y=\"%.1f\" text-anchor=\"end\">%d%%</text>\n", kLeft - 6, y + 4, percent);
  }
  return out;
}

std::string bars_and_line(const std::vector<OutcomeTimes::Column>& columns) {
  std::string bars, line;
  const double step = kWidth / static_cast<double>(columns.size());
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const double x = kLeft + step * static_cast<double>(i);
    const OutcomeTimes::Column& column = columns[i];
    if (column.within.all() > 0) {
      bars +=
          format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"><title>%s: %llu of %llu</title></rect>\n",
                 x, y_of(column.within.rate()), std::max(1.0, step - 1), kHeight * column.within.rate(),
                 moment_text(column.from_unix_ns).c_str(), static_cast<unsigned long long>(column.within.successes),
                 static_cast<unsigned long long>(column.within.all()));
    }
    line += format("%s%.1f,%.1f", line.empty() ? "" : " ", x + step / 2, y_of(column.so_far.rate()));
  }
  return "<g fill=\"#bfd7ea\">\n" + bars +
         "</g>\n<polyline fill=\"none\" stroke=\"#0b3954\" stroke-width=\"2\" points=\"" + line + "\"/>\n";
}

std::string threshold_marks(const RunReport& report) {
  if (!report.options().threshold) return {};
  const double y = y_of(*report.options().threshold);
  std::string out =
      format("<line x1=\"%.0f\" y1=\"%.1f\" x2=\"%.0f\" y2=\"%.1f\" stroke=\"#c81d25\" stroke-dasharray=\"6 4\"/>\n",
             kLeft, y, kLeft + kWidth, y);
  const auto& drop = report.first_drop();
  if (!drop || !drop->unix_ns) return out;
  const auto span = static_cast<double>(report.times().last_unix_ns() - report.times().first_unix_ns());
  const double at = span > 0 ? static_cast<double>(*drop->unix_ns - report.times().first_unix_ns()) / span : 0.5;
  return out + format(
                   "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"5\" fill=\"#c81d25\"><title>first below: outcome "
                   "%llu</title></circle>\n",
                   kLeft + kWidth * at, y_of(drop->rate), static_cast<unsigned long long>(drop->outcome));
}

}  // namespace

std::string percent_text(double ratio) { return format("%.1f%%", 100 * ratio); }

std::string moment_text(std::int64_t unix_ns) {
  std::string text(24, '\0');
  write_timestamp(unix_ns, text.data());
  return text;
}

std::string terminal_chart(const RunReport& report, std::size_t columns) {
  const auto all = report.times().columns(columns);
  if (all.empty()) return {};
  const int threshold_row =
      report.options().threshold
          ? std::clamp(static_cast<int>(std::ceil(*report.options().threshold * kRows)) - 1, 0, kRows - 1)
          : -1;
  std::string text;
  for (int row = kRows - 1; row >= 0; --row) {
    text += label(row);
    for (const OutcomeTimes::Column& column : all) {
      const int eighths = static_cast<int>(std::lround(column.so_far.rate() * kRows * kEighths)) - row * kEighths;
      text += eighths <= 0 && row == threshold_row ? "┄" : block(eighths);
    }
    if (row == threshold_row) text += "┄ threshold " + percent_text(*report.options().threshold);
    text += '\n';
  }
  const std::string from = moment_text(report.times().first_unix_ns()), to = moment_text(report.times().last_unix_ns());
  const std::size_t gap = all.size() > from.size() + to.size() ? all.size() - from.size() - to.size() : 2;
  return text + "      " + from + std::string(gap, ' ') + to + '\n';
}

std::string svg_chart(const RunReport& report) {
  constexpr std::size_t kColumns = 80;
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 300\" width=\"720\" height=\"300\" role=\"img\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<title>Success rate over time</title>\n"
      "<rect width=\"720\" height=\"300\" fill=\"#fff\"/>\n";
  svg += format("<text x=\"%.0f\" y=\"22\" font-size=\"15\">Success rate %s (%llu of %llu)</text>\n", kLeft,
                percent_text(report.outcomes().rate()).c_str(),
                static_cast<unsigned long long>(report.outcomes().successes),
                static_cast<unsigned long long>(report.outcomes().all()));
  svg += grid();
  const auto columns = report.times().columns(kColumns);
  if (columns.empty()) {
    svg += "<text x=\"376\" y=\"150\" text-anchor=\"middle\">no outcome with a time</text>\n";
  } else {
    svg += bars_and_line(columns) + threshold_marks(report);
    svg += format("<text x=\"%.0f\" y=\"284\">%s</text>\n", kLeft, moment_text(report.times().first_unix_ns()).c_str());
    svg += format("<text x=\"%.0f\" y=\"284\" text-anchor=\"end\">%s</text>\n", kLeft + kWidth,
                  moment_text(report.times().last_unix_ns()).c_str());
  }
  return svg + "</svg>\n";
}

}  // namespace sluice
