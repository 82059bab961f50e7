// What a finding says: the events it becomes and the text of a halt. Pure.
#pragma once

#include "runs.hh"

#include <optional>
#include <string>
#include <string_view>

namespace validation {

/// "Early validation failed: 20% success rate after 5 specimens"
[[nodiscard]] std::string halt_text(const Finding& finding, std::string_view unit_name);
/// The data of validation.checkpoint, validation.warning and extraction.failed.
[[nodiscard]] std::string checkpoint_data(const Finding& finding, const std::optional<std::string>& run_id);
[[nodiscard]] std::string warning_data(const Finding& finding, const std::optional<std::string>& run_id,
                                       double threshold);
/// The data of validation.window, validation.completed, validation.incomplete, validation.stalled and
/// validation.resumed.
[[nodiscard]] std::string window_data(const Finding& finding, const std::optional<std::string>& run_id,
                                      double threshold);
[[nodiscard]] std::string completed_data(const Finding& finding, const std::optional<std::string>& run_id,
                                         double threshold);
[[nodiscard]] std::string incomplete_data(const Finding& finding, const std::optional<std::string>& run_id);
[[nodiscard]] std::string stalled_data(const Finding& finding, const std::optional<std::string>& run_id,
                                       double after_s);
[[nodiscard]] std::string resumed_data(const Finding& finding, const std::optional<std::string>& run_id);
[[nodiscard]] std::string failed_data(const Finding& finding, const std::optional<std::string>& run_id);

}  // namespace validation
