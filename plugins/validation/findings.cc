#include "findings.hh"

#include <sluice/cpp/encode.hh>

#include <charconv>
#include <cstdio>

namespace validation {
namespace {

/// As Python and JavaScript write it: the shortest text that reads back the same, with a fraction.
std::string number(double value) {
  char digits[32];
  std::string text(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string run_member(const std::optional<std::string>& run_id) {
  if (!run_id) return R"({"run_id":null)";
  std::string text = R"({"run_id":")";
  sluice::append_json_escaped(text, *run_id);
  return text + '"';
}

std::string counts(const Finding& finding) {
  return R"(,"processed":)" + std::to_string(finding.processed) + R"(,"success_rate":)" +
         number(finding.success_rate());
}

std::string passed_member(const Finding& finding) {
  return finding.failed ? R"(,"passed":false})" : R"(,"passed":true})";
}

}  // namespace

std::string halt_text(const Finding& finding, std::string_view unit_name) {
  char percent[16];
  std::snprintf(percent, sizeof(percent), "%.0f%%", finding.success_rate() * 100);
  return "Early validation failed: " + std::string(percent) + " success rate after " +
         std::to_string(finding.processed) + " " + std::string(unit_name);
}

std::string checkpoint_data(const Finding& finding, const std::optional<std::string>& run_id) {
  return run_member(run_id) + counts(finding) + passed_member(finding);
}

std::string warning_data(const Finding& finding, const std::optional<std::string>& run_id, double threshold) {
  return run_member(run_id) + counts(finding) + R"(,"threshold":)" + number(threshold) + "}";
}

std::string window_data(const Finding& finding, const std::optional<std::string>& run_id, double threshold) {
  return run_member(run_id) + R"(,"window":)" + std::to_string(finding.processed) + R"(,"success_rate":)" +
         number(finding.success_rate()) + R"(,"threshold":)" + number(threshold) + passed_member(finding);
}

std::string completed_data(const Finding& finding, const std::optional<std::string>& run_id, double threshold) {
  const std::string total = finding.total > 0 ? std::to_string(finding.total) : "null";
  return run_member(run_id) + counts(finding) + R"(,"total":)" + total + R"(,"threshold":)" + number(threshold) +
         passed_member(finding);
}

std::string incomplete_data(const Finding& finding, const std::optional<std::string>& run_id) {
  return run_member(run_id) + counts(finding) + R"(,"total":)" + std::to_string(finding.total) + R"(,"missing":)" +
         std::to_string(finding.total - finding.processed) + "}";
}

std::string stalled_data(const Finding& finding, const std::optional<std::string>& run_id, double after_s) {
  return run_member(run_id) + counts(finding) + R"(,"idle_seconds":)" + number(after_s) + "}";
}

std::string resumed_data(const Finding& finding, const std::optional<std::string>& run_id) {
  return run_member(run_id) + counts(finding) + "}";
}

std::string failed_data(const Finding& finding, const std::optional<std::string>& run_id) {
  return run_member(run_id) + R"(,"reason":"early_validation_failed")" + counts(finding) + "}";
}

}  // namespace validation
