// From what was typed behind `sluice dlq` and `sluice replay` to what is meant by it. Throws SetupError (64) that names
// the option.
#pragma once

#include "edge/command_line.hh"
#include "edge/dead_letter_store.hh"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice {

/// One filter out of --type and --when, as JSON; empty when neither is given.
[[nodiscard]] std::string filter_json(const std::vector<std::string>& types, const std::string& when_json);
[[nodiscard]] std::int64_t moment_of(const std::string& option, const std::string& text, std::int64_t now_unix_ns);
/// "100/s"; 0 when nothing was typed.
[[nodiscard]] double rate_of(const std::string& text);

[[nodiscard]] LetterChoice choice_of(const DlqCommand& command, std::int64_t now_unix_ns);

}  // namespace sluice
