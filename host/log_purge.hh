// `sluice dlq purge` for an event log: its files are written anew without the letters that go. Each is replaced in one
// step by what stays of it, so that a kill leaves the old file or the new one; the log itself only while no host has it
// open.
#pragma once

#include "edge/dead_letter_store.hh"
#include "side_run.hh"

#include <string>

namespace sluice {

struct LogOfLetters {
  const OpenConfig& open;
  const NodeConfig& log;
  std::string done_file;  // lists what was redriven: it goes as well
  Signals& signals;
};

/// The exit code.
[[nodiscard]] int purge_log(const LogOfLetters& letters, const DlqCommand& command, const LetterChoice& choice);

}  // namespace sluice
